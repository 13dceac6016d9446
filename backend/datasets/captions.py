"""What a land cover tile is composed of and how that lies in it, in one sentence."""

from __future__ import annotations

import numpy as np

from backend.geo import legend

NAMED, LEAST, MOST = 4, 0.02, 0.6
OFF_CENTRE = 0.1
SPREAD = 0.2  # of the tile's side: the standard deviation of places below which a class keeps together
_ACROSS, _ALONG = ("west", "", "east"), ("north", "", "south")


def described(indices: np.ndarray) -> str:
    """(height, width) class indices to a sentence such as 'Tree cover (62 %) nearly everywhere, cropland (25 %) in the
    south.'; IGNORE does not count."""
    known = indices != legend.IGNORE
    if not known.any():
        return "Nothing is known of this tile."
    counts = np.bincount(indices[known], minlength=legend.COUNT)[: legend.COUNT] / np.count_nonzero(known)
    order = [int(index) for index in np.argsort(-counts, kind="stable") if counts[index] >= LEAST][:NAMED]
    parts = [f"{legend.NAMES[index]} ({100 * counts[index]:.0f} %) {_layout(indices == index)}" for index in order]
    sentence = ", ".join([parts[0], *(part[0].lower() + part[1:] for part in parts[1:])])
    return f"{sentence}."


def _layout(where: np.ndarray) -> str:
    """Where in a tile the true pixels lie."""
    if where.mean() >= MOST:
        return "nearly everywhere" if where.mean() >= 0.9 else "over most of the tile"
    rows, cols = (places / size - 0.5 for places, size in zip(np.nonzero(where), where.shape))
    off = rows.mean(), cols.mean()
    along, across = (int(np.sign(value)) + 1 if abs(value) > OFF_CENTRE else 1 for value in off)
    if (along, across) != (1, 1):
        return f"in the {'-'.join(filter(None, (_ALONG[along], _ACROSS[across])))}"
    return "in the middle" if max(rows.std(), cols.std()) < SPREAD else "throughout"
