"""The engine: the same pixels whoever renders which part, each window computed once, nothing held for long."""

import dataclasses
import io
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.protocol import Event, Reporter, silent
from backend.tiling import render
from backend.tiling.lattice import Box, Lattice, WindowMask
from backend.tiling.lazy_raster import Input, WindowsKey
from tests.backend.lazy_rasters import (
    RAMP,
    BoxUnion,
    array_output,
    count_windows,
    needed_windows,
    phased_raster,
    render_pixels,
    unwritten,
)

places = st.integers(-100, 100)
sizes = st.integers(1, 48)  # the widest window has 27 pixels, the widest block 54
regions = st.builds(Box, places, places, sizes, sizes)
lattices = st.sampled_from([Lattice(8, 6), Lattice(8, 4), Lattice(7, 5), Lattice(4, 4), Lattice(9, 5)])


@st.composite
def scenes(draw):
    """A coarse field and a fine one that reads it, as land cover and image."""
    lattice, side = draw(lattices), draw(st.integers(1, 3))
    margins = st.integers(0, 3)
    coarse = phased_raster(
        lattice, "coarse", draw(st.integers(0, 3)), 2, side, draw(st.integers(0, 9)), margin=draw(margins)
    )
    below = draw(st.sampled_from([(Input(coarse, 3, 5),), (Input(RAMP, 3),), ()]))
    phases, side = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    return coarse, phased_raster(draw(lattices), "fine", phases, 3, side, 4, *below, margin=draw(margins))


def regions_of(region):
    """What a scene renders of its coarse and of its fine field over a region."""
    return [region.coarsened(5), region]


def rendered(scene, region, outs, report=None, **options):
    """Render both fields of a scene into arrays."""
    parts = zip(scene, regions_of(region), outs, (5.0, 1.0))
    render.render([array_output(f, r, out, pixel_m=m, **options) for f, r, out, m in parts], "", report or silent())


def blocks(raster, region):
    """A field's blocks in a region: their pixels by their first row and column."""
    return {(box.row, box.col): box.intersection(region) for _, box in raster.blocks(region)}


@settings(max_examples=10, deadline=None)
@given(scenes(), regions)
def test_a_part_equals_the_whole(scene, part):
    around = Box(part.row - 11, part.col - 5, part.height + 23, part.width + 17)
    expected = render_pixels(scene[1], around)
    assert np.isfinite(expected).all()
    assert np.array_equal(render_pixels(scene[1], part), expected[(slice(None), *part.slices_in(around))])


@settings(max_examples=4, deadline=None)
@given(scenes(), places, places, st.integers(2, 48), st.integers(2, 48), st.data())
def test_four_quarters_are_the_whole(scene, row, col, height, width, data):
    down, right = data.draw(st.integers(1, height - 1)), data.draw(st.integers(1, width - 1))
    rows, cols = [(row, down), (row + down, height - down)], [(col, right), (col + right, width - right)]
    quarters = [[render_pixels(scene[1], Box(top, left, h, w)) for left, w in cols] for top, h in rows]
    assert np.array_equal(np.block(quarters), render_pixels(scene[1], Box(row, col, height, width)))


@settings(max_examples=8, deadline=None)
@given(scenes(), regions, st.integers(0, 99))
def test_the_order_of_the_rows_changes_nothing(scene, region, seed):
    outs, expected = ([unwritten(r) for r in regions_of(region)] for _ in range(2))
    rendered(scene, region, expected)
    in_order, order = render.RenderPlan.rows, random.Random(seed)
    with pytest.MonkeyPatch.context() as patch, count_windows() as computed:
        patch.setattr(render.RenderPlan, "rows", lambda plan: sorted(in_order(plan), key=lambda _: order.random()))
        rendered(scene, region, outs)
    assert all(map(np.array_equal, outs, expected))
    assert set(computed.values()) == {1}


@settings(max_examples=8, deadline=None)
@given(regions, lattices, *[st.integers(1, 7)] * 2)
def test_batches_and_threads_change_nothing(region, lattice, batch, threads):
    expected, batched = (render_pixels(phased_raster(lattice, "a", 2, 2, 2, 1, batch=n), region) for n in (3, batch))
    assert np.array_equal(batched, expected)
    padded = phased_raster(lattice, "a", 2, 2, 2, 1, batch=batch, batch_multiple=lambda batch: min(threads, batch))
    assert np.array_equal(render_pixels(padded, region), expected)


def test_a_batch_is_filled_up_to_what_the_device_computes_alike():
    sizes = []

    def compute(windows):
        sizes.append(len(windows))
        return np.array([window.col for window in windows])

    plain = phased_raster(Lattice(8, 6), "a", 0, 1, 2, 1, batch=3).op
    op = dataclasses.replace(plain, compute=compute, batch_multiple=lambda batch: 2)
    boxes = [op.lattice.box(0, number) for number in range(7)]
    assert list(op.results(boxes, [])) == [(box, box.col) for box in boxes]
    assert sizes == [4, 4, 2]


@settings(max_examples=15, deadline=None)
@given(scenes(), regions)
def test_the_windows_that_are_needed_are_computed_once_and_no_others(scene, region):
    heard = io.StringIO()
    with count_windows() as computed:
        rendered(scene, region, [unwritten(r) for r in regions_of(region)], Reporter(heard))
    assert set(computed.values()) == {1}
    assert set(computed) == set().union(*(needed_windows(f, {r}) for f, r in zip(scene, regions_of(region))))
    events = [event for event in map(Event.from_line, heard.getvalue().splitlines()) if event.kind == "progress"]
    assert (1.0, f"window {len(computed):,} of {len(computed):,}") in [(e.fraction, e.message) for e in events]
    assert sorted(event.fraction for event in events) == [event.fraction for event in events]


