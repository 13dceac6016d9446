"""Whether land cover repeats other land cover: where, at any shift and in any turn, a window fits the ground best.

Coarse to fine, as in image registration (Zitova and Flusser 2003, 3.3): class shares of cells, which change little
with a shift of less than a cell, are held to all of the ground; the places that fit best are tried pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from backend.datasets.augment import dihedral
from backend.geo import legend

CELLS = 16  # along a window's side, in which all places are tried, and what fits best is compared
POINTS = 32  # along a window's side, by which a place is found to the pixel
TRIED = 8  # places of a window that are tried to the pixel
KNOWN = 0.95  # share of a place that must be known
NEAR = 0.08  # share of cells in which a near copy differs; specks that are changed tip some votes
DULL = 0.9  # share of one class above which a window is nearly like any other of it
BATCH = 8  # windows that are tried together
NOWHERE = np.iinfo(np.uint8).max - 1  # what no pixel of the ground is

Place = tuple[int, int, int]
"""The number of a map, and a row and a column of its pixels."""


class Ground(NamedTuple):
    """(height, width) uint8 class indices of a piece of a map, and the place of its first pixel."""

    pixels: np.ndarray
    place: Place = (0, 0, 0)


def shrunk(windows: np.ndarray) -> np.ndarray:
    """(n, s, s) class indices by majority in (n, CELLS, CELLS), or as they are where they are smaller."""
    return np.stack([legend.majority_downsample(one, max(one.shape[0] / CELLS, 1)) for one in windows])


def lively(windows: np.ndarray) -> np.ndarray:
    """(n,) bool: which of (n, s, s) windows show more than one class worth comparing."""
    counts = np.stack([np.bincount(one.ravel(), minlength=256) for one in windows])
    return counts.max(1) <= DULL * windows[0].size


@dataclass(frozen=True)
class _Search:
    """Windows (n, s, s); with `places`, ground that overlaps a window's own is passed over."""

    windows: np.ndarray
    places: Sequence[Place] | None

    @property
    def side(self) -> int:
        return int(self.windows.shape[-1])

    @property
    def cell(self) -> int:
        return max(self.side // CELLS, 1)

    @cached_property
    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows (p, 1) and columns (1, p) of a window, irregular: maps are often made of larger pixels."""
        rng = np.random.default_rng(0)
        rows, cols = (np.sort(rng.permutation(self.side)[:POINTS]) for _ in range(2))
        return rows[:, None], cols[None]

    @cached_property
    def kernels(self) -> torch.Tensor:
        """(8 n, COUNT, cells, cells) float32: the class shares of the windows' cells, in all turns of each."""
        turns = (dihedral(one, variant) for one in self.windows for variant in range(8))
        return torch.stack([_shares(one, self.cell) for one in turns])

    def own(self, number: int, ground: Ground) -> tuple[slice, slice] | None:
        """Where, among the places of a ground, a window would overlap its own place."""
        if self.places is None or self.places[number][0] != ground.place[0]:
            return None
        at = [own - first for own, first in zip(self.places[number][1:], ground.place[1:])]
        rows, cols = (slice(max(one - self.side + 1, 0), max(one + self.side, 0)) for one in at)
        return rows, cols


def nearest(
    windows: np.ndarray,
    grounds: Sequence[Ground],
    places: Sequence[Place] | None = None,
    tick: Callable[[float], None] = lambda share: None,
) -> np.ndarray:
    """(n,) float32: the smallest share of cells in which each window differs from any place, at any shift and turn.

    `windows` are (n, s, s) uint8 class indices, of which IGNORE is like nothing; `places` says where each was cut, if
    on these grounds: what overlaps that is not compared. 1 where there is nothing to compare. `tick` hears the share
    that is done.
    """
    search = _Search(windows, places)
    found: list[list[tuple[float, int, int, int, int]]] = [[] for _ in windows]
    for number, ground in enumerate(grounds):
        if min(ground.pixels.shape) >= search.side:
            for window, fits in enumerate(_fits(search, ground)):
                tried = [(fit, number, turn, row, col) for fit, turn, row, col in fits]
                found[window] = sorted([*found[window], *tried])[:TRIED]
        tick(0.8 * (number + 1) / len(grounds))
    best = np.ones(len(windows), dtype=np.float32)
    for window, places_tried in enumerate(found):
        fitted = [_fitted(search, grounds[at], window, turn, row, col) for _, at, turn, row, col in places_tried]
        alike, pair = max(fitted, key=itemgetter(0), default=(-1.0, windows[:0]))
        if alike >= 0:
            one, other = shrunk(pair)
            best[window] = 1 - ((one == other) & (one != legend.IGNORE)).mean()
        tick(0.8 + 0.2 * (window + 1) / len(windows))
    return best


def _shares(pixels: np.ndarray, cell: int) -> torch.Tensor:
    """(COUNT, h, w) float32: the share of each class in cells of so many pixels, of what fills whole cells."""
    codes = torch.from_numpy(np.ascontiguousarray(pixels))
    found = [functional.avg_pool2d((codes == index)[None].float(), cell) for index in range(legend.COUNT)]
    return torch.cat(found)


def _fits(search: _Search, ground: Ground) -> list[list[tuple[float, int, int, int]]]:
    """Of each window the places that fit best: how far their shares lie apart, the turn, the row and the column.

    The squared distance at all places is a correlation and two sums (Lewis 1995).
    """
    shares = _shares(ground.pixels, search.cell)
    shown = shares.amax((1, 2)) > 0
    cells = search.side // search.cell
    box = torch.ones(1, 1, cells, cells)
    energy, known = (functional.conv2d(each[None, None], box)[0, 0] for each in (shares.square().sum(0), shares.sum(0)))
    hidden = known < KNOWN * cells**2
    found = []
    for start, kernels in enumerate(search.kernels.split(8 * BATCH)):
        alike = functional.conv2d(shares[None, shown], kernels[:, shown])[0]
        apart = energy - 2 * alike + kernels.square().sum((1, 2, 3))[:, None, None]
        apart = apart.masked_fill(hidden, torch.inf).reshape(-1, 8, *hidden.shape)
        found += [_lowest(search, ground, BATCH * start + number, each) for number, each in enumerate(apart)]
    return found


def _lowest(search: _Search, ground: Ground, number: int, apart: torch.Tensor) -> list[tuple[float, int, int, int]]:
    """The lowest of (8, h, w) that are lower than what lies beside them."""
    own = search.own(number, ground)
    if own:
        rows, cols = (slice(-(-at.start // search.cell), -(-at.stop // search.cell)) for at in own)
        apart[:, rows, cols] = torch.inf
    beside = -functional.max_pool2d(-apart[None], 3, 1, 1)[0]
    lowest = torch.where(apart == beside, apart, torch.inf).flatten()
    values, order = lowest.topk(min(TRIED, len(lowest)), largest=False)
    places = zip(*np.unravel_index(order.numpy(), apart.shape))
    return [
        (float(value), int(turn), int(row) * search.cell, int(col) * search.cell)
        for value, (turn, row, col) in zip(values, places)
        if np.isfinite(float(value))
    ]


def _fitted(search: _Search, ground: Ground, number: int, turn: int, row: int, col: int) -> tuple[float, np.ndarray]:
    """How well a window fits where it fits best within a cell of a place, and both, (2, s, s); -1 where it may not."""
    side, cell, (down, across) = search.side, search.cell, search.points
    window = dihedral(search.windows[number], turn)
    known = np.where(window == legend.IGNORE, NOWHERE, window)
    top, left = max(row - cell, 0), max(col - cell, 0)
    near = ground.pixels[top : row + side + cell, left : col + side + cell]
    tried = np.lib.stride_tricks.sliding_window_view(near, (side, side))[:, :, down, across]
    alike = (tried == known[down, across]).mean((2, 3), dtype=np.float32)
    if own := search.own(number, ground):
        rows, cols = (slice(max(at.start - first, 0), max(at.stop - first, 0)) for at, first in zip(own, (top, left)))
        alike[rows, cols] = -1
    down, across = np.unravel_index(alike.argmax(), alike.shape)
    return float(alike.max()), np.stack([window, near[down : down + side, across : across + side]])
