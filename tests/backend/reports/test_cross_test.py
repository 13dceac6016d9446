"""The files of a cross-test: three formats with the same figures, and a page that holds all that it shows."""

import csv
import json

from backend.metrics import bootstrap
from backend.reports import cross_test
from tests.backend.html_tags import HtmlTags
from tests.backend.metrics.test_bootstrap import matrices


def test_the_table_in_three_formats(tmp_path):
    evaluations = [
        bootstrap.evaluate(model, name, matrices([right], [100 - right]))
        for model, right in (("good", 90), ("<poor>", 20))
        for name in ("real", "made")
    ]
    cross_test.write_table(tmp_path / "new", evaluations)
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
