"""Small lazy rasters for tests of the engine: chains of phases computed from noise and tanh, no network needed."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from backend.protocol import Reporter, silent
from backend.tiling import lazy_raster, noise
from backend.tiling.lattice import Box, Lattice
from backend.tiling.lazy_raster import Input, LazyRaster, Patch, RasterSource, WindowOp, any_size
from backend.tiling.regions import Everywhere, RegionOfInterest
from backend.tiling.render import Output, render


def noise_and_inputs(
    seed: int, scale: int, margin: int, fines: list[int], windows: list[Box], *patches: Patch
) -> np.ndarray:
    """Two channels in which every pixel depends on all inputs of its window, as a network with attention computes."""
    results = []
    for window in windows:
        box = window.grown(margin)
        pixels = noise.normal(seed, "w", 2, box)
        for fine, patch in zip(fines, patches):
            values = patch.read(box.scaled(fine))[..., ::fine, ::fine].astype(np.float32)
            pixels = pixels + np.tanh(values + values.mean()) * (1 + values.std())
        results.append(pixels[(slice(None), *window.slices_in(box))].repeat(scale, 1).repeat(scale, 2))
    return np.stack(results)


def unchanged(pixels: np.ndarray) -> np.ndarray:
    """The blended pixels as they are: a finish that does nothing."""
    return pixels


def slow_ones(windows: list[Box], *patches: Patch) -> np.ndarray:
    """Two channels of ones, after 0.2 s."""
    time.sleep(0.2)
    return np.ones((len(windows), 2, windows[0].height, windows[0].width), dtype=np.float32)


HOARD: list[bytearray] = []
"""What `hoarding` has taken in this process."""


def hoarding(megabytes: int, windows: list[Box], *patches: Patch) -> np.ndarray:
    """Two channels of ones, after memory was taken that is not given back."""
    HOARD.append(bytearray(b"1") * (megabytes << 20))
    time.sleep(1.0)  # longer than Dask takes to look at the memory
    return np.ones((len(windows), 2, windows[0].height, windows[0].width), dtype=np.float32)


def raising(error: Exception, windows: list[Box], *patches: Patch) -> np.ndarray:
    """Raise an error instead of computing windows."""
    raise error


def phased_raster(
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
    """A raster of `phases` and a last one decoded to `scale` pixels a cell; each reads the one before and `below`."""
    raster = None
    for phase in range(phases + 1):
        last = phase == phases
        inputs = (*((Input(raster),) if raster else ()), *below)
        compute = partial(noise_and_inputs, seed, scale if last else 1, margin, [source.fine for source in inputs])
        op = WindowOp(lattice, compute, unchanged, phase, scale if last else 1, side, batch, margin, batch_multiple)
        raster = LazyRaster(f"{name} {phase}", op, inputs)
    return raster


def render_pixels(
    raster: LazyRaster,
    region: Box,
    area: RegionOfInterest | None = None,
    scheduler: str = "",
    report: Reporter | None = None,
):
    """(2, height, width) float32: the rendered pixels of a region; NaN where nothing was written."""
    out = unwritten(region)
    render([array_output(raster, region, out, area)], scheduler, report or silent())
    return out


def unwritten(region: Box) -> np.ndarray:
    """An array for the pixels of a region in which nothing is written yet."""
    return np.full((2, region.height, region.width), np.nan, dtype=np.float32)


def array_output(
    raster: LazyRaster,
    region: Box,
    out: np.ndarray,
    area: RegionOfInterest | None = None,
    pixel_m: float = 1.0,
    **options,
):
    """The output of a rendering that writes a region of a raster into an array."""

    def write(box: Box, pixels: np.ndarray) -> None:
        shared = box.intersection(region)
        out[(..., *shared.slices_in(region))] = pixels[(..., *shared.slices_in(box))]

    return Output(raster, region, area or Everywhere(), pixel_m, write, **options)


def ramp(box: Box) -> np.ndarray:
    """(height, width) uint8: pixels that depend on their row and column alone."""
    rows, cols = np.arange(box.row, box.bottom), np.arange(box.col, box.right)
    return ((rows[:, None] * 7 + cols[None, :] * 3) % 251).astype(np.uint8)


RAMP = RasterSource("ramp", ramp, 16)


class BoxUnion:
    """A region of interest of a few boxes."""

    def __init__(self, *boxes: Box) -> None:
        self.boxes = boxes

    def any_inside(self, rows: np.ndarray, cols: np.ndarray, size_px: int) -> np.ndarray:
        masks = [[self.inside(Box(int(row), int(col), size_px, size_px)).any() for col in cols] for row in rows]
        return np.array(masks, dtype=bool).reshape(len(rows), len(cols))

    def inside(self, box: Box) -> np.ndarray:
        mask = np.zeros((box.height, box.width), dtype=bool)
        for piece in self.boxes:
            mask[piece.intersection(box).slices_in(box)] = True
        return mask


RasterWindow = tuple[WindowOp, Box]
"""A window of a lazy raster."""


@contextmanager
def count_windows() -> Iterator[collections.Counter[RasterWindow]]:
    """Count how often each window is computed in this process while the context is open."""
    counts: collections.Counter[RasterWindow] = collections.Counter()
    compute = lazy_raster.compute_windows

    def counting(op: WindowOp, block: Box, windows: list[Box], *rest: object) -> np.ndarray:
        counts.update((op, window) for window in windows)
        return compute(op, block, windows, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lazy_raster, "compute_windows", counting)
        yield counts


def needed_windows(raster: LazyRaster, boxes: set[Box]) -> set[RasterWindow]:
    """The windows that boxes of a raster's pixels depend on, by brute force over a range of windows."""
    op, windows = raster.op, set()
    step = op.lattice.stride * op.scale
    for box in boxes:
        for row in range(box.row // step - 3, box.bottom // step + 2):
            for col in range(box.col // step - 3, box.right // step + 2):
                window = op.lattice.box(row, col, op.phase)
                shared = window.scaled(op.scale).intersection(box)
                if shared.height and shared.width:
                    windows.add(window)
    needed = {(op, window) for window in windows}
    for source in raster.inputs:
        if isinstance(source.raster, LazyRaster):
            needed |= needed_windows(source.raster, {source.region(window.grown(op.margin)) for window in windows})
    return needed
