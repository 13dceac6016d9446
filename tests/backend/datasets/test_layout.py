"""Packed arrays: written one by one, read as tiles, and refused where they are damaged."""

import json

import numpy as np
import pytest

from backend.datasets import layout
from backend.datasets.layout import write_stack
from backend.geo import legend
from backend.protocol import BackendError
from tests.backend.packed_tiles import write_random_tiles


def test_a_stack_is_written_tile_by_tile(tmp_path):
    arrays = [np.arange(6, dtype=np.uint8).reshape(2, 3) + number for number in range(4)]
    write_stack(tmp_path / "x.npy", 4, (np.asfortranarray(array) for array in arrays))
    assert (np.load(tmp_path / "x.npy") == np.stack(arrays)).all()


def test_packed_tiles_are_read_with_their_splits_and_styles(tmp_path):
    folder = write_random_tiles(tmp_path / "packed", (40, 64), ("train", "val", "train"))
    small, large = layout.read_tiles(folder)
    assert (small.name, small.size, large.size) == ("s40", 40, 64) and small.styles == [[], [], []]
    assert small.of_split("train").tolist() == [0, 2] and small.emphasis == 1.0
    tile = large.tile(1)
    assert (tile.name, tile.split, tile.shape) == ("s64_1", "val", (64, 64))
    image, label = tile.read(3, 5, 7, 9)
    assert (image[..., 0] == label * 20).all() and label.shape == (7, 9)


def test_another_legend_is_refused(tmp_path):
    folder = write_random_tiles(tmp_path / "packed")
    index = json.loads((folder / layout.PACKED_INDEX).read_text())
    (folder / layout.PACKED_INDEX).write_text(json.dumps({**index, "legend": {"10": "Water"}}))
    with pytest.raises(BackendError, match="another legend"):
        layout.read_tiles(folder)


def test_styles_of_another_number_of_tiles_are_refused(tmp_path):
    folder = write_random_tiles(tmp_path / "packed")
    index = json.loads((folder / layout.PACKED_INDEX).read_text())
    index["tiles"]["s40"]["styles"] = [["arid"]]
    (folder / layout.PACKED_INDEX).write_text(json.dumps(index))
    with pytest.raises(BackendError, match="have styles for 1 of 2 tiles"):
        layout.read_tiles(folder)


def test_class_counts_leave_out_what_is_unknown():
    labels = [np.array([[0, 2], [2, legend.IGNORE]], np.uint8), np.full((3, 3), 10, np.uint8)]
    counts = layout.class_counts(labels)
    assert counts.shape == (legend.COUNT,) and counts[[0, 2, 10]].tolist() == [1, 2, 9] and counts.sum() == 12
