"""Square crops of one size from data sets, rasters and folders of images, with keys of the ground they show."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

from backend.datasets import image_label_pairs, layout, reader
from backend.datasets.layout import Tile
from backend.datasets.reader import FileTile
from backend.geo import legend
from backend.geo.image_raster import image_address
from backend.geo.raster import Log, open_raster
from backend.protocol import BackendError

SUFFIXES = (".tif", ".tiff", ".vrt", ".png", ".jpg", ".jpeg", ".jp2", ".img")
MAX_EMPTY_SHARE = 0.005  # of a crop that may be masked or black
SAME_GROUND_M = 10.0  # by which the corners of crops of the same ground may differ: a pixel of land cover

Corner = tuple[str, float, float]
"""CRS, left and top in the CRS's units."""
CropPixels = tuple[np.ndarray, np.ndarray]
"""(size, size, 3) uint8 RGB and (size, size) uint8 class indices, IGNORE where none is known."""


@dataclass(frozen=True)
class Crop:
    """A crop that can be read; `corner` is None where it is not known."""

    name: str
    corner: Corner | None
    read: Callable[[], CropPixels]


@dataclass(frozen=True)
class CropSet:
    """The crops of a source; `pixel_m` is 0 where the pixel size is not known."""

    name: str
    pixel_m: float
    crops: list[Crop]

    def drawn(self, keys: Sequence[str], shared: Collection[str], seed: int) -> Iterator[tuple[str, CropPixels]]:
        """The crops that hold data, with their keys: shared ones first, otherwise in an order drawn from the seed."""

        def rank(item: tuple[str, Crop]) -> tuple[bool, bytes]:
            return item[0] not in shared, hashlib.sha256(f"{seed} {item[0]}".encode()).digest()

        for key, crop in sorted(zip(keys, self.crops), key=rank):
            pixels = crop.read()
            if (pixels[0] == 0).all(axis=-1).mean() <= MAX_EMPTY_SHARE:
                yield key, pixels


def ground_keys(sets: Sequence[CropSet]) -> list[list[str]]:
    """A key for each crop of each set; crops of the same ground, up to SAME_GROUND_M apart, have the same key.

    Where the corner of any crop is not known, the keys are the crops' names.
    """
    if any(crop.corner is None for crops in sets for crop in crops.crops):
        return [[crop.name for crop in crops.crops] for crops in sets]
    known: dict[tuple[str, int, int], list[tuple[Corner, str]]] = {}
    return [[_ground_key(crop.corner, known) for crop in crops.crops if crop.corner] for crops in sets]


