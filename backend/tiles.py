"""Packed training tiles, read with numpy alone: random crops, each turned and mirrored at random.

Turns and flips keep geography true: a town seen from above has no upright side.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from backend.protocol import BackendError

INDEX = "packed.json"
WEIGHTS = {"naip": 0.55, "rural": 0.25, "usgs": 0.2}
"""How often a batch comes from a group of tiles; groups that are not named count as naip."""


def turned(array: np.ndarray, variant: int) -> np.ndarray:
    """One of the 8 turns and mirrorings of the last two axes; variants 4 to 7 are mirrored."""
    return np.rot90(array[..., ::-1] if variant >= 4 else array, variant % 4, axes=(-2, -1))


@dataclass(frozen=True)
class PackedTiles:
    """A packed folder's image tiles of one split ('train' or 'val')."""

    folder: Path
    split: str = "train"

    @cached_property
    def index(self) -> dict[str, Any]:
        """The folder's `packed.json`; BackendError where it is missing."""
        try:
            return json.loads((self.folder / INDEX).read_text())
        except (OSError, ValueError) as error:
            raise BackendError(f"{self.folder} holds no packed training tiles ({INDEX}).") from error

    @cached_property
    def groups(self) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """By group: images (N, size, size, 3) uint8, labels (N, size, size) uint8, and the split's tile numbers."""
        found = {}
        for name, group in self.index["tiles"].items():
            chosen = np.flatnonzero(np.array(group["split"]) == self.split)
            if len(chosen):
                arrays = [np.load(self.folder / f"{name}_{what}.npy", mmap_mode="r") for what in ("image", "label")]
                found[name] = (arrays[0], arrays[1], chosen)
        if not found:
            raise BackendError(f"{self.folder} holds no image tiles of the split {self.split!r}.")
        return found

    def choose(self, rng: np.random.Generator) -> str:
        """A group's name, drawn by WEIGHTS."""
        weights = np.array([WEIGHTS.get(name, WEIGHTS["naip"]) for name in self.groups])
        return str(rng.choice(list(self.groups), p=weights / weights.sum()))

    def batch(
        self, rng: np.random.Generator, count: int, crop_px: int, step_px: int = 8
    ) -> tuple[np.ndarray, np.ndarray]:
        """Random crops of one group: images (count, 3, crop, crop) and labels (count, crop, crop), uint8.

        Where the group's tiles are smaller than `crop_px`, crops are as large as they are, in multiples of `step_px`.
        """
        images, labels, chosen = self.groups[self.choose(rng)]
        size = images.shape[1]
        crop = min(crop_px, size // step_px * step_px)
        out_images, out_labels = [], []
        for _ in range(count):
            tile, variant = rng.choice(chosen), int(rng.integers(8))
            row, col = rng.integers(size - crop + 1, size=2)
            where = (tile, slice(row, row + crop), slice(col, col + crop))
            out_images.append(turned(np.moveaxis(images[where], -1, 0), variant))
            out_labels.append(turned(labels[where], variant))
        return np.stack(out_images), np.stack(out_labels)


@dataclass(frozen=True)
class PackedLandCover:
    """A packed folder's land cover rasters; training crops never touch a held-out block."""

    folder: Path
    split: str = "train"

    @cached_property
    def rasters(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By raster: class indices (height, width) and the mask of the held-out pixels."""
        try:
            index = json.loads((self.folder / INDEX).read_text())["landcover"]
        except (OSError, ValueError, KeyError) as error:
            raise BackendError(f"{self.folder} holds no packed land cover ({INDEX}).") from error
        found = {}
        for name, entry in index.items():
            raster = np.load(self.folder / f"{name}_landcover.npy", mmap_mode="r")
            held = np.zeros(raster.shape, dtype=bool)
            for row, col in entry["held_out_blocks"]:
                held[row : row + entry["block_px"], col : col + entry["block_px"]] = True
            found[name] = (raster, held)
        if not found:
            raise BackendError(f"{self.folder} holds no land cover rasters.")
        return found

    def place(self, rng: np.random.Generator, crop_px: int, step_px: int = 1) -> tuple[str, int, int, int]:
        """A random crop: raster, variant, and row and column in the turned raster, multiples of `step_px`.

        It lies wholly inside the held-out blocks ('val') or wholly outside.
        """
        areas = np.array([raster.size for raster, _ in self.rasters.values()], dtype=float)
        while True:
            name, variant = str(rng.choice(list(self.rasters), p=areas / areas.sum())), int(rng.integers(8))
            raster, held = (turned(array, variant) for array in self.rasters[name])
            row, col = (int(rng.integers((size - crop_px) // step_px + 1)) * step_px for size in raster.shape)
            where = (slice(row, row + crop_px), slice(col, col + crop_px))
            inside = held[where][:: crop_px - 1, :: crop_px - 1]  # blocks are larger than crops: corners tell
            if not (inside.all() if self.split == "val" else not inside.any()):
                continue
            # open sea teaches nothing after the first look: most crops of one class alone are passed over
            if (raster[where] == raster[row, col]).mean() > 0.98 and rng.random() < 0.9:
                continue
            return name, variant, row, col

    def crop(self, place: tuple[str, int, int, int], crop_px: int) -> np.ndarray:
        """(crop_px, crop_px) uint8 class indices of a place."""
        name, variant, row, col = place
        return turned(self.rasters[name][0], variant)[row : row + crop_px, col : col + crop_px]
