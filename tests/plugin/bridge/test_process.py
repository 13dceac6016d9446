import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from landforge.backend.protocol import BackendError, SegmentImage, partial_paths
from landforge.plugin.bridge import process
from landforge.plugin.bridge.process import Cancelled, run_job

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the scripted jobs use signals and fork")
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PYTHON = os.environ.get("LANDFORGE_PYTHON", sys.executable)
BOTH = pytest.mark.parametrize("warm", [False, True], ids=["run", "serve"])
PROMISED_S = 2.0
"""How soon a cancelled job has ended on a quiet machine; asserted with ten times that, since a busy one is slower."""


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """The real __main__ and protocol with scripted jobs, in a folder with an awkward name."""
    root = tmp_path / "a plügin's folder"
    (root / "backend" / "jobs").mkdir(parents=True)
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(ROOT / "backend" / name, root / "backend" / name)
    shutil.copytree(ROOT / "backend" / "protocol", root / "backend" / "protocol")
    shutil.copy(HERE / "scripted_jobs.py", root / "backend" / "jobs" / "segmentimage.py")
    monkeypatch.setattr(process, "ROOT", root)
    yield root
    process.stop_worker()


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out [1].tif"


def run(
    behaviour, output, warm=False, on_event=lambda event: None, is_cancelled=lambda: False, python=PYTHON, logs=None
):
    job = SegmentImage(image=behaviour, output=str(output))
    return run_job(job, python, on_event, is_cancelled, warm=warm, log_folder=logs)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone(pid, within_s=10.0):
    until = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not alive(pid)


def nothing_left(output):
    return not output.exists() and not partial_paths(SegmentImage(image="", output=str(output)))


def cancel_once_begun(output, behaviour, warm):
    """Run, cancel once the job has begun, and return the seconds from the cancel to the end."""
    begun = output.with_suffix(".pid")
    cancel_times = []

    def is_cancelled():
        if begun.exists() and begun.read_text():
            cancel_times.append(time.monotonic())
        return bool(cancel_times)

    with pytest.raises(Cancelled):
        run(behaviour, output, warm, is_cancelled=is_cancelled)
    return time.monotonic() - cancel_times[0]


@BOTH
def test_a_job_is_run_and_its_events_are_relayed(output, warm):
    events = []
    outputs = run("well", output, warm, events.append)
    assert outputs["output"] == str(output) and output.read_text() == "whole"
    fields = [(e.kind, e.fraction, e.message) for e in events if e.fraction or e.message]
    assert fields == [("progress", 0.5, "half"), ("log", 0.0, "a word")]


@BOTH
def test_stray_prints_do_not_reach_the_wire(output, warm, tmp_path):
    assert run("stray", output, warm, logs=tmp_path / "logs")["output"] == str(output)
    (log,) = (tmp_path / "logs").iterdir()
    for word in ("a print", "raw bytes", "from C", "from a child", "a warning"):
        assert word in log.read_text(errors="replace")


@BOTH
def test_an_error_event_is_raised_as_it_is(output, warm):
    with pytest.raises(BackendError, match=r"^The image is not an image\. Give another\.$"):
        run("refuses", output, warm)


@BOTH
def test_a_bug_is_raised_with_its_trace_in_the_log_events(output, warm):
    events = []
    with pytest.raises(BackendError, match="ZeroDivisionError"):
        run("bug", output, warm, events.append)
    assert "1 // 0" in events[-1].message and events[-1].kind == "log"


@BOTH
@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("leaves", "exit status 7"),
        ("leaves_quietly", "exit status 0"),
        ("crashes", r"SIGSEGV(.|\n)*about to crash"),
        ("orphan", "exit status 3"),
        ("garbage", "not an event.*Traceback"),
        ("strange", "not an event.*surprise"),
    ],
)
def test_a_backend_that_dies_or_writes_no_events_is_an_error_and_leaves_nothing(output, warm, behaviour, message):
    with pytest.raises(BackendError, match=message):
        run(behaviour, output, warm)
    assert nothing_left(output)
    if behaviour == "orphan":
        assert gone(int(output.with_suffix(".child").read_text()))


def test_a_crash_after_the_result_does_not_spoil_it(output):
    assert run("crashes_at_exit", output)["output"] == str(output)


@pytest.mark.parametrize(
    ("python", "message"),
    [("/no/such/python", "cannot be started"), ("/bin/false", "status 1"), ("/bin/echo", "event")],
)
@BOTH
def test_what_is_no_python_is_an_error(output, warm, python, message):
    with pytest.raises(BackendError, match=message):
        run("well", output, warm, python=python)


@BOTH
@pytest.mark.parametrize("behaviour", ["silent", "stubborn", "family"])
def test_cancel_ends_a_silent_job_with_its_children(output, warm, behaviour):
    assert cancel_once_begun(output, behaviour, warm) < 10 * PROMISED_S
    assert gone(int(output.with_suffix(".pid").read_text()))
    if behaviour == "family":
        assert gone(int(output.with_suffix(".child").read_text()))
    assert nothing_left(output)


