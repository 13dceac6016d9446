"""Landscape metrics against figures that can be counted, and against pylandstats where it is installed."""

import numpy as np
import pytest

from backend.geo import legend
from backend.metrics import landscape

TREE, GRASS, BUILT = 0, 2, 4
SHARED = ("patch_density", "edge_density", "area_mn", "largest_patch_index", "contagion")


def halves():
    """10 x 10 pixels, trees above grass."""
    indices = np.full((10, 10), GRASS, np.uint8)
    indices[:5] = TREE
    return indices


def test_two_halves():
    metrics = landscape.metrics(halves(), 10.0)  # one hectare, two patches, an edge of 100 m
    assert metrics["patch_density"] == pytest.approx(200) and metrics["area_mn"] == pytest.approx(0.5)
    assert metrics["edge_density"] == pytest.approx(100) and metrics["largest_patch_index"] == pytest.approx(50)
    assert metrics["diversity"] == pytest.approx(np.log(2))
    joint = np.array([170, 170, 10, 10]) / 360  # 85 pairs within each half, 10 across, seen from either side
    assert metrics["contagion"] == pytest.approx(100 * (1 + (joint * np.log(joint)).sum() / (2 * np.log(2))))


def test_the_pixel_size_scales_them():
    fine, coarse = (landscape.metrics(halves(), pixel_m) for pixel_m in (10.0, 20.0))
    assert fine["patch_density"] == pytest.approx(4 * coarse["patch_density"])
    assert fine["edge_density"] == pytest.approx(2 * coarse["edge_density"])
    assert coarse["area_mn"] == pytest.approx(4 * fine["area_mn"]) and fine["contagion"] == coarse["contagion"]


def test_patches_join_over_corners():
    indices = np.full((4, 4), GRASS, np.uint8)
    indices[0, 0] = indices[1, 1] = BUILT
    assert sorted(landscape.patch_areas(indices)) == [2, 14]


def test_what_is_not_known_is_no_landscape():
    padded = np.pad(halves(), 3, constant_values=legend.IGNORE)
    assert landscape.metrics(padded, 10.0) == pytest.approx(landscape.metrics(halves(), 10.0))
    nothing = landscape.metrics(np.full((4, 4), legend.IGNORE, np.uint8), 10.0)
    assert set(nothing) == set(landscape.METRICS) and np.isnan(list(nothing.values())).all()
    single = landscape.metrics(np.full((4, 4), GRASS, np.uint8), 10.0)
    assert np.isnan(single["contagion"]) and single["edge_density"] == 0 and single["largest_patch_index"] == 100


@pytest.mark.parametrize("count", [2, 4, 11])
def test_pylandstats_agrees(count):
    pylandstats = pytest.importorskip("pylandstats")
    rng = np.random.default_rng(count)
    indices = np.kron(rng.integers(0, count, (8, 9), dtype=np.uint8), np.ones((3, 3), np.uint8))
    indices[rng.random(indices.shape) < 0.1] = legend.IGNORE
    theirs = pylandstats.Landscape(legend.to_code(indices), res=(10, 10), nodata=legend.NODATA)
    ours = landscape.metrics(indices, 10.0)
    assert {name: ours[name] for name in SHARED} == pytest.approx({name: getattr(theirs, name)() for name in SHARED})
