"""Ratios, their intervals and their words."""

import numpy as np
import pytest

from backend.metrics import realism


def compared(real, synthetic):
    return realism.compare("Patches", "per ha", np.array(real, float), np.array(synthetic, float), 0)


def test_a_ratio_with_its_interval():
    rng = np.random.default_rng(0)
    real, twice = rng.normal(10, 2, 60), rng.normal(20, 4, 60)
    comparison = compared(real, twice)
    assert comparison.low < comparison.ratio < comparison.high
    assert comparison.ratio == pytest.approx(2, rel=0.1) and comparison.low > 1.7
    assert comparison.verdict == ("bad", f"{comparison.ratio:.2f} times real land cover's.")
    assert compared(real, rng.normal(10, 2, 60)).verdict[0] == "good"
    assert compared(real, rng.normal(10.8, 0.01, 600)).verdict == ("care", "Within 10% of real land cover.")
    again = compared(real, twice)
    assert (comparison.low, comparison.high) == (again.low, again.high), "the seed decides"


def test_windows_without_a_figure_do_not_count():
    comparison = compared([1, np.nan, 3], [4, np.nan, 4])
    assert comparison.ratio == 2 and comparison.row()["real"] == 2
    nothing = compared([0, 0], [1, 1])
    assert np.isnan(nothing.ratio) and nothing.verdict[1].startswith("Nothing") and nothing.row()["ratio"] is None
    assert compared([np.nan, np.nan], [1, 1]).row()["real_q50"] is None


def test_class_shares():
    real, synthetic = np.zeros((4, 8, 8), np.uint8), np.zeros((4, 8, 8), np.uint8)
    real[:, :2], synthetic[:, :4] = 4, 7
    synthetic[:, -1] = 255
    means = {one.name: (one.real_mean, one.synthetic_mean) for one in realism.compare_classes(real, synthetic, 0)}
    assert means["10 Tree cover"] == pytest.approx((75, 100 * 3 / 7))
    assert means["50 Built-up"] == (25, 0) and means["80 Permanent water bodies"] == pytest.approx((0, 100 * 4 / 7))
    assert len(means) == 3