def _ground_key(corner: Corner, known: dict[tuple[str, int, int], list[tuple[Corner, str]]]) -> str:
    """The key of the nearest known corner, or a new one; `known` has corners by CRS and cell of a coarse grid."""
    crs, left, top = corner
    col, row = int(left // SAME_GROUND_M), int(top // SAME_GROUND_M)
    neighbours = [known.get((crs, col + i, row + j), []) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    distances = [(max(abs(left - other[1]), abs(top - other[2])), key) for cell in neighbours for other, key in cell]
    if distances and min(distances)[0] <= SAME_GROUND_M:
        return min(distances)[1]
    key = f"{crs} {left:.2f} {top:.2f}"
    known.setdefault((crs, col, row), []).append((corner, key))
    return key


def open_crops(path: str | Path, size_px: int, split: str = "all", log: Log = str) -> CropSet:
    """The crops of a data set's folder, of one split or 'all', of an RGB raster, or of a folder of images.

    Raises BackendError where the source is none of these, is damaged, is smaller than `size_px`, has fewer than three
    bands, or is not on a grid in metres; `log` gets a sentence on each image that is stretched.
    """
    path = Path(path)
    if (path / layout.INDEX).is_file():
        crops = _of_dataset(path, size_px, split)
    elif (path / layout.PACKED_INDEX).is_file():
        crops = _of_packed(path, size_px, split)
    elif path.is_dir():
        crops = _of_folder(path, size_px, log)
    else:
        crops = _of_raster(path, size_px, log)
    if not crops.crops:
        raise BackendError(
            f"{path} holds no {'' if split == 'all' else f'{split!r} '}tile of {size_px} pixels or more. Choose "
            "another split or smaller crops, or build it from more ground."
        )
    return crops


def _offsets(height: int, width: int, size_px: int) -> Iterator[tuple[int, int]]:
    """Row and column of each crop, side by side."""
    for row in range(0, height - size_px + 1, size_px):
        yield from ((row, col) for col in range(0, width - size_px + 1, size_px))


def _too_small(path: Path, shape: tuple[int, int], size_px: int) -> BackendError:
    return BackendError(
        f"The tiles of {path} are {shape[1]} x {shape[0]} pixels, smaller than the crops of {size_px} in which sets "
        f"are compared. Lower the crop size to {min(shape) // 32 * 32 or min(shape)}, or build it with larger tiles."
    )


def _of_tile(tile: Tile, name: str, size_px: int, corner: tuple[str, float, float, float] | None) -> Iterator[Crop]:
    """The crops of a tile; `corner` is its CRS, left, top and pixel size, where known."""
    for row, col in _offsets(*tile.shape, size_px):
        crop_corner = None
        if corner:
            crs, left, top, pixel_m = corner
            crop_corner = (crs, left + col * pixel_m, top - row * pixel_m)
        yield Crop(f"{name} {row} {col}", crop_corner, partial(tile.read, row, col, size_px, size_px))


def _of_dataset(folder: Path, size_px: int, split: str) -> CropSet:
    with layout.damage_errors(folder):
        index, rows = layout.read_manifest(folder)
        pixel_m, shape = float(index["pixel_m"]), (int(index["tile_px"]), int(index["tile_px"]))
        if not all(row["image"] for row in rows):
            raise layout.no_images_error(folder)
        if min(shape) < size_px:
            raise _too_small(folder, shape, size_px)
        crops: list[Crop] = []
        for row in rows:
            if split in ("all", row["split"]):
                tile = FileTile(row["split"], shape, folder / row["image"], folder / row["label"])
                corner = (row["crs"], float(row["xmin"]), float(row["ymax"]), pixel_m)
                crops += _of_tile(tile, row["name"], size_px, corner)
    return CropSet(folder.name, pixel_m, crops)


def _of_packed(folder: Path, size_px: int, split: str) -> CropSet:
    tiles = reader.open_tiles(folder)
    chosen = [(number, tile) for number, tile in enumerate(tiles.tiles) if split in ("all", tile.split)]
    crops = [crop for number, tile in chosen for crop in _of_tile(tile, f"{number:06d}", size_px, None)]
    if chosen and not crops:
        raise _too_small(folder, chosen[0][1].shape, size_px)
    return CropSet(folder.name, tiles.pixel_m, crops)


def _read_raster(address: str, row: int, col: int, size_px: int) -> CropPixels:
    """A crop of an image without a label; black where the image is masked."""
    window = Window(col, row, size_px, size_px)
    with warnings.catch_warnings(), open_raster(address, "image") as source:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        pixels, valid = source.read((1, 2, 3), window=window), source.dataset_mask(window=window) > 0
    unknown = np.full((size_px, size_px), legend.IGNORE, dtype=np.uint8)
    return np.where(valid, pixels, 0).transpose(1, 2, 0), unknown


def _of_raster(path: Path, size_px: int, log: Log) -> CropSet:
    address = image_address(path, "image", log)
    with open_raster(address, "image") as source:
        image_label_pairs.check_image(source, path, size_px)
        pixel_m, crs = source.transform.a, str(source.crs)
        crops = [
            Crop(
                f"{path.stem} {row} {col}",
                (crs, *(source.transform * (col, row))),
                partial(_read_raster, address, row, col, size_px),
            )
            for row, col in _offsets(source.height, source.width, size_px)
        ]
    return CropSet(path.stem, pixel_m, crops)


def _of_folder(folder: Path, size_px: int, log: Log) -> CropSet:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise BackendError(
            f"{folder} is neither a data set (it has no {layout.INDEX}) nor a folder of images. Choose a folder that "
            "'Build data set' wrote, or one of RGB images."
        )
    sets = [_of_file(path, size_px, log) for path in paths]
    sizes = {round(crops.pixel_m, 4) for crops in sets}
    if max(sizes) > min(sizes) * (1 + layout.SAME_GSD_TOLERANCE):
        listed = ", ".join(f"{size:g} m" if size else "unknown" for size in sorted(sizes))
        raise BackendError(f"The images of {folder} have different pixel sizes ({listed}). Resample them to one.")
    return CropSet(folder.name, sets[0].pixel_m, [crop for crops in sets for crop in crops.crops])


def _of_file(path: Path, size_px: int, log: Log) -> CropSet:
    """The crops of an image that may have no georeference, such as a PNG."""
    with warnings.catch_warnings(), open_raster(path, "image") as source:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        if source.crs is not None:
            return _of_raster(path, size_px, log)
        shape = source.height, source.width
        if min(shape) < size_px:
            raise _too_small(path, shape, size_px)
        address = image_address(path, "image", log, needs_place=False)
    crops = [
        Crop(f"{path.stem} {row} {col}", None, partial(_read_raster, address, row, col, size_px))
        for row, col in _offsets(*shape, size_px)
    ]
    return CropSet(path.stem, 0.0, crops)
