"""A warm backend: one process of `python -m backend serve` that runs job files one after another."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.protocol import Event
from tests.servers import ROOT


class Worker:
    """Runs job files in a process; a test that changes the environment cannot use it, the process has its own."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def run(self, job_file: Path) -> list[Event]:
        """The events of a job, up to its result or error."""
        self._process.stdin.write(f"{job_file}\n")
        self._process.stdin.flush()
        events = [Event.from_line(self._process.stdout.readline())]
        while events[-1].kind not in ("result", "error"):
            events.append(Event.from_line(self._process.stdout.readline()))
        return events


@contextmanager
def started_worker() -> Iterator[Worker]:
    """A worker for as long as the context is open."""
    command = [sys.executable, "-m", "backend", "serve"]
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        yield Worker(process)
        process.stdin.close()
        assert process.wait(60) == 0
