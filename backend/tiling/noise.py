"""World-locked noise: standard normal numbers as a pure function of seed, channel and place.

Each block of the world's lattice has a Philox counter of its own (Salmon et al. 2011), so that the noise of any box
is computed without that around it. The normals are derived here from raw bits (Box and Muller 1958), because the
streams of numpy's `standard_normal` may change between versions.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np

from backend.tiling.lattice import Box

BLOCK = 64
_MASK = (1 << 64) - 1


@lru_cache(maxsize=1024)
def _block(seed: int, world: str, channel: int, row: int, col: int) -> np.ndarray:
    key = np.array([seed & _MASK, zlib.crc32(world.encode())], dtype=np.uint64)
    counter = np.array([0, channel, row & _MASK, col & _MASK], dtype=np.uint64)
    philox = np.random.Philox(key=key, counter=counter)
    uniform = (philox.random_raw(BLOCK * BLOCK) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    radius, angle = np.sqrt(-2 * np.log1p(-uniform[::2])), 2 * np.pi * uniform[1::2]
    normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return normal.reshape(BLOCK, BLOCK).astype(np.float32)


def normal(seed: int, world: str, channels: int, box: Box) -> np.ndarray:
    """(channels, height, width) float32 standard normal noise over a box of the world's lattice.

    `world` is the CRS that the lattice belongs to, so that two UTM zones differ.
    """
    out = np.empty((channels, box.height, box.width), dtype=np.float32)
    for row in range(box.row // BLOCK, -(-box.bottom // BLOCK)):
        for col in range(box.col // BLOCK, -(-box.right // BLOCK)):
            block = Box(row * BLOCK, col * BLOCK, BLOCK, BLOCK)
            shared = block.intersection(box)
            for channel in range(channels):
                values = _block(seed, world, channel, row, col)[shared.slices_in(block)]
                out[(channel, *shared.slices_in(box))] = values
    return out


def smooth(seed: int, world: str, channels: int, box: Box, cells: int) -> np.ndarray:
    """(channels, height, width) float32 standard normal noise, interpolated between knots every `cells` cells."""
    row, row_weights = _interpolation(box.row, box.bottom, cells)
    col, col_weights = _interpolation(box.col, box.right, cells)
    knot_box = Box(int(row[0]), int(col[0]), int(row[-1] - row[0]) + 2, int(col[-1] - col[0]) + 2)
    knots = normal(seed, f"{world} smooth {cells}", channels, knot_box).astype(np.float64)
    total = np.zeros((channels, box.height, box.width))
    for south, east in np.ndindex(2, 2):
        weights = row_weights[south][:, None] * col_weights[east]
        total += weights * knots[:, row - row[0] + south][:, :, col - col[0] + east]
    return total.astype(np.float32)


def _interpolation(start: int, stop: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """The knot before each cell's centre, (n,), and the weights of it and the next, (2, n).

    The squares of the two weights sum to 1, which keeps the noise's variance.
    """
    halves = 2 * np.arange(start, stop) + 1 - cells  # integers, so that a place has the same weights in any box
    part = halves % (2 * cells) / (2 * cells)
    part = part * part * (3 - 2 * part)
    return halves // (2 * cells), np.stack([1 - part, part]) / np.hypot(part, 1 - part)


def parcels(seed: int, world: str, channels: int, box: Box, cells: int) -> np.ndarray:
    """(channels + 1, height, width) float32: numbers that are constant in a parcel, and 1 at its border.

    Parcels are the Voronoi cells of random sites, one in each square of `cells` cells: their borders are straight and
    sharp. The numbers are standard normal; the last channel falls from 1 at a border to 0 a tenth of `cells` away.
    """
    row, col = box.row // cells - 1, box.col // cells - 1
    site_box = Box(row, col, -(-box.bottom // cells) + 1 - row, -(-box.right // cells) + 1 - col)
    sites = normal(seed, f"{world} parcels {cells}", channels + 2, site_box).astype(np.float64)
    shifts = 0.5 * np.tanh(sites[:2])  # from a square's centre, within the square
    centres = np.mgrid[site_box.row : site_box.bottom, site_box.col : site_box.right] + 0.5 + shifts
    rows, cols = (
        (np.arange(start, stop) + 0.5) / cells for start, stop in ((box.row, box.bottom), (box.col, box.right))
    )
    squares = np.floor(rows).astype(int) - row, np.floor(cols).astype(int) - col
    nearest = np.full((2, box.height, box.width), np.inf)
    owner = np.zeros((box.height, box.width), dtype=np.int64)
    for south, east in np.ndindex(3, 3):
        site_rows, site_cols = (squares[0] + south - 1)[:, None], (squares[1] + east - 1)[None, :]
        distance = np.hypot(
            rows[:, None] - centres[0, site_rows, site_cols], cols[None, :] - centres[1, site_rows, site_cols]
        )
        closer = distance < nearest[0]
        owner = np.where(closer, site_rows * site_box.width + site_cols, owner)
        nearest[1] = np.minimum(nearest[1], np.where(closer, nearest[0], distance))
        nearest[0] = np.minimum(nearest[0], distance)
    border = np.clip(1 - 10 * (nearest[1] - nearest[0]), 0, 1)
    return np.concatenate([sites[2:].reshape(channels, -1)[:, owner], border[None]]).astype(np.float32)
