"""World-locked noise: standard normal numbers as a pure function of seed, channel and place.

One Philox counter (Salmon et al. 2011) for each block of the world's lattice, so that any box of it is had
without its neighbours. The normals are made here from raw bits (Box and Muller 1958), because the streams
behind numpy's own `standard_normal` may change between its versions.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np

from backend.lattice import Box

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
