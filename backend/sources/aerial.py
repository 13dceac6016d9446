"""Aerial images of a catalogue, of three or four bands: which of their pixels are data.

Near infrared, their fourth band, is never transparency, whatever the file calls it. No data are pixels of 0 in all
bands, masked ones, and the black collar around the image. A lossy codec leaves values of 0 to 3 in a collar, and deep
water and shadows have them too, so a threshold alone would make holes in a lake. Dark pixels (at most 3 in all bands,
near infrared included) are therefore treated by their place:
- connected through dark pixels to a corner of the raster: the collar, no data;
- connected to a side but to no corner, or within a cell of the edge: a notch of the collar, or water that reaches the
  edge. Other images go over them; where there is none, they are data;
- all others: data.
The connection is looked for once per image, on cells of a whole raster of at most 1024 x 1024: it must not depend on
the block that is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from odc.geo.overlap import compute_reproject_roi
from rasterio.enums import MaskFlags, Resampling
from rasterio.io import MemoryFile
from rasterio.windows import Window

from backend.protocol import BackendError

DARKEST = 3
MOST_CELLS = 1024
MARGIN_PX = 4  # beyond a grid, for the resampling at its edge


@dataclass(frozen=True)
class Zones:
    """Where dark pixels are the collar (`corner`), or may be (`edge`): (rows, cols) bool of a raster's cells."""

    corner: np.ndarray
    edge: np.ndarray


def check_image(source: rasterio.DatasetReader, name: str) -> None:
    """BackendError for a raster that is no image of 8 bits, or has no CRS."""
    other = "Choose another year, or set another STAC API."
    if source.count < 3 or set(source.dtypes) != {"uint8"}:
        bands = f"{source.count} band(s) of {source.dtypes[0]}, not three or four of 8 bits"
        raise BackendError(f"The image {name} has {bands}. {other}")
    if source.crs is None:
        raise BackendError(f"The image {name} has no CRS, so its place is unknown. {other}")


def _bands(source: rasterio.DatasetReader) -> list[int]:
    return list(source.indexes[:4])


def _dark(data: np.ndarray) -> np.ndarray:
    return np.asarray((data <= DARKEST).all(axis=0))


def collar_zones(source: rasterio.DatasetReader) -> Zones:
    """The zones of an image at its full resolution; coarse overviews of it are read."""
    cell_px = -(-max(source.shape) // MOST_CELLS)
    shape = tuple(-(-size // cell_px) for size in source.shape)
    dark = _dark(source.read(_bands(source), out_shape=(len(_bands(source)), *shape), resampling=Resampling.average))
    labels = cv2.connectedComponents(dark.astype(np.uint8))[1]
    sides = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    ring = np.ones(shape, bool)
    ring[1:-1, 1:-1] = False
    # A cell at the border of a collar is a mixture, so a zone reaches one cell further.
    corner, edge = (
        cv2.dilate((dark & np.isin(labels, labels_there)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        for labels_there in (labels[[0, 0, -1, -1], [0, -1, 0, -1]], sides)
    )
    return Zones(corner, edge | ring)


def window_of(source: rasterio.DatasetReader, box: GeoBox) -> Window:
    """The window of a raster's pixels that a grid is resampled from, of at least one pixel."""
    rows, cols = compute_reproject_roi(GeoBox.from_rio(source), box, padding=MARGIN_PX).roi_src
    spans = []
    for part, size in ((rows, source.height), (cols, source.width)):
        start = min(max(part.start, 0), size - 1)
        spans.append((start, min(max(part.stop, start + 1), size) - start))
    (row, height), (col, width) = spans
    return Window(col, row, width, height)


def _at(zone: np.ndarray, window: Window, shape: tuple[int, int]) -> np.ndarray:
    """(height, width) bool: a zone at the pixels of a window of a raster of `shape`."""
    rows, cols = (
        ((np.arange(start, start + count) + 0.5) * cells / size).astype(int)
        for start, count, cells, size in (
            (window.row_off, window.height, zone.shape[0], shape[0]),
            (window.col_off, window.width, zone.shape[1], shape[1]),
        )
    )
    return zone[rows[:, None], cols]


def _masked(whole: rasterio.DatasetReader, window: Window, shape: tuple[int, int]) -> np.ndarray | bool:
    """(height, width) bool: where a mask hides pixels of a window of an overview of `shape`."""
    flags = whole.mask_flag_enums[0]
    if MaskFlags.per_dataset not in flags or MaskFlags.alpha in flags:
        return False
    rows, cols = whole.height / shape[0], whole.width / shape[1]  # a mask need not have the image's overviews
    full_window = Window(window.col_off * cols, window.row_off * rows, window.width * cols, window.height * rows)
    return whole.read_masks(1, window=full_window, out_shape=(int(window.height), int(window.width))) == 0


@contextmanager
def opaque(
    source: rasterio.DatasetReader,
    whole: rasterio.DatasetReader,
    zones: Callable[[], Zones],
    window: Window,
    last: bool,
) -> Iterator[rasterio.DatasetReader]:
    """A window of an image as a raster in memory, 0 in all bands exactly where it has no data.

    `source` is `whole` or an overview of it. `zones` is called where there are dark pixels. `last`: those that other
    images go over are data.
    """
    data = source.read(_bands(source), window=window)
    hidden = np.zeros(data.shape[1:], bool) | _masked(whole, window, source.shape)
    dark = _dark(data) & data.any(axis=0) & ~hidden
    if dark.any():
        zone = zones().corner if last else zones().corner | zones().edge
        hidden |= dark & _at(zone, window, source.shape)
    data[:, hidden] = 0
    profile = dict(driver="GTiff", dtype="uint8", count=len(data), height=data.shape[1], width=data.shape[2])
    profile |= dict(crs=source.crs, transform=source.window_transform(window), interleave="band", photometric="RGB")
    with MemoryFile() as file:
        with file.open(**profile, alpha="NO") as target:
            target.write(data)
        del data
        with file.open() as image:
            yield image
