"""Packed training tiles, read with numpy alone: random crops, each turned and mirrored at random.

Turns and flips keep geography true: a town seen from above has no upright side. Colours vary no more than those of
one vintage of imagery do.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from backend.geo import legend
from backend.protocol import BackendError

INDEX = "packed.json"
STYLE_CLASS_SHARE = 0.04  # of the pixels of a style's tiles: a class with at least this share counts as learned
PIXEL_M, LANDCOVER_PIXEL_M = 1.0, 10.0
MISSES = 10_000  # places that may be passed over before there is none
_CHUNK_ROWS = 512


def dihedral(array: np.ndarray, variant: int) -> np.ndarray:
    """One of the 8 turns and mirrorings of the last two axes; variants 4 to 7 are mirrored."""
    return np.rot90(array[..., ::-1] if variant >= 4 else array, variant % 4, axes=(-2, -1))


def color_jitter(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(..., 3, h, w) uint8 RGB in slightly other light: gain and gamma of all bands, and a trace of each band's own."""
    gamma, gain = np.exp(rng.uniform(-0.1, 0.1)), rng.uniform(0.94, 1.06) * rng.uniform(0.98, 1.02, 3)
    levels = np.clip(np.rint(255 * gain[:, None] * (np.arange(256) / 255) ** gamma), 0, 255).astype(np.uint8)
    return np.stack([levels[band][image[..., band, :, :]] for band in range(3)], axis=-3)


def write_stack(path: Path, count: int, arrays: Iterable[np.ndarray]) -> None:
    """Write `count` arrays of one shape as one .npy, one after another, so that they need not fit into memory.

    Plain writes: on a full disk they raise OSError, a memory map would end the process.
    """
    with open(path, "wb") as file:
        for number, array in enumerate(arrays):
            if number == 0:
                descr = np.lib.format.dtype_to_descr(array.dtype)
                header = {"descr": descr, "fortran_order": False, "shape": (count, *array.shape)}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(array).data)


