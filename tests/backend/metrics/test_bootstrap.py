"""The cross-test's table: scores with intervals, and a page that holds all that it shows."""

import csv
import json

import numpy as np
import pytest

from backend.geo import legend
from backend.metrics import bootstrap
from backend.reports import cross_test
from tests.backend.html_tags import HtmlTags


def matrices(right, wrong):
    """Of each tile: so many pixels of class 0 that are right, so many that are taken for class 1, and as many of 1."""
    found = np.zeros((len(right), legend.COUNT, legend.COUNT), np.int64)
    found[:, 0, 0], found[:, 0, 1], found[:, 1, 1] = right, wrong, right
    return found


def test_the_interval_holds_the_score_and_shrinks_with_more_tiles():
    rng = np.random.default_rng(0)
    few, many = (bootstrap.cell("m", "d", matrices(rng.integers(50, 90, n), rng.integers(10, 50, n))) for n in (8, 200))
    for each in (few, many):
        assert each.low < each.scores.miou < each.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_tiles_that_are_all_alike_leave_nothing_to_chance():
    alike = bootstrap.cell("m", "d", matrices([75] * 5, [25] * 5))
    assert alike.low == pytest.approx(alike.high) == pytest.approx(alike.scores.miou) == pytest.approx(0.75)


def test_a_class_that_few_tiles_show_counts_where_it_is_drawn():
    found = matrices([10] * 4, [0] * 4)
    found[3, 5, 0] = 10  # a class in one tile, never found: 2/3, or 1 where that tile is not drawn
    each = bootstrap.cell("m", "d", found)
    assert each.scores.miou == pytest.approx((10 * 4 / 50 + 1 + 0) / 3) and each.high == 1


def test_the_table_in_three_formats(tmp_path):
    cells = [
        bootstrap.cell(model, name, matrices([right], [100 - right]))
        for model, right in (("good", 90), ("<poor>", 20))
        for name in ("real", "made")
    ]
    cross_test.write_table(tmp_path / "new", cells)
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        f"crosstest.{kind}" for kind in ("csv", "json", "html")
    }
    rows = list(csv.DictReader((tmp_path / "new" / "crosstest.csv").read_text().splitlines()))
    assert [(row["model"], row["test_set"]) for row in rows][:2] == [("good", "real"), ("good", "made")]
    assert float(rows[0]["miou"]) > float(rows[2]["miou"]) and rows[0]["iou_20"] != "" and rows[0]["iou_30"] == ""
    assert json.loads((tmp_path / "new" / "crosstest.json").read_text())[2]["model"] == "<poor>"
    text = (tmp_path / "new" / "crosstest.html").read_text()
    page = HtmlTags()
    page.feed(text)
    assert not page.open and "&lt;poor&gt;" in text and "<poor>" not in text and "http" not in text
    assert "0.76" in text and "Shrubland" in text and "Grassland" not in text
