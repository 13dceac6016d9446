"""Pixels that are computed in blocks at fixed places, so that they do not depend on the box that is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import RasterSource

SIDE_PX = 512
CACHED_BLOCKS = 64


def fixed_block_source(name: str, bands: int, compute: Callable[[Box], np.ndarray]) -> RasterSource:
    """A source of (bands, height, width) uint8 pixels, each block of which `compute` returns for its box.

    Blocks have SIDE_PX pixels a side and are counted from the world's origin; the last ones read are kept.
    """
    block = lru_cache(maxsize=CACHED_BLOCKS)(compute)

    def read(region: Box) -> np.ndarray:
        pixels = np.empty((bands, region.height, region.width), np.uint8)
        for row in range(region.row // SIDE_PX, -(-region.bottom // SIDE_PX)):
            for col in range(region.col // SIDE_PX, -(-region.right // SIDE_PX)):
                box = Box(row, col, 1, 1).scaled(SIDE_PX)
                shared = box.intersection(region)
                pixels[(slice(None), *shared.slices_in(region))] = block(box)[(slice(None), *shared.slices_in(box))]
        return pixels

    return RasterSource(name, read, SIDE_PX)
