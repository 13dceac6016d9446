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
    """How much of either kind is trained on, in parts of all real tiles."""

    real: float
    synthetic: float

    @property
    def added(self) -> bool:
        """Whether the synthetic tiles come on top of all real ones, instead of some of them."""
        return self.real == 1 and self.synthetic > 0

    @property
    def name(self) -> str:
        """For folders and tables."""
        return f"plus{self.synthetic:g}" if self.added else f"real{100 * self.real:g}"

    @property
    def label(self) -> str:
        """For people."""
        return f"real + {self.synthetic:g}x synthetic" if self.added else f"{100 * self.real:g} % real"


def mixtures(shares: Sequence[float], additions: Sequence[float]) -> list[Mixture]:
    """Those of constant size by their percentages of real tiles, then those of all real tiles and some more.

    An addition of 0 is none. BackendError for a percentage outside 0 to 100, an addition below 0, and none of either.
    """
    for share in shares:
        if not 0 <= share <= 100:
            raise BackendError(f"A real share of {share:g} percent cannot be. Give shares from 0 to 100.")
    for addition in additions:
        if not (math.isfinite(addition) and addition >= 0):
            raise BackendError(f"An addition of {addition:g} times the real tiles cannot be. Give 0 or more.")
    found = [Mixture(share / 100, 1 - share / 100) for share in sorted(set(shares))]
    found += [Mixture(1.0, addition) for addition in sorted(set(additions) - {0})]
    if not found:
        raise BackendError("No mixture was asked for. Give real shares, additions or both.")
    return found


def crops_of(tiles: TileSet, crop_px: int) -> int:
    """How many crops the set's training tiles hold."""
    return sum(crop_count(tile, crop_px) for tile in tiles_of([tiles], "train"))


def portion(tiles: Sequence[Tile], crops: float, crop_px: int, seed: int) -> list[Tile]:
    """Some of the tiles, of which about so many crops can be cut: at least one of any, all where there are too few.

    They are the first of an order that the seed draws, so that a larger portion holds every smaller one.
    """
    order = np.random.default_rng(seed).permutation(len(tiles))
    ends = np.cumsum([crop_count(tiles[number], crop_px) for number in order])
    starts = np.concatenate([[0], ends[:-1]])
    taken = (starts + ends) / 2 < crops  # a tile is in where more than half of it is
    taken[:1] = crops > 0
    return [tiles[number] for number in sorted(order[taken])]


def trained_on(
    mixture: Mixture, real: TileSet, synthetic: TileSet, crop_px: int, seed: int
) -> tuple[list[TileSet], tuple[float, ...]]:
    """The sets of a training and their mix: `train` tiles by the mixture, and the `val` tiles of the real set."""
    crops, sets, mix = crops_of(real, crop_px), [], []
    for tiles, part in ((real, mixture.real), (synthetic, mixture.synthetic)):
        chosen = portion(tiles_of([tiles], "train"), part * crops, crop_px, seed)
        if chosen:
            sets.append(replace(tiles, tiles=chosen))
            mix.append(part)
    if sets:
        sets[0] = replace(sets[0], tiles=[*sets[0].tiles, *only(real, "val").tiles])
    return sets, tuple(mix) if len(mix) > 1 else ()
