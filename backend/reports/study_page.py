"""What the pages of studies share: how their figures are to be read, in which legend, and the IoU by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.geo import legend
from backend.metrics.bootstrap import LEVEL, RESAMPLES, Cell
from backend.reports import html

_READING = (
    f"Mean IoU over the classes that the labels of the test tiles show; in brackets, and as bars in the chart, where "
    f"{LEVEL:.0%} of {RESAMPLES:,} resamplings of whole test tiles lie (bootstrap, Efron 1979). Differences are "
    "resampled in pairs: both models on the same tiles. A class that few tiles show is missing from some resamplings, "
    "which then average fewer classes and make an interval lopsided. Intervals say nothing of the labels' own errors, "
    "of other ground, nor of chance in the training, which only repetitions with other seeds show."
)


def reading(legend_name: str) -> str:
    """How the page is to be read, and which classes a legend of fewer has."""
    if not legend.LEGENDS[legend_name]:
        return html.text(_READING)
    names = legend.names_of(legend_name).values()
    told = f"Trained and scored in the {legend_name} legend, of {len(names)} classes: {'; '.join(names)}."
    return html.text(_READING) + html.text(told)


def by_class(rows: Sequence[tuple[str, Cell]], legend_name: str) -> str:
    """The IoU of each class that any row's labels show."""
    shown = [index for index in range(legend.COUNT) if any(each.scores.present[index] for _, each in rows)]
    cells = [
        [name, *("none" if np.isnan(each.scores.iou[i]) else f"{each.scores.iou[i]:.3f}" for i in shown)]
        for name, each in rows
    ]
    return html.table(["IoU", *legend.named(shown, legend_name)], cells)


def bracketed(low: float, high: float, sign: str = "") -> str:
    """An interval; `sign` '+' for one of differences."""
    return f"({low:{sign}.3f} to {high:{sign}.3f})"
