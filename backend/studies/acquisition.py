"""Which unlearned tiles would teach a segmentation model most: by its doubt, by what it has not seen, or by both.

Doubt is the mean over a tile's labelled pixels of the prediction's entropy (Shannon 1948) or of its margin, the
likeliest class's probability less the second's (Scheffer et al. 2001). Diversity is k-centre greedy on the encoder's
pooled features: always the tile farthest from all that is learned or chosen (Gonzalez 1985; Sener and Savarese 2018,
arXiv:1708.00489). Combined takes the most diverse of the tiles in most doubt, CANDIDATES times as many as are wanted
(doubt first, then variety: Yang et al. 2017, arXiv:1706.04737).
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

Look = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""(N, 3, H, W) uint8 RGB to (N, COUNT, H, W) logits and (N, channels) features."""


@dataclass(frozen=True)
class Views:
    """What a model makes of tiles: for each its entropy in nats, its margin, and (tiles, channels) features."""

    entropy: np.ndarray
    margin: np.ndarray
    features: np.ndarray


@dataclass(frozen=True)
class Ranking:
    """Tiles from the most to the least informative; distances are those at which each was chosen, NaN where not."""

    order: np.ndarray
    distance: np.ndarray


def doubt(logits: torch.Tensor, label: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Of the pixels with a label, the entropy and the margin: (N, COUNT, H, W) logits, (N, H, W) class indices."""
    known = label != legend.IGNORE
    shares = logits.float().softmax(dim=1).permute(0, 2, 3, 1)[known]
    first, second = shares.topk(2, dim=1).values.unbind(1)
    return torch.special.entr(shares).sum(1).cpu().numpy(), (first - second).cpu().numpy()


def views(look: Look, tiles: Sequence[Tile], crop_px: int, report: Reporter) -> Views:
    """What a model makes of the tiles, in crops of at most `crop_px`; a tile without labels has no entropy."""
    found: list[tuple[float, float, np.ndarray]] = []
    for number, tile in enumerate(tiles):
        report.progress(number / len(tiles), f"looking at {len(tiles)} tiles")
        (crops,) = grid_crops([tile], crop_px)
        entropy, margin, features = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
        with torch.inference_mode():
            for image, label in DataLoader(crops, batch_size=4):
                logits, pooled = look(image)
                for kept, values in zip((entropy, margin), doubt(logits, label.to(logits.device))):
                    kept.append(values)
                features.append(pooled.cpu().numpy())
        told = [np.concatenate(each) for each in (entropy, margin)]
        means = [float(each.mean()) if len(each) else nothing for each, nothing in zip(told, (0.0, 1.0))]
        found.append((means[0], means[1], np.concatenate(features).mean(axis=0)))
    entropies, margins, features_of = zip(*found)
    return Views(np.array(entropies), np.array(margins), np.stack(features_of))


def k_centres(features: np.ndarray, learned: np.ndarray, count: int) -> tuple[list[int], list[float]]:
    """The rows of `features` (n, channels) that k-centre greedy adds to `learned` (m, channels), and how far each was.

    The distance is Euclidean. Without anything learned the row farthest from the mean is first.
    """
    from_ = learned if len(learned) else features.mean(axis=0, keepdims=True)
    nearest = np.full(len(features), np.inf)
    for centre in from_:
        nearest = np.minimum(nearest, np.linalg.norm(features - centre, axis=1))
    chosen, distances = list[int](), list[float]()
    for _ in range(min(count, len(features))):
        nearest[chosen] = -1.0  # twins of a chosen tile are at 0
        chosen.append(int(nearest.argmax()))
        distances.append(float(nearest[chosen[-1]]))
        nearest = np.minimum(nearest, np.linalg.norm(features - features[chosen[-1]], axis=1))
    return chosen, distances


def ranked(measure: str, seen: Views, learned: np.ndarray, count: int) -> Ranking:
    """The tiles by a measure, `count` of which are wanted; `learned` are the features of what is trained on."""
    by_doubt = np.argsort(seen.margin if measure == "margin" else -seen.entropy, kind="stable")
    distance = np.full(len(by_doubt), np.nan)
    if measure in ("entropy", "margin"):
        return Ranking(by_doubt, distance)
    candidates = by_doubt if measure == "diversity" else by_doubt[: CANDIDATES * count]
    chosen, distances = k_centres(seen.features[candidates], learned, count)
    first = candidates[chosen]
    distance[first] = distances
    return Ranking(np.concatenate([first, by_doubt[~np.isin(by_doubt, first)]]), distance)
