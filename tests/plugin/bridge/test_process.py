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


def run(what, output, warm=False, on_event=lambda event: None, is_cancelled=lambda: False, python=PYTHON, logs=None):
    job = SegmentImage(image=what, output=str(output))
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


def cancelled_after(output, what, warm):
    """Run, cancel once the job has begun, and return the seconds from the wish to the end."""
    begun = output.with_suffix(".pid")
    asked = []

    def is_cancelled():
        if begun.exists() and begun.read_text():
            asked.append(time.monotonic())
        return bool(asked)

    with pytest.raises(Cancelled):
        run(what, output, warm, is_cancelled=is_cancelled)
    return time.monotonic() - asked[0]


@BOTH
def test_a_job_is_run_and_its_events_are_relayed(output, warm):
    heard = []
    outputs = run("well", output, warm, heard.append)
    assert outputs["output"] == str(output) and output.read_text() == "whole"
    spoken = [(e.kind, e.fraction, e.message) for e in heard if e.fraction or e.message]
    assert spoken == [("progress", 0.5, "half"), ("log", 0.0, "a word")]


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
    heard = []
    with pytest.raises(BackendError, match="ZeroDivisionError"):
        run("bug", output, warm, heard.append)
    assert "1 // 0" in heard[-1].message and heard[-1].kind == "log"


@BOTH
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("leaves", "exit status 7"),
        ("leaves_quietly", "exit status 0"),
        ("crashes", r"SIGSEGV(.|\n)*about to crash"),
        ("orphan", "exit status 3"),
        ("garbage", "not an event.*Traceback"),
        ("strange", "not an event.*surprise"),
    ],
)
def test_a_backend_that_dies_or_babbles_is_an_error_and_leaves_nothing(output, warm, what, said):
    with pytest.raises(BackendError, match=said):
        run(what, output, warm)
    assert nothing_left(output)
    if what == "orphan":
        assert gone(int(output.with_suffix(".child").read_text()))


def test_a_crash_after_the_result_does_not_spoil_it(output):
    assert run("crashes_at_exit", output)["output"] == str(output)


@pytest.mark.parametrize(
    ("python", "said"), [("/no/such/python", "cannot be started"), ("/bin/false", "status 1"), ("/bin/echo", "event")]
)
@BOTH
def test_what_is_no_python_is_an_error(output, warm, python, said):
    with pytest.raises(BackendError, match=said):
        run("well", output, warm, python=python)


@BOTH
@pytest.mark.parametrize("what", ["silent", "stubborn", "family"])
def test_cancel_ends_a_silent_job_with_its_children_within_two_seconds(output, warm, what):
    assert cancelled_after(output, what, warm) < 2.0
    assert gone(int(output.with_suffix(".pid").read_text()), 0.5)
    if what == "family":
        assert gone(int(output.with_suffix(".child").read_text()), 0.5)
    assert nothing_left(output)


@BOTH
def test_a_fault_in_the_listener_ends_the_job(output, warm):
    def fault(event):
        raise RuntimeError("the listener's")

    with pytest.raises(RuntimeError, match="the listener's"):
        run("well", output, warm, fault)
    assert process._worker is None


def test_the_environment_is_qgiss_no_more(output, monkeypatch, tmp_path):
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
    found = json.loads(output.read_text())
    left = found["environ"]
    assert not [name for name in left if name in {*dirty, "QT_PLUGIN_PATH", "QGIS_PREFIX_PATH", "SSL_CERT_FILE"}]
    assert left["LD_LIBRARY_PATH"] == "/opt/cuda/lib"
    assert (left["HTTPS_PROXY"], left["LANDFORGE_ESA_URL"]) == ("http://proxy:8080", "http://mirror")
    assert found["cwd"] == str(tmp_path)
    assert Path(found["backend"]).is_relative_to(process.ROOT)


def test_the_worker_is_kept_between_jobs_and_another_environment_makes_another(output, monkeypatch):
    first, second = (run("well", output, warm=True)["pid"] for _ in range(2))
    assert first == second
    with pytest.raises(BackendError):
        run("refuses", output, warm=True)
    assert run("well", output, warm=True)["pid"] == first
    monkeypatch.setenv("LANDFORGE_STAC_URL", "http://mirror")
    assert run("well", output, warm=True)["pid"] != first
    assert gone(int(first))


def test_a_worker_that_died_between_jobs_is_replaced(output):
    first = run("well", output, warm=True)["pid"]
    os.kill(int(first), signal.SIGKILL)
    assert run("well", output, warm=True)["pid"] != first


def test_after_a_bug_a_cancel_or_a_crash_the_next_job_has_a_fresh_worker(output):
    pids = [run("well", output, warm=True)["pid"]]
    with pytest.raises(BackendError):
        run("bug", output, warm=True)
    pids.append(run("well", output, warm=True)["pid"])
    cancelled_after(output, "silent", True)
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
    assert gone(pid, 0.5)


PARENT = """
import sys
sys.path.insert(0, {here!r})
import conftest
from pathlib import Path
from landforge.backend.protocol import SegmentImage
from landforge.plugin.bridge import process
process.ROOT = Path({root!r})
job = SegmentImage(image={what!r}, output={output!r})
print(process.run_job(job, {python!r}, lambda e: None, warm=True)["pid"], flush=True)
{then}
"""


def start_parent(scratch, output, what, then=""):
    script = PARENT.format(
        here=str(HERE), root=str(scratch), what=what, output=str(output), python=str(PYTHON), then=then
    )
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


def test_the_worker_ends_with_its_parent(scratch, output):
    with start_parent(scratch, output, "well") as parent:
        assert gone(int(parent.stdout.readline()))


@pytest.mark.parametrize("what", ["well", "silent"])
def test_the_worker_ends_when_its_parent_is_killed_idle_or_busy(scratch, output, what):
    with start_parent(scratch, output, what, then="import time; time.sleep(60)") as parent:
        begun = output.with_suffix(".pid")
        if what == "well":
            pid = int(parent.stdout.readline())
        else:
            while not (begun.exists() and begun.read_text()):
                time.sleep(0.02)
            pid = int(begun.read_text())
        assert alive(pid)
        parent.kill()
        assert gone(pid)
    assert what == "well" or nothing_left(output)


def test_only_the_newest_logs_are_kept(output, tmp_path):
    for number in range(30):
        (tmp_path / f"backend-20200101-{number:06}-x.log").touch()
    run("well", output, logs=tmp_path)
    logs = sorted(path.name for path in tmp_path.glob("backend-*.log"))
    assert len(logs) == 20 and logs[0] == "backend-20200101-000011-x.log"


@BOTH
def test_what_the_settings_give_stands_in_the_environment_where_nothing_else_does(output, warm, monkeypatch):
    monkeypatch.setenv("LANDFORGE_ESA_URL", "http://named.before")
    given = {"LANDFORGE_ESA_URL": "http://setting", "LANDFORGE_DEVICE": "cpu"}
    job = SegmentImage(image="surroundings", output=str(output))
    run_job(job, PYTHON, lambda event: None, warm=warm, variables=given)
    found = json.loads(output.read_text())["environ"]
    assert (found["LANDFORGE_ESA_URL"], found["LANDFORGE_DEVICE"]) == ("http://named.before", "cpu")
    run_job(job, PYTHON, lambda event: None, warm=warm, variables={})
    assert "LANDFORGE_DEVICE" not in json.loads(output.read_text())["environ"], "a setting counts from the next job on"
