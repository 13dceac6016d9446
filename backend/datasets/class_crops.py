"""Crops of packed tiles drawn by class, so that classes of few pixels and wide ground of one class are seen often."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from backend.datasets.layout import TileArrays
from backend.geo import legend

CELL_PX = 8  # classes are counted in cells of so many pixels a side, and crops begin at their corners
PURE_SHARE = 0.9  # of a crop's pixels: with at least as many of one class it is nearly pure
PURE_CROP_SHARE = 0.5  # of the crops drawn by class: so many are nearly pure, where the class has such
FULL_WEIGHT_SHARE = 0.01  # of all pixels: a class of fewer is drawn less often, or the same few places are all it shows


class TileGroup(NamedTuple):
    """The tiles of one size of a packed folder, and the numbers of those in a split."""

    arrays: TileArrays
    numbers: np.ndarray

    @property
    def pixels(self) -> int:
        """How many pixels the split has in the group."""
        return len(self.numbers) * self.arrays.size**2


class CropPlace(NamedTuple):
    """A place of a crop: the group, the number of the tile in it, and row and column of the crop's first pixel."""

    group: str
    number: int
    row: int
    col: int


class _Tiles(NamedTuple):
    """Tiles of all groups that a crop may come from, in one order; cumulative sums over them, (tiles, COUNT)."""

    groups: list[str]
    items: np.ndarray  # of each tile, its position in its group's `numbers`
    pixels: np.ndarray  # by class, times the group's emphasis
    pure_pixels: np.ndarray  # likewise, 0 in tiles without a nearly pure crop of the class
    class_weights: np.ndarray  # cumulative over the classes, (COUNT,)


class ClassCrops:
    """Draws crops of tiles by class; the classes of the tiles are counted once."""

    def __init__(self, groups: Mapping[str, TileGroup]) -> None:
        self._groups = groups
        self._cells = {name: _class_cells(group) for name, group in groups.items()}
        self._tiles = cache(self._count_tiles)

    def draw(self, rng: np.random.Generator, crop_px: Mapping[str, int]) -> CropPlace | None:
        """The place of a crop of a random class, `crop_px` pixels wide in each group that it may come from.

        Classes are equally likely, but for those of very few pixels. Their tiles are drawn by pixels of the class and
        emphasis, the place by pixels of the class within the crop. None where no class is known.
        """
        tiles = self._tiles(tuple(crop_px.items()))
        if not tiles.class_weights[-1]:
            return None
        index = _draw(rng, tiles.class_weights)
        pure = bool(rng.random() < PURE_CROP_SHARE and tiles.pure_pixels[-1, index])
        tile = _draw(rng, (tiles.pure_pixels if pure else tiles.pixels)[:, index])
        name, item = tiles.groups[tile], tiles.items[tile]
        counts = self._window_counts(name, item, crop_px[name], slice(index, index + 1))[0]
        weights = counts >= _pure_pixels(crop_px[name]) if pure else counts
        row, col = divmod(_draw(rng, weights.ravel().cumsum()), counts.shape[1]) if weights.any() else (0, 0)
        return CropPlace(name, int(self._groups[name].numbers[item]), row * CELL_PX, col * CELL_PX)

    def _count_tiles(self, crop_px: tuple[tuple[str, int], ...]) -> _Tiles:
        groups, items, pixels, pure = [], [], [], []
        for name, crop in crop_px:
            cells = self._cells[name]
            groups += [name] * len(cells)
            items.append(np.arange(len(cells)))
            pixels.append(cells.sum(axis=(2, 3), dtype=np.int64) * self._groups[name].arrays.emphasis)
            windows = (self._window_counts(name, item, crop) for item in range(len(cells)))
            pure.append(np.stack([counts.max(axis=(1, 2)) >= _pure_pixels(crop) for counts in windows]))
        class_pixels = np.concatenate(pixels)
        totals = class_pixels.sum(axis=0)
        class_weights = np.minimum(1.0, totals / max(1.0, FULL_WEIGHT_SHARE * totals.sum()))
        return _Tiles(
            groups,
            np.concatenate(items),
            class_pixels.cumsum(axis=0),
            (class_pixels * np.concatenate(pure)).cumsum(axis=0),
            class_weights.cumsum(),
        )

    def _window_counts(self, name: str, item: int, crop_px: int, classes: slice = slice(None)) -> np.ndarray:
        """(classes, rows, cols) pixels of each class in the crops that begin at each cell's corner of a tile."""
        cells = max(1, crop_px // CELL_PX)
        places = max(1, (self._groups[name].arrays.size - crop_px) // CELL_PX + 1)
        sums = np.pad(self._cells[name][item, classes].cumsum(1, dtype=np.int64).cumsum(2), ((0, 0), (1, 0), (1, 0)))
        rows = sums[:, cells:] - sums[:, :-cells]
        return (rows[:, :, cells:] - rows[:, :, :-cells])[:, :places, :places]


def _pure_pixels(crop_px: int) -> float:
    """The pixels of a class in whole cells from which on a crop is nearly pure."""
    return PURE_SHARE * (max(1, crop_px // CELL_PX) * CELL_PX) ** 2


def _draw(rng: np.random.Generator, cumulative: np.ndarray) -> int:
    """An index drawn in proportion to weights, of which the cumulative sums are passed."""
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))


def _class_cells(group: TileGroup) -> np.ndarray:
    """(tiles, COUNT, rows, cols) uint8 pixels of each class in cells of a group's tiles; a last part is left out."""
    side = group.arrays.size // CELL_PX
    cells = np.zeros((len(group.numbers), legend.COUNT, side, side), dtype=np.uint8)
    place = np.arange(side * CELL_PX) // CELL_PX
    offsets = (place[:, None] * side + place) * legend.COUNT
    for item, number in enumerate(group.numbers):
        labels = group.arrays.labels[number, : side * CELL_PX, : side * CELL_PX]
        votes = np.bincount((offsets + labels)[labels < legend.COUNT], minlength=side * side * legend.COUNT)
        cells[item] = votes.reshape(side, side, legend.COUNT).transpose(2, 0, 1)
    return cells
