"""How much more an image changes where windows begin and end than beside it."""

from __future__ import annotations

import numpy as np

from backend.tiling.lattice import Lattice


def borders(
    first: int, count: int, lattice: Lattice, phase: int, scale: int, apart: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Two (count - 1,) bools: which pairs of so many pixels, from a world pixel on, a window's border parts, and
    which the cells' borders so many cells beside these do."""
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
    """The mean absolute difference of neighbours across the borders of windows over that a cell beside; 1 is no seam.

    `image` is (channels, height, width), its first pixel at a world row and column; classes come as one-hot. `scale`
    is the pixels in a cell of the lattice. Borders of cells are compared with borders of cells because decoders leave
    patterns within a cell that have nothing to do with windows, and near ones because what is there is alike; those
    `apart` cells away where a network leaves a pattern over so many.
    """
    sums, counts = np.zeros(2), np.zeros(2)
    for axis, first in ((1, first_row), (2, first_col)):
        change = np.abs(np.diff(image.astype(np.float32), axis=axis)).mean(axis=(0, 3 - axis))
        for kind, chosen in enumerate(borders(first, image.shape[axis], lattice, phase, scale, apart)):
            sums[kind] += change[chosen].sum()
            counts[kind] += chosen.sum()
    across, beside = sums / counts
    return float(across / beside)
