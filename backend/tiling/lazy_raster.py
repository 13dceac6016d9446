"""Fields: rasters of any size that are computed in windows and never held whole.

A field is cut into blocks on the world's lattice. The windows of a block are computed together from patches of
other fields, blended with those of the neighbouring blocks, and forgotten. Each of these steps is one task of a
Dask graph; nothing here knows how large a rendering is or where its tasks run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from itertools import product
from typing import Any

import numpy as np

from backend.tiling.lattice import Box, Lattice, Spans, WindowMask, touching, union

Key = tuple[Any, ...]
Task = tuple[Any, ...]
"""A task of a Dask graph: a callable and the keys of its arguments."""


@dataclass(frozen=True)
class Patch:
    """Pixels (..., height, width) over a box; a reader may count in pixels `coarse` times finer."""

    pixels: np.ndarray
    box: Box
    coarse: int = 1

    def read(self, box: Box) -> np.ndarray:
        """The pixels (..., height, width) of a box that lies in the patch."""
        if self.coarse == 1:
            return self.pixels[(..., *box.within(self.box))]
        rows = np.arange(box.row, box.bottom) // self.coarse - self.box.row
        cols = np.arange(box.col, box.right) // self.coarse - self.box.col
        return self.pixels[..., rows[:, None], cols[None, :]]


Compute = Callable[..., np.ndarray]
"""Windows (n boxes, in cells) and a patch of each input to (n, channels, window * scale, window * scale).

Float32 where windows overlap; else what it likes.

Whatever it holds is sent to the workers of a cluster."""


@dataclass(frozen=True)
class RasterSource:
    """A raster that is read and not computed: `read` takes a box of world pixels to its (..., height, width)."""

    name: str
    read: Callable[[Box], np.ndarray]
    side_px: int = 512

    def blocks(self, region: Box) -> Iterator[tuple[Key, Box]]:
        """The blocks that a region of its pixels touches, by key."""
        for row in range(region.row // self.side_px, -(-region.bottom // self.side_px)):
            for col in range(region.col // self.side_px, -(-region.right // self.side_px)):
                yield self.key(row, col), self.box(row, col)

    def key(self, row: int, col: int) -> Key:
        """The key of a block."""
        return (self.name, "read", row, col)

    def box(self, row: int, col: int) -> Box:
        """A block's pixels."""
        return Box(row, col, 1, 1).scaled(self.side_px)

    def task(self, key: Key) -> Task:
        """The task that reads a block."""
        return (partial(self.read, self.box(key[2], key[3])),)


def any_size(batch: int) -> int:
    """The `batch_multiple` of windows whose result does not depend on how many are computed together."""
    return 1


@dataclass(frozen=True)
class WindowOp:
    """How windows are computed and blended: all of a field that a task needs, wherever it runs.

    `scale` is the pixels of the result in a cell of the lattice, `side` the windows along a block's side, `batch`
    how many are computed at once, `margin` the cells around a window that it reads as well. `finish` takes blended
    (channels, height, width) to what is kept. `batch_multiple`, called where the windows are computed, says what
    number of windows every batch is filled up to a multiple of.
    """

    lattice: Lattice
    compute: Compute
    finish: Callable[[np.ndarray], np.ndarray]
    phase: int = 0
    scale: int = 1
    side: int = 2
    batch: int = 4
    margin: int = 0
    batch_multiple: Callable[[int], int] = any_size

    @property
    def spills(self) -> tuple[tuple[int, int], ...]:
        """The blocks that a block's windows reach into: itself, and those east, south and south-east of it."""
        return ((0, 0), (0, 1), (1, 0), (1, 1)) if self.lattice.overlap else ((0, 0),)

    @property
    def side_cells(self) -> int:
        """The side of a block."""
        return self.side * self.lattice.stride

    def cells(self, row: int, col: int) -> Box:
        """The cells of a block, those aside that its windows share with the blocks south and east of it."""
        shift = self.lattice.shift(self.phase)
        return Box(row * self.side_cells + shift, col * self.side_cells + shift, self.side_cells, self.side_cells)

    def computed(self, found: list[Box], patches: list[Patch]) -> Iterator[tuple[Box, np.ndarray]]:
        """The result of each window, batch by batch.

        Batches are filled up to what the device computes alike, so that a window's result does not depend, in its
        last bits, on how many others are computed beside it.
        """
        for first in range(0, len(found), self.batch):
            group = found[first : first + self.batch]
            extra = -len(group) % self.batch_multiple(self.batch)
            results = self.compute(group + group[-1:] * extra, *patches)
            yield from zip(group, results)


