"""The files of a mixture study: a page with charts, CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from backend.metrics.bootstrap import Evaluation, evaluate, interval, resampled_miou
from backend.reports import html, study_page
from backend.reports.cross_test import csv_row, json_row
from backend.reports.study_page import Table, TestSetResults
from backend.reports.svg_chart import Mark, chart

NAME = "mixturestudy"
ADDITION_STEP = 15.0  # on the x axis, between the additions to the right of the shares, in percent of the real tiles


@dataclass(frozen=True)
class MixtureResult:
    """One mixture, trained with one architecture and tested on one test set.

    `real` and `synthetic` are in parts of all real tiles. `matrices` are (tiles, COUNT, COUNT) confusion matrices, one
    array a repetition.
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
    def evaluation(self) -> Evaluation:
        """The scores of all repetitions together; a resampling draws whole tiles, each with all repetitions."""
        return evaluate(self.label, self.test_set, self.total)

    @cached_property
    def total(self) -> np.ndarray:
        """(tiles, COUNT, COUNT): the sum over the repetitions."""
        return np.sum(self.matrices, axis=0)

    @cached_property
    def repetitions(self) -> list[Evaluation]:
        """The scores of each repetition."""
        return [evaluate(self.label, self.test_set, matrices) for matrices in self.matrices]

    @property
    def is_addition(self) -> bool:
        """Whether synthetic tiles were added to all real ones."""
        return self.real == 1 and self.synthetic > 0

    def gain_over(self, other: MixtureResult) -> tuple[float, float, float]:
        """The mIoU minus that of another result, and the interval of the difference."""
        low, high = interval(resampled_miou(self.total) - resampled_miou(other.total))
        return self.evaluation.scores.miou - other.evaluation.scores.miou, low, high


def write(
    folder: Path, results: Sequence[MixtureResult], held_equal: Sequence[str], notes: Sequence[str], legend_name: str
) -> None:
    """Write `mixturestudy.csv`, `.json` and `.html`, all or none; BackendError where the folder cannot be written.

    `held_equal` says what the models have in common, `notes` what else a reader must know; `legend_name`, of
    `legend.LEGENDS`, is the legend of the results.
    """
    rows = [(_columns(result, name), evaluation) for result in results for name, evaluation in _evaluations(result)]
    points = [{**columns, **json_row(evaluation, legend_name)} for columns, evaluation in rows]
    texts = {
        f"{NAME}.csv": html.csv_text([{**columns, **csv_row(evaluation, legend_name)} for columns, evaluation in rows]),
        f"{NAME}.json": json.dumps({"held_equal": list(held_equal), "notes": list(notes), "points": points}, indent=1),
        f"{NAME}.html": study_page.render(
            "mixture_study",
            "Real and synthetic tiles, mixed",
            _by_test_set(results, legend_name),
            held_equal,
            legend_name,
            remarks=notes,
        ),
    }
    html.write_together(folder, texts)


def _evaluations(result: MixtureResult) -> list[tuple[str, Evaluation]]:
    """All repetitions together, then each one where there are several."""
    single = enumerate(result.repetitions, start=1) if len(result.matrices) > 1 else ()
    return [("all", result.evaluation), *((str(number), evaluation) for number, evaluation in single)]


def _columns(result: MixtureResult, repetition: str) -> dict[str, Any]:
    return {
        "architecture": result.architecture,
        "test_set": result.test_set,
        "mixture": result.label,
        "real": result.real,
        "synthetic": result.synthetic,
        "real_tiles": result.real_tiles,
        "synthetic_tiles": result.synthetic_tiles,
        "repetition": repetition,
    }


def _by_test_set(results: Sequence[MixtureResult], legend_name: str) -> list[TestSetResults]:
    tests = []
    for name in dict.fromkeys(result.test_set for result in results):
        own = [result for result in results if result.test_set == name]
        evaluations = [(f"{result.architecture}, {result.label}", result.evaluation) for result in own]
        scores, by_class = _table(own), study_page.by_class(evaluations, legend_name)
        tests.append(TestSetResults(name, own[0].evaluation.tiles, _answers(own), _chart(own), scores, by_class))
    return tests


def _by_architecture(results: Sequence[MixtureResult]) -> dict[str, list[MixtureResult]]:
    names = dict.fromkeys(result.architecture for result in results)
    return {name: [result for result in results if result.architecture == name] for name in names}


def _first(results: Sequence[MixtureResult], condition: Callable[[MixtureResult], bool]) -> MixtureResult | None:
    return next(filter(condition, results), None)


def _real_alone(results: Sequence[MixtureResult]) -> MixtureResult | None:
    return _first(results, lambda result: result.real == 1 and not result.synthetic)


def _answers(results: Sequence[MixtureResult]) -> list[str]:
    """The outcome in words: one text an architecture."""
    answers = []
    for name, own in _by_architecture(results).items():
        best, real_alone = max(own, key=lambda result: result.evaluation.scores.miou), _real_alone(own)
        answer = f"{name}: best with {best.label}, mIoU {best.evaluation.scores.miou:.3f}"
        if real_alone and best is not real_alone:
            gain, low, high = best.gain_over(real_alone)
            answer += f", {study_page.gained(gain, low, high)} against real alone"
            answer += "." if low > 0 else "; the interval holds 0, so that may be chance in the choice of test tiles."
        else:
            answer += "."
        synthetic_alone = _first(own, lambda result: result.real == 0)
        if synthetic_alone and real_alone and real_alone.evaluation.scores.miou > 0:
            share = synthetic_alone.evaluation.scores.miou / real_alone.evaluation.scores.miou
            answer += f" Synthetic tiles alone reach {share:.0%} of the mIoU of real ones alone."
        answers.append(answer)
    return answers


def _chart(results: Sequence[MixtureResult]) -> Markup:
    """The mIoU by the real share, and to the right of all real tiles by the size of the addition."""
    ticks = {100 * result.real: f"{100 * result.real:g} %" for result in results if not result.is_addition}
    additions = sorted({result.synthetic for result in results if result.is_addition})
    end = max(ticks, default=0.0)
    addition_x = {addition: end + ADDITION_STEP * (number + 1) for number, addition in enumerate(additions)}
    ticks |= {x: f"all + {addition:g}x" for addition, x in addition_x.items()}
    series = {}
    for name, own in _by_architecture(results).items():
        series[name] = [
            Mark(
                addition_x[result.synthetic] if result.is_addition else 100 * result.real,
                result.evaluation.scores.miou,
                result.evaluation.low,
                result.evaluation.high,
                tuple(evaluation.scores.miou for evaluation in result.repetitions) if len(result.matrices) > 1 else (),
                not result.is_addition,
            )
            for result in own
        ]
    x_label = "real share of the training tiles; then all real tiles and synthetic ones on top"
    return chart(series, ticks, x_label, "mIoU")


def _table(results: Sequence[MixtureResult]) -> Table:
    rows: list[list[object]] = []
    for name, own in _by_architecture(results).items():
        real_alone = _real_alone(own)
        for result in own:
            gain = "" if result is real_alone else "not known"
            if real_alone and result is not real_alone:
                gain = study_page.gained(*result.gain_over(real_alone))
            counts = (result.real_tiles, result.synthetic_tiles, len(result.matrices))
            rows.append([name, result.label, *counts, study_page.scored(result.evaluation), gain])
    headers = ["architecture", "mixture", "real tiles", "synthetic tiles", "models", "mIoU", "against real alone"]
    return Table(headers, rows)
