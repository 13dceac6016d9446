"""The table of a land cover difference, as CSV and as a page."""

import csv

import pytest

from backend.reports.landcover_difference import page, write_csv
from tests.backend.metrics.test_difference import changed_map


def test_the_page():
    text = page(changed_map())
    assert "real &lt;1&gt;.tif" in text and "70.0% of 100.0 ha" in text and "none" in text
    assert "#5ab45a" not in text and 'background-color:#ffffff">' in text


def test_the_csv(tmp_path):
    write_csv(tmp_path / "t.csv", changed_map())
    rows = list(csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8")))
    assert [row["class"] for row in rows] == ["Tree cover", "Grassland", "Permanent water bodies"]
    assert float(rows[1]["as_80_ha"]) == 10 and float(rows[0]["agree_of_reference"]) == pytest.approx(0.8333, abs=1e-4)
    assert rows[2]["agree_of_reference"] == ""
