"""Windows at fixed places on the world's lattice, and the blending of what they give.

A window's place depends on the world alone, never on the extent, so two jobs that share ground compute
the same windows there and get the same pixels. `phase` shifts the windows by half a stride, so that the
borders of one phase lie inside the windows of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np


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

    def within(self, outer: Box) -> tuple[slice, slice]:
        """The slices of an array over `outer` that hold this box."""
        return (
            slice(self.row - outer.row, self.bottom - outer.row),
            slice(self.col - outer.col, self.right - outer.col),
        )

    def scaled(self, factor: int) -> Box:
        """The same ground on a lattice `factor` times finer."""
        return Box(self.row * factor, self.col * factor, self.height * factor, self.width * factor)

    def coarsened(self, factor: int) -> Box:
        """The smallest box of a lattice `factor` times coarser that covers this one."""
        row, col = self.row // factor, self.col // factor
        return Box(row, col, -(-self.bottom // factor) - row, -(-self.right // factor) - col)


ReadClasses = Callable[[Box], np.ndarray]
"""A box of world pixels to its (height, width) uint8 class indices."""

Compute = Callable[[list[Box]], np.ndarray]
"""Boxes of n windows to their (n, channels, window * scale, window * scale) float32 results."""


@dataclass(frozen=True)
class Lattice:
    """Square windows of `window` cells, one every `stride` cells (half the window at least, else less than it)."""

    window: int
    stride: int

    def __post_init__(self) -> None:
        if not self.window <= 2 * self.stride <= 2 * self.window:
            raise ValueError(f"the stride must lie between half a window and a window, not {self}")

    def _starts(self, start: int, stop: int, phase: int) -> range:
        shift = (phase % 2) * (self.stride // 2)
        first = (start - shift - self.window) // self.stride + 1
        return range(first * self.stride + shift, stop, self.stride)

    def window_rows(self, region: Box, phase: int = 0) -> Iterator[list[Box]]:
        """The windows that touch the region, row after row from north to south."""
        cols = self._starts(region.col, region.right, phase)
        for row in self._starts(region.row, region.bottom, phase):
            yield [Box(row, col, self.window, self.window) for col in cols]

    def support(self, region: Box, phase: int = 0) -> Box:
        """The cells that the windows touching the region reach."""
        rows = self._starts(region.row, region.bottom, phase)
        cols = self._starts(region.col, region.right, phase)
        return Box(rows[0], cols[0], rows[-1] - rows[0] + self.window, cols[-1] - cols[0] + self.window)

    def weights(self, scale: int = 1) -> np.ndarray:
        """(window * scale, window * scale) float32 blending weights, positive, falling smoothly in the overlap."""
        size, overlap = self.window * scale, (self.window - self.stride) * scale
        distance = np.minimum(np.arange(size), np.arange(size)[::-1]) + 0.5
        ramp = np.clip(distance / max(overlap, 1), 0, 1)
        smooth = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
        return np.outer(smooth, smooth)

    def count(self, region: Box, phase: int = 0) -> int:
        """How many windows touch the region."""
        return len(self._starts(region.row, region.bottom, phase)) * len(self._starts(region.col, region.right, phase))

    def stream(
        self, region: Box, compute: Compute, scale: int = 1, phase: int = 0, batch: int = 8
    ) -> Iterator[tuple[Box, np.ndarray]]:
        """Compute every window that touches the region, once, and yield blended bands from north to south.

        Yields (box, (channels, height, width) float32) in cells of the lattice `scale` times finer; the bands
        cover the region exactly and memory holds one window's height of it.
        """
        weights = self.weights(scale)
        fine = region.scaled(scale)
        total = np.zeros((0, 0, fine.width), dtype=np.float32)
        weight = np.zeros((0, fine.width), dtype=np.float32)
        top = fine.row
        for windows in self.window_rows(region, phase):
            band = windows[0].scaled(scale)
            if band.row > top:  # rows above this row of windows are finished
                done = band.row - top
                yield Box(top, fine.col, done, fine.width), total[:, :done] / weight[:done]
                total, weight, top = total[:, done:], weight[done:], band.row
            grown = min(band.bottom, fine.bottom) - top
            weight = np.pad(weight, ((0, grown - len(weight)), (0, 0)))
            for first in range(0, len(windows), batch):
                group = windows[first : first + batch]
                results = compute(group)
                if not total.shape[0]:
                    total = np.zeros((results.shape[1], 0, fine.width), dtype=np.float32)
                total = np.pad(total, ((0, 0), (0, grown - total.shape[1]), (0, 0)))
                buffer = Box(top, fine.col, grown, fine.width)
                for window, result in zip(group, results):
                    box = window.scaled(scale)
                    shared = box.intersection(buffer)
                    inside, outside = shared.within(box), shared.within(buffer)
                    total[(slice(None), *outside)] += result[(slice(None), *inside)] * weights[inside]
                    weight[outside] += weights[inside]
        yield Box(top, fine.col, fine.bottom - top, fine.width), total / weight

    def blend(self, region: Box, compute: Compute, phase: int = 0, batch: int = 8) -> np.ndarray:
        """(channels, height, width) float32: the whole region of `stream` at once."""
        return np.concatenate([data for _, data in self.stream(region, compute, 1, phase, batch)], axis=1)
