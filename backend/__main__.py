"""`python -m backend run JOB.json` runs one job; `python -m backend serve` takes paths of jobs from stdin."""

import os
import sys

# Descriptor 1 is reserved for the events. It is duplicated before anything else is imported, so that a stray print,
# even one from C, goes to the log and cannot corrupt the stream of events.
_event_stream = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
os.dup2(2, 1)

# OpenMP's idle threads sleep: spinning ones would take CPU time from QGIS.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import signal  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from backend import protocol  # noqa: E402
from backend.protocol import BackendError, Event, Reporter  # noqa: E402

IDLE_MINUTES = 15.0


def load_job(path: str) -> Any:
    """Read and check a job file; BackendError for an unknown key or a value of the wrong type."""
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        cls = protocol.JOBS[data.pop("job")]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise BackendError(f"{path} is not a Landforge job: {error!r}") from error
    for checked in (cls, protocol.Extent):
        setattr(checked, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010
    try:
        return TypeAdapter(cls).validate_python(data)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
        raise BackendError(f"The job is not valid: {faults}.") from error


def run(path: str, reporter: Reporter) -> int:
    """Run a job file and report its result or error as the last event; returns the exit status."""
    job = None
    try:
        job = load_job(path)
        protocol.check_outputs(job)
        module = importlib.import_module(f"backend.jobs.{protocol.job_name(job)}")
        outputs = module.run(job, reporter)
        reporter.send(Event("result", fraction=1.0, outputs=outputs))
        return 0
    except BackendError as error:
        reporter.send(Event("error", str(error)))
        return 1
    except MemoryError:
        reporter.send(Event("error", "The machine ran out of memory. Close other programs or use a smaller extent."))
        return 1
    except Exception as error:  # a bug: the traceback goes to the log
        traceback.print_exc()
        if type(error).__name__ == "OutOfMemoryError":  # torch's, by name: not every job imports torch
            message = "The GPU ran out of memory. Close other programs, or set LANDFORGE_DEVICE=cpu."
            reporter.send(Event("error", message))
            return 2
        reporter.send(Event("error", f"Landforge failed unexpectedly ({type(error).__name__}: {error}). See the log."))
        return 2
    finally:
        if job is not None:
            protocol.remove_partials(job)


def watch_idle(last: list) -> None:
    """End the process when it has waited IDLE_MINUTES for a job, or when its parent has died."""
    parent = os.getppid()
    while True:
        time.sleep(2)
        if os.name == "posix" and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)  # unwinds a job, which then removes what it was writing
            time.sleep(5)
            os._exit(0)
        if last[0] is not None and time.monotonic() - last[0] > 60 * IDLE_MINUTES:
            os._exit(0)


def warm_up(job_name: str) -> None:
    """Import the modules that a job needs; a failure is only logged, since the job itself reports it."""
    try:
        importlib.import_module(f"backend.jobs.{job_name}")
    except Exception:
        traceback.print_exc()


def serve(reporter: Reporter, warm: str = "") -> int:
    """Run the jobs whose paths are read from stdin, one after another, with imports and models kept in memory.

    Ends at the end of stdin, or when idle for too long. `warm` names a job whose modules are imported before the first
    job arrives. Stdin is read in the main thread: a thread that waits on it blocks numpy's import on Windows.
    """
    last: list = [time.monotonic()]
    threading.Thread(target=watch_idle, args=(last,), daemon=True).start()
    if warm:
        warm_up(warm)
    for line in iter(sys.stdin.readline, ""):
        if line.strip():
            last[0] = None
            reporter.progress(0.0)  # the job was taken; a worker that ends before this has not begun it
            if run(line.strip(), reporter) == 2:
                return 2  # after a bug the process's state cannot be trusted, least of all a GPU context
            if device := sys.modules.get("backend.models.device"):  # not every job has needed torch
                device.return_freed_memory()
            last[0] = time.monotonic()
    return 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m backend", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("run", help="run one job").add_argument("job", help="path of the job's JSON file")
    serving = verbs.add_parser("serve", help="run the jobs whose paths come in on stdin, one a line")
    serving.add_argument("--warm", metavar="JOB", default="", help="import at once what this job needs")
    args = parser.parse_args()
    # SIGTERM unwinds the stack, so that a cancelled job removes what it was writing.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    reporter = Reporter(_event_stream)
    return run(args.job, reporter) if args.verb == "run" else serve(reporter, args.warm)


if __name__ == "__main__":
    sys.exit(main())
