"""The files of a cross-test: the mean IoU of every model on every test set as CSV, JSON and an HTML page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.geo import legend
from backend.metrics.bootstrap import LEVEL, RESAMPLES, Evaluation
from backend.protocol import BackendError
from backend.reports import html

TABLE = "crosstest.json"
PUBLISHED_MODELS = ("U-Net", "U-Net++", "DeepLabV3+")
PUBLISHED = {
    "real image / real land cover, tested on the same": (0.76, 0.75, 0.74),
    "ControlNet image / synthetic land cover, tested on real": (0.72, 0.71, 0.71),
    "SPADE image / real land cover, tested on real": (0.46, 0.47, 0.46),
}
"""IoU of the study that this work follows: New York State, WorldCover and 126,000 NAIP tiles of 512 px."""


def write_table(folder: Path, evaluations: Sequence[Evaluation], legend_name: str = "worldcover") -> None:
    """Write `crosstest.csv`, `crosstest.json` and `crosstest.html`; BackendError where the folder cannot be written.

    `legend_name`, of `legend.LEGENDS`, is the legend of the evaluations.
    """
    named = [({"model": evaluation.model, "test_set": evaluation.test_set}, evaluation) for evaluation in evaluations]
    rows = [{**names, **json_row(evaluation, legend_name)} for names, evaluation in named]
    texts = {
        "crosstest.csv": html.csv_text([{**names, **csv_row(evaluation, legend_name)} for names, evaluation in named]),
        TABLE: json.dumps(rows, indent=1),
        "crosstest.html": _page(evaluations, rows, legend_name),
    }
    html.write_together(folder, texts)


def read_table(folder: Path) -> list[dict[str, Any]]:
    """Read the rows of `crosstest.json`: model, test_set, tiles, miou, low, high and further figures of each pair.

    Raises BackendError where the folder holds no such table.
    """
    try:
        rows = json.loads((folder / TABLE).read_text(encoding="utf-8"))
        for row in rows:
            float(row["miou"]), float(row["low"]), float(row["high"]), int(row["tiles"]), row["model"], row["test_set"]
        if not rows:
            raise ValueError("it holds no row")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackendError(
            f"{folder} is no folder of a cross-test: its {TABLE} is missing or damaged ({error!r}). Choose the folder "
            "that 'Cross-test' wrote."
        ) from error
    return rows


def csv_row(evaluation: Evaluation, legend_name: str) -> dict[str, Any]:
    """The figures of an evaluation for CSV: tiles, legend, mean IoU and its interval, accuracy, IoU by class code."""
    scores = evaluation.scores
    figures = {"miou": scores.miou, "low": evaluation.low, "high": evaluation.high, "accuracy": scores.accuracy}
    iou = {f"iou_{code}": value for code, value in zip(legend.CODES, scores.iou)}
    texts = {key: "" if np.isnan(value) else f"{value:.4f}" for key, value in {**figures, **iou}.items()}
    return {"tiles": evaluation.tiles, "legend": legend_name, **texts}


def json_row(evaluation: Evaluation, legend_name: str) -> dict[str, Any]:
    """The figures of an evaluation for JSON: as `csv_row`, with the F1 and the share of each class."""
    interval = {"low": evaluation.low, "high": evaluation.high}
    return {"tiles": evaluation.tiles, "legend": legend_name, **interval, **evaluation.scores.figures()}


def by_pair(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Values of the template macro `pairs_table`, from rows as `read_table` returns them."""
    models, test_sets = (list(dict.fromkeys(str(row[key]) for row in rows)) for key in ("model", "test_set"))
    pairs = {(row["model"], row["test_set"]): row for row in rows}
    by_model = {model: [pairs.get((model, test_set)) for test_set in test_sets] for model in models}
    return {"test_sets": test_sets, "by_model": by_model, "level": LEVEL, "resamples": RESAMPLES}


def _page(evaluations: Sequence[Evaluation], rows: Sequence[Mapping[str, Any]], legend_name: str) -> str:
    shown = np.flatnonzero(np.any([evaluation.scores.present for evaluation in evaluations], axis=0))
    by_class = [
        (f"{evaluation.model} on {evaluation.test_set}", evaluation.scores.iou[shown]) for evaluation in evaluations
    ]
    return html.render(
        "cross_test",
        title="Cross-test",
        merged_classes=list(legend.names_of(legend_name).values()) if legend.LEGENDS[legend_name] else [],
        pairs=by_pair(rows),
        classes=legend.named(shown, legend_name),
        by_class=by_class,
        published_models=list(PUBLISHED_MODELS),
        published=PUBLISHED,
    )
