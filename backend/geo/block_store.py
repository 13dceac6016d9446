"""Blocks of a raster on disk that survive a cancelled or killed process and a power cut.

Pixels are written through plain files instead of a memory map, so that a full disk raises OSError and not a signal.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import lock_descriptor

PIXELS, MASK, JOURNAL, LOCK = "pixels.bin", "mask.bin", "journal", "lock"
MASKED = b"masked"


class StoreHeldError(Exception):
    """Another run, in this process or another, has the store open."""


def disk_bytes(folder: Path) -> int:
    """The disk space that a folder's files take, in bytes; 0 where there are none or the system does not tell."""
    try:
        return sum(getattr(path.stat(), "st_blocks", 0) * 512 for path in folder.iterdir())
    except OSError:
        return 0


def stamp(path: str) -> str:
    """A text that changes with an input file, whose older version an interrupted run must not be continued with."""
    status = Path(path).stat()
    return f"{Path(path).absolute()} {status.st_size} {status.st_mtime_ns}"


def sync(path: Path) -> None:
    """Flush a file to disk, where it survives a power cut."""
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def _create(path: Path, size: int) -> None:
    """Create a file of zeros, sparse where the file system supports it."""
    with open(path, "wb") as file:
        file.truncate(size)
    sync(path)


def _hold(file: BinaryIO) -> None:
    """Lock a file until it is closed or the process ends, even by a kill; StoreHeldError where it is locked already."""
    try:
        locked = lock_descriptor(file.fileno(), blocking=False)
    except OSError:
        return  # a file system without locks: there the user must avoid two runs of one output
    if not locked:
        raise StoreHeldError


def _lock(folder: Path) -> BinaryIO:
    """The folder's open and locked lock file; the folder is created where it is missing."""
    for _ in range(10):
        # Until the lock is taken, the previous holder may remove the folder, and the lock may be on a deleted file.
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as closing:
            file = closing.enter_context(open(folder / LOCK, "ab"))
            _hold(file)
            if os.path.samestat(os.fstat(file.fileno()), os.stat(folder / LOCK)):
                closing.pop_all()
                return file
    raise StoreHeldError


