"""The mean IoU and its interval from the confusion matrices of tiles."""

import numpy as np
import pytest

from backend.geo import legend
from backend.metrics import bootstrap


def matrices(right, wrong):
    """Of each tile: `right` pixels of class 0 predicted as 0, `wrong` predicted as 1, and `right` pixels of class 1."""
    counts = np.zeros((len(right), legend.COUNT, legend.COUNT), np.int64)
    counts[:, 0, 0], counts[:, 0, 1], counts[:, 1, 1] = right, wrong, right
    return counts


def test_the_interval_holds_the_score_and_shrinks_with_more_tiles():
    rng = np.random.default_rng(0)
    few, many = (
        bootstrap.evaluate("m", "d", matrices(rng.integers(50, 90, n), rng.integers(10, 50, n))) for n in (8, 200)
    )
    for evaluation in (few, many):
        assert evaluation.low < evaluation.scores.miou < evaluation.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_tiles_that_are_all_alike_leave_nothing_to_chance():
    alike = bootstrap.evaluate("m", "d", matrices([75] * 5, [25] * 5))
    assert alike.low == pytest.approx(alike.high) == pytest.approx(alike.scores.miou) == pytest.approx(0.75)


def test_a_class_that_few_tiles_show_counts_where_it_is_drawn():
    counts = matrices([10] * 4, [0] * 4)
    counts[3, 5, 0] = 10  # a class in one tile, never predicted: 2/3, or 1 where that tile is not drawn
    evaluation = bootstrap.evaluate("m", "d", counts)
    assert evaluation.scores.miou == pytest.approx((10 * 4 / 50 + 1 + 0) / 3) and evaluation.high == 1
