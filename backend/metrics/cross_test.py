"""Segmentation models tested on data sets: every model on the held-out tiles of every set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from backend.datasets import label_offset
from backend.datasets.layout import SAME_GSD_TOLERANCE
from backend.datasets.reader import TileSet, check_labelled, only, open_tiles, tiles_of
from backend.datasets.spatial_split import Split
from backend.geo import legend
from backend.metrics.bootstrap import Evaluation, evaluate, tile_matrices
from backend.metrics.names import unique_names
from backend.models import architectures, device
from backend.protocol import BackendError, Reporter

IndexedModel = tuple[Path, dict[str, Any]]
"""A model's folder and index."""


def open_test_sets(
    folders: Sequence[str], split: Split, models: Sequence[IndexedModel], report: Reporter
) -> list[tuple[TileSet, Split]]:
    """The data sets, each with the split to test on: `split`, or 'val' where it has no such tiles.

    Raises BackendError where a set has neither or no labels, or where its GSD differs from a model's.
    """
    sets = [open_tiles(folder) for folder in folders]
    tested = [(tiles, _available_split(tiles, split)) for tiles in sets]
    for tiles, available in tested:
        if available != split:
            report.log(f"{tiles.folder} holds no {split!r} tiles: its {available!r} tiles are used.")
        for folder, index in models:
            _check_gsd(folder.name, float(index["pixel_m"]), tiles)
        check_labelled(only(tiles, available), available)
    label_offset.warn(sets, report)
    return tested


def _available_split(tiles: TileSet, split: Split) -> Split:
    candidates: tuple[Split, ...] = (split, "val")
    for candidate in candidates:
        if tiles_of([tiles], candidate):
            return candidate
    raise BackendError(
        f"The data set {tiles.folder} holds no {split!r} tiles, nor 'val' tiles. Build it from more ground."
    )


def _check_gsd(model: str, pixel_m: float, tiles: TileSet) -> None:
    if abs(tiles.pixel_m / pixel_m - 1) > SAME_GSD_TOLERANCE:
        raise BackendError(
            f"The model {model} reads pixels of {pixel_m:g} m, but the tiles of {tiles.folder} have {tiles.pixel_m:g} "
            "m. Build the data set at the model's pixel size."
        )


def common_legend(models: Sequence[IndexedModel], report: Reporter) -> str:
    """The legend in which all models can be scored: the merged one where a model has no other."""
    if all(index.get("legend", "worldcover") == "worldcover" for _, index in models):
        return "worldcover"
    report.log(
        "A model knows the merged legend alone: all labels and predictions are merged to it "
        f"({'; '.join(legend.names_of('merged').values())})."
    )
    return "merged"


def evaluate_all(
    paths: Sequence[str],
    models: Sequence[IndexedModel],
    test_sets: Sequence[tuple[TileSet, Split]],
    legend_name: str,
    crop_px: int,
    report: Reporter,
) -> Iterator[Evaluation]:
    """Evaluate each model, named by its path, on each test set, in one legend."""
    sets = [(tiles.merged(legend_name), split) for tiles, split in test_sets]
    set_names = unique_names([tiles.folder for tiles, _ in test_sets])
    done, count = 0, len(models) * len(sets)
    for model, (folder, index) in zip(unique_names(paths), models):
        segmenter = architectures.load(folder, index).to(device.best())
        segmenter.legend = legend_name
        for test_set, (tiles, split) in zip(set_names, sets):
            report.progress(done / count, f"{model} on {test_set}")
            matrices = tile_matrices(partial(predict, segmenter), tiles_of([tiles], split), crop_px)
            result = evaluate(model, test_set, matrices)
            report.log(f"{model} on {test_set}: mIoU {result.scores.miou:.3f} ({result.low:.3f} to {result.high:.3f})")
            yield result
            done += 1


def predict(segmenter: architectures.Segmenter, image: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) uint8 RGB to (N, COUNT, H, W) logits, on the best device in mixed precision."""
    best = device.best()
    with device.autocast(best):
        return segmenter(image.to(best))
