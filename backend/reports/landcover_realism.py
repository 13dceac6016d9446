"""The page of a land cover realism report: distributions, class shares, windows beside each other, near copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from backend.geo import legend
from backend.metrics.near_duplicates import CELLS, DULL
from backend.metrics.realism import LOOKED, Comparison, Copies, mean, quantiles
from backend.reports import contact_sheet, html
from backend.reports.image_quality import figure

WIDTH, ROW, EDGE = 420, 22, 70
REAL, SYNTHETIC = "#555555", "#0064c8"
READING = (
    "Boxes hold the middle half of the windows, lines nine tenths, the bar is the median. Ratio: synthetic over real "
    "mean, with the interval of 95 % of 1,000 resamplings of windows; neighbouring windows are alike, so it is rather "
    "too narrow.",
    "A patch is ground of one class, joined over sides and corners; windows of one class have no contagion. Patches "
    "and edges depend on the pixel size and the window: compare figures of this page with one another alone.",
    f"Copies: up to {LOOKED} windows, none of them of one class to more than {DULL:.0%}, are held to the real ground "
    f"at every shift and in all turns, and compared where they fit best, in {CELLS} x {CELLS} cells. Real windows are "
    "held to ground apart from their own. Give what the generator was trained on.",
)


def body(
    settings: Mapping[str, Any],
    metrics: Sequence[Comparison],
    shares: Sequence[Comparison],
    copies: Copies,
    real: np.ndarray,
    synthetic: np.ndarray,
) -> str:
    """The page as HTML; `real` and `synthetic` are (n, s, s) class indices of windows to look at."""
    rows = "".join(f"<tr><th>{escape(key)}</th><td>{escape(str(value))}</td></tr>" for key, value in settings.items())
    strips = "".join(f"<figure>{strip(one)}</figure>" for one in metrics)
    bars = f"{_bar('real', shares, 'real')}{_bar('synthetic', shares, 'synthetic')}"
    pictures = "".join(_sheet(name, windows) for name, windows in (("Real", real), ("Synthetic", synthetic)))
    return (
        f"<h2>Landscape</h2>{_table(metrics)}<div>{strips}</div>"
        f"<h2>Class mix</h2><svg width='{WIDTH * 2}' height='{2 * ROW + 6}' role='img'>{bars}</svg>{_table(shares)}"
        f"<h2>Copies</h2><p>{escape(copies.verdict)}</p>"
        f"<h2>Windows drawn at random</h2>{pictures}"
        f"<h3>How to read this</h3>{html.notes(READING)}<h2>What was compared</h2><table>{rows}</table>"
    )


def _table(comparisons: Sequence[Comparison]) -> str:
    heads = ["unit", "real", "synthetic", "ratio", "interval", "verdict"]
    return html.scores("", heads, [_row(one) for one in comparisons])


def _row(one: Comparison) -> list[str]:
    interval = f"{one.low:.2f} to {one.high:.2f}" if np.isfinite([one.low, one.high]).all() else "none"
    ratio = f"{one.ratio:.2f}" if np.isfinite(one.ratio) else "none"
    plain = [figure(mean(one.real)), figure(mean(one.synthetic)), ratio, interval]
    grade, words = one.verdict
    return [
        _coloured(one.name),
        f'<td class="words">{escape(one.unit)}</td>',
        *(f"<td>{cell}</td>" for cell in plain),
        f'<td class="words {grade}">{escape(words)}</td>',
    ]


def _coloured(name: str) -> str:
    """A name, with a patch of its colour where it is a class's."""
    code = name.partition(" ")[0]
    if not code.isdigit():
        return escape(name)
    patch = f'<rect width="14" height="14" fill="#{legend.LEGEND[int(code)][1]}"/>'
    return f'<svg width="14" height="14">{patch}</svg> {escape(name)}'


def strip(one: Comparison) -> str:
    """The distributions of a figure's real and synthetic windows above one another, as inline SVG."""
    found = [quantiles(values) for values in (one.real, one.synthetic)]
    most = max((float(each[-1]) for each in found if np.isfinite(each[-1])), default=0.0) or 1.0
    least = min(0.0, *(float(each[0]) for each in found if np.isfinite(each[0]))) if np.isfinite(found).any() else 0.0
    rows = zip(("real", "synthetic"), (REAL, SYNTHETIC), found)
    boxes = "".join(_box(row, *told, least, most) for row, told in enumerate(rows))
    below = f'<text x="{EDGE}" y="{2 * ROW + 24}" {_SMALL}>{figure(least)}</text>'
    end = f'<text x="{WIDTH - 6}" y="{2 * ROW + 24}" {_SMALL} text-anchor="end">{figure(most)}</text>'
    return (
        f'<svg width="{WIDTH}" height="{2 * ROW + 30}" viewBox="0 0 {WIDTH} {2 * ROW + 30}" role="img">{boxes}{below}'
        f"{end}</svg><figcaption>{escape(one.name)}, {escape(one.unit)}</figcaption>"
    )


_SMALL = 'font-size="11" font-family="sans-serif" fill="#555"'


def _box(row: int, name: str, colour: str, found: np.ndarray, least: float, most: float) -> str:
    top = 6 + row * ROW
    label = f'<text x="4" y="{top + 14}" {_SMALL}>{name}</text>'
    if not np.isfinite(found).all():
        return label
    low, start, middle, stop, high = EDGE + (found - least) / (most - least) * (WIDTH - EDGE - 6)
    centre = top + ROW / 2 - 1
    return (
        f'{label}<line x1="{low:.1f}" x2="{high:.1f}" y1="{centre}" y2="{centre}" stroke="{colour}"/>'
        f'<rect x="{start:.1f}" y="{top + 3}" width="{max(stop - start, 1):.1f}" height="{ROW - 8}" fill="{colour}" '
        f'fill-opacity=".35" stroke="{colour}"/>'
        f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{top + 1}" y2="{top + ROW - 3}" stroke="{colour}" '
        'stroke-width="3"/>'
    )


def _bar(name: str, shares: Sequence[Comparison], which: str) -> str:
    """The class mix as one bar in the official colours."""
    top, left = 2 + (ROW + 2) * (which == "synthetic"), float(EDGE)
    parts = [f'<text x="4" y="{top + 15}" {_SMALL}>{name}</text>']
    for one in shares:
        width = mean(getattr(one, which)) / 100 * (2 * WIDTH - EDGE - 6)
        colour = legend.LEGEND[int(one.name.partition(" ")[0])][1]
        parts.append(f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW}" fill="#{colour}"/>')
        left += width
    return "".join(parts)


def _sheet(name: str, windows: np.ndarray) -> str:
    across = max(1, int(len(windows) ** 0.5))
    pictures = legend.picture(windows[: across**2])
    columns = [pictures[number::across] for number in range(across)]
    return html.captioned(contact_sheet.png(contact_sheet.sheet(columns)), name)
