"""What the pages of studies have in common: the results of one test set, the legend, and how figures are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from backend.geo import legend
from backend.metrics.bootstrap import LEVEL, RESAMPLES, Evaluation
from backend.reports import html


@dataclass(frozen=True)
class Table:
    """A table of texts and numbers; the first column names the rows."""

    headers: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class TestSetResults:
    """What the page shows of one test set: answers in words, a chart, the scores and the IoU by class."""

    name: str
    tiles: int
    answers: Sequence[str]
    chart: Markup
    scores: Table
    by_class: Table


def render(
    template: str,
    title: str,
    tests: Sequence[TestSetResults],
    held_equal: Sequence[str],
    legend_name: str,
    **values: Any,
) -> str:
    """The page of a study by its template; `values` are those that only this template has."""
    return html.render(
        template,
        title=title,
        level=LEVEL,
        resamples=RESAMPLES,
        legend_name=legend_name,
        merged_classes=list(legend.names_of(legend_name).values()) if legend.LEGENDS[legend_name] else [],
        tests=tests,
        held_equal=held_equal,
        **values,
    )


def by_class(evaluations: Sequence[tuple[str, Evaluation]], legend_name: str) -> Table:
    """The IoU of named evaluations by class, for the classes that any evaluation's labels show."""
    shown = np.flatnonzero(np.any([evaluation.scores.present for _, evaluation in evaluations], axis=0))
    rows = [
        [name, *("none" if np.isnan(iou) else f"{iou:.3f}" for iou in evaluation.scores.iou[shown])]
        for name, evaluation in evaluations
    ]
    return Table(["IoU", *legend.named(shown, legend_name)], rows)


def scored(evaluation: Evaluation) -> str:
    """The mean IoU with its interval."""
    return f"{evaluation.scores.miou:.3f} {bracketed(evaluation.low, evaluation.high)}"


def gained(gain: float, low: float, high: float) -> str:
    """A difference of mean IoU with its interval, all with their signs."""
    return f"{gain:+.3f} {bracketed(low, high, '+')}"


def bracketed(low: float, high: float, sign: str = "") -> str:
    """An interval; `sign` '+' for one of differences."""
    return f"({low:{sign}.3f} to {high:{sign}.3f})"
