"""Windows of equal ground cut from land cover, in rasters and in the labels of data sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from backend.datasets import image_label_pairs, reader
from backend.geo import class_raster, legend
from backend.geo.raster import open_raster
from backend.metrics.near_duplicates import Ground, Place
from backend.protocol import BackendError
from backend.tiling.lattice import Box

MOST_UNKNOWN = 0.05  # share of a window that may be nodata
BLOCK = 4  # windows along a block of ground, in which one may begin


@dataclass(frozen=True)
class Land:
    """A land cover raster of (height, width) pixels of `pixel_m` metres.

    Those of one sheet, such as the tiles of a data set, lie on one grid, with the first pixel at `corner`, row and
    column; what is cut from a sheet may reach over several.
    """

    path: Path
    shape: tuple[int, int]
    pixel_m: float
    sheet: str
    corner: tuple[int, int] = (0, 0)

    def read(self, row: int, col: int, height: int, width: int) -> np.ndarray:
        """(height, width) uint8 class indices."""
        with open_raster(self.path, "land cover") as source:
            return class_raster.read_indices(source, Window(col, row, width, height))


@dataclass(frozen=True)
class Cut:
    """(n, side, side) uint8 class indices, and where each was cut: the number of its sheet, row and column there."""

    windows: np.ndarray
    corners: list[Place]


def open_lands(rasters: Sequence[str], datasets: Sequence[str]) -> list[Land]:
    """Rasters and the labels of data sets; BackendError where one cannot be read or is not on a grid in metres."""
    found = [_of_raster(Path(path)) for path in rasters]
    for folder in datasets:
        found += _of_dataset(Path(folder))
    return found


def _of_raster(path: Path) -> Land:
    with open_raster(path, "land cover") as source:
        image_label_pairs.check_label(source)
        image_label_pairs.check_grid(source, "land cover", 1)
        return Land(path, (source.height, source.width), source.transform.a, str(path))


def _of_dataset(folder: Path) -> Iterator[Land]:
    if not (folder / reader.INDEX).is_file():
        raise BackendError(
            f"{folder} is not a data set: it has no {reader.INDEX}. Choose a folder that 'Build data set' wrote."
        )
    with reader.damage(folder):
        index, rows = reader.manifest(folder)
        if not rows:
            raise BackendError(f"The data set {folder} holds no tiles. Build it again.")
        side, pixel_m = int(index["tile_px"]), float(index["pixel_m"])
        for row in rows:
            corner = round(-float(row["ymax"]) / pixel_m), round(float(row["xmin"]) / pixel_m)
            yield Land(folder / row["label"], (side, side), pixel_m, f"{folder} {row['crs']}", corner)


def common_pixel(lands: Sequence[Land]) -> float:
    """The pixel size of all; BackendError where they differ."""
    first = lands[0]
    for land in lands:
        if abs(land.pixel_m / first.pixel_m - 1) > reader.GSD_TOLERANCE:
            raise BackendError(
                f"{first.path} has pixels of {first.pixel_m:g} m, {land.path} of {land.pixel_m:g} m. Landscape metrics "
                "depend on the pixel size: resample one to the other's by mode or nearest, or cut labels alone."
            )
    return first.pixel_m


def cut(lands: Sequence[Land], side: int, stride: int, count: int, seed: int, what: str) -> Cut:
    """At most `count` windows of `side` pixels that are known, drawn by the seed from places every `stride` pixels.

    BackendError where no raster is as large as a window, and where all windows are nodata.
    """
    places = [(number, row, col) for number, land in enumerate(lands) for row, col in _places(land, side, stride)]
    if not places:
        largest = max(min(land.shape) for land in lands)
        raise BackendError(
            f"No {what} land cover is as large as a window of {side} pixels ({side * lands[0].pixel_m:g} m). The "
            f"largest window that fits is {largest * lands[0].pixel_m:g} m."
        )
    windows, corners, numbers = [], list[Place](), _numbers(lands)
    for turn in np.random.default_rng(seed).permutation(len(places)):
        number, row, col = places[turn]
        land = lands[number]
        window = land.read(row, col, side, side)
        if (window == legend.IGNORE).mean() <= MOST_UNKNOWN:
            windows.append(window)
            corners.append((numbers[land.sheet], land.corner[0] + row, land.corner[1] + col))
        if len(windows) == count:
            break
    if not windows:
        raise BackendError(
            f"The {what} land cover holds no window of WorldCover classes: everywhere, more than {MOST_UNKNOWN:.0%} of "
            "it is nodata or has another legend. Choose other rasters or smaller windows."
        )
    return Cut(np.stack(windows), corners)


def _places(land: Land, side: int, stride: int) -> Iterator[tuple[int, int]]:
    for row in range(0, land.shape[0] - side + 1, stride):
        yield from ((row, col) for col in range(0, land.shape[1] - side + 1, stride))


def _numbers(lands: Sequence[Land]) -> dict[str, int]:
    return {sheet: number for number, sheet in enumerate(dict.fromkeys(land.sheet for land in lands))}


def grounds(lands: Sequence[Land], side: int, most_px: int, seed: int) -> tuple[list[Ground], float]:
    """All ground in blocks, so that each window of `side` pixels lies whole in one, and the share of it that is given.

    Of more than `most_px` pixels, blocks are drawn by the seed. Where a sheet has nothing, there is IGNORE.
    """
    step, numbers = BLOCK * side, _numbers(lands)
    reach = step + side - 1
    blocks: dict[Place, list[Land]] = defaultdict(list)
    for land in lands:
        spans = (
            range((at - reach) // step + 1, (at + size - 1) // step + 1) for at, size in zip(land.corner, land.shape)
        )
        for row, col in product(*spans):
            blocks[(numbers[land.sheet], row * step, col * step)].append(land)
    keys, found, left = list(blocks), list[Ground](), most_px
    for turn in np.random.default_rng(seed).permutation(len(keys)):
        if left < 0:
            break
        found.append(_ground(keys[turn], blocks[keys[turn]], reach))
        left -= found[-1].pixels.size
    return found, len(found) / len(keys)


def _ground(place: Place, lands: Sequence[Land], reach: int) -> Ground:
    """A block of `reach` pixels at most, where its lands lie."""
    block = Box(place[1], place[2], reach, reach)
    boxes = [Box(*land.corner, *land.shape) for land in lands]
    shared = [box.intersection(block) for box in boxes]
    whole = reduce(Box.union, shared)
    pixels = np.full((whole.height, whole.width), legend.IGNORE, dtype=np.uint8)
    for land, box, part in zip(lands, boxes, shared):
        pixels[part.slices_in(whole)] = land.read(part.row - box.row, part.col - box.col, part.height, part.width)
    return Ground(pixels, (place[0], whole.row, whole.col))
