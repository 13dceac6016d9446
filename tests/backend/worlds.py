"""A small world for tests of the engine: two fields in phases, one on top of the other, made of noise and tanh."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from backend.protocol import Reporter, silent
from backend.tiling import lazy_raster as fields
from backend.tiling import noise
from backend.tiling.lattice import Box, Lattice
from backend.tiling.lazy_raster import Input, LazyRaster, Patch, RasterSource, WindowOp, any_size
from backend.tiling.regions import Everywhere, RegionOfInterest
from backend.tiling.render import Output, render


def mixed(seed: int, scale: int, margin: int, fines: list[int], windows: list[Box], *patches: Patch) -> np.ndarray:
    """Two channels that depend on the whole window and on its place, as a network's with attention would."""
    results = []
    for window in windows:
        seen = window.grown(margin)
        field = noise.normal(seed, "w", 2, seen)
        for fine, patch in zip(fines, patches):
            read = patch.read(seen.scaled(fine))[..., ::fine, ::fine].astype(np.float32)
            field = field + np.tanh(read + read.mean()) * (1 + read.std())
        results.append(field[(slice(None), *window.slices_in(seen))].repeat(scale, 1).repeat(scale, 2))
    return np.stack(results)


def kept(pixels: np.ndarray) -> np.ndarray:
    """What was blended, as it is."""
    return pixels


def slow(windows: list[Box], *patches: Patch) -> np.ndarray:
    """Two channels of ones, after a while."""
    time.sleep(0.2)
    return np.ones((len(windows), 2, windows[0].height, windows[0].width), dtype=np.float32)


def failing(error: Exception, windows: list[Box], *patches: Patch) -> np.ndarray:
    """No pixels but an error."""
    raise error


def chain(
    lattice: Lattice,
    name: str,
    phases: int,
    scale: int,
    side: int,
    seed: int,
    *below: Input,
    batch: int = 3,
    margin: int = 0,
    batch_multiple: Callable[[int], int] = any_size,
) -> LazyRaster:
    """A field in phases, decoded to `scale` pixels a cell; each phase reads the one before and what is below."""
    field = None
    for phase in range(phases + 1):
        last = phase == phases
        inputs = (*((Input(field),) if field else ()), *below)
        compute = partial(mixed, seed, scale if last else 1, margin, [given.fine for given in inputs])
        work = WindowOp(lattice, compute, kept, phase, scale if last else 1, side, batch, margin, batch_multiple)
        field = LazyRaster(f"{name} {phase}", work, inputs)
    return field


def whole(
    field: LazyRaster,
    region: Box,
    area: RegionOfInterest | None = None,
    scheduler: str = "",
    report: Reporter | None = None,
):
    """(2, height, width) float32: a region of a field's pixels, rendered; NaN where nothing was written."""
    out = blank(region)
    render([output(field, region, out, area)], scheduler, report or silent())
    return out


def blank(region: Box) -> np.ndarray:
    """An array for the pixels of a region in which nothing is written yet."""
    return np.full((2, region.height, region.width), np.nan, dtype=np.float32)


def output(
    field: LazyRaster,
    region: Box,
    out: np.ndarray,
    area: RegionOfInterest | None = None,
    pixel_m: float = 1.0,
    **options,
):
    """What a test wants of a field, written into an array."""

    def write(box: Box, pixels: np.ndarray) -> None:
        shared = box.intersection(region)
        out[(..., *shared.slices_in(region))] = pixels[(..., *shared.slices_in(box))]

    return Output(field, region, area or Everywhere(), pixel_m, write, **options)


def ramp(box: Box) -> np.ndarray:
    """(height, width) uint8: a raster that is the same wherever it is read."""
    rows, cols = np.arange(box.row, box.bottom), np.arange(box.col, box.right)
    return ((rows[:, None] * 7 + cols[None, :] * 3) % 251).astype(np.uint8)


SOURCE = RasterSource("ramp", ramp, 16)


class Pieces:
    """An area of a few boxes."""

    def __init__(self, *boxes: Box) -> None:
        self.boxes = boxes

    def any_inside(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:
        found = [[self.inside(Box(int(row), int(col), size_px, size_px)).any() for col in cols] for row in rows]
        return np.array(found, dtype=bool).reshape(len(rows), len(cols))

    def inside(self, box: Box) -> np.ndarray:
        found = np.zeros((box.height, box.width), dtype=bool)
        for piece in self.boxes:
            found[piece.intersection(box).slices_in(box)] = True
        return found


Computed = tuple[WindowOp, Box]
"""A window of a field."""


@contextmanager
def counted() -> Iterator[collections.Counter[Computed]]:
    """How often each window is computed in this process meanwhile."""
    found: collections.Counter[Computed] = collections.Counter()
    compute = fields.compute_windows

    def counting(work: WindowOp, block: Box, windows: list[Box], *rest: object) -> np.ndarray:
        found.update((work, window) for window in windows)
        return compute(work, block, windows, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "compute_windows", counting)
        yield found


def needed(field: LazyRaster, boxes: set[Box]) -> set[Computed]:
    """The windows without which boxes of a field's pixels are not had, found one by one."""
    work, windows = field.op, set()
    step = work.lattice.stride * work.scale
    for box in boxes:
        for row in range(box.row // step - 3, box.bottom // step + 2):
            for col in range(box.col // step - 3, box.right // step + 2):
                window = work.lattice.box(row, col, work.phase)
                shared = window.scaled(work.scale).intersection(box)
                if shared.height and shared.width:
                    windows.add(window)
    found = {(work, window) for window in windows}
    for source in field.inputs:
        if isinstance(source.raster, LazyRaster):
            found |= needed(source.raster, {source.region(window.grown(work.margin)) for window in windows})
    return found
