"""Known pixels of an image: a raster on the image's own grid, whose masked pixels are to be generated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from pyproj import CRS
from rasterio.windows import Window

from backend.geo.image_raster import open_image
from backend.geo.raster import Log
from backend.protocol import BackendError
from backend.tiling.landcover_input import box_of_grid
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import RasterSource

ROLE = "image with known pixels"
ALIGNMENT_PX = 0.01  # by which its pixels may lie off the image's


@contextmanager
def open_known(path: str, image_grid: GeoBox, log: Log) -> Iterator[RasterSource | None]:
    """Open an RGB raster on the grid of an image: (4, h, w) uint8, RGB and 255 where valid, all 0 elsewhere.

    Yields None for an empty path. Raises BackendError for a raster of another grid (CRS, pixel size or alignment), with
    fewer than three bands, and for one that does not touch the image.
    """
    if not path:
        yield None
        return
    with open_image(path, ROLE, log) as source:
        box = _box_on_grid(source, image_grid, path)
        shared = box.intersection(box_of_grid(image_grid))
        if not shared.height or not shared.width:
            raise BackendError(f"The {ROLE} {path} does not reach into the extent of the new image.")

        def read(region: Box) -> np.ndarray:
            pixels = np.zeros((4, region.height, region.width), np.uint8)
            part = region.intersection(box)
            if part.height and part.width:
                window = Window(part.col - box.col, part.row - box.row, part.width, part.height)
                mask = source.dataset_mask(window=window)
                values = np.concatenate([source.read((1, 2, 3), window=window), mask[None]])
                pixels[(slice(None), *part.slices_in(region))] = values * (mask > 0)
            return pixels

        yield RasterSource("known pixels", read)


def _box_on_grid(source: rasterio.DatasetReader, image_grid: GeoBox, path: str) -> Box:
    """The raster as a box of the image grid's world pixels; BackendError where it lies on another grid."""
    pixel_m, transform = image_grid.resolution.x, source.transform
    same_crs = CRS.from_user_input(str(image_grid.crs)) == CRS.from_user_input(source.crs.to_wkt())
    size_px = np.array([transform.a, -transform.e, transform.b, transform.d]) / pixel_m - [1, 1, 0, 0]
    col, row = transform.c / pixel_m, -transform.f / pixel_m
    aligned = max(abs(col - round(col)), abs(row - round(row))) <= ALIGNMENT_PX
    if not same_crs or np.abs(size_px).max() * max(source.shape) > ALIGNMENT_PX or not aligned:
        raise BackendError(
            f"The {ROLE} {path} lies on another grid than the new image, which has pixels of {pixel_m:g} m in "
            f"{image_grid.crs}, counted from that CRS's origin. Warp it to that grid first, or clip it with "
            "'Clip NAIP' for the same extent."
        )
    return Box(round(row), round(col), source.height, source.width)
