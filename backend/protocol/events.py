"""Events: the JSON lines that a running job writes, and the reporter that writes them."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO


@dataclass(frozen=True)
class Event:
    """One line of the backend's standard output.

    A `preview` maps an output's path to that of a raster of its finished blocks, in `outputs`; the raster grows while
    the job runs and is removed when it ends.
    """

    kind: Literal["progress", "log", "preview", "result", "error"]
    message: str = ""
    fraction: float = 0.0
    outputs: dict[str, str] = field(default_factory=dict)

    def to_line(self) -> str:
        """The event as one line of JSON, without its newline."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Event:
        """The event of a line; ValueError where the line is not an event."""
        data = json.loads(line)
        if not isinstance(data, dict) or data.get("kind") not in ("progress", "log", "preview", "result", "error"):
            raise ValueError(f"not an event: {line[:80]!r}")
        try:
            return cls(**data)
        except TypeError as error:
            raise ValueError(f"not an event: {line[:80]!r}") from error


class Reporter:
    """Writes a job's events to a stream; its progress covers the share from `start` to `stop` of the whole job's."""

    def __init__(self, stream: TextIO, start: float = 0.0, stop: float = 1.0) -> None:
        self._stream, self._start, self._stop = stream, start, stop

    def send(self, event: Event) -> None:
        """Write one event and flush it."""
        self._stream.write(event.to_line() + "\n")
        self._stream.flush()

    def progress(self, fraction: float, message: str = "") -> None:
        """Report the progress of this part of the job, from 0 to 1."""
        overall = self._start + (self._stop - self._start) * min(max(fraction, 0.0), 1.0)
        self.send(Event("progress", message, round(overall, 4)))

    def log(self, message: str) -> None:
        """Report a line for the log."""
        self.send(Event("log", message))

    def preview(self, output: str | Path, preview: str | Path) -> None:
        """Report that a block of an output is finished, with the raster that shows the finished blocks."""
        self.send(Event("preview", outputs={str(output): str(preview)}))

    def part(self, start: float, stop: float) -> Reporter:
        """A reporter for a part of the job: its 0 to 1 is this reporter's `start` to `stop`."""
        width = self._stop - self._start
        return Reporter(self._stream, self._start + width * start, self._start + width * stop)


def silent() -> Reporter:
    """A reporter that discards its events."""
    return Reporter(open(os.devnull, "w"))
