"""Blocks of a raster on disk that outlive a cancel, a kill and a power cut.

Pixels are written through plain files, not through a memory map: a full disk is then an OSError, not a signal.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np

PIXELS, MASK, JOURNAL, LOCK = "pixels.bin", "mask.bin", "journal", "lock"
MASKED = b"masked"

if sys.platform == "win32":
    import msvcrt

    def _take(file: BinaryIO) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class StoreHeldError(Exception):
    """Another run, of this process or of another, has the store open."""


def disk_bytes(folder: Path) -> int:
    """What a folder's files take on disk; 0 where there are none, or where the system does not say."""
    try:
        return sum(getattr(path.stat(), "st_blocks", 0) * 512 for path in folder.iterdir())
    except OSError:
        return 0


def stamp(path: str) -> str:
    """What tells an input file from an older one of its name, on which a run must not go on."""
    found = Path(path).stat()
    return f"{Path(path).absolute()} {found.st_size} {found.st_mtime_ns}"


def sync(path: Path) -> None:
    """Have the system write a file to disk, where it survives a power cut."""
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def _create(path: Path, size: int) -> None:
    """A file of zeros, sparse where the file system can."""
    with open(path, "wb") as file:
        file.truncate(size)
    sync(path)


def _hold(file: BinaryIO) -> None:
    """Lock a file until it is closed or the process ends, however it ends."""
    try:
        _take(file)
    except (BlockingIOError, PermissionError) as error:
        raise StoreHeldError from error
    except OSError:
        pass  # a file system without locks: two runs of one output are the user's to avoid there


def _lock(folder: Path) -> BinaryIO:
    """The folder's lock file, held; the folder is made where it is missing."""
    for _ in range(10):
        # The last holder may remove the folder at any moment until its lock is ours.
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
    """Blocks of a (bands, height, width) uint8 array in a folder of their own; what is not written is 0.

    `pixels.bin` holds rows of interleaved bands, `mask.bin` a byte a pixel (255 valid, 0 not). A line "row col"
    of `journal` says that a block is on disk; " masked" follows once there is a mask. `done` has these offsets
    as they were at the start: of an earlier store with the same `identity`, a line of text. A store of another
    identity or of none, or a damaged one, is begun anew. Raises StoreHeldError where another run has the store open,
    OSError where the disk is full or not writable.
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
        """Take over the blocks of an earlier run; False where there is no sound store of this identity."""
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
        """Empty the store; the journal goes first and comes last, so that it never speaks of what is not there."""
        self._clear()
        bands, height, width = self.shape
        _create(self.folder / PIXELS, bands * height * width)
        _create(self.folder / JOURNAL, 0)
        self._append(self._header)

    def _clear(self, *kept: str) -> None:
        """Remove all files but the lock and those to keep, the journal first."""
        for path in sorted(self.folder.iterdir(), key=lambda path: path.name != JOURNAL):
            if path.name not in (LOCK, *kept):
                path.unlink()

    def _append(self, line: bytes) -> None:
        """Write a whole line at the journal's end, over what a failed attempt may have left there."""
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
        """Write (bands, height, width) uint8 that lies within the array, and its (height, width) mask.

        Afterwards the block is on disk and in the journal as `block`. ValueError for other bands or another dtype.
        """
        self.put(data, row, col)
        if valid is not None:
            if not self.masked:
                _create(self.folder / MASK, self.shape[1] * self.shape[2])
                self.masked = True
            self._put(MASK, (valid[..., None] != 0) * np.uint8(255), row, col)
        self.mark(block)

    def put(self, data: np.ndarray, row: int, col: int) -> None:
        """Write (bands, height, width) uint8 as a part of a block, which counts once it is marked.

        ValueError for other bands or another dtype.
        """
        if data.dtype != np.uint8 or data.shape[0] != self.shape[0]:
            raise ValueError(f"{self.shape[0]} bands of uint8 are due, not {data.shape[0]} of {data.dtype}")
        self._put(PIXELS, np.moveaxis(data, 0, -1), row, col)

    def mark(self, block: tuple[int, int]) -> None:
        """Put a block, all of whose parts are on disk, into the journal."""
        self._append(b"%d %d%s\n" % (*block, b" " + MASKED if self.masked else b""))
        self._blocks.add(block)

    def read(self, row: int, height: int) -> np.ndarray:
        """(bands, height, width) uint8: whole rows of the array."""
        bands, _, width = self.shape
        with open(self.folder / PIXELS, "rb") as file:
            file.seek(row * width * bands)
            found = np.frombuffer(file.read(height * width * bands), np.uint8)
        return np.moveaxis(found.reshape(height, width, bands), -1, 0)

    def close(self) -> None:
        """Let go of the store and keep its blocks for a later run; without any, remove it."""
        if not self._blocks:
            return self.remove()
        with contextlib.suppress(OSError):  # what stays behind here is removed by the next run
            self._clear(PIXELS, MASK, JOURNAL)
        self._lock.close()

    def remove(self) -> None:
        """Delete the store, the lock last and while it is held: a run that waits for it finds no half-removed store."""
        with contextlib.suppress(OSError):
            self._clear()
        if sys.platform == "win32":  # there an open file cannot be deleted, and so nobody else's lock is
            self._lock.close()
        with contextlib.suppress(OSError):
            (self.folder / LOCK).unlink()
            self.folder.rmdir()
        self._lock.close()
