"""Near copies are found in any turn, and only where they are."""

import numpy as np
import pytest

from backend.evaluation import copies
from backend.evaluation.realism import Copies


def windows(count, seed):
    return np.random.default_rng(seed).integers(0, 5, (count, 16, 16), dtype=np.uint8)


def test_a_turned_copy_is_found():
    real, made = windows(80, 1), windows(6, 2)
    made[3] = np.rot90(real[70])[:, ::-1]
    made[3, 0, :4] = 9
    found = copies.nearest(made, real)
    assert found[3] == pytest.approx(4 / 256) and found[[0, 1, 2, 4, 5]].min() > 0.5


def test_what_may_not_be_compared_is_not():
    real = windows(10, 1)
    assert copies.nearest(real, real).max() == 0
    assert copies.nearest(real, real, ~np.eye(10, dtype=bool)).min() > 0.5
    assert (copies.nearest(real, real, np.zeros((10, 10), bool)) == 1).all()


def test_large_windows_are_compared_in_cells_and_dull_ones_not():
    large = windows(2, 3).repeat(8, 1).repeat(8, 2)
    assert copies.shrunk(large).shape == (2, 32, 32) and (copies.shrunk(large)[:, ::2, ::2] == windows(2, 3)).all()
    large[0] = 3
    large[0, 0, 0] = 1
    assert copies.lively(large).tolist() == [False, True]


def test_copying_in_words():
    apart = np.linspace(0.2, 0.6, 20)
    assert Copies(apart, apart).verdict.startswith("No copies among")
    assert Copies(np.append(apart, [0.01] * 5), apart).verdict.startswith("Near copies: 20.0%")
    assert Copies(apart, np.array([])).verdict.startswith("Too few")
