"""The training data of generators: random crops of packed image tiles and of packed land cover."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from backend.datasets import layout
from backend.datasets.augment import color_jitter, dihedral, random_corner, random_variant, weighted_index
from backend.datasets.class_crops import ClassCrops, CropPlace, TileGroup
from backend.datasets.layout import LandCoverArrays, TileArrays
from backend.geo import legend
from backend.protocol import BackendError

STYLE_CLASS_SHARE = 0.04  # of the pixels of a style's tiles: a class with at least this share counts as learned
MAX_TRIES = 10_000  # random positions before a crop counts as not to be found
UNKNOWN_SHARE, HOMOGENEOUS_SHARE = 0.05, 0.98  # of a crop's pixels: beyond these, it teaches little
SKIP_SHARE = 0.9  # of the crops that teach little
FINE_SHARE = 0.5  # of the crops of tiles with a fine label: so many have it
CLASS_BALANCED_SHARE = 0.6  # of the crops: so many are drawn by class, the others by pixels


class TileBatch(NamedTuple):
    """Crops of one size: images (n, 3, h, w), labels and lines (n, h, w), all uint8, and the styles of each.

    Labels are class indices, of a fine label or of one at 10 m. Lines are 1 on straight edges, and 0 throughout where
    the packed folder has none.
    """

    images: np.ndarray
    labels: np.ndarray
    lines: np.ndarray
    styles: list[list[str]]


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
        return {
            style: legend.CODES[np.flatnonzero(_is_learned(pixels))].tolist()
            for style, pixels in sorted(self._style_class_counts.items())
            if style in known
        }

    def borrowed_styles(self, known: Collection[str]) -> dict[str, dict[int, str]]:
        """For each style among `known`, the style that replaces it where a class is drawn that its tiles lack, by code.

        It is an alternative to the style: listed at the same position, as all climates are, and never on one tile with
        it. Of the alternatives that have the class, it is the one whose tiles have the most pixels of it. Classes that
        no alternative has are left out, and so are styles without any such class.
        """
        counts = {style: pixels for style, pixels in self._style_class_counts.items() if style in known}
        positions: dict[str, set[int]] = {style: set() for style in counts}
        together = set()
        for arrays, number, styles in self._tiles_with_styles(known):
            together |= {(one, other) for one in styles for other in styles}
            for style in styles:
                positions[style].add(arrays.styles[number].index(style))
        borrowed: dict[str, dict[int, str]] = {}
        for style, pixels in sorted(counts.items()):
            others = [x for x in sorted(counts) if positions[x] & positions[style] and (style, x) not in together]
            for index in np.flatnonzero(~_is_learned(pixels)):
                lenders = {x: int(counts[x][index]) for x in others if _is_learned(counts[x])[index]}
                if lenders:
                    borrowed.setdefault(style, {})[int(legend.CODES[index])] = max(lenders, key=lenders.__getitem__)
        return borrowed

    @cached_property
    def _style_class_counts(self) -> dict[str, np.ndarray]:
        """(COUNT,) int64 pixels of each class in the tiles of each style; all labels are read for it."""
        counts: dict[str, np.ndarray] = {}
        for arrays, number, styles in self._tiles_with_styles(self.styles):
            tile_counts = layout.class_counts([arrays.labels[number]])
            for style in styles:
                counts[style] = counts.get(style, 0) + tile_counts
        return counts

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

    def random_group(self, rng: np.random.Generator, names: Collection[str] | None = None) -> str:
        """The name of a group, of all or of those named, drawn by pixels and emphasis."""
        groups = {name: self.groups[name] for name in names or self.groups}
        weights = [group.pixels * group.arrays.emphasis for group in groups.values()]
        return list(groups)[weighted_index(rng, weights)]

    @cached_property
    def _class_crops(self) -> ClassCrops:
        return ClassCrops(self.groups)

    def batch(
        self,
        rng: np.random.Generator,
        count: int,
        crop_px: int,
        step_px: int = 8,
        *,
        fine_share: float = FINE_SHARE,
        class_balanced_share: float = CLASS_BALANCED_SHARE,
    ) -> TileBatch:
        """Random crops; the shares are probabilities of a fine label, and of being drawn by class.

        The first crop may come from any group. Where its tiles are smaller than `crop_px`, the batch's crops are as
        large as they are, in multiples of `step_px`; the further ones come from all groups with tiles of that size.
        """
        sizes = {name: min(crop_px, group.arrays.size // step_px * step_px) for name, group in self.groups.items()}
        crops = []
        for item in range(count):
            place = self._place(rng, sizes, class_balanced_share)
            if item == 0:
                crop = sizes[place.group]
                sizes = {name: crop for name, group in self.groups.items() if group.arrays.size >= crop}
            crops.append(self._read(rng, place, crop, fine_share))
        images, labels, lines, styles = zip(*crops)
        return TileBatch(np.stack(images), np.stack(labels), np.stack(lines), list(styles))

    def _place(self, rng: np.random.Generator, sizes: dict[str, int], class_balanced_share: float) -> CropPlace:
        """The place of a random crop in one of the groups of `sizes`, which are the crop's in each."""
        place = self._class_crops.draw(rng, sizes) if rng.random() < class_balanced_share else None
        if place:
            return place
        name = self.random_group(rng, sizes)
        arrays, numbers = self.groups[name]
        corner = random_corner(rng, (arrays.size, arrays.size), (sizes[name], sizes[name]))
        return CropPlace(name, int(rng.choice(numbers)), *corner)

    def _read(
        self, rng: np.random.Generator, place: CropPlace, crop_px: int, fine_share: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
        """A crop's image, label, lines and styles, turned at random."""
        arrays = self.groups[place.group].arrays
        part = (place.number, slice(place.row, place.row + crop_px), slice(place.col, place.col + crop_px))
        labels = arrays.fine if arrays.fine is not None and rng.random() < fine_share else arrays.labels
        lines = np.zeros((crop_px, crop_px), np.uint8) if arrays.lines is None else arrays.lines[part]
        variant = random_variant(rng)
        image = color_jitter(dihedral(np.moveaxis(arrays.images[part], -1, 0), variant), rng)
        return image, dihedral(labels[part], variant), dihedral(lines, variant), arrays.styles[place.number]


def _is_learned(pixels: np.ndarray) -> np.ndarray:
    """(COUNT,) bool: which classes have at least STYLE_CLASS_SHARE of the pixels (COUNT,) of a style's tiles."""
    return pixels >= STYLE_CLASS_SHARE * pixels.sum()


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
        style: str = "",
    ) -> LandCoverCrop:
        """A random crop wholly in the split, its row and column multiples of `step_px`; of tiles of a `style`, if any.

        Most crops with nodata or of a single class are skipped. BackendError where no crop is found.
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
            if (unknown or homogeneous) and rng.random() < SKIP_SHARE:
                continue
            return LandCoverCrop(name, number, variant, row, col)
        raise BackendError(
            f"No place of {crop_px} pixels was found in the land cover's {self.split!r} part. Use more or larger tiles."
        )

    def read(self, crop: LandCoverCrop, crop_px: int) -> np.ndarray:
        """(crop_px, crop_px) uint8 class indices of a crop."""
        classes = dihedral(self.groups[crop.group].classes[crop.tile], crop.variant)
        return classes[crop.row : crop.row + crop_px, crop.col : crop.col + crop_px]
