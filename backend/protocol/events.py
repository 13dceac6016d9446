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

    A `preview` has in `outputs`, by an output's path, a raster of what is finished of it so far; it grows while the
    job runs and is gone when the job ends.
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
        """The event of one line; raises ValueError when the line is not one."""
        data = json.loads(line)
        if not isinstance(data, dict) or data.get("kind") not in ("progress", "log", "preview", "result", "error"):
            raise ValueError(f"not an event: {line[:80]!r}")
        try:
            return cls(**data)
        except TypeError as error:
            raise ValueError(f"not an event: {line[:80]!r}") from error


class Reporter:
    """How a job speaks: progress and log lines on a stream, over a share of the whole job."""

    def __init__(self, stream: TextIO, start: float = 0.0, stop: float = 1.0) -> None:
        self._stream, self._start, self._stop = stream, start, stop

    def send(self, event: Event) -> None:
        """Write one event and flush it."""
        self._stream.write(event.to_line() + "\n")
        self._stream.flush()

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far this part of the job is, from 0 to 1."""
        whole = self._start + (self._stop - self._start) * min(max(fraction, 0.0), 1.0)
        self.send(Event("progress", message, round(whole, 4)))

    def log(self, message: str) -> None:
        """Say something worth reading."""
        self.send(Event("log", message))

    def preview(self, output: str | Path, preview: str | Path) -> None:
        """Say that another block of an output is finished, and which raster shows it."""
        self.send(Event("preview", outputs={str(output): str(preview)}))

    def part(self, start: float, stop: float) -> Reporter:
        """A reporter whose 0 to 1 is this one's `start` to `stop`."""
        width = self._stop - self._start
        return Reporter(self._stream, self._start + width * start, self._start + width * stop)


def silent() -> Reporter:
    """A reporter that nobody hears."""
    return Reporter(open(os.devnull, "w"))
