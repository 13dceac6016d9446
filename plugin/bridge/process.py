"""Run a job in the backend: start it, relay its events, cancel it, and let no failure pass for a success."""

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

from .child import Cancelled, Child, clean_environment, never

if TYPE_CHECKING:
    from backend import protocol
    from backend.protocol import BackendError, Event
else:
    from ...backend import protocol
    from ...backend.protocol import BackendError, Event

__all__ = ["Cancelled", "run_job", "stop_worker"]

ROOT = Path(__file__).resolve().parents[2]
# `python -m backend` from any folder: QGIS's working folder stays the job's, so that relative paths keep their meaning.
_MAIN = (
    "import sys; root = sys.argv.pop(1); sys.path[:] = [root] + [p for p in sys.path if p]; "
    "import runpy; runpy.run_module('backend', run_name='__main__', alter_sys=True)"
)
_LOGS_KEPT = 20
_TAIL_BYTES = 3000
_PATIENCE_S = 2.0


def run_job(
    job: Any,
    python: str | Path,
    on_event: Callable[[Event], None],
    is_cancelled: Callable[[], bool] = never,
    warm: bool = False,
    log_folder: str | Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Run a job dataclass with the backend's Python and return its outputs, paths by field name.

    `on_event` gets the progress and log events, in the caller's thread. `warm` runs it in the worker that is
    kept between jobs. The backend's stderr goes to a new file in `log_folder`. `variables` stand in its environment
    where QGIS's own has no such. Raises BackendError when the job
    fails in whatever way, and Cancelled within 2 s after `is_cancelled()` turns true; then nothing of the
    job is running or left on disk.
    """
    logs = Path(log_folder) if log_folder else _session_logs()
    handle, path = tempfile.mkstemp(prefix=f"landforge-{protocol.job_name(job)}-", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(protocol.dump_job(job))
        run = _run_warm if warm else _run_once
        outcome = run(path, _Surroundings.now(str(python), variables or {}), on_event, is_cancelled, logs)
        if outcome.kind == "error":
            raise BackendError(outcome.message)
    except BaseException:
        protocol.remove_partials(job)
        raise
    finally:
        os.unlink(path)
    return outcome.outputs


@dataclass(frozen=True)
class _Surroundings:
    """What a worker has had from its start and a job may rely on: its Python, folder and environment."""

    python: str
    folder: str
    environment: dict[str, str]

    @classmethod
    def now(cls, python: str, variables: Mapping[str, str]) -> _Surroundings:
        return cls(python, os.getcwd(), clean_environment({**variables, **os.environ}))


class _NotTaken(BackendError):
    """The worker ended before it took the job."""


class _Backend:
    """A backend process and its log."""

    def __init__(self, surroundings: _Surroundings, arguments: list[str], logs: Path, feed: bool = False) -> None:
        self.surroundings = surroundings
        self.log = _new_log(logs)
        self._start = 0  # where the job's part of the log begins, in bytes
        try:
            with open(self.log, "wb") as stderr:
                command = [surroundings.python, "-c", _MAIN, str(ROOT), *arguments]
                self.child = Child(command, surroundings.environment, stderr, feed)
        except OSError as error:
            raise BackendError(
                f"The backend's Python, {surroundings.python}, cannot be started ({error.strerror or error}). "
                "Choose Plugins > Landforge > Set up the backend."
            ) from error

    def give(self, path: str) -> None:
        """Hand a job to a worker; where it has ended, following it will tell."""
        with contextlib.suppress(OSError):
            self._start = self.log.stat().st_size
            self.child.send(path)

    def follow(self, on_event: Callable[[Event], None], is_cancelled: Callable[[], bool]) -> Event:
        """Relay the events of one job up to its last, the result or the error, which is returned."""
        silent = True
        while True:
            line = self.child.read(is_cancelled)
            if line is None:
                raise (_NotTaken if silent else BackendError)(self._obituary())
            silent = False
            try:
                event = Event.from_line(line)
            except ValueError as error:
                raise BackendError(f"The backend said something that is not an event: {line[:200]!r}.") from error
            if event.kind == "error" and self._tail():
                on_event(Event("log", self._tail()))
            if event.kind in ("result", "error"):
                return event
            on_event(event)

    def _obituary(self) -> str:
        status = self.child.status()
        tail = self._tail()
        return f"The backend ended before it had finished the job ({_meaning(status)}). " + (
            f"The end of its log, {self.log}:\n{tail}" if tail else "It left nothing in its log."
        )

    def _tail(self) -> str:
        """The end of what it has written to its log about this job."""
        try:
            with open(self.log, "rb") as log:
                log.seek(max(self._start, self.log.stat().st_size - _TAIL_BYTES))
                return log.read().decode("utf-8", "replace").strip()
        except OSError:
            return ""


def _run_once(
    path: str,
    surroundings: _Surroundings,
    on_event: Callable[[Event], None],
    is_cancelled: Callable[[], bool],
    logs: Path,
) -> Event:
    backend = _Backend(surroundings, ["run", path], logs)
    try:
        outcome = backend.follow(on_event, is_cancelled)
        backend.child.end(_PATIENCE_S)
        return outcome
    finally:
        backend.child.end()


_busy = threading.Lock()
_worker: _Backend | None = None


def _run_warm(
    path: str,
    surroundings: _Surroundings,
    on_event: Callable[[Event], None],
    is_cancelled: Callable[[], bool],
    logs: Path,
) -> Event:
    if not _busy.acquire(blocking=False):  # the worker has a job: this one gets a process of its own
        return _run_once(path, surroundings, on_event, is_cancelled, logs)
    try:
        try:
            return _hand_over(path, surroundings, logs).follow(on_event, is_cancelled)
        except _NotTaken:  # it was just ending of itself
            stop_worker()
            return _hand_over(path, surroundings, logs).follow(on_event, is_cancelled)
    except BaseException:
        stop_worker()
        raise
    finally:
        _busy.release()


def _hand_over(path: str, surroundings: _Surroundings, logs: Path) -> _Backend:
    """Give the job to the worker, or to a new one where it has died or has other surroundings."""
    global _worker
    worker = _worker
    if not (worker and worker.surroundings == surroundings and worker.child.running()):
        stop_worker()
        worker = _worker = _Backend(surroundings, ["serve"], logs, feed=True)
    worker.give(path)
    return worker


def stop_worker() -> None:
    """End the warm worker, where there is one; a job that it still has fails."""
    global _worker
    worker, _worker = _worker, None
    if worker:
        worker.child.end()


atexit.register(stop_worker)


def _meaning(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"{name}; the machine may have run out of memory" if name == "SIGKILL" else name


def _new_log(logs: Path) -> Path:
    """An empty log file of its own; the oldest of more than _LOGS_KEPT go."""
    try:
        logs.mkdir(parents=True, exist_ok=True)
        for old in sorted(logs.glob("backend-*.log"))[: 1 - _LOGS_KEPT]:
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
    """Where the logs go that nobody asked for: they live as long as this process."""
    folder = tempfile.TemporaryDirectory(prefix="landforge-log-")

    def forget() -> None:
        stop_worker()  # Windows removes no file that a process has open
        folder.cleanup()

    atexit.register(forget)
    return Path(folder.name)
