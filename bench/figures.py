"""Figures: measurements with their references and targets, as lines of a table and as JSON."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Size = Literal["quick", "full", "long"]
"""The size of the measured areas: small ones for a quick try, those of the targets, or also those that take long."""

ROW = "{:46} {:>11} {:>13} {:>13} {:>7} {:>4}"


@dataclass(frozen=True)
class Figure:
    """A measurement in `unit`, or its ratio to a reference that was measured in the same run."""

    name: str
    measured: float
    unit: str = ""
    reference: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def value(self) -> float:
        """The ratio to the reference, or the measurement where there is none."""
        return self.measured / self.reference if self.reference else self.measured

    @property
    def met(self) -> bool | None:
        """Whether the value meets its target; None without one."""
        if self.at_most is None and self.at_least is None:
            return None
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    def row(self) -> str:
        """The figure as a line of the table."""
        value, *amounts = _amount(self.measured, self.unit), "-", "-"
        if self.reference:
            value, *amounts = f"{self.value:.2f}", value, _amount(self.reference, self.unit)
        target = next((f"{sign} {v:g}" for sign, v in (("<=", self.at_most), (">=", self.at_least)) if v), "-")
        met = {None: "-", True: "yes", False: "NO"}[self.met]
        return ROW.format(self.name, value, *amounts, target, met)

    def entry(self) -> dict[str, Any]:
        """The figure for JSON."""
        return {**asdict(self), "value": self.value, "met": self.met}


HEADER = ROW.format("figure", "value", "measured", "reference", "target", "met")


def _amount(number: float, unit: str) -> str:
    return f"{number:,.4g} {unit}".rstrip() if number < 1e4 else f"{number:,.0f} {unit}".rstrip()


def seconds(call: Callable[[], Any]) -> float:
    """The seconds that a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def in_turn(repeats: int, *calls: Callable[[int], Any]) -> list[float]:
    """The fewest seconds of each call, out of `repeats`; called in turn, so that they share the machine's load.

    A call gets the number of its repeat.
    """
    taken = [[seconds(lambda: call(turn)) for call in calls] for turn in range(repeats)]  # noqa: B023
    return [min(times) for times in zip(*taken)]
