"""Models by test sets: the mean IoU of each pair, with how far chance in the choice of tiles could move it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from backend import classes
from backend.dataset import Tile
from backend.evaluation.scores import Scores, score
from backend.protocol import partial_path
from backend.training.crops import grids

RESAMPLES = 1000
LEVEL = 0.95
PUBLISHED = {
    "trained on": ("U-Net", "U-Net++", "DeepLabV3+"),
    "real image / real land cover, tested on the same": (0.76, 0.75, 0.74),
    "ControlNet image / synthetic land cover, tested on real": (0.72, 0.71, 0.71),
    "SPADE image / real land cover, tested on real": (0.46, 0.47, 0.46),
}
"""IoU of the study that this work follows: New York State, WorldCover and 126,000 NAIP tiles of 512 px."""
COLUMNS = ("model", "test_set", "tiles", "legend", "miou", "low", "high", "accuracy")
_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.35em .8em;text-align:right}"
    "th:first-child{text-align:left}small{color:#555;display:block}caption{text-align:left;color:#555}"
)

Run = Callable[[torch.Tensor], torch.Tensor]
"""(N, 3, H, W) uint8 RGB to (N, COUNT, H, W) logits."""


def tile_matrices(run: Run, tiles: Sequence[Tile], crop_px: int) -> np.ndarray:
    """(tiles, COUNT, COUNT) int64: the confusion matrix of each tile, in crops of at most `crop_px`."""
    loaders = ([DataLoader(crops, batch_size=4) for crops in grids([tile], crop_px)] for tile in tiles)
    return np.stack([score(run, chain.from_iterable(found)).matrix for found in loaders])


@dataclass(frozen=True)
class Cell:
    """One model on one test set."""

    model: str
    dataset: str
    tiles: int
    scores: Scores
    low: float
    high: float


def resampled(matrices: np.ndarray, seed: int = 0) -> np.ndarray:
    """(RESAMPLES,) float64: the mean IoU of resamplings of whole tiles, the same tiles for the same seed and count."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(matrices), np.full(len(matrices), 1 / len(matrices)), RESAMPLES)
    drawn = (counts @ matrices.reshape(len(matrices), -1)).reshape(-1, *matrices.shape[1:])
    hit = np.diagonal(drawn, axis1=1, axis2=2)
    labelled = drawn.sum(axis=2)
    union = drawn.sum(axis=1) + labelled - hit
    present = labelled > 0  # a class that no drawn tile shows has no IoU there
    iou = np.where(present, hit / np.maximum(union, 1), 0)
    return iou.sum(axis=1) / np.maximum(present.sum(axis=1), 1)


def interval(means: np.ndarray) -> tuple[float, float]:
    """Where LEVEL of the resamplings lie."""
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def cell(model: str, dataset: str, matrices: np.ndarray, seed: int = 0) -> Cell:
    """The scores of all tiles together, and their mean IoU's interval by resampling whole tiles (Efron 1979)."""
    total = Scores(matrices.sum(axis=0))
    return Cell(model, dataset, len(matrices), total, *interval(resampled(matrices, seed)))


def write_table(folder: Path, cells: Sequence[Cell], legend: str = "worldcover") -> None:
    """Write `crosstest.csv`, `crosstest.json` and `crosstest.html`; OSError where the folder cannot be written.

    `legend`, of `classes.LEGENDS`, is the one that the cells were scored in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(partial_path(folder / "crosstest.csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, *_class_columns()])
        for each in cells:
            iou = ["" if np.isnan(value) else f"{value:.4f}" for value in each.scores.iou]
            figures = (each.scores.miou, each.low, each.high, each.scores.accuracy)
            writer.writerow(
                [each.model, each.dataset, each.tiles, legend, *(f"{value:.4f}" for value in figures), *iou]
            )
    told = [
        {"model": c.model, "test_set": c.dataset, "tiles": c.tiles, "legend": legend, "low": c.low, "high": c.high}
        | c.scores.figures()
        for c in cells
    ]
    partial_path(folder / "crosstest.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    partial_path(folder / "crosstest.html").write_text(page(cells, legend), encoding="utf-8")
    for name in ("crosstest.csv", "crosstest.json", "crosstest.html"):
        partial_path(folder / name).replace(folder / name)


def _class_columns() -> list[str]:
    return [f"iou_{code}" for code in classes.CODES]


def page(cells: Sequence[Cell], legend: str = "worldcover") -> str:
    """The table as one HTML page with a heat map, each class's IoU, and the published table."""
    models, sets = (list(dict.fromkeys(getattr(each, name) for each in cells)) for name in ("model", "dataset"))
    by_pair = {(each.model, each.dataset): each for each in cells}
    rows = [
        [escape(model), *(_heat(by_pair[model, name]) if (model, name) in by_pair else "<td></td>" for name in sets)]
        for model in models
    ]
    shown = [index for index in range(classes.COUNT) if any(each.scores.present[index] for each in cells)]
    by_class = [
        [f"{escape(each.model)} on {escape(each.dataset)}", *(_shade(each.scores.iou[index]) for index in shown)]
        for each in cells
    ]
    published = [[name, *(f"<td>{value}</td>" for value in values)] for name, values in list(PUBLISHED.items())[1:]]
    text = (
        f"<p>Mean IoU over the classes that the labels show; below it, where {LEVEL:.0%} of {RESAMPLES:,} resamplings "
        "of whole tiles lie. Intervals say nothing of the labels' own errors, nor of other ground.</p>"
    )
    names = classes.names_of(legend)
    if classes.LEGENDS[legend]:
        text += (
            "<p>Scored in the merged legend, because a model knows no other: labels and predictions of all are merged "
            f"to {len(names)} classes ({escape('; '.join(names.values()))}).</p>"
        )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cross-test</title>'
        f"<style>{_STYLE}</style></head><body><h1>Cross-test</h1>{text}"
        f"{_table('model', sets, rows, 'Models by row, test sets by column.')}"
        f"<h2>IoU by class</h2>{_table('', [names[int(classes.CODES[index])] for index in shown], by_class, '')}"
        "<h2>The study that this work follows</h2>"
        f"{_table('', PUBLISHED['trained on'], published, 'IoU; New York State, 126,000 tiles. Compare the pattern.')}"
        "</body></html>\n"
    )


def _table(corner: str, heads: Sequence[object], rows: Sequence[Sequence[str]], caption: str) -> str:
    head = "".join(f"<th>{escape(str(one))}</th>" for one in heads)
    body = "".join(f"<tr><th>{first}</th>{''.join(rest)}</tr>" for first, *rest in rows)
    return f"<table><caption>{caption}</caption><tr><th>{corner}</th>{head}</tr>{body}</table>"


def _heat(each: Cell) -> str:
    below = f"<small>{each.low:.3f} to {each.high:.3f}, {each.tiles} tiles</small>"
    return _shade(each.scores.miou, below)


def _shade(value: float, below: str = "") -> str:
    if np.isnan(value):
        return "<td>none</td>"
    return f'<td style="background:hsl({120 * value:.0f},60%,78%)">{value:.3f}{below}</td>'
