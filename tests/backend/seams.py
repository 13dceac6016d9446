"""How much more an image changes across window borders than beside them."""

from __future__ import annotations

import numpy as np

from backend.tiling.lattice import Lattice


def borders(
    first: int, count: int, lattice: Lattice, phase: int, scale: int, apart: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Two (count - 1,) bool arrays over the pairs of neighbours among `count` pixels from the world pixel `first` on.

    The first marks the pairs on either side of a window's border, the second those on either side of a cell border that
    lies `apart` cells beside a window's.
    """
    cell, rest = np.divmod(np.arange(first + 1, first + count) - lattice.shift(phase) * scale, scale)
    ends = [0, lattice.window]
    border, beside = (
        (rest == 0) & np.isin(cell % lattice.stride, [(end + step) % lattice.stride for end in ends for step in steps])
        for steps in ((0,), (-apart, apart))
    )
    return border, beside & ~border


def seam_ratio(
    image: np.ndarray, first_row: int, first_col: int, lattice: Lattice, phase: int = 0, scale: int = 1, apart: int = 1
) -> float:
    """The mean absolute difference of neighbours across window borders, divided by that across nearby cell borders.

    A ratio of 1 means that there is no seam. `image` is (channels, height, width), classes as one-hot; its first pixel
    lies at the world's `first_row` and `first_col`. A cell of the lattice has `scale` x `scale` pixels. Window borders
    are compared with cell borders because decoders leave patterns inside a cell that have nothing to do with windows,
    and with those `apart` cells away because the ground there is alike; `apart` is the period, in cells, of a
    network's own pattern.
    """
    sums, counts = np.zeros(2), np.zeros(2)
    for axis, first in ((1, first_row), (2, first_col)):
        change = np.abs(np.diff(image.astype(np.float32), axis=axis)).mean(axis=(0, 3 - axis))
        for kind, pairs in enumerate(borders(first, image.shape[axis], lattice, phase, scale, apart)):
            sums[kind] += change[pairs].sum()
            counts[kind] += pairs.sum()
    across, beside = sums / counts
    return float(across / beside)
