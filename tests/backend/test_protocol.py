import ast
import dataclasses
import io
import json
import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import protocol
from backend.protocol import BackendError, Event, Extent, Reporter, SegmentImage


@pytest.mark.parametrize(
    ("bounds", "crs", "said"),
    [
        ((0, 0, 1, 1), " ", "no CRS"),
        ((0, 0, 0, 1), "EPSG:4326", "empty"),
        ((0, 1, 1, 1), "EPSG:4326", "empty"),
        ((1, 0, 0, 1), "EPSG:4326", "antimeridian"),
        ((0, 1, 1, 0), "EPSG:4326", "inverted"),
        ((0, 0, math.inf, 1), "EPSG:4326", "finite"),
        ((math.nan, 0, 1, 1), "EPSG:4326", "finite"),
    ],
)
def test_an_extent_that_is_none_is_refused(bounds, crs, said):
    with pytest.raises(BackendError, match=said):
        Extent(*bounds, crs)


def test_a_job_is_named_like_its_algorithm_and_module():
    assert protocol.job_name(SegmentImage(image="a", output="b")) == "segmentimage"
    for name, cls in protocol.JOBS.items():
        assert name == cls.__name__.lower() and name.isalpha()
        assert any(field.name.startswith("output") for field in dataclasses.fields(cls))


def test_a_job_is_written_with_all_its_fields():
    written = json.loads(protocol.dump_job(protocol.ClipNaip(Extent(0, 0, 1, 1, "EPSG:4326"), "out.tif", year=2020)))
    assert written["job"] == "clipnaip" and written["year"] == 2020 and written["pixel_m"] is None
    assert written["extent"] == {"xmin": 0, "ymin": 0, "xmax": 1, "ymax": 1, "crs": "EPSG:4326"}
    assert set(written) == {"job"} | {field.name for field in dataclasses.fields(protocol.ClipNaip)}


def test_qgiss_python_can_read_the_protocol():
    """Standard library alone, and field types that Python 3.9 can evaluate."""
    for path in Path(protocol.__file__).parent.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        imported = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        imported += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
        assert all(name.split(".")[0] in sys.stdlib_module_names for name in imported), path
    for cls in protocol.JOBS.values():
        assert not [field.name for field in dataclasses.fields(cls) if "|" in str(field.type)]


@given(
    st.sampled_from(["progress", "log", "result", "error"]),
    st.text(),
    st.floats(0, 1),
    st.dictionaries(st.text(), st.text()),
)
def test_an_event_is_one_line_and_comes_back(kind, message, fraction, outputs):
    event = Event(kind, message, fraction, outputs)
    line = event.to_line()
    assert len(line.splitlines()) == 1 and line.isascii()
    assert Event.from_line(line + "\n") == event


@pytest.mark.parametrize(
    "line",
    [
        "",
        "a print",
        "{}",
        "[]",
        "null",
        "1",
        '"log"',
        '{"kind": "surprise"}',
        '{"kind": []}',
        '{"kind": "log", "x": 1}',
    ],
)
def test_a_line_that_is_no_event_is_a_value_error(line):
    with pytest.raises(ValueError):
        Event.from_line(line)


def test_partial_paths_are_beside_the_output_and_only_its_own(tmp_path):
    final = tmp_path / "scene [1].tif"
    job = SegmentImage(image="a", output=str(final))
    left = [protocol.partial_path(final), tmp_path / ".scene [1].part", tmp_path / ".scene [1].part.tif.aux.xml"]
    assert left[0].parent == tmp_path and left[0].suffix == ".tif"
    left[1].mkdir()
    (left[1] / "inside").touch()
    kept = [final, tmp_path / ".scene 1.part.tif", tmp_path / "scene [1].part.tif"]
    for path in [left[0], left[2], *kept]:
        path.touch()
    assert set(protocol.partial_paths(job)) == set(left)
    protocol.remove_partials(job)
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_a_job_without_outputs_on_disk_leaves_no_partials():
    extent = Extent(0, 0, 1, 1, "EPSG:4326")
    job = protocol.GenerateScene(extent, output_landcover="/no/such/folder/a.tif", output_image="")
    assert protocol.partial_paths(job) == []


def fractions(use):
    stream = io.StringIO()
    use(Reporter(stream))
    return [Event.from_line(line).fraction for line in stream.getvalue().splitlines()]


def test_a_part_reports_its_share_of_the_whole():
    def use(reporter):
        second = reporter.part(0.5, 1.0)
        second.progress(0.0)
        second.part(0.5, 1.0).progress(0.5)
        second.progress(1.0)

    assert fractions(use) == [0.5, 0.875, 1.0]


def test_progress_stays_within_zero_and_one():
    assert fractions(lambda reporter: [reporter.progress(x) for x in (-1, 0.25, 2)]) == [0.0, 0.25, 1.0]


def test_nobody_hears_a_silent_reporter(capfd):
    protocol.silent().log("a word")
    assert capfd.readouterr() == ("", "")


def test_shares_as_they_are_typed():
    assert protocol.parse_shares("10:60, 50 : 20.5%,") == {10: 60.0, 50: 20.5}
    assert protocol.parse_shares(" ") == {}
    assert protocol.parse_shares("10:100,80:0") == {10: 100.0, 80: 0.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10", "'10' is no class share"),
        ("trees:20", "no class share"),
        ("10:many", "no class share"),
        ("11:20", "no class 11 in WorldCover's legend. Choose among 10, 20"),
        ("10:-5", "The share of class 10 is -5"),
        ("10:nan", "The share of class 10 is nan"),
        ("10:60,50:60", "sum to 120 percent"),
        ("10:60,10:20", "class 10 is asked for twice"),
    ],
)
def test_shares_that_are_none_are_said(text, said):
    with pytest.raises(BackendError, match=said):
        protocol.parse_shares(text)


def test_a_mix_as_typed():
    assert protocol.parse_numbers("25, 75%") == (25, 75) and protocol.parse_numbers("") == ()
    with pytest.raises(BackendError, match="'half' is no mix"):
        protocol.parse_numbers("half")


@given(
    left=st.floats(-1e7, 1e7),
    bottom=st.floats(-1e7, 1e7),
    width=st.floats(0.01, 1e5),
    height=st.floats(0.01, 1e5),
)
def test_bounds_snap_outward_to_the_next_ten_metres(left, bottom, width, height):
    bounds = (left, bottom, left + width, bottom + height)
    snapped = protocol.snapped_bounds(bounds)
    assert all(isinstance(value, int) and value % protocol.SNAP_M == 0 for value in snapped)
    overhangs = (*(bounds[i] - snapped[i] for i in (0, 1)), *(snapped[i] - bounds[i] for i in (2, 3)))
    assert all(-2e-5 <= overhang < protocol.SNAP_M for overhang in overhangs)
    assert protocol.snapped_bounds(snapped) == snapped


def test_a_rounding_error_of_a_projection_adds_no_row():
    assert protocol.snapped_bounds((-1e-6, 9.999999, 20.000001, 30.0)) == (0, 10, 20, 30)
    assert protocol.outward_multiples((0.6 - 1e-9, 0.0, 1.2 + 1e-9, 1.0), 0.6) == (1, 0, 2, 2)
