import importlib.util
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest
from landforge.backend.protocol import BackendError
from landforge.plugin.bridge import environment, environment_builder, inspection, installers, interpreters
from landforge.plugin.bridge.environment import Cancelled
from landforge.plugin.bridge.environment_folders import MARKER, REQUIREMENTS, landforge_folder
from package_index import PackageIndex, make_wheel, pinned

UV = shutil.which("uv") or shutil.which("uv", path=Path(__file__).resolve().parents[3] / ".tools" / "bin")
HAVE_UV = pytest.mark.skipif(UV is None, reason="needs uv on the PATH or in .tools")
TOOLS = pytest.mark.parametrize("tool", [pytest.param("uv", marks=HAVE_UV), "pip"])
BASE = interpreters.find()
PROMISED_S = 2.0
"""How soon a cancel has ended a set-up on a quiet machine; asserted with ten times that, since a busy one is slower."""


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    """Tools that keep to loopback, with caches of their own."""
    for name in list(os.environ):
        if name.startswith(("UV_", "PIP_")) or name.lower().endswith("_proxy") or name == "LANDFORGE_PYTHON":
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv cache"))
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    if UV is not None and shutil.which("uv") is None:
        (tmp_path / "uv bin").mkdir()
        (tmp_path / "uv bin" / Path(UV).name).symlink_to(UV)
        monkeypatch.setenv("PATH", str(tmp_path / "uv bin"), prepend=os.pathsep)
    inspection.clear_cache()


@pytest.fixture
def index(tmp_path, monkeypatch):
    folder = tmp_path / "wheels"
    folder.mkdir()
    server = PackageIndex(folder)
    monkeypatch.setenv("UV_DEFAULT_INDEX", server.url)
    monkeypatch.setenv("PIP_INDEX_URL", server.url)
    yield server
    server.close()


@pytest.fixture
def requirements(tmp_path, index):
    """Requirement files as the backend's, of two small packages, one of which is called torch."""
    folder = tmp_path / "requirements"
    folder.mkdir()
    write_requirements(folder, index.folder)
    return folder


def write_requirements(folder, wheels, extra=""):
    torch, other = make_wheel(wheels, "torch", "2.0.99"), make_wheel(wheels, "small-thing", "1.2.3")
    folder.joinpath("requirements-torch.in").write_text("# a comment\ntorch==2.0.99\n")
    folder.joinpath("requirements.in").write_text("small-thing\n")
    folder.joinpath("requirements-torch.txt").write_text(pinned(torch))
    folder.joinpath("requirements.txt").write_text(pinned(other) + extra)
    folder.joinpath("requirements-uv.txt").write_text("uv==99.0 --hash=sha256:" + 64 * "0" + "\n")


def hide_uv(monkeypatch):
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **options: None if name == "uv" else which(name, **options))


def create(profile, requirements, compute="cuda", **options):
    return environment.create(profile, compute, requirements=requirements, python=str(BASE), **options)


def marker(python):
    return json.loads(python.parents[1].joinpath(MARKER).read_text())


@TOOLS
def test_an_environment_is_created_from_the_index_once(tool, tmp_path, requirements, index, monkeypatch):
    if tool == "pip":  # which is also tried for uv, and the index has none
        hide_uv(monkeypatch)
    reports = []
    assert "not set up yet" in environment.problem(tmp_path, requirements=requirements)
    python = create(tmp_path, requirements, on_progress=lambda fraction, line: reports.append((fraction, line)))
    assert environment.problem(tmp_path, requirements=requirements) == ""
    assert environment.interpreter(tmp_path, requirements=requirements) == python
    assert environment.notice(tmp_path, requirements=requirements) == ""
    fractions = [fraction for fraction, _ in reports]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert any("small_thing 1.2.3" in line for _, line in reports)
    assert any("going on with venv and pip" in line for _, line in reports) == (tool == "pip")
    requests = list(index.requests)
    assert create(tmp_path, requirements) == python and index.requests == requests


@HAVE_UV
def test_an_environment_is_created_from_a_folder_of_wheels(tmp_path, requirements, index, monkeypatch):
    index.status = 500
    monkeypatch.chdir(tmp_path)
    create(tmp_path, requirements, compute="cpu", wheels="wheels")
    assert environment.problem(tmp_path, requirements=requirements) == ""


@HAVE_UV
def test_an_incomplete_folder_of_wheels_is_named(tmp_path, requirements, index):
    next(index.folder.glob("small*")).unlink()
    with pytest.raises(BackendError, match="not in the folder of wheels"):
        create(tmp_path, requirements, wheels=str(index.folder))


