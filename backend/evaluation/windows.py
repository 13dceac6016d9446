"""Windows of equal ground cut from land cover, in rasters and in the labels of data sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from backend import classes, dataset, pairs
from backend.protocol import BackendError
from backend.raster import open_raster

MOST_UNKNOWN = 0.05  # share of a window that may be nodata


@dataclass(frozen=True)
class Land:
    """A land cover raster of (height, width) pixels of `pixel_m` metres."""

    path: Path
    shape: tuple[int, int]
    pixel_m: float

    def read(self, row: int, col: int, side: int) -> np.ndarray:
        """(side, side) uint8 class indices."""
        with open_raster(self.path, "land cover") as source:
            codes = source.read(1, window=Window(col, row, side, side))
        return classes.to_index(np.where((codes >= 0) & (codes <= 255), codes, classes.NODATA).astype(np.uint8))


@dataclass(frozen=True)
class Cut:
    """(n, side, side) uint8 class indices, and where each was cut: the number of its raster, row and column."""

    windows: np.ndarray
    corners: np.ndarray


def open_lands(rasters: Sequence[str], datasets: Sequence[str]) -> list[Land]:
    """Rasters and the labels of data sets; BackendError where one cannot be read or is not on a grid in metres."""
    found = [_of_raster(Path(path)) for path in rasters]
    for folder in datasets:
        found += _of_dataset(Path(folder))
    return found


def _of_raster(path: Path) -> Land:
    with open_raster(path, "land cover") as source:
        pairs.check_label(source)
        pairs.check_grid(source, "land cover", 1)
        return Land(path, (source.height, source.width), source.transform.a)


def _of_dataset(folder: Path) -> Iterator[Land]:
    if not (folder / dataset.INDEX).is_file():
        raise BackendError(
            f"{folder} is not a data set: it has no {dataset.INDEX}. Choose a folder that 'Build data set' wrote."
        )
    with dataset.damage(folder):
        index, rows = dataset.manifest(folder)
        side, pixel_m = int(index["tile_px"]), float(index["pixel_m"])
        return (Land(folder / row["label"], (side, side), pixel_m) for row in rows)


def common_pixel(lands: Sequence[Land]) -> float:
    """The pixel size of all; BackendError where they differ."""
    first = lands[0]
    for land in lands:
        if abs(land.pixel_m / first.pixel_m - 1) > dataset.GSD_TOLERANCE:
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
    windows, corners = [], []
    for turn in np.random.default_rng(seed).permutation(len(places)):
        number, row, col = places[turn]
        window = lands[number].read(row, col, side)
        if (window == classes.IGNORE).mean() <= MOST_UNKNOWN:
            windows.append(window)
            corners.append(places[turn])
        if len(windows) == count:
            break
    if not windows:
        raise BackendError(
            f"The {what} land cover holds no window of WorldCover classes: everywhere, more than {MOST_UNKNOWN:.0%} of "
            "it is nodata or has another legend. Choose other rasters or smaller windows."
        )
    return Cut(np.stack(windows), np.array(corners))


def _places(land: Land, side: int, stride: int) -> Iterator[tuple[int, int]]:
    for row in range(0, land.shape[0] - side + 1, stride):
        yield from ((row, col) for col in range(0, land.shape[1] - side + 1, stride))
