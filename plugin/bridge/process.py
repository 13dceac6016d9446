"""Runs jobs in the backend: starts its process, relays events, cancels, and turns every failure into an error."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import signal
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from .child_process import Cancelled, ChildProcess, clean_environment, never_cancelled

if TYPE_CHECKING:
    from backend import protocol
    from backend.protocol import BackendError, Event
else:
    from ...backend import protocol
    from ...backend.protocol import BackendError, Event

__all__ = ["Cancelled", "run_job", "stop_worker", "warm_up"]

ROOT = Path(__file__).resolve().parents[2]
# `python -m backend` from any folder: the working folder stays QGIS's, so that a job's relative paths are valid.
_MAIN = (
    "import sys; root = sys.argv.pop(1); sys.path[:] = [root] + [p for p in sys.path if p]; "
    "import runpy; runpy.run_module('backend', run_name='__main__', alter_sys=True)"
)
_MAX_LOGS = 20
_TAIL_BYTES = 3000
_EXIT_WAIT_S = 2.0
"""How long a process may take to exit after its result."""


def run_job(
    job: Any,
    python: str | Path,
    on_event: Callable[[Event], None],
    is_cancelled: Callable[[], bool] = never_cancelled,
    warm: bool = False,
    log_folder: str | Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Run a job dataclass with the backend's Python and return its outputs, paths by field name.

    `on_event` gets the progress, log and preview events, in the caller's thread. `warm` runs the job in the worker
    process that is kept between jobs. The backend's stderr goes to a new file in `log_folder`. `variables` are set in
    the backend's environment unless QGIS's own environment already has them. Raises BackendError where the job fails
    for any reason, and Cancelled within 2 s after `is_cancelled()` turns true; in both cases the job's processes have
    ended and its partial files are removed.
    """
    logs = Path(log_folder) if log_folder else _session_logs()
    handle, path = tempfile.mkstemp(prefix=f"landforge-{protocol.job_name(job)}-", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(protocol.dump_job(job))
        run = _run_warm if warm else _run_once
        outcome = run(path, _Context.current(str(python), variables or {}), on_event, is_cancelled, logs)
        if outcome.kind == "error":
            raise BackendError(outcome.message)
    except BaseException:
        protocol.remove_partials(job)
        raise
    finally:
        os.unlink(path)
    return outcome.outputs


@dataclass(frozen=True)
class _Context:
    """What a process is started with and a job depends on: interpreter, working folder, environment variables."""

    python: str
    folder: str
    environment: dict[str, str]

    @classmethod
    def current(cls, python: str, variables: Mapping[str, str]) -> _Context:
        return cls(python, os.getcwd(), clean_environment({**variables, **os.environ}))


class _JobNotTaken(BackendError):
    """The worker ended before it took the job."""


class _BackendProcess:
    """A process of the backend and its log."""

    def __init__(self, context: _Context, arguments: list[str], logs: Path, open_stdin: bool = False) -> None:
        self.context = context
        self.log = _new_log(logs)
        self._job_start = 0  # where the job's part of the log begins, in bytes
        try:
            with open(self.log, "wb") as stderr:
                command = [context.python, "-c", _MAIN, str(ROOT), *arguments]
                self.child = ChildProcess(command, context.environment, stderr, open_stdin)
        except OSError as error:
            raise BackendError(
                f"The backend's Python, {context.python}, cannot be started ({error.strerror or error}). "
                "Choose Plugins > Landforge > Set up the backend."
            ) from error

    def submit(self, path: str) -> None:
        """Send a job file's path to a worker; where the worker has ended, `follow` raises."""
        with contextlib.suppress(OSError):
            self._job_start = self.log.stat().st_size
            self.child.send(path)

    def follow(self, on_event: Callable[[Event], None], is_cancelled: Callable[[], bool]) -> Event:
        """Relay the events of one job; returns its last event, the result or the error.

        Raises _JobNotTaken where the process ended before its first event, otherwise BackendError.
        """
        job_taken = False
        while True:
            line = self.child.read(is_cancelled)
            if line is None:
                raise (BackendError if job_taken else _JobNotTaken)(self._exit_message())
            job_taken = True
            try:
                event = Event.from_line(line)
            except ValueError as error:
                raise BackendError(f"The backend said something that is not an event: {line[:200]!r}.") from error
            if event.kind == "error" and self._log_tail():
                on_event(Event("log", self._log_tail()))
            if event.kind in ("result", "error"):
                return event
            on_event(event)

    def _exit_message(self) -> str:
        status = self.child.status()
        tail = self._log_tail()
        return f"The backend ended before it had finished the job ({_status_text(status)}). " + (
            f"The end of its log, {self.log}:\n{tail}" if tail else "It left nothing in its log."
        )

    def _log_tail(self) -> str:
        """The end of the log's part about this job."""
        try:
            with open(self.log, "rb") as log:
                log.seek(max(self._job_start, self.log.stat().st_size - _TAIL_BYTES))
                return log.read().decode("utf-8", "replace").strip()
        except OSError:
            return ""


def _run_once(
    path: str,
    context: _Context,
    on_event: Callable[[Event], None],
    is_cancelled: Callable[[], bool],
    logs: Path,
) -> Event:
    backend = _BackendProcess(context, ["run", path], logs)
    try:
        outcome = backend.follow(on_event, is_cancelled)
        backend.child.end(_EXIT_WAIT_S)
        return outcome
    finally:
        backend.child.end()


_busy = threading.Lock()
"""Held while the worker has a job."""
_worker_lock = threading.RLock()
"""Held while the worker is replaced."""
_worker: _BackendProcess | None = None


def warm_up(
    job_name: str,
    python: str | Path,
    log_folder: str | Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Start the warm worker, where none is ready, and have it import what the named job needs.

    Returns once the process is started, which takes milliseconds. A job of `run_job` with the same interpreter and
    variables then runs in this worker. While a job is running nothing happens. Raises BackendError where the
    interpreter cannot be started.
    """
    context = _Context.current(str(python), variables or {})
    with _worker_lock:
        if not _busy.locked():
            _ready_worker(context, Path(log_folder) if log_folder else _session_logs(), ["--warm", job_name])


def _run_warm(
    path: str,
    context: _Context,
    on_event: Callable[[Event], None],
    is_cancelled: Callable[[], bool],
    logs: Path,
) -> Event:
    if not _busy.acquire(blocking=False):  # the worker has a job: run this one in its own process
        return _run_once(path, context, on_event, is_cancelled, logs)
    try:
        try:
            return _submit(path, context, logs).follow(on_event, is_cancelled)
        except _JobNotTaken:  # the worker was just ending by itself
            stop_worker()
            return _submit(path, context, logs).follow(on_event, is_cancelled)
    except BaseException:
        stop_worker()
        raise
    finally:
        _busy.release()


def _submit(path: str, context: _Context, logs: Path) -> _BackendProcess:
    worker = _ready_worker(context, logs)
    worker.submit(path)
    return worker


def _ready_worker(context: _Context, logs: Path, options: list[str] | None = None) -> _BackendProcess:
    """The worker; a new one, with these options of `serve`, where it has ended or was started in another context."""
    global _worker
    with _worker_lock:
        worker = _worker
        if not (worker and worker.context == context and worker.child.is_running()):
            stop_worker()
            worker = _worker = _BackendProcess(context, ["serve", *(options or [])], logs, open_stdin=True)
        return worker


def stop_worker() -> None:
    """End the warm worker, if there is one; its job fails."""
    global _worker
    with _worker_lock:
        worker, _worker = _worker, None
    if worker:
        worker.child.end()


atexit.register(stop_worker)


def _status_text(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{name}; the machine may have run out of memory" if name == "SIGKILL" else name


def _new_log(logs: Path) -> Path:
    """A new, empty log file; the oldest ones are removed, so that at most _MAX_LOGS remain."""
    try:
        logs.mkdir(parents=True, exist_ok=True)
        for old in sorted(logs.glob("backend-*.log"))[: 1 - _MAX_LOGS]:
            _unlink(old)
        handle, name = tempfile.mkstemp(prefix=time.strftime("backend-%Y%m%d-%H%M%S-"), suffix=".log", dir=logs)
        os.close(handle)
    except OSError as error:
        raise BackendError(f"The backend's log cannot be written in {logs} ({error.strerror or error}).") from error
    return Path(name)


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):  # another QGIS has it open
        path.unlink()


@functools.cache
def _session_logs() -> Path:
    """A temporary folder for logs where the caller names none; removed when this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="landforge-log-")

    def remove() -> None:
        stop_worker()  # Windows cannot remove a file that a process has open
        folder.cleanup()

    atexit.register(remove)
    return Path(folder.name)
