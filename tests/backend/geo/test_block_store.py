"""Finished blocks stay on disk, half-written ones do not count, and one run at a time has a store."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from backend.geo import block_store
from backend.geo.block_store import BlockStore, StoreHeldError

ROOT = Path(__file__).resolve().parents[3]
SHAPE = (3, 40, 50)


def block(number: int, height: int = 10, width: int = 50) -> np.ndarray:
    return np.random.default_rng(number).integers(1, 256, (3, height, width), dtype=np.uint8)


def begun(folder, blocks: int = 3, masked: bool = False) -> None:
    """A store with finished blocks of ten rows, closed."""
    opened = BlockStore(folder, SHAPE, "one")
    for number in range(blocks):
        opened.write((number * 10, 0), block(number), number * 10, 0, np.ones((10, 50), bool) if masked else None)
    opened.close()


def pixels(folder) -> np.ndarray:
    return np.fromfile(folder / "pixels.bin", np.uint8).reshape(40, 50, 3).transpose(2, 0, 1)


def done(folder, identity: str | None = "one") -> frozenset:
    opened = BlockStore(folder, SHAPE, identity)
    opened.close()
    return opened.done


def test_finished_blocks_are_there_for_the_next_run(tmp_path):
    folder = tmp_path / "store"
    begun(folder)
    opened = BlockStore(folder, SHAPE, "one")
    assert opened.done == {(0, 0), (10, 0), (20, 0)}
    opened.write((30, 7), block(3, 4, 5), 31, 9)
    opened.close()
    assert opened.done == {(0, 0), (10, 0), (20, 0)}  # as it was at the start
    assert done(folder) == {(0, 0), (10, 0), (20, 0), (30, 7)}
    stored = pixels(folder)
    np.testing.assert_array_equal(stored[:, :30], np.concatenate([block(n) for n in range(3)], axis=1))
    np.testing.assert_array_equal(stored[:, 31:35, 9:14], block(3, 4, 5))
    assert np.count_nonzero(stored[:, 30:]) == 3 * 4 * 5


def test_a_store_of_something_else_is_begun_anew(tmp_path):
    folder = tmp_path / "store"
    begun(folder, masked=True)
    opened = BlockStore(folder, SHAPE, "two")
    assert opened.done == frozenset() and not opened.masked
    assert not pixels(folder).any() and not (folder / "mask.bin").exists()
    opened.write((0, 0), block(0), 0, 0)
    opened.close()
    assert done(folder, "one") == frozenset()


def test_a_store_without_identity_is_always_begun_anew(tmp_path):
    opened = BlockStore(tmp_path / "store", SHAPE, None)
    opened.write((0, 0), block(0), 0, 0)
    opened.close()
    assert done(tmp_path / "store", None) == frozenset()


@pytest.mark.parametrize("cut", range(1, len("20 0\n")))
def test_a_half_written_line_of_the_journal_does_not_count(tmp_path, cut):
    folder = tmp_path / "store"
    begun(folder)
    journal = (folder / "journal").read_bytes()
    (folder / "journal").write_bytes(journal[:-cut])
    opened = BlockStore(folder, SHAPE, "one")
    assert opened.done == {(0, 0), (10, 0)}
    opened.write((20, 0), block(2), 20, 0)
    opened.close()
    assert (folder / "journal").read_bytes() == journal


def shorten(path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def spoil(path) -> None:
    path.write_bytes(path.read_bytes().replace(b"10 0", b"10 what"))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("pixels.bin", os.unlink),
        ("pixels.bin", shorten),
        ("mask.bin", os.unlink),
        ("mask.bin", shorten),
        ("journal", os.unlink),
        ("journal", spoil),
        ("journal", lambda path: path.write_bytes(b"")),
        ("journal", lambda path: path.write_bytes(b"one\n10 0 surprise\n")),
        ("journal", lambda path: path.write_bytes(b"\xff" * 100 + b"\n")),
    ],
)
def test_a_damaged_store_is_begun_anew(tmp_path, name, damage):
    folder = tmp_path / "store"
    begun(folder, masked=True)
    damage(folder / name)
    opened = BlockStore(folder, SHAPE, "one")
    assert opened.done == frozenset() and not pixels(folder).any()
    begun_anew = block(0)
    opened.write((0, 0), begun_anew, 0, 0)
    opened.close()
    assert done(folder) == {(0, 0)}
    np.testing.assert_array_equal(pixels(folder)[:, :10], begun_anew)


def test_a_mask_without_a_finished_block_is_forgotten(tmp_path):
    folder = tmp_path / "store"
    begun(folder)
    (folder / "mask.bin").write_bytes(b"\xff" * 7)  # a kill came while it was made
    opened = BlockStore(folder, SHAPE, "one")
    assert len(opened.done) == 3 and not opened.masked
    opened.write((30, 0), block(3), 30, 0, np.eye(10, 50) > 0)
    opened.close()
    mask = np.fromfile(folder / "mask.bin", np.uint8).reshape(40, 50)
    assert not mask[:30].any()
    np.testing.assert_array_equal(mask[30:], np.eye(10, 50) * 255)


def test_a_second_run_is_refused_while_the_first_is_open(tmp_path):
    folder = tmp_path / "store"
    first = BlockStore(folder, SHAPE, "one")
    for identity in ("one", "two"):
        with pytest.raises(StoreHeldError):
            BlockStore(folder, SHAPE, identity)
    first.write((0, 0), block(0), 0, 0)
    first.close()
    assert done(folder) == {(0, 0)}


def test_a_lock_on_a_removed_store_is_not_taken_for_the_new_one(tmp_path, monkeypatch):
    folder, holder, lock = (
        tmp_path / "store",
        [BlockStore(tmp_path / "store", SHAPE, "one")],
        block_store.lock_descriptor,
    )

    def late(*arguments, **options) -> bool:
        """The holder removes the store after its lock was opened and before it is taken."""
        if holder:
            holder.pop().remove()
        return lock(*arguments, **options)

    monkeypatch.setattr(block_store, "lock_descriptor", late)
    BlockStore(folder, SHAPE, "one").remove()
    assert list(tmp_path.iterdir()) == []


CONTENDER = """
import sys
import numpy as np
from pathlib import Path
from backend.geo.block_store import BlockStore, StoreHeldError
folder, had = Path(sys.argv[1]), 0
while had < 100:
    try:
        store = BlockStore(folder, (1, 8, 8), "one")
    except StoreHeldError:
        continue
    (folder / "owner").write_text(sys.argv[2])
    store.write((had, 0), np.zeros((1, 8, 8), np.uint8), 0, 0)
    assert (folder / "owner").read_text() == sys.argv[2]
    store.close() if had % 3 else store.remove()
    had += 1
