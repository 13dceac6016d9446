"""Data sets of image and label tiles.

Two kinds of folder are read alike: what `builddataset` writes (GeoTIFFs `image/NAME.tif` and `label/NAME.tif`,
`manifest.csv`, `dataset.json`), and tiles packed into arrays (`NAME_image.npy`, `NAME_label.npy`, `packed.json`).
A data set of labels alone has no images; its manifest leaves them empty.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rasterio.windows import Window

from backend.datasets.spatial_split import Split
from backend.geo import class_raster, legend
from backend.geo.raster import open_raster
from backend.protocol import BackendError

INDEX = "dataset.json"
MANIFEST = "manifest.csv"
GSD_TOLERANCE = 0.03  # by which the pixel sizes of data sets and models may differ
ITEMS = "items.json"  # the same as a STAC item collection
PACKED_INDEX = "packed.json"
SHARES = [f"c{code}" for code in legend.CODES]
BOUNDS = ["xmin", "ymin", "xmax", "ymax"]
COLUMNS = ["name", "image", "label", "split", "crs", *BOUNDS, "valid", *SHARES, "description", "style"]
"""The manifest's columns: paths relative to the folder, bounds in the CRS, shares of valid pixels and of classes, a
sentence on what the tile shows, and words for its look, parted by commas."""


class Tile(Protocol):
    """One pair of image and label of equal size."""

    @property
    def split(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def shape(self) -> tuple[int, int]: ...  # noqa: D102

    def read(self, row: int, col: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """A part of the tile: (height, width, 3) uint8 RGB and (height, width) uint8 class indices."""


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
class ArrayTile:
    """A tile in two arrays that are mapped, not read whole."""

    split: str
    image: np.ndarray
    label: np.ndarray
    name: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.label.shape[0], self.label.shape[1]

    def read(self, row: int, col: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """See `Tile`."""
        where = (slice(row, row + height), slice(col, col + width))
        return self.image[where], self.label[where]


@dataclass(frozen=True)
class MergedTile:
    """A tile whose classes are those of a legend that joins some."""

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

    `offset` is how far the labels lie beside the images, as `label_offset` says it.
    """

    folder: Path
    pixel_m: float
    synthetic: bool
    tiles: list[Tile]
    offset: dict[str, Any] | None = None

    def joined(self, legend_name: str) -> TileSet:
        """The same with the classes of another legend."""
        if not legend.LEGENDS[legend_name]:
            return self
        return replace(self, tiles=[MergedTile(tile, legend_name) for tile in self.tiles])


@contextmanager
def damage(folder: Path) -> Iterator[None]:
    """Whatever is wrong with a data set's files, as a BackendError."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackendError(f"The data set {folder} is damaged ({error!r}). Build it again.") from error


def manifest(folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The index and the manifest's rows of a data set that `builddataset` wrote; errors as `damage` says them.

    Older data sets have their styles in the index, for all tiles alike: here they are the rows'.
    """
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    _check_legend(folder, index)
    with open(folder / MANIFEST, newline="", encoding="utf-8") as file:
        older = ", ".join(map(str, index.pop("styles", None) or []))
        return index, [{**row, "style": row.get("style") or older} for row in csv.DictReader(file)]


def styles_of(row: dict[str, str]) -> tuple[str, ...]:
    """The words for the look of a row's tile."""
    return tuple(word.strip() for word in row["style"].split(",") if word.strip())


def _check_legend(folder: Path, index: dict[str, Any]) -> None:
    """BackendError where a data set says that its codes mean something else than WorldCover's."""
    for code, name in dict(index.get("legend") or {}).items():
        known = legend.LEGEND.get(int(code), ("no class", ""))[0]
        if name != known:
            raise BackendError(
                f"The data set {folder} has another legend: its {code} is {name!r}, which in WorldCover is {known!r}. "
                "Reclassify the labels to WorldCover's codes and build it again."
            )


def without_images(folder: Path) -> BackendError:
    """What is said of a data set of labels alone where images are needed."""
    return BackendError(
        f"The data set {folder} holds labels alone, but images are needed too. Build it from images and labels."
    )


def _open_folder(folder: Path) -> TileSet:
    index, rows = manifest(folder)
    if not all(row["image"] for row in rows):
        raise without_images(folder)
    shape = (int(index["tile_px"]), int(index["tile_px"]))
    tiles: list[Tile] = [
        FileTile(row["split"], shape, folder / row["image"], folder / row["label"], row["name"]) for row in rows
    ]
    return TileSet(folder, float(index["pixel_m"]), bool(index["synthetic"]), tiles, index.get("offset_m"))


def _open_packed(folder: Path) -> TileSet:
    index = json.loads((folder / PACKED_INDEX).read_text(encoding="utf-8"))
    _check_legend(folder, index)
    tiles: list[Tile] = []
    for name, group in index["tiles"].items():
        images, labels = (
            np.load(folder / f"{name}_{what}.npy", mmap_mode="r", allow_pickle=False) for what in ("image", "label")
        )
        stacked = enumerate(zip(group["split"], images, labels))
        tiles += [ArrayTile(split, image, label, f"{name}_{number}") for number, (split, image, label) in stacked]
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
    with damage(folder):
        tiles = opener(folder)
    if not tiles.tiles:
        raise BackendError(f"The data set {folder} holds no tiles.")
    return tiles


def check_known(tiles: TileSet, what: str) -> None:
    """BackendError where no label of the tiles, which `what` names, has a class."""
    if not codes_of(tiles.tiles):
        raise BackendError(f"No label of the {what} tiles of {tiles.folder} is known: all their pixels are nodata.")


def tiles_of(sets: list[TileSet], split: Split) -> list[Tile]:
    """The tiles of one split, in the data sets' order."""
    return [tile for tiles in sets for tile in tiles.tiles if tile.split == split]


def only(tiles: TileSet, *splits: Split) -> TileSet:
    """The set with the tiles of some splits alone."""
    return replace(tiles, tiles=[tile for tile in tiles.tiles if tile.split in splits])


def codes_of(tiles: Iterable[Tile]) -> list[int]:
    """The WorldCover codes that the tiles' labels show, in the legend's order."""
    return legend.CODES[np.flatnonzero(counts_of(tiles))].tolist()


def counts_of(tiles: Iterable[Tile]) -> np.ndarray:
    """(COUNT,) int64: how many pixels of each class the tiles' labels show."""
    counts = np.zeros(256, np.int64)
    for tile in tiles:
        counts += np.bincount(tile.read(0, 0, *tile.shape)[1].ravel(), minlength=256)
    return counts[: legend.COUNT]