@st.composite
def areas(draw, region):
    """A few boxes in a region, far apart or not."""
    pieces = []
    for _ in range(draw(st.integers(1, 4))):
        row, col = draw(st.integers(0, region.height - 1)), draw(st.integers(0, region.width - 1))
        piece = Box(region.row + row, region.col + col, draw(st.integers(1, 20)), draw(st.integers(1, 20)))
        pieces.append(piece.intersection(region))
    return BoxUnion(*pieces)


@settings(max_examples=18, deadline=None)
@given(scenes(), regions, st.data())
def test_an_area_is_what_it_is_in_the_whole_and_costs_its_own_windows(scene, region, data):
    area = data.draw(areas(region))
    with count_windows() as computed:
        pixels = render_pixels(scene[1], region, area)
    assert set(computed.values()) == {1} and set(computed) == needed_windows(scene[1], set(area.boxes))
    inside = area.inside(region)
    assert np.array_equal(pixels[:, inside], render_pixels(scene[1], region)[:, inside])


def test_windows_of_a_block_may_lie_apart():
    """Along a thin diagonal the corner that a block's windows span belongs to none of them."""
    fine, region = phased_raster(Lattice(8, 6), "a", 3, 1, 4, 1), Box(0, 0, 96, 96)
    area = BoxUnion(*(Box(number, 95 - number, 1, 1) for number in range(96)))
    inside = area.inside(region)
    assert np.array_equal(render_pixels(fine, region, area)[:, inside], render_pixels(fine, region)[:, inside])


class PowerCutError(Exception):
    """What interrupts a rendering."""


@settings(max_examples=10, deadline=None)
@given(scenes(), regions, st.data())
def test_an_interrupted_rendering_goes_on_where_it_ended(scene, region, data):
    expected, outs = ([unwritten(r) for r in regions_of(region)] for _ in range(2))
    rendered(scene, region, expected)
    all_blocks = [blocks(f, r) for f, r in zip(scene, regions_of(region))]
    stop, done = data.draw(st.integers(0, sum(map(len, all_blocks)) - 1)), [set(), set()]

    def outputs(stop):
        for number, (f, r, out) in enumerate(zip(scene, regions_of(region), outs)):
            output = array_output(f, r, out, pixel_m=(5.0, 1.0)[number], done=frozenset(done[number]))

            def write(box, pixels, number=number, write=output.write):
                if sum(map(len, done)) == stop:
                    raise PowerCutError
                assert (box.row, box.col) not in done[number]
                write(box, pixels)
                done[number].add((box.row, box.col))

            yield render.Output(f, r, output.area, output.pixel_m, write, output.done)

    with pytest.raises(PowerCutError):
        render.render(list(outputs(stop)), "", silent())
    rest = [{box for key, box in found.items() if key not in done[n]} for n, found in enumerate(all_blocks)]
    with count_windows() as computed:
        render.render(list(outputs(None)), "", silent())
    assert all(map(np.array_equal, outs, expected))
    assert set(computed.values()) == {1}
    assert set(computed) == needed_windows(scene[0], rest[0]) | needed_windows(scene[1], rest[1])


def test_nothing_is_computed_where_all_is_done():
    fine, region, out = phased_raster(Lattice(8, 6), "a", 2, 1, 2, 1), Box(3, 4, 50, 60), unwritten(Box(3, 4, 50, 60))
    with count_windows() as computed:
        render.render([array_output(fine, region, out, done=frozenset(blocks(fine, region)))], "", silent())
    assert not computed and np.isnan(out).all()


def test_what_is_held_does_not_grow_with_the_height(monkeypatch):
    held, run = [], render.InProcess.run

    def weighing(self, *args):
        results = run(self, *args)
        held.append(sum(array.nbytes for array in results.values()))
        return results

    monkeypatch.setattr(render.InProcess, "run", weighing)
    coarse = phased_raster(Lattice(8, 6), "coarse", 2, 2, 2, 1, Input(RAMP, 3))
    fine = phased_raster(Lattice(7, 5), "fine", 3, 3, 2, 2, Input(coarse, 3, 5))
    most = []
    for height in (400, 1200):
        held.clear()
        region = Box(7, -20, height, 60)
        rendered((coarse, fine), region, [unwritten(r) for r in regions_of(region)])
        most.append(max(held))
        assert held[-1] == 0, "at the end nothing is held"
    assert most[1] <= most[0] < unwritten(region).nbytes / 4


def test_progress_tells_windows_and_the_time_left(monkeypatch):
    field = phased_raster(Lattice(4, 4), "field", 0, 1, 1, 1)
    cover = WindowMask(0, 0, np.ones((1, 10), dtype=bool))
    now = [0.0]
    monkeypatch.setattr(render.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    progress = render.Progress({field: cover}, Reporter(stream))
    for seconds, cols in ((2.0, range(1)), (10.0, range(1, 5)), (600.0, range(5, 6))):
        now[0] = seconds
        for col in cols:
            progress.add(WindowsKey(field.name, 0, col))
    events = [Event.from_line(line) for line in stream.getvalue().splitlines()]
    assert [round(event.fraction, 3) for event in events] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert [events[at].message for at in (0, 4, 5)] == [
        "window 1 of 10",
        "window 5 of 10, about 10 s left",
        "window 6 of 10, about 7 min left",
    ]
