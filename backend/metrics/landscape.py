"""Landscape metrics of land cover maps (McGarigal and Marks 1995, FRAGSTATS), as pylandstats counts them."""

from __future__ import annotations

import numpy as np
from rasterio.features import shapes
from shapely.geometry import shape

from backend.geo import legend

METRICS = {
    "patch_density": ("Patch density", "patches per 100 ha"),
    "edge_density": ("Edge density", "m per ha"),
    "area_mn": ("Mean patch size", "ha"),
    "largest_patch_index": ("Largest patch", "percent of the window"),
    "contagion": ("Contagion", "percent"),
    "diversity": ("Shannon diversity", "nats"),
}


def metrics(indices: np.ndarray, pixel_m: float) -> dict[str, float]:
    """Each of METRICS for (H, W) uint8 class indices of a pixel size in metres; IGNORE is not part of the landscape.

    Patches join over corners (the 8-cell rule); the map's border is no edge. Contagion is NaN where there is only one
    class, all metrics are NaN where no pixel is known.
    """
    known = indices != legend.IGNORE
    if not known.any():
        return dict.fromkeys(METRICS, float("nan"))
    hectare = 1e4 / pixel_m**2  # in pixels
    total, areas = int(np.count_nonzero(known)), patch_areas(indices)
    adjacent = adjacencies(indices)
    edges = np.triu(adjacent, 1).sum()
    shares = np.bincount(indices[known], minlength=legend.COUNT) / total
    present = np.count_nonzero(shares)
    contagion = float("nan")
    if present > 1:
        contagion = 1 - _entropy(adjacent / max(adjacent.sum(), 1)) / (2 * np.log(present))
    return {
        "patch_density": 100 * len(areas) * hectare / total,
        "edge_density": float(edges * pixel_m * hectare / total),
        "area_mn": total / len(areas) / hectare,
        "largest_patch_index": float(100 * areas.max() / total),
        "contagion": float(100 * contagion),
        "diversity": _entropy(shares),
    }


def patch_areas(indices: np.ndarray) -> np.ndarray:
    """The area of each patch, in pixels."""
    outlines = shapes(indices, mask=indices != legend.IGNORE, connectivity=8)
    return np.array([shape(outline).area for outline, _ in outlines])


def adjacencies(indices: np.ndarray) -> np.ndarray:
    """(COUNT, COUNT) int64: neighbouring pixels in rows and columns by their classes, each pair counted twice."""
    counts = np.zeros((legend.COUNT, legend.COUNT), dtype=np.int64)
    for one, other in ((indices[:, :-1], indices[:, 1:]), (indices[:-1], indices[1:])):
        known = (one != legend.IGNORE) & (other != legend.IGNORE)
        pairs = one[known].astype(np.int64) * legend.COUNT + other[known]
        counts += np.bincount(pairs, minlength=legend.COUNT**2).reshape(counts.shape)
    return counts + counts.T


def _entropy(shares: np.ndarray) -> float:
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())
