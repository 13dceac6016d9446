"""`python -m backend` from outside: the wire, the exit status, what is left on disk."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backend import protocol
from backend.protocol import Event, SegmentImage

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the scripted jobs use signals and fork")
ROOT = Path(__file__).resolve().parents[2]
SCRIPTED = ROOT / "tests" / "plugin" / "bridge" / "scripted_jobs.py"


@pytest.fixture
def root(tmp_path):
    """The real __main__ and protocol with scripted jobs."""
    backend = tmp_path / "plugin" / "backend"
    (backend / "jobs").mkdir(parents=True)
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(ROOT / "backend" / name, backend / name)
    shutil.copytree(ROOT / "backend" / "protocol", backend / "protocol")
    shutil.copy(SCRIPTED, backend / "jobs" / "segmentimage.py")
    return backend.parent


def start(root, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "backend", *map(str, arguments)],
        cwd=root,
        stdin=options.get("stdin", subprocess.DEVNULL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )


def finish(process, said=None):
    """Exit status, events and stderr; any line on the wire that is no event fails."""
    out, err = process.communicate(said, timeout=60)
    return process.returncode, [Event.from_line(line) for line in out.splitlines()], err


def job_file(tmp_path, what="well", **changes):
    path = tmp_path / f"{what}.json"
    job = json.loads(protocol.dump_job(SegmentImage(image=what, output=str(tmp_path / "out.tif"))))
    path.write_text(json.dumps({**job, **changes}))
    return path


def test_a_result_is_the_last_event(root, tmp_path):
    status, events, err = finish(start(root, "run", job_file(tmp_path)))
    assert status == 0 and [event.kind for event in events] == ["progress", "log", "result"]
    assert events[-1].outputs["output"] == str(tmp_path / "out.tif") and "a warning" in err


def test_stray_prints_go_to_stderr(root, tmp_path):
    status, events, err = finish(start(root, "run", job_file(tmp_path, "stray")))
    assert status == 0 and events[-1].kind == "result"
    assert all(word in err for word in ("a print", "raw bytes", "from C", "from a child"))


def test_a_refusal_is_one_error_event(root, tmp_path):
    status, events, err = finish(start(root, "run", job_file(tmp_path, "refuses")))
    assert status == 1 and [event.kind for event in events] == ["error"]
    assert events[0].message == "The image is not an image. Give another." and "Traceback" not in err


def test_a_bug_is_an_error_event_and_a_trace(root, tmp_path):
    status, events, err = finish(start(root, "run", job_file(tmp_path, "bug")))
    assert status == 2 and "ZeroDivisionError" in events[-1].message and "Traceback" in err


@pytest.mark.parametrize(
    ("what", "expected", "said"),
    [("memory", 1, "The machine ran out of memory."), ("gpu_memory", 2, "The GPU ran out of memory.")],
)
def test_memory_that_runs_out_is_said_so(root, tmp_path, what, expected, said):
    status, events, _ = finish(start(root, "run", job_file(tmp_path, what)))
    assert status == expected and [event.kind for event in events] == ["error"]
    assert events[0].message.startswith(said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"imgae": "a"}, "imgae"),
        ({"max_area_km2": "large"}, "max_area_km2"),
        ({"image": 7}, "image"),
        ({"job": "makecoffee"}, "makecoffee"),
    ],
)
def test_a_job_that_is_not_valid_is_refused(worker, tmp_path, changes, said):
    events = worker.run(job_file(tmp_path, **changes))
    assert [event.kind for event in events] == ["progress", "error"] and said in events[-1].message


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '"job"', '{"job": []}'])
def test_a_file_that_is_no_job_is_refused(worker, tmp_path, text):
    path = tmp_path / "job.json"
    path.write_text(text)
    assert "is not a Landforge job" in worker.run(path)[-1].message


def test_a_job_file_that_is_missing_is_refused(root, tmp_path):
    status, events, _ = finish(start(root, "run", tmp_path / "none.json"))
    assert status == 1 and "none.json is not a Landforge job" in events[0].message


def test_an_extent_that_is_none_is_refused_with_its_own_words(worker, tmp_path):
    job = {"job": "clipworldcover", "output": "a.tif", "extent": {"xmin": 1, "ymin": 0, "xmax": 0, "ymax": 1}}
    path = tmp_path / "job.json"
    path.write_text(json.dumps({**job, "extent": {**job["extent"], "crs": "EPSG:4326"}}))
    assert "inverted" in worker.run(path)[-1].message


def test_a_terminated_job_removes_what_it_was_writing(root, tmp_path):
    process = start(root, "run", job_file(tmp_path, "silent"))
    begun = tmp_path / "out.pid"
    while not begun.exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    status, events, _ = finish(process)
    assert status == 143 and events == []
    assert not protocol.partial_paths(SegmentImage(image="", output=str(tmp_path / "out.tif")))


def test_serve_runs_one_job_after_another_in_one_process(root, tmp_path):
    lines = [str(job_file(tmp_path)), "", str(job_file(tmp_path, "refuses")), str(job_file(tmp_path))]
    process = start(root, "serve", stdin=subprocess.PIPE)
    status, events, _ = finish(process, "\n".join(lines) + "\n")
    ends = [event for event in events if event.kind in ("result", "error")]
    assert status == 0 and [event.kind for event in ends] == ["result", "error", "result"]
    assert ends[0].outputs["pid"] == ends[2].outputs["pid"] == str(process.pid)
    assert events[0] == Event("progress", fraction=0.0), "a job that is taken is acknowledged"


def test_serve_ends_after_a_bug(root, tmp_path):
    lines = [str(job_file(tmp_path, "bug")), str(job_file(tmp_path))]
    status, events, _ = finish(start(root, "serve", stdin=subprocess.PIPE), "\n".join(lines) + "\n")
    assert status == 2 and events[-1].kind == "error"


def test_serve_ends_when_it_has_waited_too_long(root):
    main = root / "backend" / "__main__.py"
    text = main.read_text()
    assert "IDLE_MINUTES = 15.0" in text
    main.write_text(text.replace("IDLE_MINUTES = 15.0", "IDLE_MINUTES = 0.01"))
    process = start(root, "serve", stdin=subprocess.PIPE)
    assert process.wait(timeout=30) == 0
    process.communicate()


ROUND_TRIP = """
import json, sys, tempfile
import backend.__main__ as main
from backend import protocol

extent = protocol.Extent(0, 0, 1, 1, "EPSG:4326")
values = {"extent": extent, "image": "a.tif", "landcover": "a.tif", "dataset": "folder"}
for cls in protocol.JOBS.values():
    import dataclasses
    mapped = [f.name for f in dataclasses.fields(cls) if f.name == "shares" and "dict" in f.type]
    given = {name: {10: 60.0} for name in mapped}
    missing = dataclasses.MISSING
    needed = [f for f in dataclasses.fields(cls) if f.default is missing and f.default_factory is missing]
    for f in needed:
        value = values.get(f.name, f.name)
        given[f.name] = (value,) if f.type.startswith("tuple") else value
    job = cls(**given)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(protocol.dump_job(job))
        file.flush()
        assert main.load_job(file.name) == job, job
print("all", len(protocol.JOBS), file=sys.stderr)
"""


def test_every_job_comes_back_from_its_file():
    done = subprocess.run([sys.executable, "-c", ROUND_TRIP], cwd=ROOT, capture_output=True, text=True)
    assert f"all {len(protocol.JOBS)}" in done.stderr, done.stderr
