"""The results of a study of chosen tiles: a page with both curves, CSV and JSON, and the ranking as CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from backend.geo import legend
from backend.metrics.bootstrap import Cell, cell, interval, resampled
from backend.reports import html, study_page
from backend.reports.cross_test import as_json, as_row
from backend.reports.svg_chart import Mark, chart

NAME = "choosetiles"
RANKING = "ranking.csv"
RANKED = ("round", "rank", "data_set", "tile", "entropy", "margin", "distance", "chosen")
"""The ranking's columns: entropy in nats, margin from 0 to 1, distance among features where a tile was chosen by it."""
ARMS = ("chosen", "random")


@dataclass(frozen=True)
class Step:
    """A round's model of one arm on one test set; `matrices` (tiles, COUNT, COUNT)."""

    arm: str
    test_set: str
    round: int
    added: int
    matrices: np.ndarray = field(repr=False)

    @cached_property
    def cell(self) -> Cell:
        """The scores."""
        return cell(f"round {self.round}, {self.arm}", self.test_set, self.matrices)

    def less(self, other: Step) -> tuple[float, float, float]:
        """The mIoU less another step's, and the interval of that."""
        low, high = interval(resampled(self.matrices) - resampled(other.matrices))
        return self.cell.scores.miou - other.cell.scores.miou, low, high


@dataclass(frozen=True)
class Told:
    """What the page says beside the figures: class shares by what they are of, and a PNG figure of chosen tiles.

    `legend`, of `legend.LEGENDS`, is the one of the models, the scores and the shares.
    """

    measure: str
    legend: str
    equal: Sequence[str]
    shares: Mapping[str, np.ndarray]
    samples: str = ""


def write(folder: Path, steps: Sequence[Step], ranking: Sequence[Sequence[object]], told: Told) -> None:
    """Write `choosetiles.html`, `.csv` and `.json` and `ranking.csv`, all or none; BackendError where that cannot be.

    `steps` has round 0 once, as 'chosen', and then each round of each arm.
    """
    listed = [{**_place(step), **as_json(step.cell, told.legend)} for step in steps]
    texts = {
        f"{NAME}.csv": html.comma_separated([{**_place(step), **as_row(step.cell, told.legend)} for step in steps]),
        f"{NAME}.json": json.dumps({"held_equal": list(told.equal), "steps": listed}, indent=1),
        RANKING: html.comma_separated([dict(zip(RANKED, row)) for row in ranking]),
        f"{NAME}.html": _page(steps, told),
    }
    html.write_together(folder, texts)


def _place(step: Step) -> dict[str, Any]:
    return {"arm": step.arm, "test_set": step.test_set, "round": step.round, "added_tiles": step.added}


def _page(steps: Sequence[Step], told: Told) -> str:
    """The study as one HTML page: for each test set what came out, the curves and the tables."""
    parts = []
    for name in dict.fromkeys(step.test_set for step in steps):
        found = [step for step in steps if step.test_set == name]
        parts.append(html.heading(f"Tested on {name}, {found[0].cell.tiles} tiles"))
        parts += [html.text(_answer(found, told.measure), "big"), _curves(found, told.measure), _table(found)]
        parts.append(study_page.by_class([(step.cell.model, step.cell) for step in found], told.legend))
    parts += [html.heading("What was chosen"), _shares(told.shares, told.legend), told.samples]
    parts += [html.heading("What was held equal"), html.notes(told.equal)]
    return html.page("Synthetic tiles, chosen and at random", study_page.reading(told.legend), *parts)


def _pairs(steps: Sequence[Step]) -> list[tuple[Step, Step]]:
    """The chosen and the random step of each round that has both."""
    arms = [{step.round: step for step in steps if step.arm == arm} for arm in ARMS]
    return [(arms[0][number], arms[1][number]) for number in sorted(arms[0].keys() & arms[1].keys())]


def _answer(steps: Sequence[Step], measure: str) -> str:
    pairs = _pairs(steps)
    if not pairs:
        return f"Real tiles alone: mIoU {steps[0].cell.scores.miou:.3f}."
    chosen, random = pairs[-1]
    gain, low, high = chosen.less(random)
    over, low_real, high_real = chosen.less(steps[0])
    chance = "" if low > 0 or high < 0 else " The interval holds 0: chance in the choice of test tiles may explain it."
    return (
        f"With {chosen.added} tiles chosen by '{measure}' mIoU is {chosen.cell.scores.miou:.3f}, {gain:+.3f} "
        f"{study_page.bracketed(low, high, '+')} against as many at random.{chance} Against real tiles alone it is "
        f"{over:+.3f} {study_page.bracketed(low_real, high_real, '+')}."
    )


def _curves(steps: Sequence[Step], measure: str) -> str:
    names = {"chosen": f"chosen by '{measure}'", "random": "at random"}
    series = {}
    for arm in ARMS:
        found = [step for step in steps if step.arm == arm or step.round == 0]
        marks = [Mark(step.round, step.cell.scores.miou, step.cell.low, step.cell.high) for step in found]
        if len(marks) > 1 or arm == "chosen":
            series[names[arm]] = marks
    ticks: dict[float, str] = {step.round: f"+{step.added}" if step.round else "real alone" for step in steps}
    return chart(series, ticks, "synthetic tiles added to the real ones", "mIoU")


def _table(steps: Sequence[Step]) -> str:
    def figures(step: Step) -> str:
        return f"{step.cell.scores.miou:.3f} {study_page.bracketed(step.cell.low, step.cell.high)}"

    rows: list[list[object]] = [[0, 0, figures(steps[0]), "the same", ""]]
    for chosen, random in _pairs(steps):
        gain, low, high = chosen.less(random)
        told = f"{gain:+.3f} {study_page.bracketed(low, high, '+')}"
        rows.append([chosen.round, chosen.added, figures(chosen), figures(random), told])
    return html.table(["round", "tiles added", "chosen: mIoU", "random: mIoU", "difference"], rows)


def _shares(shares: Mapping[str, np.ndarray], legend_name: str) -> str:
    shown = np.flatnonzero(np.sum(list(shares.values()), axis=0))
    rows = [[name, *(f"{100 * own[index]:.1f} %" for index in shown)] for name, own in shares.items()]
    return html.table(["class shares of", *legend.named(shown, legend_name)], rows)
