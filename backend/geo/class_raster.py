"""Class rasters: one band of WorldCover codes of any integer type, checked and read as class indices."""

from __future__ import annotations

import numpy as np
import rasterio
from rasterio.windows import Window

from backend.geo import legend
from backend.protocol import BackendError


def has_one_integer_band(source: rasterio.DatasetReader) -> bool:
    """Whether a raster can hold class codes."""
    return source.count == 1 and np.issubdtype(np.dtype(source.dtypes[0]), np.integer)


def check_class_raster(source: rasterio.DatasetReader, role: str) -> None:
    """BackendError that names `role`, where a raster has several bands or its values are not integers."""
    if not has_one_integer_band(source):
        raise BackendError(
            f"The {role} {source.name} has {source.count} band(s) of {source.dtypes[0]}; one band of WorldCover "
            "codes (10 to 100) is needed."
        )


def to_codes(values: np.ndarray) -> np.ndarray:
    """Integers of any type as uint8 codes; those outside 0 to 255 become NODATA."""
    if values.dtype == np.uint8:
        return values
    return np.where((values >= 0) & (values <= 255), values, legend.NODATA).astype(np.uint8)


def to_indices(values: np.ndarray) -> np.ndarray:
    """Integers of any type as uint8 class indices; those that are no WorldCover code become IGNORE."""
    return legend.to_index(to_codes(values))


def read_indices(source: rasterio.DatasetReader, window: Window | None = None) -> np.ndarray:
    """(height, width) uint8 class indices of a window of a class raster, or of all of it."""
    return to_indices(source.read(1, window=window))
