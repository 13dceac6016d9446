"""Input rasters that compress about as real ones do, and the ground of all renderings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from backend.geo import legend
from backend.protocol import Extent
from backend.tiling.lattice import Box

CRS = "EPSG:32618"
LEFT, TOP = 300_000.0, 4_800_000.0
TILE_PX = 512
PATTERN_PX = 4096


def extent(km: float) -> Extent:
    """A square of `km` kilometres whose north-west corner is common to all."""
    return Extent(LEFT, TOP - 1000 * km, LEFT + 1000 * km, TOP, CRS)


def region(km: float, pixel_m: float) -> Box:
    """The square in world pixels."""
    side = round(1000 * km / pixel_m)
    return Box(round(-TOP / pixel_m), round(LEFT / pixel_m), side, side)


def _write(path: Path, pattern: np.ndarray, side_px: int, place: dict[str, object], **options: object) -> Path:
    """Write a square raster that repeats a (bands, height, width) pattern; memory holds one row of tiles."""
    profile = dict(driver="GTiff", count=len(pattern), height=side_px, width=side_px, dtype="uint8", tiled=True)
    size = dict(blockxsize=TILE_PX, blockysize=TILE_PX, BIGTIFF="IF_SAFER")
    cols = np.arange(side_px) % pattern.shape[2]
    with rasterio.open(path, "w", **profile, **size, **place, **options) as target:
        for row in range(0, side_px, TILE_PX):
            rows = np.arange(row, min(row + TILE_PX, side_px)) % pattern.shape[1]
            target.write(pattern[:, rows[:, None], cols[None, :]], window=Window(0, row, side_px, len(rows)))
    return path


def _place(pixel_m: float) -> dict[str, object]:
    return {"crs": CRS, "transform": from_origin(LEFT, TOP, pixel_m, pixel_m)}


def _fields(side_px: int) -> np.ndarray:
    """(side, side) uint8: WorldCover codes in patches of some 160 m with ragged edges."""
    rng = np.random.default_rng(0)
    coarse = rng.choice(np.array([10, 30, 40, 50, 60, 80], dtype=np.uint8), (side_px // 16 + 2,) * 2)
    rows, cols = (np.arange(side_px) + rng.integers(0, 6, (side_px, side_px)) for _ in range(2))
    return coarse[rows.T // 16, cols // 16]


def landcover(path: Path, km: float) -> Path:
    """A land cover map of a square at 10 m."""
    side_px = round(100 * km)
    return _write(path, _fields(min(side_px, PATTERN_PX))[None], side_px, _place(10.0), compress="deflate", nodata=0)


def world_cover(path: Path, degrees: float) -> Path:
    """A land cover map in degrees, as ESA's own tiles are."""
    pixel = 3 / 36000
    place = {"crs": "EPSG:4326", "transform": from_origin(-78.0, 43.5, pixel, pixel)}
    return _write(path, _fields(PATTERN_PX)[None], round(degrees / pixel), place, compress="deflate", nodata=0)


def image(path: Path, side_px: int) -> Path:
    """An RGB image at 1 m: the colours of land cover, with noise of 1, 8 and 64 m."""
    rng = np.random.default_rng(0)
    size = min(side_px, PATTERN_PX)
    codes = np.kron(_fields(-(-size // 10)), np.ones((10, 10), np.uint8))[:size, :size]
    colours = np.zeros((256, 3), dtype=np.int16)
    for code in legend.LEGEND:
        colours[code] = legend.rgb(code)
    pattern = colours[codes].transpose(2, 0, 1) // 2 + 40
    for step in (1, 8, 64):
        noise = rng.normal(0, 12, (-(-size // step),) * 2).astype(np.int16)
        pattern += noise.repeat(step, 0).repeat(step, 1)[:size, :size]
    options = {"compress": "jpeg", "photometric": "ycbcr"}
    return _write(path, pattern.clip(0, 255).astype(np.uint8), side_px, _place(1.0), **options)
