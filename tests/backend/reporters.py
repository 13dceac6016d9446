"""Reporters for tests: one records its events, one interrupts a job at an event."""

import io

from backend.protocol import Event, Reporter


class RecordingReporter(Reporter):
    """A reporter whose events can be read back."""

    def __init__(self):
        self.text = io.StringIO()
        super().__init__(self.text)

    def events(self, kind: str) -> list[Event]:
        events = [Event.from_line(line) for line in self.text.getvalue().splitlines()]
        return [event for event in events if event.kind == kind]


class Interrupted(Exception):
    """Raised by `InterruptingReporter` inside the job."""


class InterruptingReporter(Reporter):
    """A reporter that ends a job by an exception as soon as an event's message holds `words`."""

    def __init__(self, words: str):
        super().__init__(io.StringIO())
        self.words = words

    def part(self, start, stop):
        return self

    def send(self, event):
        if self.words in event.message:
            raise Interrupted
