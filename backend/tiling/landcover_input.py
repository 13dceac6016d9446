"""Land cover that an image is generated on: a raster of any grid, read as class indices on the world's image grid."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from backend.geo import class_raster, grid, raster
from backend.protocol import BackendError, Extent
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import RasterSource

COARSEST_PIXEL_M = 12.0  # of land cover at 10 m, whose pixels are wider in some projections
FINEST_PIXEL_SHARE = 0.95  # of an image's pixel: a finer map is resampled by the commonest class
ROLE = "land cover"


def box_of_grid(grid_box: GeoBox) -> Box:
    """A grid as a box of world pixels."""
    row, col = grid.world_offset(grid_box)
    return Box(row, col, grid_box.shape[0], grid_box.shape[1])


def resolution_note(path: str, pixel_m: float) -> str:
    """A log line on land cover in pixels that image generators were not trained on; empty for 1 to 10 m.

    `pixel_m` is the image's pixel size. Raises BackendError where the raster cannot be read or has no CRS.
    """
    with class_raster.open_class_raster(path, ROLE) as source:
        size_m = _pixel_size_m(source)
    if size_m > COARSEST_PIXEL_M:
        return (
            f"The pixels of the land cover are about {size_m:.3g} m wide: generators were trained on 1 to 10 m, so its "
            "shapes will look like blocks."
        )
    if size_m < FINEST_PIXEL_SHARE * pixel_m:
        return (
            f"The pixels of the land cover are about {size_m:.2g} m wide: each image pixel takes their commonest class."
        )
    return ""


def _pixel_size_m(source: rasterio.DatasetReader) -> float:
    """The mean side of a raster's pixels in metres."""
    west, south, east, north = grid.geobox(grid.raster_extent(source), 1.0, source.crs.to_wkt()).boundingbox.bbox
    return math.sqrt((east - west) * (north - south) / (source.width * source.height))


@contextmanager
def open_landcover(
    path: str, pixel_m: float, max_area_km2: float, extent: Extent | None = None, legend_name: str = "worldcover"
) -> Iterator[tuple[GeoBox, RasterSource]]:
    """Open a land cover raster on the image grid of its own CRS; yields the grid and the raster as class indices.

    The grid covers the raster, or what of it lies in `extent`. Reading is not limited to the grid, and beyond the
    raster its edge pixels are repeated. `legend_name` is the legend of the raster's codes. Raises BackendError for a
    raster without a place, of several bands, that does not touch the extent, or beyond the area limit.
    """
    with class_raster.open_class_raster(path, ROLE, legend_name) as source:
        bounds = grid.raster_extent(source)
        raster_grid = grid.geobox(bounds, pixel_m, source.crs.to_wkt(), math.inf if extent else max_area_km2)
        image_grid = raster_grid
        if extent:
            image_grid = _cut(path, raster_grid, grid.geobox(extent, pixel_m, str(raster_grid.crs), max_area_km2))
        height, width = raster_grid.shape
        with WarpedVRT(
            source,
            crs=str(raster_grid.crs),
            transform=raster_grid.affine,
            height=height,
            width=width,
            resampling=Resampling.mode if _pixel_size_m(source) < FINEST_PIXEL_SHARE * pixel_m else Resampling.nearest,
        ) as warped:
            origin = box_of_grid(raster_grid)

            def read(region: Box) -> np.ndarray:
                row, col = region.row - origin.row, region.col - origin.col
                return class_raster.to_indices(raster.read_window(warped, row, col, region.height, region.width)[0])

            yield image_grid, RasterSource("land cover", read)


def _cut(path: str, raster_grid: GeoBox, extent_grid: GeoBox) -> GeoBox:
    """The part of a raster's grid inside an extent's grid of the same CRS and pixel size."""
    region = box_of_grid(raster_grid)
    shared = box_of_grid(extent_grid).intersection(region)
    if not shared.height or not shared.width:
        raise BackendError(f"The land cover {path} does not reach into the extent.")
    return raster_grid[shared.slices_in(region)]


def check_classes(path: str, log: raster.Log, legend_name: str = "worldcover") -> np.ndarray:
    """(COUNT,) the class shares of a land cover raster; BackendError where it has no class or another legend."""
    counts = class_raster.check_codes(path, ROLE, log, legend_name, remedy="Set LEGEND to {}")
    if not counts.any():
        raise BackendError(
            f"The land cover {path} holds no WorldCover class (10, 20 ... 100): it is nodata everywhere. Choose a map "
            "with data."
        )
    return counts / counts.sum()
