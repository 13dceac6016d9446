"""Charts: marks lie on their axes, inside the frame."""

import re
from xml.etree import ElementTree

from backend.reports.svg_chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Mark, chart


def parts(series, ticks):
    """The SVG element of a chart."""
    return ElementTree.fromstring(re.search("<svg.*</svg>", chart(series, ticks, "x", "mIoU")).group())


def test_marks_lie_inside_the_frame_with_their_intervals_and_single_values():
    marks = [Mark(0, 0.42, 0.3, 0.55, (0.4, 0.44)), Mark(50, 0.5, 0.45, 0.56), Mark(100, 0.61, 0.58, 0.62)]
    circles = parts({"unet": marks}, {0: "0 %", 50: "50 %", 100: "100 %"}).findall("circle")
    assert len(circles) == 3 + 2
    for circle in circles:
        assert LEFT < float(circle.get("cx")) < WIDTH - RIGHT and TOP <= float(circle.get("cy")) <= HEIGHT - BOTTOM
    means = [circle for circle in circles if circle.get("r") == "4.5"]
    heights = [float(circle.get("cy")) for circle in means]
    assert heights == sorted(heights, reverse=True), "larger values lie higher"


def test_a_line_joins_the_marks_that_belong_together():
    joined, apart = (
        parts({"unet": [Mark(0, 0.4, 0.3, 0.5), Mark(1, 0.5, 0.4, 0.6, joined=join)]}, {0: "a", 1: "b"})
        for join in (True, False)
    )
    assert len(joined.findall("line")) == len(apart.findall("line")) + 1


def test_series_at_one_place_lie_beside_each_other():
    mark = Mark(0, 0.4, 0.3, 0.5)
    left, right = parts({"unet": [mark], "lale": [mark]}, {0: "a"}).findall("circle")
    assert float(right.get("cx")) > float(left.get("cx")) and left.get("fill") != right.get("fill")
