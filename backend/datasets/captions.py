"""Captions of land cover tiles: the main classes, their shares and where they lie, in one sentence."""

from __future__ import annotations

import numpy as np

from backend.geo import legend

MAX_CLASSES, MIN_SHARE = 4, 0.02  # of the classes in a caption
MOST_OF_TILE, NEARLY_ALL = 0.6, 0.9  # shares of a class from which on it lies over most of the tile, or everywhere
OFF_CENTRE = 0.1  # of the tile's side: how far from the middle a class's centre lies for it to lie to one side
CLUSTERED = 0.2  # of the tile's side: the standard deviation of positions below which a class lies in one place
_ACROSS, _ALONG = ("west", "", "east"), ("north", "", "south")


def caption(indices: np.ndarray) -> str:
    """(height, width) class indices to a sentence such as 'Tree cover (62 %) nearly everywhere, cropland (25 %) in the
    south.'; IGNORE does not count."""
    known = indices != legend.IGNORE
    if not known.any():
        return "Nothing is known of this tile."
    shares = np.bincount(indices[known], minlength=legend.COUNT)[: legend.COUNT] / np.count_nonzero(known)
    by_share = np.argsort(-shares, kind="stable")
    classes = [int(index) for index in by_share if shares[index] >= MIN_SHARE][:MAX_CLASSES]
    parts = [f"{legend.NAMES[index]} ({100 * shares[index]:.0f} %) {_position(indices == index)}" for index in classes]
    sentence = ", ".join([parts[0], *(part[0].lower() + part[1:] for part in parts[1:])])
    return f"{sentence}."


def _position(mask: np.ndarray) -> str:
    """Where in a tile the true pixels of a mask lie."""
    if mask.mean() >= MOST_OF_TILE:
        return "nearly everywhere" if mask.mean() >= NEARLY_ALL else "over most of the tile"
    rows, cols = (positions / size - 0.5 for positions, size in zip(np.nonzero(mask), mask.shape))
    centre = rows.mean(), cols.mean()
    along, across = (int(np.sign(value)) + 1 if abs(value) > OFF_CENTRE else 1 for value in centre)
    if (along, across) != (1, 1):
        return f"in the {'-'.join(filter(None, (_ALONG[along], _ACROSS[across])))}"
    return "in the middle" if max(rows.std(), cols.std()) < CLUSTERED else "throughout"