def read_index(folder: Path) -> dict[str, Any]:
    """A packed folder's `packed.json`; BackendError where it is missing or damaged."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if not isinstance(index, dict):
            raise ValueError("no object")
        return index
    except (OSError, ValueError) as error:
        raise BackendError(f"{folder} holds no packed training tiles ({INDEX}).") from error


def _load(folder: Path, name: str, dimensions: int) -> np.ndarray:
    path = folder / f"{name}.npy"
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise BackendError(f"The packed tiles {path} are missing or damaged ({error}). Pack them again.") from error
    if array.dtype != np.uint8 or array.ndim != dimensions:
        raise BackendError(f"The packed tiles {path} are no uint8 array of {dimensions} dimensions. Pack them again.")
    return array


def _counts(parts: Iterable[np.ndarray]) -> np.ndarray:
    """(COUNT,) int64 pixels by class; BackendError where a value is no class."""
    found = np.zeros(256, dtype=np.int64)
    for part in parts:
        for row in range(0, len(part), _CHUNK_ROWS):
            found += np.bincount(part[row : row + _CHUNK_ROWS].ravel(), minlength=256)
    foreign = np.flatnonzero(found[legend.COUNT : legend.IGNORE]) + legend.COUNT
    if len(foreign):
        raise BackendError(
            f"Packed labels hold the values {', '.join(map(str, foreign[:5]))}, but class indices run from 0 to "
            f"{legend.COUNT - 1}. Pack them again."
        )
    return found[: legend.COUNT]


class Group(NamedTuple):
    """Tiles of one size: images (N, size, size, 3) and labels (N, size, size) uint8, and the split's tile numbers.

    `styles` names each tile's look: its climate and its vintage, say.
    """

    images: np.ndarray
    labels: np.ndarray
    chosen: np.ndarray
    emphasis: float
    styles: list[list[str]]

    @property
    def pixels(self) -> int:
        """How many pixels the split has in the group."""
        return len(self.chosen) * self.labels.shape[1] ** 2


@dataclass(frozen=True)
class PackedTiles:
    """The image tiles of packed folders, those of one split ('train' or 'val')."""

    folders: tuple[Path, ...]
    split: str = "train"

    @cached_property
    def groups(self) -> dict[str, Group]:
        """The groups that hold tiles of the split, by folder and name; BackendError where arrays are damaged."""
        found = {}
        for number, folder in enumerate(self.folders):
            for name, entry in read_index(folder).get("tiles", {}).items():
                group = self._group(folder, name, entry)
                if len(group.chosen):
                    found[f"{number}_{name}"] = group
        return found

    def _group(self, folder: Path, name: str, entry: dict[str, Any]) -> Group:
        images, labels = _load(folder, f"{name}_image", 4), _load(folder, f"{name}_label", 3)
        count, height, width = labels.shape
        if images.shape != (count, height, width, 3) or height != width or len(entry["split"]) != count:
            raise BackendError(f"The packed tiles {name} of {folder} do not belong together. Pack them again.")
        chosen = np.flatnonzero(np.array(entry["split"]) == self.split)
        styles = entry.get("styles") or [[]] * count
        if len(styles) != count:
            raise BackendError(f"The packed tiles {name} of {folder} have styles for {len(styles)} of {count} tiles.")
        return Group(images, labels, chosen, float(entry.get("emphasis", 1.0)), styles)

    @cached_property
    def styles(self) -> list[str]:
        """The styles that the split's tiles have."""
        groups = self.groups.values()
        return sorted({name for group in groups for tile in group.chosen for name in group.styles[tile]})

    def style_combinations(self, known: Collection[str]) -> dict[str, float]:
        """The styles, among `known`, that tiles have together, as 'a, b', with their shares of the training crops.

        Tiles without any of these styles do not count.
        """
        weights: Counter[str] = Counter()
        for group, _, styles in self._styled(known):
            weights[", ".join(styles)] += group.emphasis * group.labels.shape[1] ** 2
        return {styles: round(weight / weights.total(), 4) for styles, weight in sorted(weights.items())}

    def style_classes(self, known: Collection[str]) -> dict[str, list[int]]:
        """For each style among `known`: the codes of classes with at least STYLE_CLASS_SHARE of its tiles' pixels."""
        counts: dict[str, np.ndarray] = {}
        for group, tile, styles in self._styled(known):
            found = _counts([group.labels[tile]])
            for style in styles:
                counts[style] = counts.get(style, 0) + found
        return {
            style: legend.CODES[np.flatnonzero(found >= STYLE_CLASS_SHARE * found.sum())].tolist()
            for style, found in sorted(counts.items())
        }

    def _styled(self, known: Collection[str]) -> Iterator[tuple[Group, int, list[str]]]:
        """Each tile that has styles of those `known`: its group, its number, these styles in order."""
        for group in self.groups.values():
            for tile in group.chosen:
                if styles := sorted(set(group.styles[tile]).intersection(known)):
                    yield group, tile, styles

    def has(self, crop_px: int) -> bool:
        """Whether there is any tile; one that is smaller than a crop gives a smaller one."""
        return bool(self.groups)

    def crops(self, crop_px: int) -> int:
        """How many crops the tiles hold side by side; a smaller tile counts as one."""
        sizes = ((len(group.chosen), group.labels.shape[1]) for group in self.groups.values())
        return sum(count * max(1, (size // crop_px) ** 2) for count, size in sizes)

    def counts(self) -> np.ndarray:
        """(COUNT,) pixels by class; BackendError where a label is no class index."""
        return _counts(group.labels[tile] for group in self.groups.values() for tile in group.chosen)

    def choose(self, rng: np.random.Generator, crop_px: int = 0) -> str:
        """The name of a group whose tiles hold a crop, drawn by its pixels and emphasis."""
        weights = {
            name: group.pixels * group.emphasis
            for name, group in self.groups.items()
            if group.labels.shape[1] >= crop_px
        }
        shares = np.array(list(weights.values()))
        return str(rng.choice(list(weights), p=shares / shares.sum()))

    def batch(
        self, rng: np.random.Generator, count: int, crop_px: int, step_px: int = 8
    ) -> tuple[np.ndarray, np.ndarray, list[list[str]]]:
        """Random crops: images (count, 3, crop, crop) and labels (count, crop, crop), uint8, and styles.

        The first may lie in any group; where its tiles are smaller than `crop_px`, crops are as large as they are, in
        multiples of `step_px`. The others lie in all groups whose tiles hold such a crop.
        """
        name = self.choose(rng)
        crop = min(crop_px, self.groups[name].labels.shape[1] // step_px * step_px)
        out_images, out_labels, out_styles = [], [], []
        for number in range(count):
            images, labels, chosen, _, styles = self.groups[self.choose(rng, crop) if number else name]
            size = images.shape[1]
            tile, variant = rng.choice(chosen), int(rng.integers(8))
            row, col = rng.integers(size - crop + 1, size=2)
            where = (tile, slice(row, row + crop), slice(col, col + crop))
            out_images.append(color_jitter(dihedral(np.moveaxis(images[where], -1, 0), variant), rng))
            out_labels.append(dihedral(labels[where], variant))
            out_styles.append(styles[tile])
        return np.stack(out_images), np.stack(out_labels), out_styles


class LandCoverCrop(NamedTuple):
    """A crop of land cover: its group and tile, the tile's turn, and row and column in the turned tile."""

    group: str
    tile: int
    variant: int
    row: int
    col: int


@dataclass(frozen=True)
class PackedLandCover:
    """The land cover of packed folders, of one split; training crops never touch what is held out."""

    folders: tuple[Path, ...]
    split: str = "train"

    @cached_property
    def groups(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By folder and name: class indices (N, height, width) and the mask of the held-out pixels, same shape."""
        found = {}
        for number, folder in enumerate(self.folders):
            for name, entry in read_index(folder).get("landcover", {}).items():
                found[f"{number}_{name}"] = (
                    _tiles(folder, name, entry) if "split" in entry else _map(folder, name, entry)
                )
        return found

    def tiles(self) -> Iterator[tuple[str, int, float]]:
        """Group, number and pixels of the split of each tile that has any and is no smaller than a window."""
        for name, (arrays, held) in self.groups.items():
            for tile in range(len(arrays)):
                share = held[tile] if self.split == "val" else ~held[tile]
                if share.any():
                    yield name, tile, float(share.sum())

    @cached_property
    def _areas(self) -> tuple[list[tuple[str, int]], np.ndarray]:
        found = list(self.tiles())
        areas = np.array([pixels for _, _, pixels in found])
        return [(name, tile) for name, tile, _ in found], areas / areas.sum()

    def has(self, crop_px: int) -> bool:
        """Whether a crop of that size is found in the split."""
        try:
            return bool(self.crops(crop_px)) and bool(self.place(np.random.default_rng(0), crop_px))
        except BackendError:
            return False

    def crops(self, crop_px: int) -> int:
        """How many crops the split's pixels make."""
        return sum(max(1, int(pixels / crop_px**2)) for _, _, pixels in self.tiles())

    def counts(self) -> np.ndarray:
        """(COUNT,) pixels by class; BackendError where a value is no class index."""
        held = (self.groups[name][1][tile] for name, tile, _ in self.tiles())
        arrays = (self.groups[name][0][tile] for name, tile, _ in self.tiles())
        return _counts(
            np.where(mask == (self.split == "val"), array, legend.IGNORE) for array, mask in zip(arrays, held)
        )

    def place(self, rng: np.random.Generator, crop_px: int, step_px: int = 1, dull: bool = False) -> LandCoverCrop:
        """A random crop, its row and column multiples of `step_px`, wholly in the split.

        Unless `dull` ones are welcome, those of a single class are mostly passed over. BackendError where there is
        none.
        """
        tiles, shares = self._areas
        for _ in range(MISSES):
            name, tile = tiles[rng.choice(len(tiles), p=shares)]
            variant = int(rng.integers(8))
            indices, held = (dihedral(array[tile], variant) for array in self.groups[name])
            row, col = (int(rng.integers((size - crop_px) // step_px + 1)) * step_px for size in indices.shape)
            where = (slice(row, row + crop_px), slice(col, col + crop_px))
            inside = held[where][:: crop_px - 1, :: crop_px - 1]  # blocks are larger than crops: corners tell
            if not (inside.all() if self.split == "val" else not inside.any()):
                continue
            # open sea teaches nothing after the first look, and nodata never: most such crops are passed over
            empty = _unknown(indices[where]) > 0.05
            alike = not dull and (indices[where] == indices[row, col]).mean() > 0.98
            if (empty or alike) and rng.random() < 0.9:
                continue
            return LandCoverCrop(name, tile, variant, row, col)
        raise BackendError(
            f"No place of {crop_px} pixels was found in the land cover's {self.split!r} part. Use more or larger tiles."
        )

    def crop(self, place: LandCoverCrop, crop_px: int) -> np.ndarray:
        """(crop_px, crop_px) uint8 class indices of a place."""
        indices = dihedral(self.groups[place.group][0][place.tile], place.variant)
        return indices[place.row : place.row + crop_px, place.col : place.col + crop_px]


def _unknown(indices: np.ndarray) -> float:
    return float((indices == legend.IGNORE).mean())


def _tiles(folder: Path, name: str, entry: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Tiles (N, height, width) of which each lies in one split."""
    arrays = _load(folder, f"{name}_landcover", 3)
    if len(entry["split"]) != len(arrays):
        raise BackendError(f"The packed land cover {name} of {folder} is damaged. Pack it again.")
    held = np.array(entry["split"]) != "train"
    return arrays, np.broadcast_to(held[:, None, None], arrays.shape)


def _map(folder: Path, name: str, entry: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """One large map (1, height, width), blocks of which are held out."""
    array = _load(folder, f"{name}_landcover", 2)
    held = np.zeros(array.shape, dtype=bool)
    for row, col in entry["held_out_blocks"]:
        held[row : row + entry["block_px"], col : col + entry["block_px"]] = True
    return array[None], held[None]
