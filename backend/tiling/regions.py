"""Regions of interest: the pixels of an extent that are rendered (all, those in polygons, a raster's valid ones)."""

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

MASK_PX_M = 10.0  # polygons are rasterised at land cover's pixel size, so that land cover and image end together
SEGMENT_SHARE = 1000  # a polygon's edges are projected in pieces of at most this fraction of its size
CELL_PX = 16  # the resolution at which valid pixels are remembered
STRIP_PX = 64


class RegionOfInterest(Protocol):
    """The pixels that a rendering covers; boxes count in pixels of the rendered raster."""

    def any_inside(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:
        """(n, m) bool: which squares of `size_px` pixels, from rows (n,) and cols (m,) on, may have a pixel inside.

        No square with a pixel inside is missed; one close to the region may be included.
        """

    def inside(self, box: Box) -> np.ndarray:
        """(height, width) bool: which pixels of a box are inside."""


class Everywhere:
    """All pixels."""

    def any_inside(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:  # noqa: D102
        return np.ones((len(rows), len(cols)), dtype=bool)

    def inside(self, box: Box) -> np.ndarray:  # noqa: D102
        return np.ones((box.height, box.width), dtype=bool)


class Polygons:
    """The pixels in polygons in the grid's CRS; a 10 m pixel is inside where its centre is."""

    def __init__(self, geometry: shapely.Geometry, pixel_m: float) -> None:
        self.geometry, self.pixel_m = geometry, pixel_m
        # a finer pixel is inside with its 10 m pixel, whose centre may lie outside the square that is asked about
        self._buffered = geometry.buffer(MASK_PX_M)
        shapely.prepare(self._buffered)

    def any_inside(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:  # noqa: D102
        top, left = -rows[:, None] * self.pixel_m, cols[None, :] * self.pixel_m
        side = size_px * self.pixel_m
        return shapely.intersects(self._buffered, shapely.box(left, top - side, left + side, top))

    def holds_a_pixel(self) -> bool:
        """Whether any pixel is inside."""
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
    """The valid pixels of a raster over `region`: `valid` returns (height, width) bool for a box.

    All of it is read once, strip by strip, to remember which cells of CELL_PX x CELL_PX pixels have a valid one.
    """

    def __init__(self, valid: Callable[[Box], np.ndarray], region: Box) -> None:
        self._valid, self._box = valid, region.coarsened(CELL_PX)
        self._any = np.zeros((self._box.height, self._box.width), dtype=bool)
        for row in range(0, self._box.height, STRIP_PX):
            strip = Box(self._box.row + row, self._box.col, min(STRIP_PX, self._box.height - row), self._box.width)
            pixels = np.zeros((strip.height * CELL_PX, strip.width * CELL_PX), dtype=bool)
            shared = strip.scaled(CELL_PX).intersection(region)
            pixels[shared.slices_in(strip.scaled(CELL_PX))] = valid(shared)
            cells = pixels.reshape(strip.height, CELL_PX, strip.width, CELL_PX)
            self._any[row : row + strip.height] = cells.any(axis=(1, 3))

    def any_inside(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:  # noqa: D102
        spans = []
        for starts, first, count in zip((rows, cols), (self._box.row, self._box.col), self._any.shape):
            stops = -(-(starts + size_px) // CELL_PX) - first
            spans.append((np.clip(starts // CELL_PX - first, 0, count), np.clip(stops, 0, count)))
        sums = np.pad(self._any.cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32), ((1, 0), (1, 0)))
        (top, bottom), (left, right) = spans
        counts = sums[bottom][:, right] - sums[top][:, right] - sums[bottom][:, left] + sums[top][:, left]
        return counts > 0

    def inside(self, box: Box) -> np.ndarray:  # noqa: D102
        return self._valid(box)


class BoxRegions:
    """The pixels in rectangles, which may lie far apart."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._boxes = boxes

    def any_inside(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:
        """See `RegionOfInterest`; rows and columns must be in ascending order."""
        touched = np.zeros((len(rows), len(cols)), dtype=bool)
        for box in self._boxes:
            spans = ((rows, box.row, box.bottom), (cols, box.col, box.right))
            touched[
                tuple(
                    slice(np.searchsorted(starts, first - size_px, "right"), np.searchsorted(starts, after, "left"))
                    for starts, first, after in spans
                )
            ] = True
        return touched

    def inside(self, box: Box) -> np.ndarray:  # noqa: D102
        mask = np.zeros((box.height, box.width), dtype=bool)
        for part in self._boxes:
            mask[part.intersection(box).slices_in(box)] = True
        return mask


def has_no_mask(source: rasterio.DatasetReader) -> bool:
    """Whether a raster has no masked pixels."""
    return all(MaskFlags.all_valid in flags for flags in source.mask_flag_enums[:3])


def valid_pixels(source: rasterio.DatasetReader, region: Box, factor: int = 1) -> RegionOfInterest:
    """The unmasked pixels of a raster; with a `factor`, pixels so many times as large, unmasked where their centre is.

    `region` is the raster's box in world pixels of its own size.
    """
    if has_no_mask(source):
        return Everywhere()

    def valid(box: Box) -> np.ndarray:
        fine = box.scaled(factor)
        shared = fine.intersection(region)
        window = Window(shared.col - region.col, shared.row - region.row, shared.width, shared.height)
        mask = np.zeros((fine.height, fine.width), dtype=bool)
        if shared.height and shared.width:
            mask[shared.slices_in(fine)] = source.dataset_mask(window=window) > 0
        return mask[factor // 2 :: factor, factor // 2 :: factor]

    return ValidPixels(valid, region.coarsened(factor))


def region_from_wkt(wkt: str, extent: Extent, crs: str, pixel_m: float) -> RegionOfInterest:
    """The inside of polygons, as WKT in the extent's CRS, on a grid; everywhere for an empty text.

    Raises BackendError for anything but polygons, and for polygons that are empty, outside the extent, or too small.
    """
    if not wkt:
        return Everywhere()
    try:
        polygons = shapely.make_valid(shapely.from_wkt(wkt))
    except shapely.errors.ShapelyError as error:
        raise BackendError(f"AREA is not a polygon that can be read: {error}.") from error
    if polygons.area == 0:
        raise BackendError("AREA is no polygon, or an empty one. Give polygons that enclose something.")
    inside = polygons.intersection(shapely.box(extent.xmin, extent.ymin, extent.xmax, extent.ymax))
    if inside.area == 0:
        raise BackendError("AREA lies outside the extent. Draw the extent around it, or leave the extent empty.")
    region = Polygons(_projected(inside, extent.crs, crs), pixel_m)
    if not region.holds_a_pixel():
        raise BackendError("AREA is smaller than a pixel: no 10 m pixel has its centre inside. Draw a larger one.")
    return region


def _projected(geometry: shapely.Geometry, source: str, target: str) -> shapely.Geometry:
    west, south, east, north = geometry.bounds
    fine = shapely.segmentize(geometry, max(east - west, north - south) / SEGMENT_SHARE)
    to_target = Transformer.from_crs(
        grid.parse_crs(source, "the area"), grid.parse_crs(target, "the grid"), always_xy=True
    )
    try:
        projected = shapely.transform(fine, lambda x, y: to_target.transform(x, y, errcheck=True), interleaved=False)
    except ProjError as error:
        raise BackendError("AREA cannot be projected to the grid: it is too large or too far off.") from error
    return shapely.make_valid(projected).buffer(0)  # without the lines and points where it only touches the extent