@TOOLS
def test_a_wheel_with_another_hash_is_refused(tool, tmp_path, requirements, index, monkeypatch):
    if tool == "pip":
        monkeypatch.setattr(installers, "choose", lambda runner, _, wheels: installers.PipInstaller(runner, wheels))
    make_wheel(index.folder, "small-thing", "1.2.3", code="evil = True\n")
    with pytest.raises(BackendError, match="hash differs"):
        create(tmp_path, requirements)
    assert "not finished" in environment.problem(tmp_path, requirements=requirements)
    assert not list(landforge_folder(tmp_path).rglob("small_thing"))


@HAVE_UV
@pytest.mark.parametrize(("status", "message"), [(407, "proxy asks for a user name"), (503, "could not be fetched")])
def test_a_server_that_refuses_is_told_in_plain_words(status, message, tmp_path, requirements, index):
    index.status = status
    with pytest.raises(BackendError, match=message):
        create(tmp_path, requirements)


@HAVE_UV
def test_a_proxy_is_used_and_its_password_kept_out_of_the_log(tmp_path, requirements, index, monkeypatch):
    monkeypatch.delenv("NO_PROXY")
    lines = []
    with pytest.raises(BackendError, match="could not be fetched"):
        create(
            tmp_path,
            requirements,
            proxy="http://me:secret@127.0.0.1:9",
            on_progress=lambda fraction, line: lines.append(line),
        )
    log = landforge_folder(tmp_path).joinpath("setup.log").read_text()
    assert not index.requests and "secret" not in log and "secret" not in "".join(lines)


@HAVE_UV
def test_cancel_ends_a_set_up_and_the_next_call_goes_on(tmp_path, requirements, index):
    index.stalled = "small_thing"
    cancel_times = []

    def is_cancelled():
        if any(name.startswith("small_thing") for name in index.requests):
            cancel_times.append(time.monotonic())
        return bool(cancel_times)

    with pytest.raises(Cancelled):
        create(tmp_path, requirements, is_cancelled=is_cancelled)
    assert time.monotonic() - cancel_times[0] < 10 * PROMISED_S
    assert "not finished" in environment.problem(tmp_path, requirements=requirements)
    index.released.set()
    create(tmp_path, requirements)
    assert environment.problem(tmp_path, requirements=requirements) == ""
    assert sum(name.startswith("torch") for name in index.requests) == 1, "what was downloaded is not downloaded again"


@HAVE_UV
@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux is the default build the CUDA one")
def test_where_torchs_cpu_index_is_out_of_reach_the_default_build_is_taken(tmp_path, requirements, index):
    lines = []
    python = create(
        tmp_path,
        requirements,
        "cpu",
        proxy="http://127.0.0.1:9",
        on_progress=lambda fraction, line: lines.append(line),
    )
    assert marker(python) == {"chosen": "cpu", "compute": "cuda"}
    assert any("out of reach" in line for line in lines)


@HAVE_UV
def test_a_cpu_build_in_the_folder_of_wheels_is_taken(tmp_path, requirements, index):
    next(index.folder.glob("torch*")).unlink()
    make_wheel(index.folder, "torch", "2.0.99+cpu")
    python = create(tmp_path, requirements, "cpu", wheels=str(index.folder))
    assert marker(python)["compute"] == "cpu"


@HAVE_UV
def test_other_requirements_make_another_environment_and_the_old_one_serves_until_then(tmp_path, requirements, index):
    old = create(tmp_path, requirements)
    write_requirements(requirements, index.folder, extra="# a comment is no change\n")
    assert environment.notice(tmp_path, requirements=requirements) == ""
    write_requirements(requirements, index.folder, extra=pinned(make_wheel(index.folder, "added-thing", "1.0")))
    assert environment.interpreter(tmp_path, requirements=requirements) == old
    assert environment.problem(tmp_path, requirements=requirements) == ""
    assert "another version of Landforge" in environment.notice(tmp_path, requirements=requirements)
    assert "serves until" in environment.plan(tmp_path, requirements=requirements).text
    index.status = 503
    shutil.rmtree(os.environ["UV_CACHE_DIR"])
    with pytest.raises(BackendError):
        create(tmp_path, requirements)
    assert environment.interpreter(tmp_path, requirements=requirements) == old and old.exists()
    index.status = 200
    new = create(tmp_path, requirements)
    assert new != old and not old.parents[1].exists()
    assert environment.notice(tmp_path, requirements=requirements) == ""


