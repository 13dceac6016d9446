"""World-locked noise: standard normal numbers as a pure function of seed, channel and place.

One Philox counter (Salmon et al. 2011) for each block of the world's lattice, so that any box of it is had
without its neighbours. The normals are made here from raw bits (Box and Muller 1958), because the streams
behind numpy's own `standard_normal` may change between its versions.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from backend.tiling.lattice import Box

BLOCK = 64
FAR = 4096
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

    `world` names the world that the lattice belongs to (the CRS), so that two UTM zones differ.
    """
    out = np.empty((channels, box.height, box.width), dtype=np.float32)
    for row in range(box.row // BLOCK, -(-box.bottom // BLOCK)):
        for col in range(box.col // BLOCK, -(-box.right // BLOCK)):
            block = Box(row * BLOCK, col * BLOCK, BLOCK, BLOCK)
            shared = block.intersection(box)
            for channel in range(channels):
                out[(channel, *shared.within(box))] = _block(seed, world, channel, row, col)[shared.within(block)]
    return out


def random_boxes(numbers: Sequence[Sequence[int]], height: int, width: int) -> list[tuple[int, Box]]:
    """A seed and a box somewhere in the world, for each three whole numbers: what a training draws its noise at."""
    return [(seed, Box(row % FAR, col % FAR, height, width)) for seed, row, col in numbers]


def smooth(seed: int, world: str, channels: int, box: Box, cells: int) -> np.ndarray:
    """(channels, height, width) float32 standard normal noise that changes over so many cells, gently in between."""
    row, down = _between(box.row, box.bottom, cells)
    col, across = _between(box.col, box.right, cells)
    held = Box(int(row[0]), int(col[0]), int(row[-1] - row[0]) + 2, int(col[-1] - col[0]) + 2)
    knots = normal(seed, f"{world} smooth {cells}", channels, held).astype(np.float64)
    found = np.zeros((channels, box.height, box.width))
    for below, beside in np.ndindex(2, 2):
        weights = down[below][:, None] * across[beside]
        found += weights * knots[:, row - row[0] + below][:, :, col - col[0] + beside]
    return found.astype(np.float32)


def _between(start: int, stop: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """The knot before each cell's middle, (n,), and the weights of it and the next, (2, n), whose squares sum to 1."""
    halves = 2 * np.arange(start, stop) + 1 - cells  # in whole numbers, so that a place has one answer in any box
    part = halves % (2 * cells) / (2 * cells)
    part = part * part * (3 - 2 * part)
    return halves // (2 * cells), np.stack([1 - part, part]) / np.hypot(part, 1 - part)
