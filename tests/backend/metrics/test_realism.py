"""Ratios, their intervals and their words."""

import numpy as np
import pytest

from backend.metrics import realism
from backend.reports.landcover_realism import body, strip
from tests.backend.html_tags import HtmlTags


def compared(real, synthetic):
    return realism.compared("Patches", "per ha", np.array(real, float), np.array(synthetic, float), 0)


def test_a_ratio_with_its_interval():
    rng = np.random.default_rng(0)
    real, twice = rng.normal(10, 2, 60), rng.normal(20, 4, 60)
    found = compared(real, twice)
    assert found.low < found.ratio < found.high and found.ratio == pytest.approx(2, rel=0.1) and found.low > 1.7
    assert found.verdict == ("bad", f"{found.ratio:.2f} times real land cover's.")
    assert compared(real, rng.normal(10, 2, 60)).verdict[0] == "good"
    assert compared(real, rng.normal(10.8, 0.01, 600)).verdict == ("care", "Within 10% of real land cover.")
    assert (found.low, found.high) == (compared(real, twice).low, compared(real, twice).high), "the seed decides"


def test_windows_without_a_figure_do_not_count():
    found = compared([1, np.nan, 3], [4, np.nan, 4])
    assert found.ratio == 2 and found.told()["real"] == 2
    nothing = compared([0, 0], [1, 1])
    assert np.isnan(nothing.ratio) and nothing.verdict[1].startswith("Nothing") and nothing.told()["ratio"] is None
    assert compared([np.nan, np.nan], [1, 1]).told()["real_q50"] is None


def test_class_shares():
    real, made = np.zeros((4, 8, 8), np.uint8), np.zeros((4, 8, 8), np.uint8)
    real[:, :2], made[:, :4] = 4, 7
    made[:, -1] = 255
    found = {
        one.name: (realism.mean(one.real), realism.mean(one.synthetic)) for one in realism.of_classes(real, made, 0)
    }
    assert found["10 Tree cover"] == pytest.approx((75, 100 * 3 / 7))
    assert found["50 Built-up"] == (25, 0) and found["80 Permanent water bodies"] == pytest.approx((0, 100 * 4 / 7))
    assert len(found) == 3


def test_the_page_is_whole():
    metrics = [compared([1, 2, 3, 4], [2, 3, 4, 5]), compared([np.nan] * 3, [np.nan] * 3)]
    windows = np.random.default_rng(0).integers(0, 3, (5, 8, 8), dtype=np.uint8)
    shares = list(realism.of_classes(windows, windows, 0))
    near = realism.Copies(np.array([0.5]), np.array([0.4]))
    text = body({"real": "<mine>"}, metrics, shares, near, windows, windows)
    page = HtmlTags()
    page.feed(text)
    assert not page.open and "&lt;mine&gt;" in text and page.count["img"] == 2 and "nan" not in text
    assert "#006400" in text and text.count("<rect") > 2 * len(shares)


def test_a_strip_lies_within_its_frame():
    import re

    places = [float(x) for x in re.findall(r'x[12]="([-0-9.]+)"', strip(compared(range(20), range(5, 50))))]
    assert places and min(places) >= 70 and max(places) <= 420
