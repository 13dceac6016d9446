"""The mean IoU of a model on tiles, with how far chance in the choice of tiles could move it (bootstrap)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch.utils.data import DataLoader

from backend.datasets.crops import grid_crops
from backend.datasets.layout import Tile
from backend.metrics.confusion import Scores, score

RESAMPLES = 1000

LEVEL = 0.95

Run = Callable[[torch.Tensor], torch.Tensor]
"""(N, 3, H, W) uint8 RGB to (N, COUNT, H, W) logits."""


def tile_matrices(run: Run, tiles: Sequence[Tile], crop_px: int) -> np.ndarray:
    """(tiles, COUNT, COUNT) int64: the confusion matrix of each tile, in crops of at most `crop_px`."""
    loaders = ([DataLoader(crops, batch_size=4) for crops in grid_crops([tile], crop_px)] for tile in tiles)
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
