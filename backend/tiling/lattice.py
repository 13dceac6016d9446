"""Windows at fixed places on the world's lattice, which of them a rendering needs, and how they blend.

A window's place depends on the world alone, never on the extent, so two jobs that share ground compute
the same windows there and get the same pixels. `phase` shifts the windows by half a stride, so that the
borders of one phase lie inside the windows of the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Spans = tuple[np.ndarray, np.ndarray]
"""First cells, and the cells after the last, of rectangles along an axis."""


@dataclass(frozen=True)
class Box:
    """A rectangle of world cells, half open: rows southward and columns eastward from the CRS's origin."""

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
        """The shared cells; of no height or width where there are none."""
        row, col = max(self.row, other.row), max(self.col, other.col)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return Box(row, col, max(bottom - row, 0), max(right - col, 0))

    def union(self, other: Box) -> Box:
        """The smallest box that contains both."""
        row, col = min(self.row, other.row), min(self.col, other.col)
        return Box(row, col, max(self.bottom, other.bottom) - row, max(self.right, other.right) - col)

    def within(self, outer: Box) -> tuple[slice, slice]:
        """The slices of an array over `outer` that hold this box."""
        return (
            slice(self.row - outer.row, self.bottom - outer.row),
            slice(self.col - outer.col, self.right - outer.col),
        )

    def scaled(self, factor: int) -> Box:
        """The same ground on a lattice `factor` times finer."""
        return Box(self.row * factor, self.col * factor, self.height * factor, self.width * factor)

    def grown(self, margin: int) -> Box:
        """The box and so many cells around it."""
        return Box(self.row - margin, self.col - margin, self.height + 2 * margin, self.width + 2 * margin)

    def coarsened(self, factor: int) -> Box:
        """The smallest box of a lattice `factor` times coarser that covers this one."""
        row, col = self.row // factor, self.col // factor
        return Box(row, col, -(-self.bottom // factor) - row, -(-self.right // factor) - col)


@dataclass(frozen=True)
class Lattice:
    """Square windows of `window` cells, one every `stride` cells (half the window at least, else less than it)."""

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
        """How far a phase's windows lie from the multiples of the stride, in cells."""
        return (phase % 2) * (self.stride // 2)

    def box(self, row: int, col: int, phase: int = 0) -> Box:
        """The cells of the window of an index."""
        shift = self.shift(phase)
        return Box(row * self.stride + shift, col * self.stride + shift, self.window, self.window)

    def first(self, start: Any, phase: int = 0) -> Any:
        """Along an axis, the index of the first window that touches the cells from `start` on."""
        return (start - self.shift(phase) - self.window) // self.stride + 1

    def after(self, stop: Any, phase: int = 0) -> Any:
        """Along an axis, the index after the last window that touches the cells before `stop`."""
        return -(-(stop - self.shift(phase)) // self.stride)

    def weights(self, scale: int = 1) -> np.ndarray:
        """(window * scale, window * scale) float32 blending weights; those of all windows over a cell sum to 1."""
        size, overlap = self.window * scale, self.overlap * scale
        distance = np.minimum(np.arange(size), np.arange(size)[::-1]) + 0.5
        ramp = np.clip(distance / max(overlap, 0.5), 0, 1)  # without an overlap it is 1 from the first cell on
        smooth = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
        return np.outer(smooth, smooth)


@dataclass(frozen=True)
class WindowMask:
    """Which squares of a regular grid are wanted: booleans (rows, cols) from a first row and column on."""

    row: int
    col: int
    wanted: np.ndarray

    def __len__(self) -> int:
        return int(np.count_nonzero(self.wanted))

    def indices(self) -> Iterator[tuple[int, int]]:
        """The rows and columns of the wanted ones, row after row."""
        for row, col in np.argwhere(self.wanted):
            yield int(row) + self.row, int(col) + self.col

    def part(self, row: int, col: int, side: int) -> list[tuple[int, int]]:
        """The wanted ones of a square of `side` rows and columns."""
        top, left = max(row - self.row, 0), max(col - self.col, 0)
        inside = self.wanted[top : max(row - self.row + side, 0), left : max(col - self.col + side, 0)]
        return [(int(r) + top + self.row, int(c) + left + self.col) for r, c in np.argwhere(inside)]


def union(covers: Sequence[WindowMask]) -> WindowMask:
    """What any of the covers wants."""
    covers = [cover for cover in covers if cover.wanted.size] or covers[:1]
    row, col = min(c.row for c in covers), min(c.col for c in covers)
    bottom = max(c.row + c.wanted.shape[0] for c in covers)
    right = max(c.col + c.wanted.shape[1] for c in covers)
    wanted = np.zeros((bottom - row, right - col), dtype=bool)
    for cover in covers:
        height, width = cover.wanted.shape
        wanted[cover.row - row :, cover.col - col :][:height, :width] |= cover.wanted
    return WindowMask(row, col, wanted)


def touching(lattice: Lattice, phase: int, rows: Spans, cols: Spans, wanted: np.ndarray) -> WindowMask:
    """The windows that touch any wanted rectangle: `wanted[i, j]` is that of the cells rows[i] by cols[j]."""
    i, j = np.nonzero(wanted)
    if not len(i):
        return WindowMask(0, 0, np.zeros((0, 0), dtype=bool))
    top, bottom = lattice.first(rows[0][i], phase), lattice.after(rows[1][i], phase)
    left, right = lattice.first(cols[0][j], phase), lattice.after(cols[1][j], phase)
    row, col = int(top.min()), int(left.min())
    corners = np.zeros((int(bottom.max()) - row + 1, int(right.max()) - col + 1), dtype=np.int32)
    for edge, across, sign in ((top, left, 1), (top, right, -1), (bottom, left, -1), (bottom, right, 1)):
        np.add.at(corners, (edge - row, across - col), sign)
    return WindowMask(row, col, corners.cumsum(0).cumsum(1)[:-1, :-1] > 0)
