"""A chart of figures with their intervals, as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from markupsafe import Markup

WIDTH, HEIGHT = 860, 380
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 16, 58  # margins of the plot area
COLOURS = ("#0064c8", "#d1570f", "#1a8a4c", "#8a3fb0", "#8a6d00", "#555555")
SERIES_OFFSET_PX = 5  # between marks of several series at one x, so that their intervals do not hide each other


@dataclass(frozen=True)
class Mark:
    """A mean at x with its interval and the single values; `joined` draws a line from the mark before it."""

    x: float
    y: float
    low: float
    high: float
    single: tuple[float, ...] = ()
    joined: bool = True


@dataclass(frozen=True)
class _Axes:
    """The ranges of x and y, and their places in the picture."""

    left: float
    right: float
    low: float
    high: float

    def x(self, value: float) -> float:
        inner = WIDTH - LEFT - RIGHT
        return LEFT + inner * (0.04 + 0.92 * (value - self.left) / ((self.right - self.left) or 1))

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - self.low) / (self.high - self.low)


def chart(series: Mapping[str, Sequence[Mark]], ticks: Mapping[float, str], x_label: str, y_label: str) -> Markup:
    """Series of marks by name, as an HTML figure with a key; `ticks` labels positions on the x axis."""
    all_marks = [mark for marks in series.values() for mark in marks]
    values = [value for mark in all_marks for value in (mark.low, mark.high, *mark.single)]
    y_ticks = _round_ticks(min(values), max(values))
    axes = _Axes(min(ticks), max(ticks), y_ticks[0], y_ticks[-1])
    parts, keys = [_grid(axes, y_ticks, ticks, x_label, y_label)], []
    for number, (name, marks) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(_series(axes, marks, colour, SERIES_OFFSET_PX * (number - (len(series) - 1) / 2)))
        keys.append(f'<span style="color:{colour}">&#9679;</span> {escape(name)} &nbsp; ')
    return Markup(  # noqa: S704 (numbers, and escaped texts)
        f'<figure><svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="13">{"".join(parts)}</svg><figcaption>{"".join(keys)}</figcaption>'
        "</figure>"
    )


def _round_ticks(low: float, high: float) -> list[float]:
    """About five round values that enclose the range."""
    rough = max(high - low, 0.01) / 5
    size = 10 ** np.floor(np.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    first, last = np.floor(low / step), np.ceil(high / step)
    return [float(step * number) for number in np.arange(first, max(last, first + 1) + 1)]


def _grid(axes: _Axes, y_ticks: Sequence[float], x_ticks: Mapping[float, str], x_label: str, y_label: str) -> str:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    lines = [
        f'<line x1="{LEFT}" x2="{right}" y1="{axes.y(tick):.1f}" y2="{axes.y(tick):.1f}" stroke="#e2e2e2"/>'
        f'<text x="{LEFT - 8}" y="{axes.y(tick) + 4:.1f}" text-anchor="end">{tick:.3g}</text>'
        for tick in y_ticks
    ]
    lines += [
        f'<line x1="{axes.x(x):.1f}" x2="{axes.x(x):.1f}" y1="{bottom}" y2="{bottom + 5}" stroke="#888"/>'
        f'<text x="{axes.x(x):.1f}" y="{bottom + 20}" text-anchor="middle">{escape(label)}</text>'
        for x, label in x_ticks.items()
    ]
    middle = (TOP + bottom) / 2
    return (
        f"{''.join(lines)}"
        f'<line x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}" stroke="#888"/>'
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle" fill="#555">{escape(x_label)}</text>'
        f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle" fill="#555">'
        f"{escape(y_label)}</text>"
    )


def _series(axes: _Axes, marks: Sequence[Mark], colour: str, offset: float) -> str:
    """The marks of one series, `offset` pixels to the right of their x."""
    parts = [
        f'<line x1="{axes.x(start.x) + offset:.1f}" y1="{axes.y(start.y):.1f}" '
        f'x2="{axes.x(end.x) + offset:.1f}" y2="{axes.y(end.y):.1f}" stroke="{colour}" stroke-width="2"/>'
        for start, end in zip(marks, marks[1:])
        if end.joined
    ]
    for mark in marks:
        x = axes.x(mark.x) + offset
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{axes.y(mark.low):.1f}" y2="{axes.y(mark.high):.1f}" '
            f'stroke="{colour}" stroke-opacity="0.55" stroke-width="2"/>'
            f'<circle cx="{x:.1f}" cy="{axes.y(mark.y):.1f}" r="4.5" fill="{colour}"/>'
        )
        parts += [
            f'<circle cx="{x:.1f}" cy="{axes.y(value):.1f}" r="2.5" fill="white" stroke="{colour}"/>'
            for value in mark.single
        ]
    return "".join(parts)
