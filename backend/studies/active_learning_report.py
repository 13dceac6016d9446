"""The files of an active learning study: a page with charts, CSV and JSON, and the ranking as CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from backend.geo import legend
from backend.metrics.bootstrap import Evaluation, evaluate, interval, resampled_miou
from backend.reports import html, study_page
from backend.reports.cross_test import csv_row, json_row
from backend.reports.study_page import Table, TestSetResults
from backend.reports.svg_chart import Mark, chart

NAME = "choosetiles"
RANKING = "ranking.csv"
RANKING_COLUMNS = ("round", "rank", "data_set", "tile", "entropy", "margin", "distance", "chosen")
"""Entropy in nats, margin from 0 to 1; distance among features where a tile was selected by it."""
STRATEGIES = ("chosen", "random")


@dataclass(frozen=True)
class RoundResult:
    """A round's model, trained on the tiles of a strategy, on one test set; `matrices` (tiles, COUNT, COUNT)."""

    strategy: str
    test_set: str
    round: int
    added: int
    matrices: np.ndarray = field(repr=False)

    @cached_property
    def evaluation(self) -> Evaluation:
        """The scores."""
        return evaluate(f"round {self.round}, {self.strategy}", self.test_set, self.matrices)

    def gain_over(self, other: RoundResult) -> tuple[float, float, float]:
        """The mIoU minus that of another result, and the interval of the difference."""
        low, high = interval(resampled_miou(self.matrices) - resampled_miou(other.matrices))
        return self.evaluation.scores.miou - other.evaluation.scores.miou, low, high


@dataclass(frozen=True)
class Context:
    """What the page shows beside the results: class shares by what they are of, and a PNG of selected tiles.

    `legend`, of `legend.LEGENDS`, is the legend of the models, the scores and the shares.
    """

    measure: str
    legend: str
    held_equal: Sequence[str]
    shares: Mapping[str, np.ndarray]
    samples: bytes = b""


def write(folder: Path, results: Sequence[RoundResult], ranking: Sequence[Sequence[object]], context: Context) -> None:
    """Write `choosetiles.html`, `.csv` and `.json` and `ranking.csv`, all or none.

    `results` has round 0 once, as 'chosen', and then each round with each strategy. Raises BackendError where the
    folder cannot be written.
    """
    steps = [{**_columns(result), **json_row(result.evaluation, context.legend)} for result in results]
    rows = [{**_columns(result), **csv_row(result.evaluation, context.legend)} for result in results]
    texts = {
        f"{NAME}.csv": html.csv_text(rows),
        f"{NAME}.json": json.dumps({"held_equal": list(context.held_equal), "steps": steps}, indent=1),
        RANKING: html.csv_text([dict(zip(RANKING_COLUMNS, row)) for row in ranking]),
        f"{NAME}.html": _page(results, context),
    }
    html.write_together(folder, texts)


def _columns(result: RoundResult) -> dict[str, Any]:
    names = {"arm": result.strategy, "test_set": result.test_set}
    return {**names, "round": result.round, "added_tiles": result.added}


def _page(results: Sequence[RoundResult], context: Context) -> str:
    tests = []
    for name in dict.fromkeys(result.test_set for result in results):
        own = [result for result in results if result.test_set == name]
        evaluations = [(result.evaluation.model, result.evaluation) for result in own]
        answers, own_chart = [_answer(own, context.measure)], _chart(own, context.measure)
        scores, by_class = _table(own), study_page.by_class(evaluations, context.legend)
        tests.append(TestSetResults(name, own[0].evaluation.tiles, answers, own_chart, scores, by_class))
    shown = np.flatnonzero(np.sum(list(context.shares.values()), axis=0))
    return study_page.render(
        "active_learning_study",
        "Synthetic tiles, chosen and at random",
        tests,
        context.held_equal,
        context.legend,
        share_classes=legend.named(shown, context.legend),
        shares=[
            [name, *(f"{100 * shares[index]:.1f} %" for index in shown)] for name, shares in context.shares.items()
        ],
        samples=context.samples,
    )


def _pairs(results: Sequence[RoundResult]) -> list[tuple[RoundResult, RoundResult]]:
    """The results of both strategies for each round that has both."""
    chosen, random = (
        {result.round: result for result in results if result.strategy == strategy} for strategy in STRATEGIES
    )
    return [(chosen[number], random[number]) for number in sorted(chosen.keys() & random.keys())]


def _answer(results: Sequence[RoundResult], measure: str) -> str:
    """The outcome in words."""
    pairs = _pairs(results)
    if not pairs:
        return f"Real tiles alone: mIoU {results[0].evaluation.scores.miou:.3f}."
    chosen, random = pairs[-1]
    gain, low, high = chosen.gain_over(random)
    chance = "" if low > 0 or high < 0 else " The interval holds 0: chance in the choice of test tiles may explain it."
    return (
        f"With {chosen.added} tiles chosen by '{measure}' mIoU is {chosen.evaluation.scores.miou:.3f}, "
        f"{study_page.gained(gain, low, high)} against as many at random.{chance} Against real tiles alone it is "
        f"{study_page.gained(*chosen.gain_over(results[0]))}."
    )


def _chart(results: Sequence[RoundResult], measure: str) -> Markup:
    names = {"chosen": f"chosen by '{measure}'", "random": "at random"}
    series = {}
    for strategy in STRATEGIES:
        own = [result for result in results if result.strategy == strategy or result.round == 0]
        if len(own) > 1 or strategy == "chosen":
            series[names[strategy]] = [
                Mark(result.round, result.evaluation.scores.miou, result.evaluation.low, result.evaluation.high)
                for result in own
            ]
    ticks: dict[float, str] = {result.round: f"+{result.added}" if result.round else "real alone" for result in results}
    return chart(series, ticks, "synthetic tiles added to the real ones", "mIoU")


def _table(results: Sequence[RoundResult]) -> Table:
    rows: list[list[object]] = [[0, 0, study_page.scored(results[0].evaluation), "the same", ""]]
    for chosen, random in _pairs(results):
        scores = (study_page.scored(result.evaluation) for result in (chosen, random))
        rows.append([chosen.round, chosen.added, *scores, study_page.gained(*chosen.gain_over(random))])
    return Table(["round", "tiles added", "chosen: mIoU", "random: mIoU", "difference"], rows)