@HAVE_UV
def test_an_environment_that_broke_is_found_and_made_anew(tmp_path, requirements, index):
    python = create(tmp_path, requirements)
    (module,) = landforge_folder(tmp_path).rglob("small_thing/__init__.py")
    shutil.rmtree(module.parent)
    create(tmp_path, requirements)
    assert module.exists()
    python.unlink()
    python.symlink_to(tmp_path / "a python that is gone")
    assert "Python that it was made with is gone" in environment.problem(tmp_path, requirements=requirements)
    create(tmp_path, requirements)
    assert environment.problem(tmp_path, requirements=requirements) == ""


@HAVE_UV
@pytest.mark.parametrize("compute", ["cpu", "cuda"])
def test_packages_that_do_not_import_are_an_error(compute, tmp_path, requirements, index):
    wheel = make_wheel(index.folder, "small-thing", "1.2.3", code="raise ImportError('a DLL is missing')\n")
    requirements.joinpath("requirements.txt").write_text(pinned(wheel))
    with pytest.raises(BackendError, match="a DLL is missing"):
        create(tmp_path, requirements, compute, proxy="http://127.0.0.1:9" if compute == "cpu" else "")
    assert "not finished" in environment.problem(tmp_path, requirements=requirements)


def test_what_the_backend_needs_is_imported_by_its_name():
    """A set-up ends with these imports: this Python, which has the packages, must know all the names."""
    missing = [name for name in inspection.modules(REQUIREMENTS) if importlib.util.find_spec(name) is None]
    assert missing == []


def test_bad_choices_are_refused(tmp_path, requirements):
    for options, message in [
        ({"compute": "tpu"}, "not a choice"),
        ({"wheels": str(tmp_path / "none")}, "no folder of wheels"),
    ]:
        with pytest.raises(BackendError, match=message):
            create(tmp_path, requirements, **options)


@HAVE_UV
def test_what_is_no_python_is_not_built_on(tmp_path, requirements):
    with pytest.raises(BackendError, match="is not a 64-bit Python"):
        environment.create(tmp_path, python="/bin/sh", requirements=requirements)


@HAVE_UV
def test_without_a_python_uv_fetches_one_or_says_why_not(tmp_path, requirements, monkeypatch):
    monkeypatch.setattr(interpreters, "find", lambda requested="": None)
    with pytest.raises(BackendError, match="could not be fetched"):
        environment.create(tmp_path, "cuda", proxy="http://127.0.0.1:9", requirements=requirements)


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands for uv")
def test_the_python_that_uv_fetched_is_found_in_the_profile(tmp_path):
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\nb="$UV_PYTHON_INSTALL_DIR/cpython-3.12.9-x/bin"\nmkdir -p "$b"\ntouch "$b/python3"\n')
    uv.chmod(0o755)
    runner = installers.CommandRunner(tmp_path, "", print, lambda: False)
    python = installers.UvInstaller(runner, uv, "").download_python()
    assert python == tmp_path / "python" / "cpython-3.12.9-x" / "bin" / "python3"


def test_without_uv_and_a_python_the_user_is_told(tmp_path):
    runner = installers.CommandRunner(tmp_path, "", print, lambda: False)
    with pytest.raises(BackendError, match=r"Install Python 3\.12, or name an interpreter"):
        installers.PipInstaller(runner, "").download_python()


def test_it_is_set_up_once_at_a_time(tmp_path, requirements, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(environment_builder.EnvironmentBuilder, "run", lambda self, base: begun.set() or go_on.wait(30))
    first = threading.Thread(target=create, args=(tmp_path, requirements))
    first.start()
    begun.wait(30)
    with pytest.raises(BackendError, match="already"):
        create(tmp_path, requirements)
    go_on.set()
    first.join()


def test_a_disk_that_is_full_is_told_in_plain_words(tmp_path, requirements, monkeypatch):
    def full(self, base):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(environment_builder.EnvironmentBuilder, "run", full)
    with pytest.raises(BackendError, match="The disk is full"):
        create(tmp_path, requirements)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("proxy", "OSError('Tunnel connection failed: 407 Proxy Authentication Required')"),
        ("disk", "error: failed to write to file: No space left on device (os error 28)"),
        ("disk", "ERROR: Could not install packages due to an OSError: [Errno 122] Disk quota exceeded"),
        ("hash", "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."),
        ("certificate", "invalid peer certificate: UnknownIssuer"),
        ("certificate", "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"),
        ("python", "error: No interpreter found for Python 3.12 in managed installations"),
        ("python", "The virtual environment was not created successfully because ensurepip is not\navailable."),
        ("permission", "[WinError 5] Access is denied: 'torch_cpu.dll'"),
        ("permission", "The process cannot access the file because it is being used by another process. (os error 32)"),
        ("missing", "ERROR: No matching distribution found for torch==2.15.0"),
        ("missing", "Because torch==2.15.0 has no wheels with a matching platform tag"),
        ("network", "client error (Connect): dns error: failed to lookup address information"),
        ("network", "ReadTimeoutError: HTTPSConnectionPool: Read timed out."),
        ("", "something else"),
    ],
)
def test_the_errors_of_the_tools_are_recognised(kind, line):
    recognised, sentence = installers.explain(f"some lines before\n{line}")
    assert recognised == kind and bool(sentence) == bool(kind)


