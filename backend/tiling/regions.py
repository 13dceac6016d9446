"""Where in an extent something is wanted: everywhere, inside polygons, or where a raster has data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer
from pyproj.exceptions import ProjError
from rasterio.enums import MaskFlags
from rasterio.features import geometry_mask
from rasterio.windows import Window

from backend.geo import grid
from backend.protocol import BackendError, Extent
from backend.tiling.lattice import Box

MASK_PX_M = 10.0  # land cover and image end at the same place: both count in pixels of land cover
SEGMENT_SHARE = 1000  # of a polygon's size: the longest straight piece that is projected by its ends alone
CELL_PX = 16
STRIP_PX = 64


class RegionOfInterest(Protocol):
    """What a rendering is asked to cover; boxes are in pixels of the raster that is rendered."""

    def touches(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:
        """(n, m) bool: which squares, from rows (n,) and cols (m,) on, hold anything that is wanted."""

    def inside(self, box: Box) -> np.ndarray:
        """(height, width) bool: the wanted pixels of a box."""


class Everywhere:
    """All of an extent."""

    def touches(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:  # noqa: D102
        return np.ones((len(rows), len(cols)), dtype=bool)

    def inside(self, box: Box) -> np.ndarray:  # noqa: D102
        return np.ones((box.height, box.width), dtype=bool)


class Polygons:
    """The inside of polygons in the grid's CRS, to the nearest 10 m pixel's centre."""

    def __init__(self, geometry: shapely.Geometry, pixel_m: float) -> None:
        self.geometry, self.pixel_m = geometry, pixel_m
        # a pixel counts by its centre, which lies half a pixel inside it at most
        self._reach = geometry.buffer(MASK_PX_M)
        shapely.prepare(self._reach)

    def touches(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:  # noqa: D102
        top, left = -rows[:, None] * self.pixel_m, cols[None, :] * self.pixel_m
        side = size_px * self.pixel_m
        return shapely.intersects(self._reach, shapely.box(left, top - side, left + side, top))

    def holds_a_pixel(self) -> bool:
        """Whether any pixel is inside; read strip by strip, as far as the first."""
        west, south, east, north = (bound / MASK_PX_M for bound in self.geometry.bounds)
        left, top = math.floor(west), math.floor(-north)
        width, bottom = math.ceil(east) - left, math.ceil(-south)
        return any(self._mask(Box(row, left, STRIP_PX, width)).any() for row in range(top, bottom, STRIP_PX))

    def inside(self, box: Box) -> np.ndarray:  # noqa: D102
        factor = round(MASK_PX_M / self.pixel_m)
        coarse = box.coarsened(factor)
        rows = np.arange(box.row, box.bottom) // factor - coarse.row
        cols = np.arange(box.col, box.right) // factor - coarse.col
        return self._mask(coarse)[rows[:, None], cols[None, :]]

    def _mask(self, box: Box) -> np.ndarray:
        """(height, width) bool: the 10 m pixels of a box with their centres inside."""
        place = Affine(MASK_PX_M, 0, box.col * MASK_PX_M, 0, -MASK_PX_M, -box.row * MASK_PX_M)
        return geometry_mask([self.geometry], (box.height, box.width), place, invert=True)


class ValidPixels:
    """Where a raster has data: `present` takes a box to (height, width) bool.

    It is read once, strip by strip, and one value in 256 is kept.
    """

    def __init__(self, present: Callable[[Box], np.ndarray], region: Box) -> None:
        self._present, self._box = present, region.coarsened(CELL_PX)
        self._any = np.zeros((self._box.height, self._box.width), dtype=bool)
        for row in range(0, self._box.height, STRIP_PX):
            strip = Box(self._box.row + row, self._box.col, min(STRIP_PX, self._box.height - row), self._box.width)
            found = np.zeros((strip.height * CELL_PX, strip.width * CELL_PX), dtype=bool)
            shared = strip.scaled(CELL_PX).intersection(region)
            found[shared.within(strip.scaled(CELL_PX))] = present(shared)
            cells = found.reshape(strip.height, CELL_PX, strip.width, CELL_PX)
            self._any[row : row + strip.height] = cells.any(axis=(1, 3))

    def touches(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:  # noqa: D102
        spans = []
        for starts, first, count in zip((rows, cols), (self._box.row, self._box.col), self._any.shape):
            stops = -(-(starts + size_px) // CELL_PX) - first
            spans.append((np.clip(starts // CELL_PX - first, 0, count), np.clip(stops, 0, count)))
        sums = np.pad(self._any.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32), ((1, 0), (1, 0)))
        (top, bottom), (left, right) = spans
        counted = sums[bottom][:, right] - sums[top][:, right] - sums[bottom][:, left] + sums[top][:, left]
        return counted > 0

    def inside(self, box: Box) -> np.ndarray:  # noqa: D102
        return self._present(box)


class BoxRegions:
    """The inside of rectangles that may lie far apart."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._boxes = boxes

    def touches(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:
        """See `Area`; the rows and the columns must increase."""
        found = np.zeros((len(rows), len(cols)), dtype=bool)
        for box in self._boxes:
            spans = ((rows, box.row, box.bottom), (cols, box.col, box.right))
            found[
                tuple(
                    slice(np.searchsorted(starts, first - size_px, "right"), np.searchsorted(starts, after, "left"))
                    for starts, first, after in spans
                )
            ] = True
        return found

    def inside(self, box: Box) -> np.ndarray:  # noqa: D102
        found = np.zeros((box.height, box.width), dtype=bool)
        for each in self._boxes:
            found[each.intersection(box).within(box)] = True
        return found


def has_no_mask(source: rasterio.DatasetReader) -> bool:
    """Whether a raster has no masked pixels."""
    return all(MaskFlags.all_valid in flags for flags in source.mask_flag_enums[:3])


def valid_pixels(source: rasterio.DatasetReader, region: Box, factor: int = 1) -> RegionOfInterest:
    """Where a raster is not masked, for pixels `factor` times as large as its own.

    `region` is the raster in its own pixels of the world.
    """
    if has_no_mask(source):
        return Everywhere()

    def present(box: Box) -> np.ndarray:
        fine = box.scaled(factor)
        inside = fine.intersection(region)
        window = Window(inside.col - region.col, inside.row - region.row, inside.width, inside.height)
        found = np.zeros((fine.height, fine.width), dtype=bool)
        if inside.height and inside.width:
            found[inside.within(fine)] = source.dataset_mask(window=window) > 0
        return found[factor // 2 :: factor, factor // 2 :: factor]

    return ValidPixels(present, region.coarsened(factor))


def region_from_wkt(wkt: str, extent: Extent, crs: str, pixel_m: float) -> RegionOfInterest:
    """The area that a polygon's WKT, in the extent's CRS, describes on a grid; everywhere where there is none.

    Raises BackendError where it is no polygon, is empty, or lies outside the extent.
    """
    if not wkt:
        return Everywhere()
    try:
        given = shapely.make_valid(shapely.from_wkt(wkt))
    except shapely.errors.ShapelyError as error:
        raise BackendError(f"AREA is not a polygon that can be read: {error}.") from error
    if given.area == 0:
        raise BackendError("AREA is no polygon, or an empty one. Give polygons that enclose something.")
    inside = given.intersection(shapely.box(extent.xmin, extent.ymin, extent.xmax, extent.ymax))
    if inside.area == 0:
        raise BackendError("AREA lies outside the extent. Draw the extent around it, or leave the extent empty.")
    found = Polygons(_projected(inside, extent.crs, crs), pixel_m)
    if not found.holds_a_pixel():
        raise BackendError("AREA is smaller than a pixel: no 10 m pixel has its centre inside. Draw a larger one.")
    return found


def _projected(geometry: shapely.Geometry, source: str, target: str) -> shapely.Geometry:
    west, south, east, north = geometry.bounds
    fine = shapely.segmentize(geometry, max(east - west, north - south) / SEGMENT_SHARE)
    mover = Transformer.from_crs(grid.parse_crs(source, "the area"), grid.parse_crs(target, "the grid"), always_xy=True)
    try:
        moved = shapely.transform(fine, lambda x, y: mover.transform(x, y, errcheck=True), interleaved=False)
    except ProjError as error:
        raise BackendError("AREA cannot be projected to the grid: it is too large or too far off.") from error
    return shapely.make_valid(moved).buffer(0)  # without the lines and points where it only touches the extent
