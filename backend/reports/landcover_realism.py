"""The files of a land cover realism report: distributions, class shares, windows side by side, and near copies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from backend.geo import legend
from backend.metrics.near_duplicates import CELLS, UNIFORM_SHARE
from backend.metrics.realism import CHECKED_WINDOWS, Comparison, Realism, quantiles
from backend.reports import contact_sheet, html
from backend.reports.html import three_digits

WIDTH, ROW, EDGE = 420, 22, 70
COLOURS = {"real": "#555555", "synthetic": "#0064c8"}
CLASS_COLOURS: dict[int | None, str] = {code: colour for code, (_, colour) in legend.LEGEND.items()}
WINDOWS, WINDOW_PX = 16, 128  # on the page
_SMALL = 'font-size="11" font-family="sans-serif" fill="#555"'


def write(folder: Path, settings: Mapping[str, Any], result: Realism) -> None:
    """Write `landcoverrealism.html`, `.csv` and `.json`, all or none.

    Raises BackendError where the folder cannot be written.
    """
    rows = [comparison.row() for comparison in [*result.metrics, *result.shares]]
    summary = {"settings": settings, "figures": rows, "copies": result.copies.summary()}
    texts = {
        "landcoverrealism.html": _page(settings, result),
        "landcoverrealism.csv": html.csv_text(rows),
        "landcoverrealism.json": json.dumps(summary, indent=1),
    }
    html.write_together(folder, texts)


def _page(settings: Mapping[str, Any], result: Realism) -> str:
    return html.render(
        "landcover_realism",
        title="Land cover realism",
        metrics=result.metrics,
        shares=result.shares,
        copies=result.copies,
        box_plots=[box_plot(comparison) for comparison in result.metrics],
        class_bars=_class_bars(result.shares),
        class_colours=CLASS_COLOURS,
        windows={"Real": _sheet(result.real.windows), "Synthetic": _sheet(result.synthetic.windows)},
        checked_windows=CHECKED_WINDOWS,
        uniform_share=UNIFORM_SHARE,
        cells=CELLS,
        settings=settings,
    )


def box_plot(comparison: Comparison) -> Markup:
    """The distributions of a figure in real and in synthetic windows, one above the other, as inline SVG."""
    boxes = {name: quantiles(values) for name, values in comparison.by_kind.items()}
    known = [values for values in boxes.values() if np.isfinite(values).all()]
    lowest = min(0.0, *(float(values[0]) for values in known)) if known else 0.0
    highest = max((float(values[-1]) for values in known), default=0.0) or 1.0
    rows = [_box(row, name, values, lowest, highest) for row, (name, values) in enumerate(boxes.items())]
    height, baseline = 2 * ROW + 30, 2 * ROW + 24
    return Markup(  # noqa: S704 (numbers and constants only)
        f'<svg width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">{"".join(rows)}'
        f'<text x="{EDGE}" y="{baseline}" {_SMALL}>{three_digits(lowest)}</text>'
        f'<text x="{WIDTH - 6}" y="{baseline}" {_SMALL} text-anchor="end">{three_digits(highest)}</text></svg>'
    )


def _box(row: int, name: str, values: np.ndarray, lowest: float, highest: float) -> str:
    """One box with its label; `values` are the quantiles, on an axis from `lowest` to `highest`."""
    top, colour = 6 + row * ROW, COLOURS[name]
    label = f'<text x="4" y="{top + 14}" {_SMALL}>{name}</text>'
    if not np.isfinite(values).all():
        return label
    low, start, middle, stop, high = EDGE + (values - lowest) / (highest - lowest) * (WIDTH - EDGE - 6)
    centre = top + ROW / 2 - 1
    return (
        f'{label}<line x1="{low:.1f}" x2="{high:.1f}" y1="{centre}" y2="{centre}" stroke="{colour}"/>'
        f'<rect x="{start:.1f}" y="{top + 3}" width="{max(stop - start, 1):.1f}" height="{ROW - 8}" fill="{colour}" '
        f'fill-opacity=".35" stroke="{colour}"/>'
        f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{top + 1}" y2="{top + ROW - 3}" stroke="{colour}" '
        'stroke-width="3"/>'
    )


def _class_bars(shares: Sequence[Comparison]) -> Markup:
    """The class mix of real and of synthetic windows as one bar each, in the official colours, as inline SVG."""
    parts = []
    for row, name in enumerate(COLOURS):
        top, left = 2 + (ROW + 2) * row, float(EDGE)
        parts.append(f'<text x="4" y="{top + 15}" {_SMALL}>{name}</text>')
        for share in shares:
            percent = share.real_mean if name == "real" else share.synthetic_mean
            width = percent / 100 * (2 * WIDTH - EDGE - 6)
            colour = CLASS_COLOURS[share.code]
            parts.append(f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW}" fill="#{colour}"/>')
            left += width
    svg = f'<svg width="{WIDTH * 2}" height="{2 * ROW + 6}" role="img">{"".join(parts)}</svg>'
    return Markup(svg)  # noqa: S704 (numbers and constants only)


def _sheet(windows: np.ndarray) -> bytes:
    """The first windows as a square contact sheet, a PNG."""
    step = max(1, windows.shape[-1] // WINDOW_PX)
    shown = windows[:WINDOWS, ::step, ::step]
    side = max(1, int(len(shown) ** 0.5))
    images = legend.picture(shown[: side**2])
    return contact_sheet.png(contact_sheet.sheet([images[column::side] for column in range(side)]))
