"""Squares of one size cut from data sets, rasters and folders of images, found again by their ground."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

from backend.datasets import image_label_pairs, layout, reader
from backend.datasets.layout import Tile
from backend.datasets.reader import FileTile
from backend.geo import legend
from backend.geo.raster import open_raster
from backend.protocol import BackendError

SUFFIXES = (".tif", ".tiff", ".vrt", ".png", ".jpg", ".jpeg", ".jp2", ".img")
MOST_EMPTY = 0.005  # share of a square that may be masked or black
SAME_GROUND_M = 10.0  # by which the corners of one ground may differ: a pixel of land cover

Corner = tuple[str, float, float]
CropPixels = tuple[np.ndarray, np.ndarray]
"""(size, size, 3) uint8 RGB and (size, size) uint8 class indices, IGNORE where none is known."""


@dataclass(frozen=True)
class Crop:
    """A square that can be read; `corner` is its CRS, left and top, None where they are not known."""

    name: str
    corner: Corner | None
    read: Callable[[], CropPixels]


@dataclass(frozen=True)
class CropSet:
    """The squares of a source, `pixel_m` metres a pixel; 0 where that is not known."""

    name: str
    pixel_m: float
    pictures: list[Crop]

    def drawn(self, keys: Sequence[str], shared: Collection[str], seed: int) -> Iterator[tuple[str, CropPixels]]:
        """The squares that hold data, with their keys: first those that are shared, else as keys and seed decide."""

        def rank(one: tuple[str, Crop]) -> tuple[bool, bytes]:
            return one[0] not in shared, hashlib.sha256(f"{seed} {one[0]}".encode()).digest()

        for key, picture in sorted(zip(keys, self.pictures), key=rank):
            square = picture.read()
            if (square[0] == 0).all(axis=-1).mean() <= MOST_EMPTY:
                yield key, square


def keys(sets: Sequence[CropSet]) -> list[list[str]]:
    """A key for each square of each set: squares of the same ground have the same, up to SAME_GROUND_M apart.

    Where the ground of any square is not known, all go by their names.
    """
    if any(picture.corner is None for one in sets for picture in one.pictures):
        return [[picture.name for picture in one.pictures] for one in sets]
    known: dict[tuple[str, int, int], list[tuple[Corner, str]]] = {}
    return [[_key(picture.corner, known) for picture in one.pictures if picture.corner] for one in sets]


def _key(corner: Corner, known: dict[tuple[str, int, int], list[tuple[Corner, str]]]) -> str:
    crs, left, top = corner
    col, row = int(left // SAME_GROUND_M), int(top // SAME_GROUND_M)
    around = [known.get((crs, col + i, row + j), []) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    apart = [(max(abs(left - other[1]), abs(top - other[2])), key) for found in around for other, key in found]
    if apart and min(apart)[0] <= SAME_GROUND_M:
        return min(apart)[1]
    key = f"{crs} {left:.2f} {top:.2f}"
    known.setdefault((crs, col, row), []).append((corner, key))
    return key


def open_crops(path: str | Path, size_px: int, split: str = "all") -> CropSet:
    """The squares of a data set's folder, of a split or of all, of an RGB raster, or of a folder of images.

    Raises BackendError where the source is none of these, is damaged, holds no square of `size_px`, or is no RGB of 8
    bit on a grid in metres.
    """
    path = Path(path)
    if (path / layout.INDEX).is_file():
        found = _of_dataset(path, size_px, split)
    elif (path / layout.PACKED_INDEX).is_file():
        found = _of_packed(path, size_px, split)
    elif path.is_dir():
        found = _of_folder(path, size_px)
    else:
        found = _of_raster(path, size_px)
    if not found.pictures:
        raise BackendError(
            f"{path} holds no {'' if split == 'all' else f'{split!r} '}tile of {size_px} pixels or more. Choose "
            "another split or smaller crops, or build it from more ground."
        )
    return found


def _places(height: int, width: int, size_px: int) -> Iterator[tuple[int, int]]:
    for row in range(0, height - size_px + 1, size_px):
        yield from ((row, col) for col in range(0, width - size_px + 1, size_px))


def _too_small(path: Path, shape: tuple[int, int], size_px: int) -> BackendError:
    return BackendError(
        f"The tiles of {path} are {shape[1]} x {shape[0]} pixels, smaller than the crops of {size_px} in which sets "
        f"are compared. Lower the crop size to {min(shape) // 32 * 32 or min(shape)}, or build it with larger tiles."
    )


def _of_tile(tile: Tile, name: str, size_px: int, corner: tuple[str, float, float, float] | None) -> Iterator[Crop]:
    """The squares of a tile; `corner` is its CRS, left, top and pixel size, where known."""
    for row, col in _places(*tile.shape, size_px):
        there = None
        if corner:
            crs, left, top, pixel_m = corner
            there = (crs, left + col * pixel_m, top - row * pixel_m)
        yield Crop(f"{name} {row} {col}", there, partial(tile.read, row, col, size_px, size_px))


def _of_dataset(folder: Path, size_px: int, split: str) -> CropSet:
    with layout.damage_errors(folder):
        index, rows = layout.read_manifest(folder)
        pixel_m, shape = float(index["pixel_m"]), (int(index["tile_px"]), int(index["tile_px"]))
        if not all(row["image"] for row in rows):
            raise layout.no_images_error(folder)
        if min(shape) < size_px:
            raise _too_small(folder, shape, size_px)
        found: list[Crop] = []
        for row in rows:
            if split in ("all", row["split"]):
                tile = FileTile(row["split"], shape, folder / row["image"], folder / row["label"])
                corner = (row["crs"], float(row["xmin"]), float(row["ymax"]), pixel_m)
                found += _of_tile(tile, row["name"], size_px, corner)
    return CropSet(folder.name, pixel_m, found)


def _of_packed(folder: Path, size_px: int, split: str) -> CropSet:
    tiles = reader.open_tiles(folder)
    chosen = [(number, tile) for number, tile in enumerate(tiles.tiles) if split in ("all", tile.split)]
    found = [one for number, tile in chosen for one in _of_tile(tile, f"{number:06d}", size_px, None)]
    if chosen and not found:
        raise _too_small(folder, chosen[0][1].shape, size_px)
    return CropSet(folder.name, tiles.pixel_m, found)


def _read_raster(path: Path, row: int, col: int, size_px: int) -> CropPixels:
    """A square of an image without a label; black where it is masked."""
    window = Window(col, row, size_px, size_px)
    with warnings.catch_warnings(), open_raster(path, "image") as source:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        pixels, seen = source.read((1, 2, 3), window=window), source.dataset_mask(window=window) > 0
    unknown = np.full((size_px, size_px), legend.IGNORE, dtype=np.uint8)
    return np.where(seen, pixels, 0).transpose(1, 2, 0), unknown


def _of_raster(path: Path, size_px: int) -> CropSet:
    with open_raster(path, "image") as source:
        image_label_pairs.check_image(source, size_px)
        pixel_m, crs = source.transform.a, str(source.crs)
        found = [
            Crop(
                f"{path.stem} {row} {col}",
                (crs, *(source.transform * (col, row))),
                partial(_read_raster, path, row, col, size_px),
            )
            for row, col in _places(source.height, source.width, size_px)
        ]
    return CropSet(path.stem, pixel_m, found)


def _of_folder(folder: Path, size_px: int) -> CropSet:
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not files:
        raise BackendError(
            f"{folder} is neither a data set (it has no {layout.INDEX}) nor a folder of images. Choose a folder that "
            "'Build data set' wrote, or one of RGB images."
        )
    sets = [_of_file(path, size_px) for path in files]
    sizes = {round(one.pixel_m, 4) for one in sets}
    if max(sizes) > min(sizes) * (1 + layout.SAME_GSD_TOLERANCE):
        told = ", ".join(f"{size:g} m" if size else "unknown" for size in sorted(sizes))
        raise BackendError(f"The images of {folder} have different pixel sizes ({told}). Resample them to one.")
    return CropSet(folder.name, sets[0].pixel_m, [picture for one in sets for picture in one.pictures])


def _of_file(path: Path, size_px: int) -> CropSet:
    """The squares of an image that may have no place, such as a PNG."""
    with warnings.catch_warnings(), open_raster(path, "image") as source:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        if source.crs is not None:
            return _of_raster(path, size_px)
        _check_plain(source, size_px)
        shape = source.height, source.width
    found = [
        Crop(f"{path.stem} {row} {col}", None, partial(_read_raster, path, row, col, size_px))
        for row, col in _places(*shape, size_px)
    ]
    return CropSet(path.stem, 0.0, found)


def _check_plain(source: rasterio.DatasetReader, size_px: int) -> None:
    if source.count < 3 or any(dtype != "uint8" for dtype in source.dtypes[:3]):
        raise BackendError(f"The image {source.name} is no RGB image of 8 bit. Convert it, or take it out.")
    if min(source.height, source.width) < size_px:
        raise _too_small(Path(source.name), (source.height, source.width), size_px)
