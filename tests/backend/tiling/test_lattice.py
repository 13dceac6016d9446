"""Windows on the world's lattice: which touch what, how they blend, and what a mask of them holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.tiling.lattice import Box, Lattice, WindowMask, union, windows_touching

places = st.integers(-100, 100)
phases = st.integers(0, 3)
lattices = st.sampled_from([Lattice(16, 12), Lattice(16, 8), Lattice(7, 5), Lattice(4, 4), Lattice(9, 5)])
boxes = st.builds(Box, places, places, st.integers(0, 40), st.integers(0, 40))
factors = st.integers(1, 12)


@st.composite
def masks(draw):
    rows, cols = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    members = draw(st.lists(st.booleans(), min_size=rows * cols, max_size=rows * cols))
    return WindowMask(draw(st.integers(-8, 8)), draw(st.integers(-8, 8)), np.array(members, bool).reshape(rows, cols))


@given(lattices, phases, places)
def test_first_and_after_bound_the_windows_that_touch(lattice, phase, place):
    first, after = lattice.first_window(place, phase), lattice.window_stop(place, phase)
    assert lattice.box(first - 1, 0, phase).bottom <= place < lattice.box(first, 0, phase).bottom
    assert lattice.box(after - 1, 0, phase).row < place <= lattice.box(after, 0, phase).row
    several = np.array([place, place + 1, place - 30])
    assert lattice.first_window(several, phase).tolist() == [lattice.first_window(int(p), phase) for p in several]
    assert lattice.window_stop(several, phase).tolist() == [lattice.window_stop(int(p), phase) for p in several]


@given(lattices, phases, places, places)
def test_a_window_lies_where_its_index_says(lattice, phase, row, col):
    box = lattice.box(row, col, phase)
    assert box.height == box.width == lattice.window
    assert (lattice.box(row + 1, col, phase).row - box.row, lattice.box(row, col + 1, phase).col - box.col) == (
        lattice.stride,
        lattice.stride,
    )
    start = lattice.box(0, 0, phase)
    assert (start.row, start.col) == ((lattice.stride // 2,) * 2 if phase % 2 else (0, 0))


@pytest.mark.parametrize("scale", [1, 3, 8])
@pytest.mark.parametrize("lattice", [Lattice(16, 12), Lattice(16, 8), Lattice(32, 26), Lattice(4, 4), Lattice(9, 5)])
def test_the_weights_over_a_cell_sum_to_one(lattice, scale):
    weights, step = lattice.weights(scale), lattice.stride * scale
    assert weights.dtype == np.float32 and weights.shape == (lattice.window * scale,) * 2
    total = np.zeros((3 * step + weights.shape[0],) * 2)
    for row in range(4):
        for col in range(4):
            total[row * step :, col * step :][: len(weights), : len(weights)] += weights
    interior = slice(lattice.overlap * scale, 4 * step)
    assert np.allclose(total[interior, interior], 1, atol=1e-6)
    assert (weights > 0).all(), "the sum over a part of the windows would be lost"
    assert np.array_equal(weights, weights.T) and np.array_equal(weights, weights[::-1, ::-1])


@settings(max_examples=60, deadline=None)
@given(masks(), st.integers(-10, 10), st.integers(-10, 10), st.integers(1, 5))
def test_a_mask_knows_its_squares(mask, row, col, side):
    indices = list(mask.indices())
    expected = {(mask.row + int(r), mask.col + int(c)) for r, c in zip(*np.nonzero(mask.mask))}
    assert indices == sorted(indices) and set(indices) == expected and len(mask) == len(indices)
    part = mask.indices_in(row, col, side)
    assert part == [(r, c) for r, c in indices if row <= r < row + side and col <= c < col + side]


@settings(max_examples=60, deadline=None)
@given(st.lists(masks(), min_size=1, max_size=4))
def test_a_union_wants_what_any_wants(several):
    assert set(union(several).indices()) == set().union(*(mask.indices() for mask in several))


@st.composite
def rectangles(draw):
    """Rows and columns of cells that need not be sorted, apart or of one size, and which of their crossings count."""
    axes = []
    for _ in range(2):
        starts = np.array(draw(st.lists(st.integers(-40, 40), min_size=1, max_size=4)))
        lengths = draw(st.lists(st.integers(1, 20), min_size=len(starts), max_size=len(starts)))
        axes.append((starts, starts + np.array(lengths)))
    count = len(axes[0][0]) * len(axes[1][0])
    selected = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    return *axes, np.array(selected).reshape(len(axes[0][0]), len(axes[1][0]))


@settings(max_examples=60, deadline=None)
@given(lattices, phases, rectangles())
def test_touching_finds_each_window_over_a_wanted_rectangle(lattice, phase, grid):
    rows, cols, selected = grid
    pieces = [
        Box(rows[0][i], cols[0][j], rows[1][i] - rows[0][i], cols[1][j] - cols[0][j]) for i, j in np.argwhere(selected)
    ]

    def touches(window):
        shared = [piece.intersection(window) for piece in pieces]
        return any(box.height and box.width for box in shared)

    reach = range(-40 // lattice.stride - 6, 60 // lattice.stride + 6)
    expected = {(row, col) for row in reach for col in reach if touches(lattice.box(row, col, phase))}
    assert set(windows_touching(lattice, phase, rows, cols, selected).indices()) == expected


def test_an_impossible_stride_is_refused():
    for stride in (0, 7, 17):
        with pytest.raises(ValueError, match="stride"):
            Lattice(16, stride)


@given(boxes, boxes)
def test_boxes_share_and_join_their_cells(one, other):
    def cells(box):
        return {(row, col) for row in range(box.row, box.bottom) for col in range(box.col, box.right)}

    shared, outer = one.intersection(other), one.union(other)
    assert cells(shared) == cells(one) & cells(other)
    assert cells(outer) >= cells(one) | cells(other)
    assert (outer.row, outer.bottom) == (min(one.row, other.row), max(one.bottom, other.bottom))
    assert (outer.col, outer.right) == (min(one.col, other.col), max(one.right, other.right))
    assert np.zeros((outer.height, outer.width))[one.slices_in(outer)].shape == (one.height, one.width)


@given(boxes, factors)
def test_coarser_boxes_cover_and_finer_ones_are_exact(box, factor):
    assert box.scaled(factor).coarsened(factor) == box
    around = box.coarsened(factor).scaled(factor)
    assert around.union(box) == around
    assert 0 <= box.row - around.row < factor and 0 <= around.bottom - box.bottom < factor
    assert 0 <= box.col - around.col < factor and 0 <= around.right - box.right < factor


def test_boxes_scale_and_coarsen():
    assert Box(-3, 5, 2, 4).scaled(10) == Box(-30, 50, 20, 40)
    assert Box(-30, 50, 20, 40).coarsened(10) == Box(-3, 5, 2, 4)
    assert Box(-31, 49, 20, 42).coarsened(10) == Box(-4, 4, 3, 6)
    assert Box(0, 0, 5, 5).intersection(Box(9, 9, 2, 2)) == Box(9, 9, 0, 0)
