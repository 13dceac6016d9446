"""Windows at fixed places on the world's lattice: where they lie, which of them touch a region, how they blend.

A window is a square of lattice cells that a network computes at once. Its place depends on the CRS alone, never on
the extent, so two jobs over the same ground compute the same windows and get the same pixels. Odd phases shift the
windows by half a stride, so that the window borders of one phase lie inside the windows of the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Spans = tuple[np.ndarray, np.ndarray]
"""Intervals of cells along an axis: the first cell of each and the cell after its last, two (n,) integer arrays."""


@dataclass(frozen=True)
class Box:
    """A half-open rectangle of world cells: rows count southward and columns eastward from the CRS's origin."""

    row: int
    col: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        """The first row below the box."""
        return self.row + self.height

    @property
    def right(self) -> int:
        """The first column right of the box."""
        return self.col + self.width

    def intersection(self, other: Box) -> Box:
        """The cells in both boxes; a box of height or width 0 where there are none."""
        row, col = max(self.row, other.row), max(self.col, other.col)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return Box(row, col, max(bottom - row, 0), max(right - col, 0))

    def union(self, other: Box) -> Box:
        """The smallest box that contains both."""
        row, col = min(self.row, other.row), min(self.col, other.col)
        return Box(row, col, max(self.bottom, other.bottom) - row, max(self.right, other.right) - col)

    def slices_in(self, outer: Box) -> tuple[slice, slice]:
        """The row and column slices that cut this box from an array over `outer`."""
        return (
            slice(self.row - outer.row, self.bottom - outer.row),
            slice(self.col - outer.col, self.right - outer.col),
        )

    def scaled(self, factor: int) -> Box:
        """The same ground in the cells of a lattice that is `factor` times finer."""
        return Box(self.row * factor, self.col * factor, self.height * factor, self.width * factor)

    def grown(self, margin: int) -> Box:
        """The box with `margin` cells added on every side."""
        return Box(self.row - margin, self.col - margin, self.height + 2 * margin, self.width + 2 * margin)

    def coarsened(self, factor: int) -> Box:
        """The smallest box that covers this one, in the cells of a lattice that is `factor` times coarser."""
        row, col = self.row // factor, self.col // factor
        return Box(row, col, -(-self.bottom // factor) - row, -(-self.right // factor) - col)


@dataclass(frozen=True)
class Lattice:
    """Square windows of `window` cells, one every `stride` cells; the stride is half a window at least."""

    window: int
    stride: int

    def __post_init__(self) -> None:
        if not self.window <= 2 * self.stride <= 2 * self.window:
            raise ValueError(f"the stride must lie between half a window and a window, not {self}")

    @property
    def overlap(self) -> int:
        """The cells that two neighbouring windows share along an axis."""
        return self.window - self.stride

    def shift(self, phase: int) -> int:
        """The offset of a phase's windows from the multiples of the stride, in cells."""
        return (phase % 2) * (self.stride // 2)

    def box(self, row: int, col: int, phase: int = 0) -> Box:
        """The cells of the window with this index."""
        shift = self.shift(phase)
        return Box(row * self.stride + shift, col * self.stride + shift, self.window, self.window)

    def first_window(self, start: Any, phase: int = 0) -> Any:
        """Along an axis, the index of the first window that ends after the cell `start` (an int or an array)."""
        return (start - self.shift(phase) - self.window) // self.stride + 1

    def window_stop(self, stop: Any, phase: int = 0) -> Any:
        """Along an axis, the index after the last window that begins before the cell `stop` (an int or an array)."""
        return -(-(stop - self.shift(phase)) // self.stride)

    def weights(self, scale: int = 1) -> np.ndarray:
        """(window * scale, window * scale) float32 blending weights; over every cell the windows' weights sum to 1."""
        size, overlap = self.window * scale, self.overlap * scale
        distance = np.minimum(np.arange(size), np.arange(size)[::-1]) + 0.5
        ramp = np.clip(distance / max(overlap, 0.5), 0, 1)  # without an overlap it is 1 from the first cell on
        smooth = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
        return np.outer(smooth, smooth)


@dataclass(frozen=True)
class WindowMask:
    """A set of windows, or of blocks: a (rows, cols) bool `mask` whose first entry has the index (row, col)."""

    row: int
    col: int
    mask: np.ndarray

    def __len__(self) -> int:
        return int(np.count_nonzero(self.mask))

    def indices(self) -> Iterator[tuple[int, int]]:
        """The row and column index of each member, row by row."""
        for row, col in np.argwhere(self.mask):
            yield int(row) + self.row, int(col) + self.col

    def indices_in(self, row: int, col: int, side: int) -> list[tuple[int, int]]:
        """The indices of the members in a square of `side` rows and columns from (row, col) on."""
        top, left = max(row - self.row, 0), max(col - self.col, 0)
        square = self.mask[top : max(row - self.row + side, 0), left : max(col - self.col + side, 0)]
        return [(int(r) + top + self.row, int(c) + left + self.col) for r, c in np.argwhere(square)]


def union(masks: Sequence[WindowMask]) -> WindowMask:
    """The windows that are in any of the sets."""
    masks = [mask for mask in masks if mask.mask.size] or masks[:1]
    row, col = min(mask.row for mask in masks), min(mask.col for mask in masks)
    bottom = max(mask.row + mask.mask.shape[0] for mask in masks)
    right = max(mask.col + mask.mask.shape[1] for mask in masks)
    merged = np.zeros((bottom - row, right - col), dtype=bool)
    for mask in masks:
        height, width = mask.mask.shape
        merged[mask.row - row :, mask.col - col :][:height, :width] |= mask.mask
    return WindowMask(row, col, merged)


def windows_touching(lattice: Lattice, phase: int, rows: Spans, cols: Spans, mask: np.ndarray) -> WindowMask:
    """The windows that share cells with any rectangle of a grid; `mask[i, j]` selects that of rows[i] and cols[j]."""
    i, j = np.nonzero(mask)
    if not len(i):
        return WindowMask(0, 0, np.zeros((0, 0), dtype=bool))
    top, bottom = lattice.first_window(rows[0][i], phase), lattice.window_stop(rows[1][i], phase)
    left, right = lattice.first_window(cols[0][j], phase), lattice.window_stop(cols[1][j], phase)
    row, col = int(top.min()), int(left.min())
    # A rectangle of ones is the double cumulative sum of its four corners' signs.
    corners = np.zeros((int(bottom.max()) - row + 1, int(right.max()) - col + 1), dtype=np.int32)
    for edge, across, sign in ((top, left, 1), (top, right, -1), (bottom, left, -1), (bottom, right, 1)):
        np.add.at(corners, (edge - row, across - col), sign)
    return WindowMask(row, col, corners.cumsum(0).cumsum(1)[:-1, :-1] > 0)
