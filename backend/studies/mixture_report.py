"""The results of a study of mixtures: a page with curves, CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from backend.metrics.bootstrap import Cell, cell, interval, resampled
from backend.reports import html, study_page
from backend.reports.cross_test import as_json, as_row
from backend.reports.svg_chart import Mark, chart

NAME = "mixturestudy"
APART = 15.0  # of the additions behind the shares, in percent of the axis


@dataclass(frozen=True)
class Point:
    """One mixture, learned by one architecture and tested on one set.

    `matrices` are (tiles, COUNT, COUNT) confusion matrices, one array a repetition.
    """

    architecture: str
    test_set: str
    label: str
    real: float
    synthetic: float
    real_tiles: int
    synthetic_tiles: int
    matrices: tuple[np.ndarray, ...] = field(repr=False)

    @cached_property
    def cell(self) -> Cell:
        """The scores of all repetitions together; a resampling draws whole tiles, each with all repetitions."""
        return cell(self.label, self.test_set, self.together)

    @cached_property
    def together(self) -> np.ndarray:
        """(tiles, COUNT, COUNT): the repetitions' sum."""
        return np.sum(self.matrices, axis=0)

    @cached_property
    def single(self) -> list[Cell]:
        """The scores of each repetition."""
        return [cell(self.label, self.test_set, found) for found in self.matrices]

    @property
    def added(self) -> bool:
        """Whether synthetic tiles came on top of all real ones."""
        return self.real == 1 and self.synthetic > 0


def write(folder: Path, points: Sequence[Point], equal: Sequence[str], notes: Sequence[str], legend_name: str) -> None:
    """Write `mixturestudy.csv`, `.json` and `.html`, all or none; BackendError where that cannot be.

    `equal` says what was held equal, `notes` what else a reader must know; `legend`, of `legend.LEGENDS`, is the one
    that the points were scored in.
    """
    rows = [(_place(point, repetition), each) for point in points for repetition, each in _cells(point)]
    told = [{**place, **as_json(each, legend_name)} for place, each in rows]
    texts = {
        f"{NAME}.csv": html.comma_separated([{**place, **as_row(each, legend_name)} for place, each in rows]),
        f"{NAME}.json": json.dumps({"held_equal": list(equal), "notes": list(notes), "points": told}, indent=1),
        f"{NAME}.html": _page(points, equal, notes, legend_name),
    }
    html.write_together(folder, texts)


def _cells(point: Point) -> list[tuple[str, Cell]]:
    """All repetitions together, then each where there are several."""
    single = enumerate(point.single, start=1) if len(point.matrices) > 1 else ()
    return [("all", point.cell), *((str(number), each) for number, each in single)]


def _place(point: Point, repetition: str) -> dict[str, Any]:
    return {
        "architecture": point.architecture,
        "test_set": point.test_set,
        "mixture": point.label,
        "real": point.real,
        "synthetic": point.synthetic,
        "real_tiles": point.real_tiles,
        "synthetic_tiles": point.synthetic_tiles,
        "repetition": repetition,
    }


def _page(points: Sequence[Point], equal: Sequence[str], notes: Sequence[str], legend_name: str) -> str:
    """The study as one HTML page: for each test set what came out, the curves and the tables."""
    parts = []
    for name in dict.fromkeys(point.test_set for point in points):
        found = [point for point in points if point.test_set == name]
        heading = html.heading(f"Tested on {name}, {found[0].cell.tiles} tiles")
        parts += [heading, *_answers(found), _curves(found), _table(found)]
        cells = [(f"{point.architecture}, {point.label}", point.cell) for point in found]
        parts.append(study_page.by_class(cells, legend_name))
    parts += [html.heading("What was held equal"), html.notes(equal)]
    if notes:
        parts += [html.heading("To be known"), html.notes(notes)]
    return html.page("Real and synthetic tiles, mixed", study_page.reading(legend_name), *parts)


def _by_architecture(points: Sequence[Point]) -> dict[str, list[Point]]:
    names = dict.fromkeys(point.architecture for point in points)
    return {name: [point for point in points if point.architecture == name] for name in names}


def _first(points: Sequence[Point], wanted: Callable[[Point], bool]) -> Point | None:
    return next(filter(wanted, points), None)


def _real_alone(points: Sequence[Point]) -> Point | None:
    return _first(points, lambda point: point.real == 1 and not point.synthetic)


def _difference(point: Point, other: Point) -> tuple[float, float, float]:
    """The mIoU of a point less another's, and the interval of that."""
    low, high = interval(resampled(point.together) - resampled(other.together))
    return point.cell.scores.miou - other.cell.scores.miou, low, high


def _answers(points: Sequence[Point]) -> list[str]:
    """What came out, in words: one paragraph an architecture."""
    said = []
    for name, own in _by_architecture(points).items():
        best, alone = max(own, key=lambda point: point.cell.scores.miou), _real_alone(own)
        line = f"{name}: best with {best.label}, mIoU {best.cell.scores.miou:.3f}"
        if alone and best is not alone:
            gain, low, high = _difference(best, alone)
            line += f", {gain:+.3f} {study_page.bracketed(low, high, '+')} against real alone"
            line += "." if low > 0 else "; the interval holds 0, so that may be chance in the choice of test tiles."
        else:
            line += "."
        none = _first(own, lambda point: point.real == 0)
        if none and alone and alone.cell.scores.miou > 0:
            share = none.cell.scores.miou / alone.cell.scores.miou
            line += f" Synthetic tiles alone reach {share:.0%} of the mIoU of real ones alone."
        said.append(html.text(line, "big"))
    return said


def _curves(points: Sequence[Point]) -> str:
    ticks = {100 * point.real: f"{100 * point.real:g} %" for point in points if not point.added}
    added = sorted({point.synthetic for point in points if point.added})
    end = max(ticks, default=0.0)
    places = {addition: end + APART * (number + 1) for number, addition in enumerate(added)}
    ticks |= {place: f"all + {addition:g}x" for addition, place in places.items()}
    series = {}
    for name, own in _by_architecture(points).items():
        series[name] = [
            Mark(
                places[point.synthetic] if point.added else 100 * point.real,
                point.cell.scores.miou,
                point.cell.low,
                point.cell.high,
                tuple(each.scores.miou for each in point.single) if len(point.matrices) > 1 else (),
                not point.added,
            )
            for point in own
        ]
    across = "real share of the training tiles; then all real tiles and synthetic ones on top"
    return chart(series, ticks, across, "mIoU")


def _table(points: Sequence[Point]) -> str:
    rows = []
    for name, own in _by_architecture(points).items():
        alone = _real_alone(own)
        for point in own:
            found, against = point.cell, "" if point is alone else "not known"
            if alone and point is not alone:
                gain, low, high = _difference(point, alone)
                against = f"{gain:+.3f} {study_page.bracketed(low, high, '+')}"
            figures = f"{found.scores.miou:.3f} {study_page.bracketed(found.low, found.high)}"
            counts = (point.real_tiles, point.synthetic_tiles)
            rows.append([name, point.label, *counts, len(point.matrices), figures, against])
    heads = ["architecture", "mixture", "real tiles", "synthetic tiles", "models", "mIoU", "against real alone"]
    return html.table(heads, rows)
