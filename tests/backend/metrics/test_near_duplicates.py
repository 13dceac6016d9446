"""Near copies are found at any shift and in any turn, and only where they are."""

import numpy as np
import pytest

from backend.datasets.augment import dihedral
from backend.geo import legend
from backend.metrics import near_duplicates
from backend.metrics.near_duplicates import NEAR, MapBlock, nearest_distances
from backend.metrics.realism import Copies


def land(height, width, seed):
    """(height, width) uint8: patches of all sizes, as a landscape has them."""
    rng = np.random.default_rng(seed)
    heights = np.zeros((4, height, width))
    for side in (4, 8, 16, 32, 64):
        coarse = rng.normal(size=(4, -(-height // side), -(-width // side)))
        heights += side**0.5 * coarse.repeat(side, 1).repeat(side, 2)[:, :height, :width]
    return heights.argmax(0).astype(np.uint8)


def planted(land_cover, side, count, seed):
    """(count, side, side) windows of a map, each from anywhere and in a turn of its own, 5 percent of it changed."""
    rng = np.random.default_rng(seed)
    windows = []
    for number in range(count):
        row, col = (rng.integers(0, size - side + 1) for size in land_cover.shape)
        window = dihedral(land_cover[row : row + side, col : col + side], number % 8).copy()
        changed = rng.random(window.shape) < 0.05
        window[changed] = (window[changed] + rng.integers(1, 4, changed.sum())) % 4
        windows.append(window)
    return np.stack(windows)


@pytest.mark.parametrize("side", [64, 100, 128])
def test_planted_copies_are_found_and_other_windows_are_not(side):
    land_cover = land(517, 611, 1)
    copies = nearest_distances(planted(land_cover, side, 8, 2), [MapBlock(land_cover)])
    assert copies.max() < NEAR
    apart = nearest_distances(planted(land(517, 611, 3), side, 8, 2), [MapBlock(land_cover)])
    assert apart.min() > 3 * NEAR


def test_held_out_windows_of_the_same_map_are_no_copies_where_their_own_place_is_passed_over():
    land_cover = land(517, 611, 1)
    places = [(1, row, col) for row in (3, 150, 380) for col in (7, 211, 470)]
    windows = np.stack([land_cover[row : row + 100, col : col + 100] for _, row, col in places])
    blocks = [MapBlock(land_cover[:300], (1, 0, 0)), MapBlock(land_cover[201:, 7:], (1, 201, 7))]
    assert nearest_distances(windows, blocks).max() == 0
    assert nearest_distances(windows, blocks, places).min() > 3 * NEAR
    assert nearest_distances(windows, blocks, [(0, *place[1:]) for place in places]).max() == 0, "those of another map"


def test_a_half_known_place_and_too_small_a_ground_are_not_compared():
    land_cover = land(128, 64, 1)
    land_cover[64:] = legend.IGNORE
    blocks = [MapBlock(land_cover), MapBlock(land_cover[:40])]
    assert nearest_distances(land_cover[None, 32:96], blocks) > 0.3
    heard = []
    assert nearest_distances(land_cover[None, :64], blocks[1:], progress=heard.append) == 1 and heard[-1] == 1


def test_ground_without_any_class_is_not_compared():
    land_cover = land(200, 200, 1)
    blocks = [MapBlock(np.full((200, 200), legend.IGNORE, np.uint8)), MapBlock(land_cover)]
    assert nearest_distances(planted(land_cover, 64, 2, 2), blocks).max() < NEAR
    assert nearest_distances(planted(land_cover, 64, 2, 2), blocks[:1]).tolist() == [1, 1]


def test_large_windows_are_compared_in_cells_and_dull_ones_not():
    small = np.random.default_rng(3).integers(0, 5, (2, 16, 16), dtype=np.uint8)
    large = small.repeat(8, 1).repeat(8, 2)
    assert near_duplicates.shrunk(large).shape == (2, 16, 16) and (near_duplicates.shrunk(large) == small).all()
    large[0] = 3
    large[0, 0, 0] = 1
    assert near_duplicates.varied(large).tolist() == [False, True]


def test_copying_in_words():
    apart = np.linspace(0.2, 0.6, 20)
    assert Copies(apart, apart).verdict.startswith("No copies in all of the real ground")
    verdict = Copies(np.append(apart, [0.01] * 5), apart, 0.25).verdict
    assert verdict.startswith("Near copies in 25% of the real ground: 20.0% of 25 synthetic windows")
    assert Copies(apart, np.array([])).verdict.startswith("Too few")