def unchanged(pixels: np.ndarray) -> np.ndarray:
    """The `finish` of pixels that are kept as they were blended, or cut."""
    return pixels


def compute_windows(work: WindowOp, block: Box, found: list[Box], makers: list[partial], *blocks: Any) -> np.ndarray:
    """The weighted sum of a block's windows: (channels, height, width) over the block and the overlap beyond it."""
    arrays = iter(blocks)
    patches = [make(arrays) for make in makers]
    weights = work.lattice.weights(work.scale) if work.lattice.overlap else None
    side = work.side_cells + work.lattice.overlap
    reached = Box(block.row, block.col, side, side).scaled(work.scale)
    total = np.zeros((0, 0, 0))
    for window, result in work.computed(found, patches):
        if not total.size:
            total = np.zeros((len(result), reached.height, reached.width), dtype=result.dtype)
        there = total[(slice(None), *window.scaled(work.scale).within(reached))]
        there += result if weights is None else np.multiply(result, weights, out=result)
    return total


def assemble(region: Box, coarse: int, boxes: list[Box], blocks: Iterator[np.ndarray]) -> Patch:
    """A patch over a region from the blocks that touch it, in the order of their boxes."""
    found = [(box, next(blocks)) for box in boxes]
    pixels = np.zeros((*found[0][1].shape[:-2], region.height, region.width), dtype=found[0][1].dtype)
    for box, block in found:
        shared = box.intersection(region)
        pixels[(..., *shared.within(region))] = block[(..., *shared.within(box))]
    return Patch(pixels, region, coarse)


def overlap_part(work: WindowOp, south: int, east: int, total: np.ndarray) -> np.ndarray:
    """The part of a block's sum that lies in the block itself, or in the one south or east of it; a copy, so that
    the whole can be freed."""
    if not work.lattice.overlap:
        return total
    side = work.side_cells * work.scale
    rows, cols = (slice(side, None) if beyond else slice(0, side) for beyond in (south, east))
    return total[:, rows, cols].copy()


def blend(work: WindowOp, *parts: np.ndarray) -> np.ndarray:
    """A block from the parts that its own windows and its neighbours' have in it."""
    if not work.lattice.overlap:
        return work.finish(parts[0])
    side = work.side_cells * work.scale
    total = np.zeros((len(parts[0]), side, side), dtype=np.float32)
    for part in parts:  # always in the same order: sums of floats depend on it
        height, width = part.shape[1:]
        total[:, :height, :width] += part
    return work.finish(total)


@dataclass(frozen=True)
class Input:
    """A field or source as another reads it: `fine` / `coarse` of its pixels are one cell of the reader's lattice."""

    of: LazyRaster | RasterSource
    fine: int = 1
    coarse: int = 1

    def region(self, cells: Box) -> Box:
        """The pixels under a box of the reader's cells."""
        return cells.scaled(self.fine).coarsened(self.coarse)

    def spans(self, starts: np.ndarray, size: int) -> Spans:
        """Along an axis, the pixels under so many of the reader's cells from each start on."""
        return starts * self.fine // self.coarse, -(-(starts + size) * self.fine // self.coarse)


