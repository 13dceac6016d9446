"""Data sets of image and label tiles, opened alike from GeoTIFFs and from packed arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.windows import Window

from backend.datasets import layout
from backend.datasets.layout import INDEX, PACKED_INDEX, Tile
from backend.datasets.spatial_split import Split
from backend.geo import class_raster, legend
from backend.geo.raster import open_raster
from backend.protocol import BackendError


@dataclass(frozen=True)
class FileTile:
    """A tile in two GeoTIFFs."""

    split: str
    shape: tuple[int, int]
    image: Path
    label: Path
    name: str = ""

    def read(self, row: int, col: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """See `Tile`."""
        window = Window(col, row, width, height)
        with open_raster(self.image, "tile") as image:
            rgb = image.read((1, 2, 3), window=window)
        with open_raster(self.label, "tile") as label:
            indices = class_raster.read_indices(label, window)
        return rgb.transpose(1, 2, 0), indices


@dataclass(frozen=True)
class MergedTile:
    """A tile with the classes of a legend that merges some of WorldCover's."""

    tile: Tile
    legend: str

    @property
    def name(self) -> str:
        """The tile's."""
        return self.tile.name

    @property
    def split(self) -> str:
        """The tile's."""
        return self.tile.split

    @property
    def shape(self) -> tuple[int, int]:
        """The tile's."""
        return self.tile.shape

    def read(self, row: int, col: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """See `Tile`."""
        image, label = self.tile.read(row, col, height, width)
        return image, legend.merged(label, self.legend)


@dataclass(frozen=True)
class TileSet:
    """The tiles of a folder, of one GSD; `synthetic` where any of them was generated.

    `offset` is the offset between labels and images as in the index, see `label_offset.Offset`; None where unknown.
    """

    folder: Path
    pixel_m: float
    synthetic: bool
    tiles: list[Tile]
    offset: dict[str, Any] | None = None

    def merged(self, legend_name: str) -> TileSet:
        """The set with the classes of another legend."""
        if not legend.LEGENDS[legend_name]:
            return self
        return replace(self, tiles=[MergedTile(tile, legend_name) for tile in self.tiles])


def _open_folder(folder: Path) -> TileSet:
    index, rows = layout.read_manifest(folder)
    if not all(row["image"] for row in rows):
        raise layout.no_images_error(folder)
    shape = (int(index["tile_px"]), int(index["tile_px"]))
    tiles: list[Tile] = [
        FileTile(row["split"], shape, folder / row["image"], folder / row["label"], row["name"]) for row in rows
    ]
    return TileSet(folder, float(index["pixel_m"]), bool(index["synthetic"]), tiles, index.get("offset_m"))


def _open_packed(folder: Path) -> TileSet:
    index = layout.read_packed_index(folder)
    tiles: list[Tile] = [
        group.tile(number) for group in layout.read_tiles(folder) for number in range(len(group.splits))
    ]
    return TileSet(folder, float(index["pixel_m"]), bool(index.get("synthetic", False)), tiles)


def open_tiles(folder: str | Path) -> TileSet:
    """The tiles of a data set folder; BackendError where it is none, is damaged or is empty."""
    folder = Path(folder)
    if (folder / INDEX).is_file():
        opener = _open_folder
    elif (folder / PACKED_INDEX).is_file():
        opener = _open_packed
    else:
        raise BackendError(
            f"{folder} is not a data set: it has no {INDEX}. Choose a folder that 'Build data set' wrote."
        )
    with layout.damage_errors(folder):
        tiles = opener(folder)
    if not tiles.tiles:
        raise BackendError(f"The data set {folder} holds no tiles.")
    return tiles


def check_labelled(tiles: TileSet, kind: str) -> None:
    """BackendError where all labels of the tiles are nodata; `kind` names the tiles in the message."""
    if not codes_of(tiles.tiles):
        raise BackendError(f"No label of the {kind} tiles of {tiles.folder} is known: all their pixels are nodata.")


def tiles_of(sets: list[TileSet], split: Split) -> list[Tile]:
    """The tiles of one split, in the data sets' order."""
    return [tile for tiles in sets for tile in tiles.tiles if tile.split == split]


def only(tiles: TileSet, *splits: Split) -> TileSet:
    """The set with the tiles of some splits only."""
    return replace(tiles, tiles=[tile for tile in tiles.tiles if tile.split in splits])


def codes_of(tiles: Iterable[Tile]) -> list[int]:
    """The WorldCover codes in the tiles' labels, in the legend's order."""
    return legend.CODES[np.flatnonzero(counts_of(tiles))].tolist()


def counts_of(tiles: Iterable[Tile]) -> np.ndarray:
    """(COUNT,) int64: how many pixels of each class the tiles' labels have."""
    return layout.class_counts(tile.read(0, 0, *tile.shape)[1] for tile in tiles)
