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
    """Each of METRICS for (H, W) uint8 class indices of a pixel size in metres; IGNORE counts as no landscape.

    Patches join over corners (the 8-cell rule); the map's border is no edge. Contagion is NaN where there is one class,
    everything where nothing is known.
    """
    known = indices != legend.IGNORE
    if not known.any():
        return dict.fromkeys(METRICS, float("nan"))
    hectare = 1e4 / pixel_m**2  # in pixels
    whole, areas = int(np.count_nonzero(known)), patches(indices)
    adjacent = adjacencies(indices)
    edges = np.triu(adjacent, 1).sum()
    shares = np.bincount(indices[known], minlength=legend.COUNT) / whole
    present = np.count_nonzero(shares)
    together = 1 - _entropy(adjacent / max(adjacent.sum(), 1)) / (2 * np.log(present)) if present > 1 else float("nan")
    return {
        "patch_density": 100 * len(areas) * hectare / whole,
        "edge_density": float(edges * pixel_m * hectare / whole),
        "area_mn": whole / len(areas) / hectare,
        "largest_patch_index": float(100 * areas.max() / whole),
        "contagion": float(100 * together),
        "diversity": _entropy(shares),
    }


def patches(indices: np.ndarray) -> np.ndarray:
    """The area of each patch, in pixels."""
    found = shapes(indices, mask=indices != legend.IGNORE, connectivity=8)
    return np.array([shape(outline).area for outline, _ in found])


def adjacencies(indices: np.ndarray) -> np.ndarray:
    """(COUNT, COUNT) int64: neighbours along rows and columns by their classes, each pair counted from either side."""
    counts = np.zeros((legend.COUNT, legend.COUNT), dtype=np.int64)
    for one, other in ((indices[:, :-1], indices[:, 1:]), (indices[:-1], indices[1:])):
        known = (one != legend.IGNORE) & (other != legend.IGNORE)
        pairs = one[known].astype(np.int64) * legend.COUNT + other[known]
        counts += np.bincount(pairs, minlength=legend.COUNT**2).reshape(counts.shape)
    return counts + counts.T


def _entropy(shares: np.ndarray) -> float:
    found = shares[shares > 0]
    return float(-(found * np.log(found)).sum())
