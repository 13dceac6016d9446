"""The report of a training: one HTML file with nothing outside it, curves as SVG and samples as PNG."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from backend.geo import legend
from backend.metrics.confusion import Scores
from backend.reports import contact_sheet
from backend.reports.html import captioned, page, picture

FILE = "report.html"
WIDTH, HEIGHT, MARGIN = 420, 160, 6
SHEETS = 4  # of each stage: the first, the last, and what lies evenly between


class Told(Protocol):
    """What a stage came to."""

    figures: dict[str, float]
    history: list[dict[str, float]]


def curve(points: list[tuple[float, float]], label: str, over: str = "minutes") -> str:
    """A figure over time, as inline SVG with its bounds."""
    xs, ys = zip(*points)
    low, high = min(ys), max(ys)
    across, up = (max(xs) - min(xs)) or 1.0, (high - low) or 1.0
    places = " ".join(
        f"{MARGIN + (x - min(xs)) / across * (WIDTH - 2 * MARGIN):.1f},"
        f"{HEIGHT - MARGIN - (y - low) / up * (HEIGHT - 2 * MARGIN):.1f}"
        for x, y in points
    )
    return (
        f'<figure><svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f'<polyline points="{places}" fill="none" stroke="#0064c8" stroke-width="1.5"/></svg>'
        f"<figcaption>{escape(label)}: {low:.4g} to {high:.4g}, last {ys[-1]:.4g}, over {max(xs):.3g} {over}"
        "</figcaption></figure>"
    )


def _table(entries: Mapping[str, Any]) -> str:
    rows = (f"<tr><th>{escape(str(key))}</th><td>{escape(_said(value))}</td></tr>" for key, value in entries.items())
    return f"<table>{''.join(rows)}</table>"


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_said, value)) or "none"
    return "not given" if value in (None, "") else str(value)


def _samples(folder: Path, stage: str) -> str:
    files = sorted((folder / "samples").glob(f"{stage}_*.png"))
    count = min(SHEETS, len(files))
    chosen = [files[round(number * (len(files) - 1) / max(count - 1, 1))] for number in range(count)]
    found = []
    for file in chosen:
        step = int(file.stem.rpartition("_")[2])
        found.append(captioned(file.read_bytes(), f"step {step:,}"))
    return "".join(found)


def _stage(folder: Path, name: str, told: Told, columns: tuple[str, ...]) -> str:
    names = [key for key in told.figures if any(key in entry for entry in told.history)]
    names = [key for key in names if key not in ("minutes", "steps")]
    series = ([(entry["minutes"], entry[key]) for entry in told.history if key in entry] for key in names)
    curves = "".join(curve(points, key) for key, points in zip(names, series))
    samples = _samples(folder, name)
    caption = f"<p>Samples, by column: {escape(', '.join(columns))}.</p>" if samples and columns else ""
    return f"<h2>Stage {escape(name)}</h2>{_table(told.figures)}<div>{curves}</div>{caption}{samples}"


def write_report(
    folder: Path,
    kind: str,
    index: Mapping[str, Any],
    stages: Mapping[str, Told],
    columns: Mapping[str, tuple[str, ...]],
) -> None:
    """Write `report.html` into a training's folder: what was trained on what, curves, samples and figures."""
    parts = "".join(_stage(folder, name, told, columns[name]) for name, told in stages.items())
    note = "<p>What this model makes is synthetic: no observation of the Earth.</p>"
    _write(folder, f"Training of {folder.name}, a {kind} generator", index, note, parts)


def _write(folder: Path, title: str, index: Mapping[str, Any], note: str, parts: str) -> None:
    data, settings = _table(index["data"]), _table(index["training"])
    text = page(title, f"{note}<h2>Data</h2>{data}<h2>Settings</h2>{settings}{parts}")
    (folder / FILE).write_text(text, encoding="utf-8")


def write_segmentation_report(
    folder: Path,
    index: Mapping[str, Any],
    history: list[dict[str, float]],
    scores: Mapping[str, Scores],
    samples: np.ndarray,
) -> None:
    """Write `report.html` into a segmentation model's folder: curves, scores, confusion and samples.

    `scores` are by split, `samples` a (h, w, 3) uint8 sheet of image, label and prediction.
    """
    curves = "".join(
        curve([(entry["epoch"], entry[key]) for entry in history], key, "epochs") for key in ("loss", "val mIoU")
    )
    found = "".join(
        f"<h2>Tiles of {escape(split)}: mIoU {each.miou:.3f}</h2>{_by_class(each)}"
        f"<h3>Confusion, percent of the label's pixels</h3>{_confusion(each)}"
        for split, each in scores.items()
    )
    shown = f"<h2>Samples</h2><p>By column: image, label, prediction.</p>{picture(contact_sheet.png(samples))}"
    title = f"Training of {folder.name}, a segmentation model"
    _write(folder, title, index, f"<p>Best epoch: {index['best_epoch']}.</p>", f"<div>{curves}</div>{found}{shown}")


def _by_class(scores: Scores) -> str:
    shown = np.flatnonzero(scores.present)
    rows = [
        f"<tr><th>{escape(name)}</th><td>{scores.iou[i]:.3f}</td><td>{scores.f1[i]:.3f}</td></tr>"
        for i, name in zip(shown, legend.named(shown, scores.legend))
    ]
    return f"<table><tr><th>class</th><th>IoU</th><th>F1</th></tr>{''.join(rows)}</table>"


def _confusion(scores: Scores) -> str:
    """Labels by row, predictions by column; classes that neither shows are left out."""
    matrix = scores.matrix
    shown = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
    names = [escape(name) for name in legend.named(shown, scores.legend)]
    heads = "".join(f"<th>{name}</th>" for name in names)
    rows = []
    for i, name in zip(shown, names):
        shares = 100 * matrix[i, shown] / max(matrix[i].sum(), 1)
        cells = "".join(
            f'<td style="background:rgba(0,100,200,{share / 150:.2f})">{share:.1f}</td>' for share in shares
        )
        rows.append(f"<tr><th>{name}</th>{cells}</tr>")
    return f"<table><tr><th>label, predicted as</th>{heads}</tr>{''.join(rows)}</table>"
