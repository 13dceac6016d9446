"""Acquisition for active learning: ranks the tiles of a pool by uncertainty, by diversity, or by both.

Uncertainty is the mean over a tile's labelled pixels of the prediction's entropy (Shannon 1948) or of its margin, the
highest class probability minus the second highest (Scheffer et al. 2001). Diversity is k-centre greedy on the encoder's
pooled features: each step takes the tile farthest from all training and selected tiles (Gonzalez 1985; Sener and
Savarese 2018, arXiv:1708.00489). Combined takes the most diverse of the most uncertain tiles, which are CANDIDATES
times as many as are selected (Yang et al. 2017, arXiv:1706.04737).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader

from backend.datasets.crops import grid_crops
from backend.datasets.layout import Tile
from backend.geo import legend
from backend.protocol import Reporter

CANDIDATES = 3

PredictWithFeatures = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""(N, 3, H, W) uint8 RGB to (N, COUNT, H, W) logits and (N, channels) features."""


@dataclass(frozen=True)
class TileStatistics:
    """A model's predictions for tiles: entropy in nats (tiles,), margin (tiles,), and features (tiles, channels)."""

    entropy: np.ndarray
    margin: np.ndarray
    features: np.ndarray


@dataclass(frozen=True)
class Ranking:
    """Indices of tiles, the most informative first; the distance at which each was selected, NaN where by none."""

    order: np.ndarray
    distance: np.ndarray


def pixel_uncertainty(logits: torch.Tensor, label: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The entropy and the margin of each labelled pixel, from (N, COUNT, H, W) logits and (N, H, W) class indices."""
    known = label != legend.IGNORE
    probabilities = logits.float().softmax(dim=1).permute(0, 2, 3, 1)[known]
    first, second = probabilities.topk(2, dim=1).values.unbind(1)
    return torch.special.entr(probabilities).sum(1).cpu().numpy(), (first - second).cpu().numpy()


def tile_statistics(
    predict: PredictWithFeatures, tiles: Sequence[Tile], crop_px: int, report: Reporter
) -> TileStatistics:
    """The statistics of tiles, predicted in crops of at most `crop_px`.

    A tile without labels has an entropy of 0 and a margin of 1.
    """
    entropies, margins, features = list[float](), list[float](), list[np.ndarray]()
    for number, tile in enumerate(tiles):
        report.progress(number / len(tiles), f"looking at {len(tiles)} tiles")
        (crops,) = grid_crops([tile], crop_px)
        uncertainties, pooled = list[tuple[np.ndarray, np.ndarray]](), list[np.ndarray]()
        with torch.inference_mode():
            for image, label in DataLoader(crops, batch_size=4):
                logits, own_features = predict(image)
                uncertainties.append(pixel_uncertainty(logits, label.to(logits.device)))
                pooled.append(own_features.cpu().numpy())
        entropy, margin = (np.concatenate(values) for values in zip(*uncertainties))
        entropies.append(float(entropy.mean()) if len(entropy) else 0.0)
        margins.append(float(margin.mean()) if len(margin) else 1.0)
        features.append(np.concatenate(pooled).mean(axis=0))
    return TileStatistics(np.array(entropies), np.array(margins), np.stack(features))


def k_centres(features: np.ndarray, known: np.ndarray, count: int) -> tuple[list[int], list[float]]:
    """The rows of `features` (n, channels) that k-centre greedy adds to `known` (m, channels), and their distances.

    Distances are Euclidean. Without known rows the row farthest from the mean is the first.
    """
    centres = known if len(known) else features.mean(axis=0, keepdims=True)
    nearest = np.full(len(features), np.inf)
    for centre in centres:
        nearest = np.minimum(nearest, np.linalg.norm(features - centre, axis=1))
    selected, distances = list[int](), list[float]()
    for _ in range(min(count, len(features))):
        nearest[selected] = -1.0  # below the 0 of duplicates of a selected tile
        selected.append(int(nearest.argmax()))
        distances.append(float(nearest[selected[-1]]))
        nearest = np.minimum(nearest, np.linalg.norm(features - features[selected[-1]], axis=1))
    return selected, distances


def rank_tiles(measure: str, pool: TileStatistics, training_features: np.ndarray, count: int) -> Ranking:
    """Rank the tiles of a pool by a measure, to select `count`; `training_features` are those of the training tiles."""
    by_uncertainty = np.argsort(pool.margin if measure == "margin" else -pool.entropy, kind="stable")
    distance = np.full(len(by_uncertainty), np.nan)
    if measure in ("entropy", "margin"):
        return Ranking(by_uncertainty, distance)
    candidates = by_uncertainty if measure == "diversity" else by_uncertainty[: CANDIDATES * count]
    selected, distances = k_centres(pool.features[candidates], training_features, count)
    first = candidates[selected]
    distance[first] = distances
    return Ranking(np.concatenate([first, by_uncertainty[~np.isin(by_uncertainty, first)]]), distance)
