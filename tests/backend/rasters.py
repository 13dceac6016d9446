"""GeoTIFFs that tests write and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin


def write_raster(
    path: Path,
    data: np.ndarray,
    left: float = 500_000.0,
    top: float = 4_000_000.0,
    pixel: float = 1.0,
    crs: str | None = "EPSG:32618",
    **options: object,
) -> Path:
    """Write (bands, height, width) as a GeoTIFF; a fourth band is near-infrared, not transparency."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bands, height, width = data.shape
    if bands >= 3:
        options = {"photometric": "RGB", "alpha": "NO", **options}
    profile = dict(driver="GTiff", count=bands, height=height, width=width, dtype=data.dtype, crs=crs)
    with rasterio.open(path, "w", **profile, transform=from_origin(left, top, pixel, pixel), **options) as target:
        target.write(data)
    return path


def read_raster(path: Path) -> np.ndarray:
    """(bands, height, width) of a raster."""
    with rasterio.open(path) as source:
        return source.read()
