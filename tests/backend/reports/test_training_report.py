"""The report is one file that holds all that it shows."""

import re
from xml.etree import ElementTree

import numpy as np

from backend.reports import contact_sheet
from backend.reports.training_report import SHEETS, curve, write_report
from backend.training.generator import TrainingResult
from tests.backend.html_tags import HtmlTags

INDEX = {"data": {"names": ["<mine>"], "codes": []}, "training": {"batch": 4, "learning_rate": None}}


def test_a_report_holds_curves_samples_and_settings(tmp_path):
    for step in range(0, 1000, 100):
        picture = np.full((4, 4, 3), step // 4, np.uint8)
        contact_sheet.write_png(tmp_path / "samples" / f"painter_{step:06d}.png", picture)
    history = [{"step": n, "minutes": n / 10, "loss": 1 / (n + 1)} for n in range(50)]
    stages = {"painter": TrainingResult({"steps": 50, "loss": 0.02}, history), "other": TrainingResult({"steps": 0})}
    write_report(tmp_path, "spade", INDEX, stages, {"painter": ("real", "painted"), "other": ()})
    text = (tmp_path / "report.html").read_text()
    page = HtmlTags()
    page.feed(text)
    assert not page.open and page.count["img"] == SHEETS and page.count["svg"] == 1
    assert "step 0<" in text and "step 900<" in text, "the first and the last sheet"
    assert "&lt;mine&gt;" in text and "real, painted" in text and "not given" in text
    assert not re.search(r"https?://|src=\"(?!data:)", text)


def test_a_curve_fits_its_frame():
    svg_figure = curve([(0, 5.0), (1, 1.0), (2, 3.0)], "loss")
    svg = ElementTree.fromstring(re.search("<svg.*</svg>", svg_figure).group())
    points = [tuple(map(float, pair.split(","))) for pair in svg[0].get("points").split()]
    assert points == [(6, 6), (210, 154), (414, 80)]
    assert "1 to 5, last 3" in svg_figure
    assert curve([(0, 2.0)], "one point alone")
