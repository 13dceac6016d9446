"""Windows on the world's lattice: each region covered, and the same whatever else is computed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import noise
from backend.lattice import Box, Lattice

places = st.integers(-100, 100)
sizes = st.integers(1, 60)
lattices = st.sampled_from([Lattice(16, 12), Lattice(16, 8), Lattice(7, 5), Lattice(4, 4), Lattice(9, 5)])


def strange(scale):
    """A computation that depends on the whole window and its place, as a network with attention would."""

    def compute(boxes):
        results = []
        for box in boxes:
            field = noise.normal(3, "w", 2, box)
            result = np.tanh(field + field.mean()) * (1 + field.std())
            results.append(result.repeat(scale, 1).repeat(scale, 2))
        return np.stack(results)

    return compute


@settings(max_examples=60, deadline=None)
@given(lattices, places, places, sizes, sizes, st.integers(0, 1))
def test_windows_cover_the_region_and_all_touch_it(lattice, row, col, height, width, phase):
    region = Box(row, col, height, width)
    covered = np.zeros((height, width), int)
    windows = [window for windows in lattice.window_rows(region, phase) for window in windows]
    for window in windows:
        shared = window.intersection(region)
        assert shared.height and shared.width
        assert (window.row - phase * (lattice.stride // 2)) % lattice.stride == 0
        covered[shared.within(region)] += 1
    assert covered.min() >= 1
    assert len(windows) == lattice.count(region, phase)
    support = lattice.support(region, phase)
    assert support == Box(
        min(w.row for w in windows),
        min(w.col for w in windows),
        max(w.bottom for w in windows) - min(w.row for w in windows),
        max(w.right for w in windows) - min(w.col for w in windows),
    )


@settings(max_examples=60, deadline=None)
@given(lattices, places, places, sizes, sizes, st.integers(0, 1), st.sampled_from([1, 3]), st.integers(1, 9))
def test_a_part_equals_the_whole(lattice, row, col, height, width, phase, scale, batch):
    part, whole = Box(row, col, height, width), Box(row - 11, col - 5, height + 23, width + 17)
    bands = list(lattice.stream(part, strange(scale), scale, phase, batch))
    top = part.row * scale
    for box, data in bands:
        assert (box.row, box.col, box.width) == (top, part.col * scale, part.width * scale)
        assert data.shape == (2, box.height, box.width)
        top = box.bottom
    assert top == part.bottom * scale
    found = np.concatenate([data for _, data in bands], axis=1)
    expected = np.concatenate([d for _, d in lattice.stream(whole, strange(scale), scale, phase, 4)], axis=1)
    inside = part.scaled(scale).within(whole.scaled(scale))
    assert np.array_equal(found, expected[(slice(None), *inside)])


@pytest.mark.parametrize("lattice", [Lattice(16, 12), Lattice(9, 5), Lattice(4, 4)])
def test_blending_keeps_what_windows_agree_on(lattice):
    region = Box(-20, 13, 40, 50)

    def agree(boxes):
        return np.stack([noise.normal(1, "w", 3, box) for box in boxes])

    assert np.allclose(lattice.blend(region, agree), noise.normal(1, "w", 3, region), atol=1e-5)


def test_memory_holds_one_row_of_windows():
    lattice = Lattice(16, 12)
    heights = [data.shape[1] for _, data in lattice.stream(Box(0, 0, 400, 16), strange(1))]
    assert len(heights) > 30
    assert max(heights) <= lattice.window


def test_an_impossible_stride_is_refused():
    for stride in (0, 3, 17):
        with pytest.raises(ValueError, match="stride"):
            Lattice(16, stride)


def test_boxes_scale_and_coarsen():
    assert Box(-3, 5, 2, 4).scaled(10) == Box(-30, 50, 20, 40)
    assert Box(-30, 50, 20, 40).coarsened(10) == Box(-3, 5, 2, 4)
    assert Box(-31, 49, 20, 42).coarsened(10) == Box(-4, 4, 3, 6)
    assert Box(0, 0, 5, 5).intersection(Box(9, 9, 2, 2)) == Box(9, 9, 0, 0)
