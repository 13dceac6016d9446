"""The report of a training: one HTML file without external resources, curves as SVG and samples as PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from markupsafe import Markup

from backend.geo import legend
from backend.metrics.confusion import Scores
from backend.reports import contact_sheet, html

FILE = "report.html"
WIDTH, HEIGHT, MARGIN = 420, 160, 6
SHEETS = 4  # of each stage: the first, the last, and others at even distances between


class StageOutcome(Protocol):
    """The result of a stage: its final figures, and the figures over time."""

    figures: dict[str, float]
    history: list[dict[str, float]]


def curve(points: Sequence[tuple[float, float]], label: str, over: str = "minutes") -> Markup:
    """A figure over time with its bounds, as an HTML figure of inline SVG."""
    xs, ys = zip(*points)
    low, high = min(ys), max(ys)
    across, up = (max(xs) - min(xs)) or 1.0, (high - low) or 1.0
    polyline = " ".join(
        f"{MARGIN + (x - min(xs)) / across * (WIDTH - 2 * MARGIN):.1f},"
        f"{HEIGHT - MARGIN - (y - low) / up * (HEIGHT - 2 * MARGIN):.1f}"
        for x, y in points
    )
    return Markup(  # noqa: S704 (numbers, and escaped texts)
        f'<figure><svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f'<polyline points="{polyline}" fill="none" stroke="#0064c8" stroke-width="1.5"/></svg>'
        f"<figcaption>{escape(label)}: {low:.4g} to {high:.4g}, last {ys[-1]:.4g}, over {max(xs):.3g} {escape(over)}"
        "</figcaption></figure>"
    )


def write_report(
    folder: Path,
    kind: str,
    index: Mapping[str, Any],
    stages: Mapping[str, StageOutcome],
    columns: Mapping[str, tuple[str, ...]],
) -> None:
    """Write `report.html` into a generator's folder: what was trained on what, curves, samples and figures.

    `columns` names the columns of each stage's samples.
    """
    page = html.render(
        "generator_training",
        title=f"Training of {folder.name}, a {kind} generator",
        lead="What this model makes is synthetic: no observation of the Earth.",
        **_data_and_settings(index),
        stages=[_stage(folder, name, outcome, columns[name]) for name, outcome in stages.items()],
    )
    (folder / FILE).write_text(page, encoding="utf-8")


def write_segmentation_report(
    folder: Path,
    index: Mapping[str, Any],
    history: Sequence[Mapping[str, float]],
    scores: Mapping[str, Scores],
    samples: np.ndarray,
) -> None:
    """Write `report.html` into a segmentation model's folder: curves, scores, confusion and samples.

    `scores` are by split, `samples` a (h, w, 3) uint8 sheet of image, label and prediction.
    """
    page = html.render(
        "segmentation_training",
        title=f"Training of {folder.name}, a segmentation model",
        lead=f"Best epoch: {index['best_epoch']}.",
        **_data_and_settings(index),
        curves=[
            curve([(entry["epoch"], entry[key]) for entry in history], key, "epochs") for key in ("loss", "val mIoU")
        ],
        splits=[
            {"name": name, "miou": own.miou, "by_class": _by_class(own), "confusion": _confusion(own)}
            for name, own in scores.items()
        ],
        samples=contact_sheet.png(samples),
    )
    (folder / FILE).write_text(page, encoding="utf-8")


def _data_and_settings(index: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {"data": _texts(index["data"]), "settings": _texts(index["training"])}


def _texts(entries: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): _text(value) for key, value in entries.items()}


def _text(value: Any) -> str:
    """An entry of a model's index for people."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value)) or "none"
    return "not given" if value in (None, "") else str(value)


def _stage(folder: Path, name: str, outcome: StageOutcome, columns: tuple[str, ...]) -> dict[str, Any]:
    """Values of the template for a stage: figures, a curve of each figure that has a history, samples by step."""
    curves = []
    for key in outcome.figures:
        points = [(entry["minutes"], entry[key]) for entry in outcome.history if key in entry]
        if points and key not in ("minutes", "steps"):
            curves.append(curve(points, key))
    samples = _samples(folder, name)
    return {"name": name, "figures": _texts(outcome.figures), "curves": curves, "samples": samples, "columns": columns}


def _samples(folder: Path, stage: str) -> dict[int, bytes]:
    """Some of a stage's sample sheets as PNG, by step."""
    paths = sorted((folder / "samples").glob(f"{stage}_*.png"))
    count = min(SHEETS, len(paths))
    chosen = [paths[round(number * (len(paths) - 1) / max(count - 1, 1))] for number in range(count)]
    return {int(path.stem.rpartition("_")[2]): path.read_bytes() for path in chosen}


def _by_class(scores: Scores) -> list[tuple[str, float, float]]:
    """Name, IoU and F1 of each class that the labels show."""
    present = np.flatnonzero(scores.present)
    return list(zip(legend.named(present, scores.legend), scores.iou[present], scores.f1[present]))


def _confusion(scores: Scores) -> list[tuple[str, np.ndarray]]:
    """Each label class with the percentages of its pixels by predicted class; classes that neither has are left out."""
    matrix = scores.matrix
    shown = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
    percents = [100 * matrix[index, shown] / max(matrix[index].sum(), 1) for index in shown]
    return list(zip(legend.named(shown, scores.legend), percents))
