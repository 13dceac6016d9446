"""Sentences on what a tile shows and where."""

import numpy as np
import pytest

from backend.datasets.captions import caption
from backend.geo import legend

TREE, GRASS, BUILT, WATER = 0, 2, 4, 7


def tile(*parts):
    """Grass, with other classes in rectangles (class, rows, columns)."""
    found = np.full((40, 40), GRASS, np.uint8)
    for index, rows, cols in parts:
        found[rows, cols] = index
    return found


ALL = slice(None)


@pytest.mark.parametrize(
    "parts, sentence",
    [
        ([], "Grassland (100 %) nearly everywhere."),
        ([(TREE, slice(30, 40), ALL)], "Grassland (75 %) over most of the tile, tree cover (25 %) in the south."),
        (
            [(WATER, slice(0, 12), slice(28, 40)), (BUILT, slice(16, 24), slice(16, 24))],
            "Grassland (87 %) over most of the tile, permanent water bodies (9 %) in the north-east, "
            "built-up (4 %) in the middle.",
        ),
        (
            [(BUILT, slice(0, 40, 4), slice(0, 40, 2))],
            "Grassland (88 %) over most of the tile, built-up (12 %) throughout.",
        ),
        ([(BUILT, 0, slice(0, 20))], "Grassland (99 %) nearly everywhere."),
        (
            [(TREE, ALL, slice(0, 20))],
            "Tree cover (50 %) in the west, grassland (50 %) in the east.",
        ),
    ],
)
def test_a_tile_in_a_sentence(parts, sentence):
    assert caption(tile(*parts)) == sentence


def test_unknown_pixels_do_not_count():
    half = tile((TREE, slice(0, 10), ALL), (legend.IGNORE, slice(10, 40), ALL))
    assert caption(half) == "Tree cover (100 %) in the north."
    assert caption(np.full((4, 4), legend.IGNORE, np.uint8)) == "Nothing is known of this tile."
