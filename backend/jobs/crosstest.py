"""Test every model on every test set."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from backend import protocol
from backend.datasets import label_offset
from backend.datasets.layout import SAME_GSD_TOLERANCE
from backend.datasets.reader import TileSet, check_labelled, only, open_tiles, tiles_of
from backend.datasets.spatial_split import Split
from backend.geo import legend
from backend.metrics.bootstrap import Cell, cell, tile_matrices
from backend.models import architectures, device, model_folder
from backend.protocol import BackendError
from backend.reports.cross_test import write_table


def _names(paths: Sequence[str]) -> list[str]:
    """What models and data sets are called in the table: their folders' names, with the parents' where these agree."""
    found = [Path(path).name for path in paths]
    return [name if found.count(name) == 1 else f"{Path(path).parent.name}/{name}" for path, name in zip(paths, found)]


def _check_gsd(model: str, pixel_m: float, tiles: TileSet) -> None:
    if abs(tiles.pixel_m / pixel_m - 1) > SAME_GSD_TOLERANCE:
        raise BackendError(
            f"The model {model} reads pixels of {pixel_m:g} m, but the tiles of {tiles.folder} have {tiles.pixel_m:g} "
            "m. Build the data set at the model's pixel size."
        )


def _split(tiles: TileSet, asked: Split) -> Split:
    """The asked split, or 'val' where it has no tiles; BackendError where there are none either."""
    fallbacks: tuple[Split, ...] = (asked, "val")
    for split in fallbacks:
        if tiles_of([tiles], split):
            return split
    raise BackendError(
        f"The data set {tiles.folder} holds no {asked!r} tiles, nor 'val' tiles. Build it from more ground."
    )


def _legend(found: Sequence[tuple[Path, dict[str, Any]]], report: protocol.Reporter) -> str:
    """The legend that all models can be scored in: the merged one where any knows no other."""
    if all(index.get("legend", "worldcover") == "worldcover" for _, index in found):
        return "worldcover"
    report.log(
        "A model knows the merged legend alone: all labels and predictions are merged to it "
        f"({'; '.join(legend.names_of('merged').values())})."
    )
    return "merged"


def _logits(segmenter: architectures.Segmenter, image: torch.Tensor) -> torch.Tensor:
    where = device.best()
    with device.autocast(where):
        return segmenter(image.to(where))


def run(job: protocol.CrossTest, report: protocol.Reporter) -> dict[str, str]:
    """Score each model on the held-out tiles of each data set and write the table."""
    if not job.model or not job.dataset:
        raise BackendError("A cross-test needs at least one model and one data set.")
    architectures.check_crop(job.crop_px)
    found = [model_folder.find(model, "segmentation") for model in job.model]
    sets = [open_tiles(folder) for folder in job.dataset]
    splits = [_split(tiles, job.split) for tiles in sets]
    for tiles, split in zip(sets, splits):
        if split != job.split:
            report.log(f"{tiles.folder} holds no {job.split!r} tiles: its {split!r} tiles are used.")
        for folder, index in found:
            _check_gsd(folder.name, float(index["pixel_m"]), tiles)
        check_labelled(only(tiles, split), split)
    label_offset.warn(sets, report)
    legend = _legend(found, report)
    sets = [tiles.merged(legend) for tiles in sets]
    cells: list[Cell] = []
    models, datasets = _names(job.model), _names(job.dataset)
    count = len(models) * len(sets)
    for model, (folder, index) in zip(models, found):
        segmenter = architectures.load(folder, index).to(device.best())
        segmenter.legend = legend
        run_one = partial(_logits, segmenter)
        for dataset, tiles, split in zip(datasets, sets, splits):
            report.progress(len(cells) / count, f"{model} on {dataset}")
            matrices = tile_matrices(run_one, tiles_of([tiles], split), job.crop_px)
            cells.append(cell(model, dataset, matrices))
            last = cells[-1]
            report.log(f"{model} on {dataset}: mIoU {last.scores.miou:.3f} ({last.low:.3f} to {last.high:.3f})")
    write_table(Path(job.output), cells, legend)
    report.log(f"table: {Path(job.output) / 'crosstest.html'}")
    return {"output": job.output}