@BOTH
def test_a_fault_in_the_listener_ends_the_job(output, warm):
    def fault(event):
        raise RuntimeError("the listener's")

    with pytest.raises(RuntimeError, match="the listener's"):
        run("well", output, warm, fault)
    assert process._worker is None


def test_qgis_own_variables_are_removed_from_the_environment(output, monkeypatch, tmp_path):
    prefix = tmp_path / "qgis"
    dirty = {"PYTHONHOME": "/q", "PYTHONPATH": "/q", "GDAL_DATA": "/q", "PROJ_LIB": "/q", "QGIS_DEBUG": "1"}
    for name, value in {**dirty, "QT_PLUGIN_PATH": "/q", "QGIS_PREFIX_PATH": str(prefix)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LD_LIBRARY_PATH", os.pathsep.join([f"{prefix}/lib", "/opt/cuda/lib"]))
    monkeypatch.setenv("SSL_CERT_FILE", f"{prefix}/bundle.crt")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:8080")
    monkeypatch.setenv("LANDFORGE_ESA_URL", "http://mirror")
    monkeypatch.chdir(tmp_path)
    run("surroundings", output)
    surroundings = json.loads(output.read_text())
    left = surroundings["environ"]
    assert not [name for name in left if name in {*dirty, "QT_PLUGIN_PATH", "QGIS_PREFIX_PATH", "SSL_CERT_FILE"}]
    assert left["LD_LIBRARY_PATH"] == "/opt/cuda/lib"
    assert (left["HTTPS_PROXY"], left["LANDFORGE_ESA_URL"]) == ("http://proxy:8080", "http://mirror")
    assert surroundings["cwd"] == str(tmp_path)
    assert Path(surroundings["backend"]).is_relative_to(process.ROOT)


def test_the_worker_is_kept_between_jobs_and_another_environment_makes_another(output, monkeypatch):
    first, second = (run("well", output, warm=True)["pid"] for _ in range(2))
    assert first == second
    with pytest.raises(BackendError):
        run("refuses", output, warm=True)
    assert run("well", output, warm=True)["pid"] == first
    monkeypatch.setenv("LANDFORGE_STAC_URL", "http://mirror")
    assert run("well", output, warm=True)["pid"] != first
    assert gone(int(first))


def logged(folder, text, within_s=60.0):
    """Whether a text comes to stand in one of the folder's logs."""
    until = time.monotonic() + within_s
    while not any(text in log.read_text() for log in folder.glob("*.log")) and time.monotonic() < until:
        time.sleep(0.02)
    return any(text in log.read_text() for log in folder.glob("*.log"))


def test_a_warm_worker_imports_what_a_job_needs_and_takes_the_next_job(output, scratch, tmp_path):
    logs = tmp_path / "logs"
    with (scratch / "backend" / "jobs" / "segmentimage.py").open("a") as job:
        job.write("\nimport os, sys; print(f'imported by {os.getpid()}', file=sys.stderr, flush=True)\n")
    for _ in range(2):
        process.warm_up("segmentimage", PYTHON, logs)
    assert logged(logs, f"imported by {process._worker.child.pid}"), "before there is a job"
    assert len(list(logs.iterdir())) == 1, "a second call starts no second worker"
    outputs = run("well", output, warm=True, logs=logs)
    assert outputs["pid"] == str(process._worker.child.pid) and len(list(logs.iterdir())) == 1


def test_a_job_that_comes_during_the_warm_up_is_run_after_it(output, scratch):
    with (scratch / "backend" / "jobs" / "segmentimage.py").open("a") as job:
        job.write("\ntime.sleep(0.5)\n")
    process.warm_up("segmentimage", PYTHON)
    pid = process._worker.child.pid
    assert run("well", output, warm=True)["pid"] == str(pid)


@pytest.mark.parametrize("fault", ["raise ImportError('no such library')", "import os; os._exit(9)"])
def test_a_warm_up_that_fails_does_not_fail_the_job(output, scratch, fault):
    (scratch / "backend" / "jobs" / "broken.py").write_text(fault)
    process.warm_up("broken", PYTHON)
    assert run("well", output, warm=True)["output"] == str(output)


def test_a_warm_up_leaves_a_worker_that_has_a_job_alone(output, tmp_path):
    pids = []

    def warm_up(event):
        pids.append(process._worker.child.pid)
        process.warm_up("segmentimage", PYTHON, variables={"LANDFORGE_DEVICE": "cpu"})

    assert run("well", output, warm=True, on_event=warm_up)["pid"] == str(pids[0])
    assert set(pids) == {process._worker.child.pid}


def test_a_warm_up_without_a_python_is_an_error():
    with pytest.raises(BackendError, match="cannot be started"):
        process.warm_up("segmentimage", "/no/such/python")


def test_a_worker_that_died_between_jobs_is_replaced(output):
    first = run("well", output, warm=True)["pid"]
    os.kill(int(first), signal.SIGKILL)
    assert run("well", output, warm=True)["pid"] != first


def test_after_a_bug_a_cancel_or_a_crash_the_next_job_has_a_fresh_worker(output):
    pids = [run("well", output, warm=True)["pid"]]
    with pytest.raises(BackendError):
        run("bug", output, warm=True)
    pids.append(run("well", output, warm=True)["pid"])
    cancel_once_begun(output, "silent", True)
    pids.append(run("well", output, warm=True)["pid"])
    with pytest.raises(BackendError):
        run("crashes", output, warm=True)
    pids.append(run("well", output, warm=True)["pid"])
    assert len(set(pids)) == 4


def test_a_worker_killed_during_a_job_is_an_error(output):
    def kill():
        begun = output.with_suffix(".pid")
        while not (begun.exists() and begun.read_text()):
            time.sleep(0.02)
        os.kill(int(begun.read_text()), signal.SIGKILL)

    threading.Thread(target=kill).start()
    with pytest.raises(BackendError, match="SIGKILL; the machine may have run out of memory"):
        run("silent", output, warm=True)
    assert nothing_left(output)


def test_a_second_job_at_the_same_time_has_a_process_of_its_own(output, tmp_path):
    other = tmp_path / "other.tif"
    pids = []

    def is_cancelled():
        begun = output.with_suffix(".pid")
        if begun.exists() and begun.read_text() and not pids:
            pids.append(int(run("well", other, warm=True)["pid"]))
        return bool(pids)

    with pytest.raises(Cancelled):
        run("silent", output, warm=True, is_cancelled=is_cancelled)
    assert other.read_text() == "whole"
    assert pids[0] != int(output.with_suffix(".pid").read_text())


def test_stop_worker_ends_it(output):
    pid = int(run("well", output, warm=True)["pid"])
    process.stop_worker()
    assert gone(pid)


PARENT = """
import sys
sys.path.insert(0, {here!r})
import conftest
from pathlib import Path
from landforge.backend.protocol import SegmentImage
from landforge.plugin.bridge import process
process.ROOT = Path({root!r})
job = SegmentImage(image={behaviour!r}, output={output!r})
print(process.run_job(job, {python!r}, lambda e: None, warm=True)["pid"], flush=True)
{then}
"""


def start_parent(scratch, output, behaviour, then=""):
    script = PARENT.format(
        here=str(HERE), root=str(scratch), behaviour=behaviour, output=str(output), python=str(PYTHON), then=then
    )
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


def test_the_worker_ends_with_its_parent(scratch, output):
    with start_parent(scratch, output, "well") as parent:
        assert gone(int(parent.stdout.readline()))


@pytest.mark.parametrize("behaviour", ["well", "silent"])
def test_the_worker_ends_when_its_parent_is_killed_idle_or_busy(scratch, output, behaviour):
    with start_parent(scratch, output, behaviour, then="import time; time.sleep(60)") as parent:
        begun = output.with_suffix(".pid")
        if behaviour == "well":
            pid = int(parent.stdout.readline())
        else:
            while not (begun.exists() and begun.read_text()):
                time.sleep(0.02)
            pid = int(begun.read_text())
        assert alive(pid)
        parent.kill()
        assert gone(pid)
    assert behaviour == "well" or nothing_left(output)


def test_only_the_newest_logs_are_kept(output, tmp_path):
    for number in range(30):
        (tmp_path / f"backend-20200101-{number:06}-x.log").touch()
    run("well", output, logs=tmp_path)
    logs = sorted(path.name for path in tmp_path.glob("backend-*.log"))
    assert len(logs) == 20 and logs[0] == "backend-20200101-000011-x.log"


@BOTH
def test_the_settings_variables_are_set_where_the_environment_has_none(output, warm, monkeypatch):
    monkeypatch.setenv("LANDFORGE_ESA_URL", "http://named.before")
    variables = {"LANDFORGE_ESA_URL": "http://setting", "LANDFORGE_DEVICE": "cpu"}
    job = SegmentImage(image="surroundings", output=str(output))
    run_job(job, PYTHON, lambda event: None, warm=warm, variables=variables)
    environ = json.loads(output.read_text())["environ"]
    assert (environ["LANDFORGE_ESA_URL"], environ["LANDFORGE_DEVICE"]) == ("http://named.before", "cpu")
    run_job(job, PYTHON, lambda event: None, warm=warm, variables={})
    assert "LANDFORGE_DEVICE" not in json.loads(output.read_text())["environ"], "a setting counts from the next job on"