"""


def test_runs_that_contend_for_a_store_never_share_it(tmp_path):
    command = [sys.executable, "-c", CONTENDER, tmp_path / "store"]
    runs = [subprocess.Popen([*command, str(n)], cwd=ROOT, stderr=subprocess.PIPE) for n in range(3)]
    assert [run.communicate(timeout=60)[1] for run in runs] == [b"", b"", b""]


def test_a_file_in_the_stores_place_is_an_error(tmp_path):
    (tmp_path / "store").write_text("")
    with pytest.raises(OSError):
        BlockStore(tmp_path / "store", SHAPE, "one")


def test_a_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch):
    def lock(*_, **options) -> bool:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(block_store, "lock_descriptor", lock)
    begun(tmp_path / "store")
    assert len(done(tmp_path / "store")) == 3


def test_without_a_finished_block_nothing_is_kept(tmp_path):
    BlockStore(tmp_path / "store", SHAPE, "one").close()
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_begun_leaves_nothing(tmp_path, monkeypatch):
    def append(*_) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(BlockStore, "_append", append)
    with pytest.raises(OSError, match="No space"):
        BlockStore(tmp_path / "store", SHAPE, "one")
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_failed_halfway_does_not_merge_with_the_next(tmp_path, monkeypatch):
    folder = tmp_path / "store"
    opened = BlockStore(folder, SHAPE, "one")
    with monkeypatch.context() as patched:
        patched.setattr(block_store, "sync", lambda path: 1 / (path.name != "journal"))
        with pytest.raises(ZeroDivisionError):
            opened.write((1234567, 0), block(0), 0, 0)
    opened.write((10, 0), block(1), 10, 0)
    opened.close()
    assert done(folder) == {(10, 0)}


def test_what_would_spoil_the_file_is_refused(tmp_path):
    opened = BlockStore(tmp_path / "store", SHAPE, "one")
    for wrong in (block(0).astype(float), block(0)[:1]):
        with pytest.raises(ValueError, match="3 bands of uint8"):
            opened.write((0, 0), wrong, 0, 0)
    opened.remove()


@pytest.mark.skipif(os.name != "posix", reason="elsewhere files need not be sparse")
def test_a_very_large_store_takes_the_disk_of_its_blocks_alone(tmp_path):
    start = time.process_time()
    opened = BlockStore(tmp_path / "store", (1, 60_000, 60_000), "one")
    opened.write((59_000, 59_000), block(0, 512, 512)[:1], 59_000, 59_000)
    assert time.process_time() - start < 5, "seconds of this process alone"
    assert 512 * 512 <= block_store.disk_bytes(tmp_path / "store") < 16e6  # a page, or some, for each of the rows
    opened.remove()
    assert block_store.disk_bytes(tmp_path / "store") == 0
