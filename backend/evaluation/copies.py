"""Whether synthetic land cover repeats real land cover: the nearest real window of each synthetic one."""

from __future__ import annotations

import numpy as np

from backend import classes
from backend.training.tiles import turned

CELLS = 32  # along a window's side, in which copies are looked for
NEAR = 0.05  # share of cells in which a near copy differs
DULL = 0.98  # share of one class above which a window is like any other of it
CHUNK = 512


def shrunk(windows: np.ndarray) -> np.ndarray:
    """(n, s, s) class indices by majority in (n, CELLS, CELLS), or as they are where they are smaller."""
    return np.stack([classes.voted(one, max(one.shape[0] / CELLS, 1)) for one in windows])


def lively(windows: np.ndarray) -> np.ndarray:
    """(n,) bool: which of (n, s, s) windows show more than one class worth comparing."""
    counts = np.stack([np.bincount(one.ravel(), minlength=256) for one in windows])
    return counts.max(1) <= DULL * windows[0].size


def nearest(windows: np.ndarray, candidates: np.ndarray, apart: np.ndarray | None = None) -> np.ndarray:
    """(n,) the smallest share of cells in which each window differs from any candidate, in any of 8 turns.

    `windows` are (n, s, s) and `candidates` (m, s, s) uint8 class indices, of which IGNORE is like nothing; `apart`,
    (n, m) bool, says which may be compared. 1 where there is none.
    """
    best = np.ones(len(windows), dtype=np.float32)
    turns = [_hot(turned(windows, variant)) for variant in range(8)]
    for start in range(0, len(candidates), CHUNK):
        chunk = _hot(candidates[start : start + CHUNK])
        alike = np.max([turn @ chunk.T for turn in turns], axis=0)  # cells of one class, counted by a product
        differ = 1 - alike / windows[0].size
        if apart is not None:
            differ = np.where(apart[:, start : start + CHUNK], differ, 1)
        best = np.minimum(best, differ.min(1))
    return best


def _hot(indices: np.ndarray) -> np.ndarray:
    return classes.one_hot(indices).reshape(len(indices), -1)