def test_the_interpreter_is_the_variables_then_the_settings_then_the_managed_one(tmp_path, monkeypatch):
    managed = environment.interpreter(tmp_path)
    assert managed.is_relative_to(tmp_path)
    assert environment.interpreter(tmp_path, "~/set") == Path.home() / "set"
    monkeypatch.setenv("LANDFORGE_PYTHON", "/named")
    assert environment.interpreter(tmp_path, "~/set") == Path("/named")
    problem = environment.problem(tmp_path, "~/set")
    assert "The interpreter /named does not exist. It is named by LANDFORGE_PYTHON" in problem


def test_problems_of_a_named_interpreter(tmp_path, requirements, monkeypatch):
    def problem():
        return environment.problem(tmp_path, sys.executable, requirements)

    assert "lacks packages that the backend needs: small-thing" in problem()
    assert "It is named by Landforge's settings" in problem()
    requirements.joinpath("requirements-torch.in").write_text("pytest\n")
    requirements.joinpath("requirements.in").write_text("")
    requirements.joinpath("requirements.txt").write_text("pytest==1.0.0\n")
    assert f"pytest {pytest.__version__} instead of 1.x" in problem()
    requirements.joinpath("requirements.txt").write_text(f"pytest=={pytest.__version__}\n")
    assert problem() == ""
    inspection.clear_cache()
    monkeypatch.setattr(interpreters, "OLDEST", (9, 9))
    assert "the backend needs 9.9 or newer" in problem()
    if os.name == "posix":
        assert "/bin/true, does not work" in environment.problem(tmp_path, "/bin/true", requirements)


def test_the_interpreter_is_started_once_until_its_packages_change(tmp_path, requirements, monkeypatch):
    requirements.joinpath("requirements-torch.in").write_text("")
    calls = []
    packages = tmp_path / "packages"
    packages.mkdir()
    monkeypatch.setattr(inspection, "_inspect", lambda *args: calls.append(args) or ("", str(packages)))
    for _ in range(3):
        environment.problem(tmp_path, sys.executable, requirements)
    assert len(calls) == 1
    os.utime(packages, ns=(1, 1))
    environment.problem(tmp_path, sys.executable, requirements)
    assert len(calls) == 2


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
@pytest.mark.parametrize("compute", environment.COMPUTE)
def test_the_plan_says_what_is_downloaded(tmp_path, platform, compute):
    plan = environment.plan(tmp_path, compute, platform=platform)
    assert f"{plan.download_mb:,} MB are downloaded" in plan.text and f"{plan.disk_mb:,} MB" in plan.text
    assert plan.fits == (plan.free_mb > plan.disk_mb) and plan.free_mb > 0
    other = {("linux", "cpu"): "the CUDA build is taken instead", ("win32", "cuda"): "the CPU build is taken instead"}
    assert other.get((platform, compute), "About") in plan.text
    assert ("instead" in plan.text) == ((platform, compute) in other)


def test_the_plan_with_a_folder_of_wheels_downloads_nothing(tmp_path):
    plan = environment.plan(tmp_path, wheels="/stick")
    assert plan.download_mb == 0 and "Nothing is downloaded" in plan.text


def test_qgis_itself_is_never_taken_for_a_python(tmp_path, monkeypatch):
    qgis = tmp_path / "bin" / "qgis-bin.exe"
    inner = tmp_path / "apps" / "Python312" / "python.exe"
    for path in (qgis, inner):
        path.parent.mkdir(parents=True)
        path.write_text("not empty")
    monkeypatch.setattr(sys, "executable", str(qgis))
    monkeypatch.setattr(sys, "_base_executable", str(qgis), raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "apps" / "Python312"))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "apps" / "Python312"))
    candidates = list(interpreters.candidates())
    assert candidates[0] == inner and qgis not in candidates
