"""The benchmark's arithmetic, and that its fast parts run; no time is asserted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the benchmark runs in the backend's Python")
from bench import inside
from bench.figures import Figure

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments):
    return subprocess.run([sys.executable, ROOT / "bench" / "run.py", *arguments], capture_output=True, text=True)


def test_a_ratio_is_compared_with_its_target_and_a_plain_figure_with_none():
    ratio = Figure("overhead", 23.0, "s", 20.0, at_most=1.15)
    assert (ratio.value, ratio.met) == (1.15, True)
    assert Figure("overhead", 23.1, "s", 20.0, at_most=1.15).met is False
    assert Figure("share", 0.4, at_least=0.5).met is False
    assert Figure("seconds", 3.0, "s").met is None
    assert ratio.row().split() == ["overhead", "1.15", "23", "s", "20", "s", "<=", "1.15", "yes"]


def test_a_part_prints_a_table_and_writes_the_same_as_json(tmp_path):
    process = run(str(tmp_path / "new" / "bench.json"), "--quick", "--only", "overlap")
    assert process.returncode == 0, process.stdout + process.stderr
    report = json.loads((tmp_path / "new" / "bench.json").read_text())
    assert {"cpu", "cores", "threads", "dtype", "torch"} <= report["machine"].keys()
    assert report["failed"] == {}
    names = [figure["name"] for figure in report["figures"]]
    assert names[0].startswith("overlap, landcover") and len(names) == 4
    # windows overlap, but a rendering computes each of them once
    assert all(1.5 < figure["value"] < 2.5 for figure in report["figures"])
    assert [line for line in process.stdout.splitlines() if line.startswith("overlap")] == [
        Figure(**{key: value for key, value in figure.items() if key not in ("value", "met")}).row()
        for figure in report["figures"]
    ]


def test_a_clip_is_measured():
    (figure,) = inside.clip("quick")
    assert 0 < figure.value < 100


def test_an_unknown_part_is_refused(tmp_path):
    process = run(str(tmp_path / "bench.json"), "--only", "overlap,speed")
    assert process.returncode == 2 and "no part speed" in process.stderr
