"""Mixtures of real and synthetic tiles for training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.datasets.crops import crop_count
from backend.datasets.layout import Tile
from backend.datasets.reader import TileSet, only, tiles_of
from backend.protocol import BackendError


@dataclass(frozen=True)
class Mixture:
    """The amounts of real and of synthetic training tiles, both in parts of all real tiles."""

    real: float
    synthetic: float

    @property
    def is_addition(self) -> bool:
        """Whether the synthetic tiles are added to all real ones, instead of replacing some of them."""
        return self.real == 1 and self.synthetic > 0

    @property
    def name(self) -> str:
        """The name in folders and tables."""
        return f"plus{self.synthetic:g}" if self.is_addition else f"real{100 * self.real:g}"

    @property
    def label(self) -> str:
        """The name on pages."""
        return f"real + {self.synthetic:g}x synthetic" if self.is_addition else f"{100 * self.real:g} % real"


def mixtures(shares: Sequence[float], additions: Sequence[float]) -> list[Mixture]:
    """Mixtures of constant size by their percentages of real tiles, then all real tiles with additions.

    An addition of 0 is left out. Raises BackendError for a percentage outside 0 to 100, a negative addition, and where
    there is no mixture.
    """
    for share in shares:
        if not 0 <= share <= 100:
            raise BackendError(f"A real share of {share:g} percent cannot be. Give shares from 0 to 100.")
    for addition in additions:
        if not (math.isfinite(addition) and addition >= 0):
            raise BackendError(f"An addition of {addition:g} times the real tiles cannot be. Give 0 or more.")
    result = [Mixture(share / 100, 1 - share / 100) for share in sorted(set(shares))]
    result += [Mixture(1.0, addition) for addition in sorted(set(additions) - {0})]
    if not result:
        raise BackendError("No mixture was asked for. Give real shares, additions or both.")
    return result


def crops_of(tiles: TileSet, crop_px: int) -> int:
    """The number of crops in the set's training tiles."""
    return sum(crop_count(tile, crop_px) for tile in tiles_of([tiles], "train"))


def portion(tiles: Sequence[Tile], crops: float, crop_px: int, seed: int) -> list[Tile]:
    """Some of the tiles, with about `crops` crops: at least one tile if `crops` > 0, all where there are too few.

    They are the first of an order drawn from the seed, so that a larger portion contains every smaller one.
    """
    order = np.random.default_rng(seed).permutation(len(tiles))
    ends = np.cumsum([crop_count(tiles[number], crop_px) for number in order])
    starts = np.concatenate([[0], ends[:-1]])
    taken = (starts + ends) / 2 < crops  # a tile is taken if more than half of it is within the portion
    taken[:1] = crops > 0
    return [tiles[number] for number in sorted(order[taken])]


def training_sets(
    mixture: Mixture, real: TileSet, synthetic: TileSet, crop_px: int, seed: int
) -> tuple[list[TileSet], tuple[float, ...]]:
    """The sets of a training and their mix: `train` tiles by the mixture, and the `val` tiles of the real set."""
    crops, sets, mix = crops_of(real, crop_px), [], []
    for tiles, part in ((real, mixture.real), (synthetic, mixture.synthetic)):
        taken = portion(tiles_of([tiles], "train"), part * crops, crop_px, seed)
        if taken:
            sets.append(replace(tiles, tiles=taken))
            mix.append(part)
    if sets:
        sets[0] = replace(sets[0], tiles=[*sets[0].tiles, *only(real, "val").tiles])
    return sets, tuple(mix) if len(mix) > 1 else ()
