"""Distances between sets of images and between pairs of them, by torchmetrics on features computed beforehand."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

KID_SUBSETS = 100
KID_SUBSET = 1000  # images
HALVES = 8  # random halvings of a set, from which a metric's noise is estimated
SCORE_PART = 25  # images in each part that an inception score is averaged over
FID_IMAGES_PER_FEATURE = 5  # fewer bias FID upward (10,000 images for 2,048 features, as Heusel et al. advise)


class _IdentityNetwork(nn.Module):
    """The network that torchmetrics requires, where the features are already computed."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.num_features = count

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generator for torchmetrics, restore it after, and silence its warnings of memory use."""
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        yield


def fid(real: torch.Tensor, other: torch.Tensor) -> float:
    """The Fréchet distance (Heusel et al. 2017) of two sets of features, (n, D) and (m, D) float32."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    real, other = _in_fewer_dimensions(real.double(), other.double())
    with _seeded(0):
        metric = FrechetInceptionDistance(feature=_IdentityNetwork(real.shape[1]))
        metric.update(real, real=True)
        metric.update(other, real=False)
        return float(metric.compute())


def _in_fewer_dimensions(real: torch.Tensor, other: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same points in the subspace that they span, where that is smaller: their distances stay as they are."""
    both = torch.cat([real, other]) - real.mean(0)
    if len(both) >= both.shape[1]:
        return real, other
    axes, _ = torch.linalg.qr(both.T)
    moved = both @ axes
    return moved[: len(real)], moved[len(real) :]


def spread(measure: Callable[..., float], sets: Sequence[torch.Tensor], seed: int) -> float:
    """The standard error of a measure of sets of features, from its deviation over random halves of each.

    This is the delete-half jackknife (Shao and Wu 1989): halves of a set vary about as much as whole sets do.
    """
    rng = np.random.default_rng(seed)
    values = [measure(*(features[rng.permutation(len(features))[::2]] for features in sets)) for _ in range(HALVES)]
    return float(np.std(values, ddof=1))


def between_halves(measure: Callable[[torch.Tensor, torch.Tensor], float], features: torch.Tensor, seed: int) -> float:
    """The mean of a measure between random halves of one set: its value where there is no difference.

    It includes FID's bias, which is larger than that of the whole set, because halves are smaller.
    """
    rng = np.random.default_rng(seed)
    orders = [torch.from_numpy(rng.permutation(len(features))) for _ in range(HALVES)]
    return float(np.mean([measure(features[order[::2]], features[order[1::2]]) for order in orders]))


def kid(real: torch.Tensor, other: torch.Tensor, seed: int) -> tuple[float, float]:
    """The unbiased kernel distance (Binkowski et al. 2018): its mean over random subsets and its standard error.

    The error is the deviation of the subsets, scaled to that of the whole sets.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    size = max(2, min(KID_SUBSET, min(len(real), len(other)) // 2))
    with _seeded(seed):
        network = _IdentityNetwork(real.shape[1])
        metric = KernelInceptionDistance(feature=network, subsets=KID_SUBSETS, subset_size=size)
        metric.update(real.double(), real=True)
        metric.update(other.double(), real=False)
        mean, deviation = metric.compute()
    left_out = max(min(len(real), len(other)) - size, 1)
    return float(mean), float(deviation) * (size / left_out) ** 0.5


def inception_score(log_classes: torch.Tensor, seed: int) -> float:
    """The inception score (Salimans et al. 2016) of (n, classes) log probabilities: the mean over parts."""
    from torchmetrics.image.inception import InceptionScore

    splits = max(2, len(log_classes) // SCORE_PART)
    with _seeded(seed):
        metric = InceptionScore(feature=_IdentityNetwork(log_classes.shape[1]), splits=splits)
        metric.update(log_classes)
        mean, _ = metric.compute()
    return float(mean)


def ssim(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """(n,) the structural similarity (Wang et al. 2004) of pairs of (n, 3, h, w) uint8 images, at most 1."""
    from torchmetrics.functional.image import structural_similarity_index_measure

    values: Any = structural_similarity_index_measure(one.float(), other.float(), data_range=255.0, reduction="none")
    return values.cpu()
