"""Whether land cover repeats other land cover: the place most similar to a window, at any shift and in any turn.

Coarse to fine, as in image registration (Zitova and Flusser 2003, 3.3): class shares in cells, which change little
with a shift of less than a cell, are compared at all places; the most similar places are then compared pixel by pixel.
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

CELLS = 16  # along a window's side, both in the coarse search and for the final distance
POINTS = 32  # along a window's side, compared in the fine search
CANDIDATES = 8  # places of a window in the fine search
KNOWN_SHARE = 0.95  # of a place that must be known
NEAR = 0.08  # distance of a near copy; changed single pixels tip the majority of some cells
UNIFORM_SHARE = 0.9  # of one class above which a window is similar to any other of that class
BATCH = 8  # windows compared at once
NO_CLASS = np.iinfo(np.uint8).max - 1  # a value that no map has

Position = tuple[int, int, int]
"""The number of a map, and a row and a column of its pixels."""


class MapBlock(NamedTuple):
    """(height, width) uint8 class indices of a part of a map, and the position of its first pixel."""

    pixels: np.ndarray
    position: Position = (0, 0, 0)


class _Candidate(NamedTuple):
    """A place in the coarse search: its difference, the block's number, the window's dihedral turn, row and column."""

    difference: float
    block: int
    turn: int
    row: int
    col: int


def shrunk(windows: np.ndarray) -> np.ndarray:
    """(n, s, s) class indices by majority in (n, CELLS, CELLS), or unchanged where they are smaller."""
    return np.stack([legend.majority_downsample(window, max(window.shape[0] / CELLS, 1)) for window in windows])


def varied(windows: np.ndarray) -> np.ndarray:
    """(n,) bool: which of (n, s, s) windows are not almost entirely of one class."""
    counts = np.stack([np.bincount(window.ravel(), minlength=256) for window in windows])
    return counts.max(1) <= UNIFORM_SHARE * windows[0].size


def nearest_distances(
    windows: np.ndarray,
    blocks: Sequence[MapBlock],
    positions: Sequence[Position] | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> np.ndarray:
    """(n,) float32: the share of cells in which each window differs from the most similar place, at any shift and turn.

    `windows` are (n, s, s) uint8 class indices; IGNORE equals nothing. `positions` says where each was cut, if from
    these maps: places that overlap it are left out. 1 where there is nothing to compare. `progress` is called with the
    share that is done.
    """
    search = _Search(windows, positions)
    candidates: list[list[_Candidate]] = [[] for _ in windows]
    for number, block in enumerate(blocks):
        if min(block.pixels.shape) >= search.side:
            for window, own in enumerate(_coarse_candidates(search, block, number)):
                candidates[window] = sorted([*candidates[window], *own])[:CANDIDATES]
        progress(0.8 * (number + 1) / len(blocks))
    distances = np.ones(len(windows), dtype=np.float32)
    for window, own in enumerate(candidates):
        fits = [_fine_fit(search, blocks[candidate.block], window, candidate) for candidate in own]
        similarity, pair = max(fits, key=itemgetter(0), default=(-1.0, windows[:0]))
        if similarity >= 0:
            one, other = shrunk(pair)
            distances[window] = 1 - ((one == other) & (one != legend.IGNORE)).mean()
        progress(0.8 + 0.2 * (window + 1) / len(windows))
    return distances


@dataclass(frozen=True)
class _Search:
    """Windows (n, s, s) to search for; with `positions`, places that overlap a window's own are left out."""

    windows: np.ndarray
    positions: Sequence[Position] | None

    @property
    def side(self) -> int:
        return int(self.windows.shape[-1])

    @property
    def cell(self) -> int:
        """The side of a cell in pixels."""
        return max(self.side // CELLS, 1)

    @cached_property
    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows (p, 1) and columns (1, p) of a window; irregular, because maps are often made of larger pixels."""
        rng = np.random.default_rng(0)
        rows, cols = (np.sort(rng.permutation(self.side)[:POINTS]) for _ in range(2))
        return rows[:, None], cols[None]

    @cached_property
    def kernels(self) -> torch.Tensor:
        """(8 n, COUNT, cells, cells) float32: the class shares of the windows' cells, in all turns of each window."""
        turned = (dihedral(window, turn) for window in self.windows for turn in range(8))
        return torch.stack([_cell_shares(window, self.cell) for window in turned])

    def own_places(self, window: int, block: MapBlock) -> tuple[slice, slice] | None:
        """Rows and columns of the places in a block that overlap the window's own; None where there are none."""
        if self.positions is None or self.positions[window][0] != block.position[0]:
            return None
        offsets = [own - first for own, first in zip(self.positions[window][1:], block.position[1:])]
        rows, cols = (slice(max(at - self.side + 1, 0), max(at + self.side, 0)) for at in offsets)
        return rows, cols


def _cell_shares(pixels: np.ndarray, cell: int) -> torch.Tensor:
    """(COUNT, h, w) float32: the share of each class in cells of `cell` pixels; incomplete cells are dropped."""
    codes = torch.from_numpy(np.ascontiguousarray(pixels))
    shares = [functional.avg_pool2d((codes == index)[None].float(), cell) for index in range(legend.COUNT)]
    return torch.cat(shares)


def _coarse_candidates(search: _Search, block: MapBlock, number: int) -> list[list[_Candidate]]:
    """For each window the places of a block, the `number`th, whose class shares differ least.

    The squared difference at all places is a correlation and two sums (Lewis 1995).
    """
    shares = _cell_shares(block.pixels, search.cell)
    present = shares.amax((1, 2)) > 0
    if not present.any():
        return [[] for _ in search.windows]
    cells = search.side // search.cell
    box = torch.ones(1, 1, cells, cells)
    energy, known = (
        functional.conv2d(image[None, None], box)[0, 0] for image in (shares.square().sum(0), shares.sum(0))
    )
    unknown = known < KNOWN_SHARE * cells**2
    candidates = []
    for start, kernels in enumerate(search.kernels.split(8 * BATCH)):
        correlation = functional.conv2d(shares[None, present], kernels[:, present])[0]
        differences = energy - 2 * correlation + kernels.square().sum((1, 2, 3))[:, None, None]
        differences = differences.masked_fill(unknown, torch.inf).reshape(-1, 8, *unknown.shape)
        candidates += [
            _local_minima(search, block, number, BATCH * start + offset, by_turn)
            for offset, by_turn in enumerate(differences)
        ]
    return candidates


def _local_minima(
    search: _Search, block: MapBlock, number: int, window: int, differences: torch.Tensor
) -> list[_Candidate]:
    """The smallest local minima of a window's (8, h, w) differences, away from its own place."""
    own = search.own_places(window, block)
    if own:
        rows, cols = (slice(-(-span.start // search.cell), -(-span.stop // search.cell)) for span in own)
        differences[:, rows, cols] = torch.inf
    neighbourhood = -functional.max_pool2d(-differences[None], 3, 1, 1)[0]
    minima = torch.where(differences == neighbourhood, differences, torch.inf).flatten()
    values, order = minima.topk(min(CANDIDATES, len(minima)), largest=False)
    places = zip(*np.unravel_index(order.numpy(), differences.shape))
    return [
        _Candidate(float(value), number, int(turn), int(row) * search.cell, int(col) * search.cell)
        for value, (turn, row, col) in zip(values, places)
        if np.isfinite(float(value))
    ]


def _fine_fit(search: _Search, block: MapBlock, window: int, candidate: _Candidate) -> tuple[float, np.ndarray]:
    """The similarity of a window and the most similar place within a cell of a candidate, and both, (2, s, s).

    The similarity is the share of equal points, -1 where the window's own place is nearest.
    """
    side, cell, (rows, cols) = search.side, search.cell, search.points
    turned = dihedral(search.windows[window], candidate.turn)
    known = np.where(turned == legend.IGNORE, NO_CLASS, turned)
    top, left = max(candidate.row - cell, 0), max(candidate.col - cell, 0)
    near = block.pixels[top : candidate.row + side + cell, left : candidate.col + side + cell]
    places = np.lib.stride_tricks.sliding_window_view(near, (side, side))[:, :, rows, cols]
    similarity = (places == known[rows, cols]).mean((2, 3), dtype=np.float32)
    if own := search.own_places(window, block):
        spans = zip(own, (top, left))
        own_rows, own_cols = (slice(max(span.start - at, 0), max(span.stop - at, 0)) for span, at in spans)
        similarity[own_rows, own_cols] = -1
    row, col = np.unravel_index(similarity.argmax(), similarity.shape)
    return float(similarity.max()), np.stack([turned, near[row : row + side, col : col + side]])