@dataclass(frozen=True, eq=False)
class LazyRaster:
    """A raster that is computed in windows from its inputs. `passes` is what a window costs, in forward passes."""

    name: str
    work: WindowOp
    inputs: tuple[Input, ...] = ()
    passes: float = 1.0

    def key(self, row: int, col: int) -> Key:
        """The key of a block."""
        return (self.name, "block", row, col)

    def box(self, row: int, col: int) -> Box:
        """A block's pixels."""
        return self.work.cells(row, col).scaled(self.work.scale)

    def span(self, start: int, stop: int) -> range:
        """Along an axis, the blocks that touch pixels from `start` up to `stop`."""
        side, shift = self.work.side_cells * self.work.scale, self.work.lattice.shift(self.work.phase) * self.work.scale
        return range((start - shift) // side, -(-(stop - shift) // side))

    def blocks(self, region: Box) -> Iterator[tuple[Key, Box]]:
        """The blocks that a region of its pixels touches, by key."""
        for row in self.span(region.row, region.bottom):
            for col in self.span(region.col, region.right):
                yield self.key(row, col), self.box(row, col)

    def found(self, row: int, col: int, cover: WindowMask) -> list[Box]:
        """The windows of a block that the cover wants."""
        side, work = self.work.side, self.work
        return [work.lattice.box(*index, work.phase) for index in cover.part(row * side, col * side, side)]

    def task(self, key: Key, cover: WindowMask) -> Task:
        """The task of a key: a block, its windows, or what these have in one of the blocks that they reach."""
        _, kind, row, col, *place = key
        if kind == "part":
            return (partial(overlap_part, self.work, *place), (self.name, "windows", row, col))
        return self._blend(row, col, cover) if kind == "block" else self._compute(row, col, cover)

    def _blend(self, row: int, col: int, cover: WindowMask) -> Task:
        side = self.work.side
        places = [(s, e) for s, e in self.work.spills if cover.part((row - s) * side, (col - e) * side, side)]
        return (partial(blend, self.work), *((self.name, "part", row - s, col - e, s, e) for s, e in places))

    def _compute(self, row: int, col: int, cover: WindowMask) -> Task:
        found = self.found(row, col, cover)
        needed = reduce(Box.union, found)
        # where some are missing, the rest may lie apart, with blocks in between that nobody computes or reads
        pieces = [piece.grown(self.work.margin) for piece in (found if len(found) < self.work.side**2 else [needed])]
        makers, keys = [], list[Key]()
        for given in self.inputs:
            blocks = {key: box for piece in pieces for key, box in given.of.blocks(given.region(piece))}
            read = given.region(needed.grown(self.work.margin))
            makers.append(partial(assemble, read, given.coarse, list(blocks.values())))
            keys += blocks
        return (partial(compute_windows, self.work, self.work.cells(row, col), found, makers), *keys)

    def reading(self, given: Input, region: Box) -> Iterator[tuple[int, int]]:
        """The blocks whose windows may read a region of an input's pixels."""
        cells = region.scaled(given.coarse).coarsened(given.fine).grown(self.work.margin)
        lattice, phase = self.work.lattice, self.work.phase
        axes = [
            range(lattice.first(start, phase) // self.work.side, (lattice.after(stop, phase) - 1) // self.work.side + 1)
            for start, stop in ((cells.row, cells.bottom), (cells.col, cells.right))
        ]
        yield from product(*axes)

    def needs(self, cover: WindowMask) -> Iterator[tuple[LazyRaster, WindowMask]]:
        """What the wanted windows need of each input that is itself computed."""
        lattice, shift = self.work.lattice, self.work.lattice.shift(self.work.phase)
        read = lattice.window + 2 * self.work.margin
        starts = [
            np.arange(first, first + count) * lattice.stride + shift - self.work.margin
            for first, count in zip((cover.row, cover.col), cover.wanted.shape)
        ]
        for given in self.inputs:
            if isinstance(given.of, LazyRaster):
                rows, cols = (given.of.in_cells(given.spans(axis, read)) for axis in starts)
                yield given.of, touching(given.of.work.lattice, given.of.work.phase, rows, cols, cover.wanted)

    def in_cells(self, pixels: Spans) -> Spans:
        """Spans of its pixels as spans of its lattice's cells."""
        return pixels[0] // self.work.scale, -(-pixels[1] // self.work.scale)


def window_masks(wanted: dict[LazyRaster, WindowMask]) -> dict[LazyRaster, WindowMask]:
    """The windows to be computed of every field, inputs first, from those that are wanted of some."""
    asked = {field: [cover] for field, cover in wanted.items()}
    found = {}
    for field in reversed(_inputs_first(wanted)):
        found[field] = union(asked[field])
        for below, cover in field.needs(found[field]):
            asked.setdefault(below, []).append(cover)
    return dict(reversed(found.items()))


def _inputs_first(fields: Iterable[LazyRaster]) -> list[LazyRaster]:
    order: dict[LazyRaster, None] = {}

    def visit(field: LazyRaster) -> None:
        for given in field.inputs:
            if isinstance(given.of, LazyRaster):
                visit(given.of)
        order.setdefault(field)

    for field in fields:
        visit(field)
    return list(order)