class BlockStore:
    """Blocks of a (bands, height, width) uint8 array in a folder of their own; pixels not yet written are 0.

    `pixels.bin` holds rows of interleaved bands, `mask.bin` a byte a pixel (255 valid, 0 not). A line "row col" of
    `journal` records that a block is on disk; " masked" follows once there is a mask. `identity` is a line of text:
    the blocks of an earlier store are taken over where theirs is the same, and their offsets are in `done`. A store
    with another identity or None, or a damaged one, is emptied. Raises StoreHeldError where another run has the store
    open, OSError where the disk is full or not writable.
    """

    def __init__(self, folder: Path, shape: tuple[int, int, int], identity: str | None) -> None:
        self.folder, self.shape, self.masked = folder, shape, False
        self._header, self._end = f"{identity}\n".encode(), 0
        self._blocks: set[tuple[int, int]] = set()
        self._lock = _lock(folder)
        with contextlib.ExitStack() as undo:
            undo.callback(self._lock.close)
            if identity is None or not self._read():
                undo.callback(self.remove)
                self._begin()
            undo.pop_all()
        self.done = frozenset(self._blocks)

    def _read(self) -> bool:
        """Take over the blocks of an earlier run; False where there is no undamaged store of this identity."""
        try:
            journal = (self.folder / JOURNAL).read_bytes()
            lines = journal[: journal.rfind(b"\n") + 1]  # a kill may have cut the last one short
            fields = [line.split() for line in lines.removeprefix(self._header).splitlines()]
            blocks = {(int(row), int(col)) for row, col, *_ in fields}
            words = {bytes(word) for _, _, *rest in fields for word in rest}
            if not (lines.startswith(self._header) and words <= {MASKED} and self._sizes_are_right(bool(words))):
                return False
        except (OSError, ValueError):
            return False
        self._blocks, self.masked, self._end = blocks, bool(words), len(lines)
        self._clear(PIXELS, MASK, JOURNAL)
        return True

    def _sizes_are_right(self, masked: bool) -> bool:
        bands, height, width = self.shape
        sizes = {PIXELS: bands * height * width} | ({MASK: height * width} if masked else {})
        return all((self.folder / name).stat().st_size == size for name, size in sizes.items())

    def _begin(self) -> None:
        """Empty the store. The journal is removed first and created last: it never lists a block that is not there."""
        self._clear()
        bands, height, width = self.shape
        _create(self.folder / PIXELS, bands * height * width)
        _create(self.folder / JOURNAL, 0)
        self._append(self._header)

    def _clear(self, *keep: str) -> None:
        """Remove all files but the lock and those to keep, the journal first."""
        for path in sorted(self.folder.iterdir(), key=lambda path: path.name != JOURNAL):
            if path.name not in (LOCK, *keep):
                path.unlink()

    def _append(self, line: bytes) -> None:
        """Write a line at the journal's end, over the rest of a line that failed halfway."""
        with open(self.folder / JOURNAL, "r+b") as file:
            file.truncate(self._end)
            file.seek(self._end)
            file.write(line)
        sync(self.folder / JOURNAL)
        self._end += len(line)

    def _put(self, name: str, data: np.ndarray, row: int, col: int) -> None:
        """Write (height, width, bands) uint8 at an offset."""
        bands = data.shape[2]
        with open(self.folder / name, "r+b") as file:
            for index, line in enumerate(np.ascontiguousarray(data), start=row):
                file.seek((index * self.shape[2] + col) * bands)
                file.write(line.data)
            file.flush()
            os.fsync(file.fileno())

    def write(
        self, block: tuple[int, int], data: np.ndarray, row: int, col: int, valid: np.ndarray | None = None
    ) -> None:
        """Write a block: (bands, height, width) uint8 inside the array, and its (height, width) mask.

        Afterwards the block is on disk and listed in the journal as `block`. ValueError for another number of bands or
        another dtype.
        """
        self.put(data, row, col)
        if valid is not None:
            if not self.masked:
                _create(self.folder / MASK, self.shape[1] * self.shape[2])
                self.masked = True
            self._put(MASK, (valid[..., None] != 0) * np.uint8(255), row, col)
        self.mark(block)

    def put(self, data: np.ndarray, row: int, col: int) -> None:
        """Write (bands, height, width) uint8 as a part of a block, which is done once it is marked.

        ValueError for another number of bands or another dtype.
        """
        if data.dtype != np.uint8 or data.shape[0] != self.shape[0]:
            raise ValueError(f"{self.shape[0]} bands of uint8 are due, not {data.shape[0]} of {data.dtype}")
        self._put(PIXELS, np.moveaxis(data, 0, -1), row, col)

    def mark(self, block: tuple[int, int]) -> None:
        """Record in the journal that all parts of a block are on disk."""
        self._append(b"%d %d%s\n" % (*block, b" " + MASKED if self.masked else b""))
        self._blocks.add(block)

    def read(self, row: int, height: int) -> np.ndarray:
        """(bands, height, width) uint8: whole rows of the array."""
        bands, _, width = self.shape
        with open(self.folder / PIXELS, "rb") as file:
            file.seek(row * width * bands)
            pixels = np.frombuffer(file.read(height * width * bands), np.uint8)
        return np.moveaxis(pixels.reshape(height, width, bands), -1, 0)

    def close(self) -> None:
        """Release the store and leave its blocks for a later run; remove it where it has none."""
        if not self._blocks:
            return self.remove()
        with contextlib.suppress(OSError):  # files that cannot be removed now are removed by the next run
            self._clear(PIXELS, MASK, JOURNAL)
        self._lock.close()

    def remove(self) -> None:
        """Delete the store, the lock file last and while it is locked: no other run sees a half-removed store."""
        with contextlib.suppress(OSError):
            self._clear()
        if sys.platform == "win32":  # where an open file cannot be deleted, and so no other run's lock file can
            self._lock.close()
        with contextlib.suppress(OSError):
            (self.folder / LOCK).unlink()
            self.folder.rmdir()
        self._lock.close()
