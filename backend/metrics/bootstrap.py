"""The mean IoU of a model on tiles, with an interval by resampling the tiles (bootstrap, Efron 1979)."""

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
LEVEL = 0.95  # of the interval

Predict = Callable[[torch.Tensor], torch.Tensor]
"""(N, 3, H, W) uint8 RGB to (N, COUNT, H, W) logits."""


@dataclass(frozen=True)
class Evaluation:
    """One model on one test set: the scores of all tiles together, and the interval of their mean IoU."""

    model: str
    test_set: str
    tiles: int
    scores: Scores
    low: float
    high: float


def tile_matrices(predict: Predict, tiles: Sequence[Tile], crop_px: int) -> np.ndarray:
    """(tiles, COUNT, COUNT) int64: the confusion matrix of each tile, predicted in crops of at most `crop_px`."""
    loaders = ([DataLoader(crops, batch_size=4) for crops in grid_crops([tile], crop_px)] for tile in tiles)
    return np.stack([score(predict, chain.from_iterable(batches)).matrix for batches in loaders])


def evaluate(model: str, test_set: str, matrices: np.ndarray, seed: int = 0) -> Evaluation:
    """The evaluation of a model from the confusion matrices of its tiles, (tiles, COUNT, COUNT)."""
    total = Scores(matrices.sum(axis=0))
    return Evaluation(model, test_set, len(matrices), total, *interval(resampled_miou(matrices, seed)))


def resampled_miou(matrices: np.ndarray, seed: int = 0) -> np.ndarray:
    """(RESAMPLES,) float64: the mean IoU of each resampling of whole tiles.

    The same seed and number of tiles draw the same tiles, so that differences between models are paired.
    """
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(matrices), np.full(len(matrices), 1 / len(matrices)), RESAMPLES)
    drawn = (counts @ matrices.reshape(len(matrices), -1)).reshape(-1, *matrices.shape[1:])
    hit = np.diagonal(drawn, axis1=1, axis2=2)
    labelled = drawn.sum(axis=2)
    union = drawn.sum(axis=1) + labelled - hit
    present = labelled > 0  # a class without labels in a resampling is left out of its mean
    iou = np.where(present, hit / np.maximum(union, 1), 0)
    return iou.sum(axis=1) / np.maximum(present.sum(axis=1), 1)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The quantiles that enclose LEVEL of the resampled values."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
