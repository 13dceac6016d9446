"""Models by test sets: the mean IoU of each pair, with how far chance in the choice of tiles could move it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from backend.geo import legend
from backend.metrics.bootstrap import LEVEL, RESAMPLES, Cell
from backend.protocol import BackendError
from backend.reports import html

TABLE = "crosstest.json"
PUBLISHED = {
    "trained on": ("U-Net", "U-Net++", "DeepLabV3+"),
    "real image / real land cover, tested on the same": (0.76, 0.75, 0.74),
    "ControlNet image / synthetic land cover, tested on real": (0.72, 0.71, 0.71),
    "SPADE image / real land cover, tested on real": (0.46, 0.47, 0.46),
}
"""IoU of the study that this work follows: New York State, WorldCover and 126,000 NAIP tiles of 512 px."""


def write_table(folder: Path, cells: Sequence[Cell], legend_name: str = "worldcover") -> None:
    """Write `crosstest.csv`, `crosstest.json` and `crosstest.html`; BackendError where the folder cannot be written.

    `legend`, of `legend.LEGENDS`, is the one that the cells were scored in.
    """
    texts = {
        "crosstest.csv": html.comma_separated([{**_place(each), **as_row(each, legend_name)} for each in cells]),
        TABLE: json.dumps([_told(each, legend_name) for each in cells], indent=1),
        "crosstest.html": _page(cells, legend_name),
    }
    html.write_together(folder, texts)


def read_table(folder: Path) -> list[dict[str, Any]]:
    """What `write_table` wrote as JSON: model, test_set, tiles, miou, low, high and more of each pair.

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


def as_row(each: Cell, legend_name: str) -> dict[str, Any]:
    """A cell's figures as CSV has them: tiles, legend, mean IoU, its interval, accuracy, and the IoU by code."""
    figures = {"miou": each.scores.miou, "low": each.low, "high": each.high, "accuracy": each.scores.accuracy}
    iou = {f"iou_{code}": value for code, value in zip(legend.CODES, each.scores.iou)}
    texts = {key: "" if np.isnan(value) else f"{value:.4f}" for key, value in {**figures, **iou}.items()}
    return {"tiles": each.tiles, "legend": legend_name, **texts}


def as_json(each: Cell, legend_name: str) -> dict[str, Any]:
    """The same as JSON, with the F1 and the share of each class."""
    return {"tiles": each.tiles, "legend": legend_name, "low": each.low, "high": each.high, **each.scores.figures()}


def _place(each: Cell) -> dict[str, Any]:
    return {"model": each.model, "test_set": each.dataset}


def _told(each: Cell, legend_name: str) -> dict[str, Any]:
    return {**_place(each), **as_json(each, legend_name)}


def pairs_table(told: Sequence[Mapping[str, Any]]) -> str:
    """The mean IoU of each pair as HTML with a heat map, from rows as `read_table` gives them."""
    models, sets = (list(dict.fromkeys(str(each[name]) for each in told)) for name in ("model", "test_set"))
    by_pair = {(each["model"], each["test_set"]): _heat(each) for each in told}
    rows = [[escape(model), *(by_pair.get((model, name), "<td></td>") for name in sets)] for model in models]
    text = (
        f"<p>Mean IoU over the classes that the labels show; below it, where {LEVEL:.0%} of {RESAMPLES:,} resamplings "
        "of whole tiles lie. Intervals say nothing of the labels' own errors, nor of other ground.</p>"
    )
    return text + html.scores("model", sets, rows, "Models by row, test sets by column.")


def _page(cells: Sequence[Cell], legend_name: str) -> str:
    """The table as one HTML page with a heat map, each class's IoU, and the published table."""
    shown = [index for index in range(legend.COUNT) if any(each.scores.present[index] for each in cells)]
    by_class = [
        [f"{escape(each.model)} on {escape(each.dataset)}", *(_shade(each.scores.iou[index]) for index in shown)]
        for each in cells
    ]
    published = [[name, *(f"<td>{value}</td>" for value in values)] for name, values in list(PUBLISHED.items())[1:]]
    names = legend.names_of(legend_name)
    merged = (
        "<p>Scored in the merged legend, because a model knows no other: labels and predictions of all are merged "
        f"to {len(names)} classes ({escape('; '.join(names.values()))}).</p>"
        if legend.LEGENDS[legend_name]
        else ""
    )
    pattern = "IoU; New York State, 126,000 tiles. Compare the pattern."
    return html.page(
        "Cross-test",
        f"{merged}{pairs_table([_told(each, legend_name) for each in cells])}"
        f"<h2>IoU by class</h2>{html.scores('', legend.named(shown, legend_name), by_class)}"
        "<h2>The study that this work follows</h2>"
        f"{html.scores('', PUBLISHED['trained on'], published, pattern)}",
    )


def _heat(told: Mapping[str, Any]) -> str:
    below = f"<small>{told['low']:.3f} to {told['high']:.3f}, {told['tiles']} tiles</small>"
    return html.shade(told["miou"], below)


def _shade(value: float) -> str:
    return "<td>none</td>" if np.isnan(value) else html.shade(value)
