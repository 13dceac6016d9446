"""A chart of figures with their intervals, as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT = 860, 380
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 16, 58
COLOURS = ("#0064c8", "#d1570f", "#1a8a4c", "#8a3fb0", "#8a6d00", "#555555")
SHIFT_PX = 5  # between the marks of several series at one place, so that their intervals do not hide each other


@dataclass(frozen=True)
class Mark:
    """A figure at a place, its interval, and single figures that it is the mean of; a line leads to it if `joined`."""

    x: float
    y: float
    low: float
    high: float
    single: tuple[float, ...] = ()
    joined: bool = True


def chart(series: Mapping[str, Sequence[Mark]], ticks: Mapping[float, str], across: str, up: str) -> str:
    """Series of marks by name, over the places that `ticks` name; `across` and `up` say what the axes show."""
    marks = [mark for found in series.values() for mark in found]
    values = [value for mark in marks for value in (mark.low, mark.high, *mark.single)]
    steps = _steps(min(values), max(values))
    frame = _Frame(min(ticks), max(ticks), steps[0], steps[-1])
    parts = [_grid(frame, steps, ticks, across, up)]
    for number, found in enumerate(series.values()):
        shift = SHIFT_PX * (number - (len(series) - 1) / 2)
        parts.append(_series(frame, found, COLOURS[number % len(COLOURS)], shift))
    keys = "".join(
        f'<span style="color:{COLOURS[number % len(COLOURS)]}">&#9679;</span> {escape(name)} &nbsp; '
        for number, name in enumerate(series)
    )
    return (
        f'<figure><svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="13">{"".join(parts)}</svg><figcaption>{keys}</figcaption></figure>'
    )


@dataclass(frozen=True)
class _Frame:
    """Where values lie on the picture."""

    left: float
    right: float
    low: float
    high: float

    def x(self, value: float) -> float:
        inner = WIDTH - LEFT - RIGHT
        return LEFT + inner * (0.04 + 0.92 * (value - self.left) / ((self.right - self.left) or 1))

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - self.low) / (self.high - self.low)


def _steps(low: float, high: float) -> list[float]:
    """Round values that hold the range between them, five or so."""
    rough = max(high - low, 0.01) / 5
    size = 10 ** np.floor(np.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    first, last = np.floor(low / step), np.ceil(high / step)
    return [float(step * number) for number in np.arange(first, max(last, first + 1) + 1)]


def _grid(frame: _Frame, steps: Sequence[float], ticks: Mapping[float, str], across: str, up: str) -> str:
    end, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    lines = [
        f'<line x1="{LEFT}" x2="{end}" y1="{frame.y(step):.1f}" y2="{frame.y(step):.1f}" stroke="#e2e2e2"/>'
        f'<text x="{LEFT - 8}" y="{frame.y(step) + 4:.1f}" text-anchor="end">{step:.3g}</text>'
        for step in steps
    ]
    lines += [
        f'<line x1="{frame.x(x):.1f}" x2="{frame.x(x):.1f}" y1="{floor}" y2="{floor + 5}" stroke="#888"/>'
        f'<text x="{frame.x(x):.1f}" y="{floor + 20}" text-anchor="middle">{escape(name)}</text>'
        for x, name in ticks.items()
    ]
    middle = (TOP + floor) / 2
    return (
        f"{''.join(lines)}"
        f'<line x1="{LEFT}" x2="{end}" y1="{floor}" y2="{floor}" stroke="#888"/>'
        f'<text x="{(LEFT + end) / 2}" y="{HEIGHT - 12}" text-anchor="middle" fill="#555">{escape(across)}</text>'
        f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle" fill="#555">{escape(up)}</text>'
    )


def _series(frame: _Frame, marks: Sequence[Mark], colour: str, shift: float) -> str:
    parts = [
        f'<line x1="{frame.x(one.x) + shift:.1f}" y1="{frame.y(one.y):.1f}" '
        f'x2="{frame.x(two.x) + shift:.1f}" y2="{frame.y(two.y):.1f}" stroke="{colour}" stroke-width="2"/>'
        for one, two in zip(marks, marks[1:])
        if two.joined
    ]
    for mark in marks:
        x = frame.x(mark.x) + shift
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{frame.y(mark.low):.1f}" y2="{frame.y(mark.high):.1f}" '
            f'stroke="{colour}" stroke-opacity="0.55" stroke-width="2"/>'
            f'<circle cx="{x:.1f}" cy="{frame.y(mark.y):.1f}" r="4.5" fill="{colour}"/>'
        )
        parts += [
            f'<circle cx="{x:.1f}" cy="{frame.y(value):.1f}" r="2.5" fill="white" stroke="{colour}"/>'
            for value in mark.single
        ]
    return "".join(parts)
