"""The training data of generators: random crops of packed image tiles and of packed land cover."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from backend.datasets import layout
from backend.datasets.augment import (
    color_jitter,
    dihedral,
    random_corner,
    random_variant,
    read_crop,
    weighted_index,
)
from backend.datasets.layout import LandCoverArrays, TileArrays
from backend.geo import legend
from backend.protocol import BackendError

STYLE_CLASS_SHARE = 0.04  # of the pixels of a style's tiles: a class with at least this share counts as learned
MAX_TRIES = 10_000  # random positions before a crop counts as not to be found
UNKNOWN_SHARE, HOMOGENEOUS_SHARE = 0.05, 0.98  # of a crop's pixels: beyond these, it teaches little
SKIP_SHARE = 0.9  # of the crops that teach little


class TileGroup(NamedTuple):
    """The tiles of one size of a packed folder, and the numbers of those in a split."""

    arrays: TileArrays
    numbers: np.ndarray

    @property
    def pixels(self) -> int:
        """How many pixels the split has in the group."""
        return len(self.numbers) * self.arrays.size**2


@dataclass(frozen=True)
class PackedTiles:
    """The image tiles of packed folders, those of one split ('train' or 'val')."""

    folders: tuple[Path, ...]
    split: str = "train"

    @cached_property
    def groups(self) -> dict[str, TileGroup]:
        """The groups with tiles of the split, by folder and name; BackendError where arrays are damaged."""
        groups = {}
        for folder_number, folder in enumerate(self.folders):
            for arrays in layout.read_tiles(folder):
                group = TileGroup(arrays, arrays.of_split(self.split))
                if len(group.numbers):
                    groups[f"{folder_number}_{arrays.name}"] = group
        return groups

    @cached_property
    def styles(self) -> list[str]:
        """The styles that the split's tiles have."""
        groups = self.groups.values()
        return sorted({style for group in groups for tile in group.numbers for style in group.arrays.styles[tile]})

    def style_combinations(self, known: Collection[str]) -> dict[str, float]:
        """The styles, among `known`, that tiles have together, as 'a, b', with their shares of the training crops.

        Tiles without any of these styles do not count.
        """
        weights: dict[str, float] = {}
        for arrays, _, styles in self._tiles_with_styles(known):
            combination = ", ".join(styles)
            weights[combination] = weights.get(combination, 0) + arrays.emphasis * arrays.size**2
        total = sum(weights.values())
        return {combination: round(weight / total, 4) for combination, weight in sorted(weights.items())}

    def style_classes(self, known: Collection[str]) -> dict[str, list[int]]:
        """For each style among `known`: the codes of classes with at least STYLE_CLASS_SHARE of its tiles' pixels."""
        counts: dict[str, np.ndarray] = {}
        for arrays, number, styles in self._tiles_with_styles(known):
            tile_counts = layout.class_counts([arrays.labels[number]])
            for style in styles:
                counts[style] = counts.get(style, 0) + tile_counts
        return {
            style: legend.CODES[np.flatnonzero(pixels >= STYLE_CLASS_SHARE * pixels.sum())].tolist()
            for style, pixels in sorted(counts.items())
        }

    def _tiles_with_styles(self, known: Collection[str]) -> Iterator[tuple[TileArrays, int, list[str]]]:
        """The tiles that have styles among `known`: arrays, number and these styles, sorted."""
        for arrays, numbers in self.groups.values():
            for number in numbers:
                if styles := sorted(set(arrays.styles[number]).intersection(known)):
                    yield arrays, number, styles

    def has_crop(self, crop_px: int) -> bool:
        """Whether there is any tile; one that is smaller than a crop gives a smaller one."""
        return bool(self.groups)

    def crop_count(self, crop_px: int) -> int:
        """How many crops fit side by side into the tiles; a smaller tile counts as one."""
        return sum(len(group.numbers) * max(1, (group.arrays.size // crop_px) ** 2) for group in self.groups.values())

    def class_counts(self) -> np.ndarray:
        """(COUNT,) int64 pixels of each class; BackendError where a label is no class index."""
        groups = self.groups.values()
        return layout.class_counts(group.arrays.labels[number] for group in groups for number in group.numbers)

    def random_group(self, rng: np.random.Generator, crop_px: int = 0) -> str:
        """The name of a group whose tiles are at least a crop wide, drawn by pixels and emphasis."""
        weights = {
            name: group.pixels * group.arrays.emphasis
            for name, group in self.groups.items()
            if group.arrays.size >= crop_px
        }
        return list(weights)[weighted_index(rng, list(weights.values()))]

    def batch(
        self, rng: np.random.Generator, count: int, crop_px: int, step_px: int = 8
    ) -> tuple[np.ndarray, np.ndarray, list[list[str]]]:
        """Random crops: images (count, 3, crop, crop) and labels (count, crop, crop), uint8, and styles.

        The first crop may come from any group. Where its tiles are smaller than `crop_px`, the batch's crops are as
        large as they are, in multiples of `step_px`; the further ones come from all groups with tiles of that size.
        """
        first = self.random_group(rng)
        crop = min(crop_px, self.groups[first].arrays.size // step_px * step_px)
        images, labels, styles = [], [], []
        for item in range(count):
            arrays, numbers = self.groups[self.random_group(rng, crop) if item else first]
            number, variant = rng.choice(numbers), random_variant(rng)
            tile = arrays.tile(number)
            image, label = read_crop(tile, random_corner(rng, tile.shape, (crop, crop)), crop, crop, variant)
            images.append(color_jitter(image, rng))
            labels.append(label)
            styles.append(arrays.styles[number])
        return np.stack(images), np.stack(labels), styles


class LandCoverCrop(NamedTuple):
    """A crop of land cover: its group and tile, the tile's turn, and row and column in the turned tile."""

    group: str
    tile: int
    variant: int
    row: int
    col: int


@dataclass(frozen=True)
class PackedLandCover:
    """The land cover of packed folders, of one split; training crops never touch held-out pixels."""

    folders: tuple[Path, ...]
    split: str = "train"

    @cached_property
    def groups(self) -> dict[str, LandCoverArrays]:
        """All land cover of the folders, by folder and name; BackendError where arrays are damaged."""
        return {
            f"{folder_number}_{arrays.name}": arrays
            for folder_number, folder in enumerate(self.folders)
            for arrays in layout.read_landcover(folder)
        }

    @cached_property
    def styles(self) -> list[str]:
        """The styles that the split's tiles have."""
        return sorted({style for name, number, _ in self.tiles() for style in self.groups[name].styles[number]})

    def tiles(self) -> Iterator[tuple[str, int, float]]:
        """The tiles with pixels of the split: group, number and how many pixels these are."""
        for name, arrays in self.groups.items():
            for number, held_out in enumerate(arrays.held_out):
                in_split = held_out if self.split == "val" else ~held_out
                if in_split.any():
                    yield name, number, float(in_split.sum())

    @cached_property
    def _tile_weights(self) -> tuple[list[tuple[str, int]], np.ndarray]:
        tiles = list(self.tiles())
        weights = np.array([pixels * self.groups[name].emphasis for name, _, pixels in tiles])
        return [(name, number) for name, number, _ in tiles], weights

    def has_crop(self, crop_px: int) -> bool:
        """Whether a crop of that size is found in the split."""
        try:
            return bool(self.crop_count(crop_px)) and bool(self.random_crop(np.random.default_rng(0), crop_px))
        except BackendError:
            return False

    def crop_count(self, crop_px: int) -> int:
        """How many crops have as many pixels as the split."""
        return sum(max(1, int(pixels / crop_px**2)) for _, _, pixels in self.tiles())

    def class_counts(self) -> np.ndarray:
        """(COUNT,) int64 pixels of each class; BackendError where a value is no class index."""
        tiles = ((self.groups[name], number) for name, number, _ in self.tiles())
        return layout.class_counts(
            np.where(arrays.held_out[number] == (self.split == "val"), arrays.classes[number], legend.IGNORE)
            for arrays, number in tiles
        )

    def random_crop(
        self,
        rng: np.random.Generator,
        crop_px: int,
        step_px: int = 1,
        include_homogeneous: bool = False,
        style: str = "",
    ) -> LandCoverCrop:
        """A random crop wholly in the split, its row and column multiples of `step_px`; of tiles of a `style`, if any.

        Most crops with nodata are skipped, and those of a single class unless `include_homogeneous`. BackendError where
        no crop is found.
        """
        tiles, weights = self._tile_weights
        if style:
            weights = weights * [style in self.groups[name].styles[number] for name, number in tiles]
        for _ in range(MAX_TRIES if weights.any() else 0):
            name, number = tiles[weighted_index(rng, weights)]
            variant = random_variant(rng)
            arrays = self.groups[name]
            classes, held_out = (dihedral(array[number], variant) for array in (arrays.classes, arrays.held_out))
            row, col = random_corner(rng, classes.shape, (crop_px, crop_px), step_px)
            part = (slice(row, row + crop_px), slice(col, col + crop_px))
            corners = held_out[part][:: crop_px - 1, :: crop_px - 1]  # enough, as held-out blocks are larger than crops
            if not (corners.all() if self.split == "val" else not corners.any()):
                continue
            unknown = float((classes[part] == legend.IGNORE).mean()) > UNKNOWN_SHARE
            homogeneous = (classes[part] == classes[row, col]).mean() > HOMOGENEOUS_SHARE
            if (unknown or (homogeneous and not include_homogeneous)) and rng.random() < SKIP_SHARE:
                continue
            return LandCoverCrop(name, number, variant, row, col)
        raise BackendError(
            f"No place of {crop_px} pixels was found in the land cover's {self.split!r} part. Use more or larger tiles."
        )

    def read(self, crop: LandCoverCrop, crop_px: int) -> np.ndarray:
        """(crop_px, crop_px) uint8 class indices of a crop."""
        classes = dihedral(self.groups[crop.group].classes[crop.tile], crop.variant)
        return classes[crop.row : crop.row + crop_px, crop.col : crop.col + crop_px]
