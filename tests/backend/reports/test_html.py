"""Pages are escaped and hold their images; the files of a result appear together."""

import math

import pytest
from jinja2 import UndefinedError

from backend.protocol import BackendError
from backend.reports import html, study_page
from backend.reports.study_page import Table, TestSetResults
from backend.reports.svg_chart import Mark, chart
from tests.backend.html_tags import HtmlTags


def study(**changes):
    results = {
        "name": "<test>",
        "tiles": 3,
        "answers": ["1 < 2 & 3"],
        "chart": chart({"<unet>": [Mark(0, 0.5, 0.4, 0.6), Mark(1, 0.6, 0.5, 0.7)]}, {0: "<a>", 1: "b"}, "x", "y"),
        "scores": Table(["<column>"], [["<row>"]]),
        "by_class": Table(["IoU"], []),
    }
    tests = [TestSetResults(**{**results, **changes})]
    return study_page.render("mixture_study", "<study>", tests, ["<equal>"], "merged", remarks=["<note>"])


def test_texts_are_escaped_and_charts_are_not():
    text = study()
    page = HtmlTags()
    page.feed(text)
    assert not page.open and page.count["svg"] == 1 and page.count["circle"] == 2
    for word in ("study", "test", "column", "row", "equal", "note", "unet", "a"):
        assert f"&lt;{word}&gt;" in text and f"<{word}>" not in text
    assert "1 &lt; 2 &amp; 3" in text and "<svg" not in study(chart="<svg></svg>")


def test_a_value_that_a_template_lacks_is_an_error():
    with pytest.raises(UndefinedError, match="lead"):
        html.render("training", title="A model", data={}, settings={})


def test_numbers_have_three_digits():
    numbers = [123.4, 99.96, 12.345, 0.12345, -0.5, math.nan, math.inf]
    assert [html.three_digits(number) for number in numbers] == [
        *("123", "99.96", "12.35", "0.123", "-0.500", "none", "none")
    ]


def test_files_appear_together_or_not_at_all(tmp_path):
    html.write_together(tmp_path / "new", {"a.csv": "1\r\n", "b.html": "é"})
    assert (tmp_path / "new" / "a.csv").read_bytes() == b"1\r\n" and len(list((tmp_path / "new").iterdir())) == 2
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError, match="choose another output"):
        html.write_together(tmp_path / "file" / "out", {"a.csv": ""})
