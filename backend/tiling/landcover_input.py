"""Land cover under an image: a raster or an array at 10 m, read as class indices on the world's 1 m grid."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from backend.geo import grid, legend, raster
from backend.protocol import BackendError, Extent
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import RasterSource

PREVIEW_PX = 1024


def box_of_grid(box: GeoBox) -> Box:
    """A grid as a box of world pixels."""
    row, col = grid.world_offset(box)
    return Box(row, col, box.shape[0], box.shape[1])


def check_codes(source: rasterio.DatasetReader, what: str) -> None:
    """BackendError where a raster has several bands, or another type than whole numbers."""
    if source.count != 1 or not np.issubdtype(np.dtype(source.dtypes[0]), np.integer):
        raise BackendError(
            f"The {what} {source.name} has {source.count} band(s) of {source.dtypes[0]}; one band of WorldCover "
            "codes (10 to 100) is needed."
        )


@contextmanager
def open_landcover(
    path: str, pixel_m: float, max_area_km2: float, wanted: Extent | None = None
) -> Iterator[tuple[GeoBox, RasterSource]]:
    """Open a land cover raster on the image grid of its own extent; yields the grid and the raster as class indices.

    The grid is cut to the `wanted` extent, not what can be read. Beyond the raster the nearest edge pixels are
    repeated. Raises BackendError for a raster without CRS, of several bands, of another type than whole numbers,
    without any WorldCover class, that does not reach into the wanted extent, or beyond the area limit.
    """
    with raster.open_raster(path, "land cover") as source:
        raster.check_crs(source, "land cover")
        check_codes(source, "land cover")
        left, bottom, right, top = source.bounds
        extent = Extent(left, bottom, right, top, source.crs.to_wkt())
        box = grid.geobox(extent, pixel_m, source.crs.to_wkt(), math.inf if wanted else max_area_km2)
        cut = _cut(path, box, grid.geobox(wanted, pixel_m, str(box.crs), max_area_km2)) if wanted else box
        height, width = box.shape
        with WarpedVRT(
            source, crs=str(box.crs), transform=box.affine, height=height, width=width, resampling=Resampling.nearest
        ) as warped:
            _check_classes(path, warped)
            first = box_of_grid(box)

            def read(region: Box) -> np.ndarray:
                row, col = region.row - first.row, region.col - first.col
                codes = raster.read_window(warped, row, col, region.height, region.width)[0]
                return legend.to_index(np.where((codes >= 0) & (codes <= 255), codes, 0).astype(np.uint8))

            yield cut, RasterSource("land cover", read)


def _cut(path: str, box: GeoBox, wanted: GeoBox) -> GeoBox:
    """What of a grid lies in another one of the same CRS and pixels."""
    region = box_of_grid(box)
    shared = box_of_grid(wanted).intersection(region)
    if not shared.height or not shared.width:
        raise BackendError(f"The land cover {path} does not reach into the extent.")
    return box[shared.within(region)]


def _check_classes(path: str, warped: WarpedVRT) -> None:
    shape = (1, min(warped.height, PREVIEW_PX), min(warped.width, PREVIEW_PX))
    if not np.isin(warped.read(out_shape=shape), legend.CODES).any():
        raise BackendError(
            f"The land cover {path} holds no WorldCover class (10, 20 ... 100): it is nodata everywhere or has another "
            "legend. Choose a WorldCover map."
        )
