"""The page of land cover realism: whole, escaped, and with box plots inside their frames."""

import re

import numpy as np

from backend.metrics import realism
from backend.metrics.landcover_windows import WindowSample
from backend.metrics.realism import Realism
from backend.reports import landcover_realism
from backend.reports.landcover_realism import box_plot
from tests.backend.html_tags import HtmlTags
from tests.backend.metrics.test_realism import compared


def test_the_page_is_whole(tmp_path):
    metrics = [compared([1, 2, 3, 4], [2, 3, 4, 5]), compared([np.nan] * 3, [np.nan] * 3)]
    windows = np.random.default_rng(0).integers(0, 3, (5, 8, 8), dtype=np.uint8)
    sample = WindowSample(windows, [(0, 0, 0)] * 5)
    shares = list(realism.compare_classes(windows, windows, 0))
    near = realism.Copies(np.array([0.5]), np.array([0.4]))
    result = Realism(8, 10.0, sample, sample, metrics, shares, near)
    landcover_realism.write(tmp_path, {"real": "<mine>"}, result)
    text = (tmp_path / "landcoverrealism.html").read_text()
    page = HtmlTags()
    page.feed(text)
    assert not page.open and "&lt;mine&gt;" in text and page.count["img"] == 2 and "nan" not in text
    assert "#006400" in text and text.count("<rect") > 2 * len(shares)


def test_a_box_plot_lies_within_its_frame():
    places = [float(x) for x in re.findall(r'x[12]="([-0-9.]+)"', box_plot(compared(range(20), range(5, 50))))]
    assert places and min(places) >= 70 and max(places) <= 420
