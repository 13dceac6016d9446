"""Lazy rasters: rasters of any size that are computed in windows and never held as a whole.

- A *window* is what a network computes at once: a square of lattice cells. Neighbouring windows may overlap.
- A *margin* is the ring of cells around a window that the network reads but whose results are discarded.
- A *block* is a square of `side` x `side` windows' strides. Blocks tile the world without overlapping; a block's
  windows are computed together, and its pixels are what other rasters and outputs read.
- A *part* is what a block's windows contribute to one block: to their own, or, where windows overlap, to the one
  south, east or south-east of it. A block is the blended sum of its parts.

Each of these steps is one task of a Dask graph, addressed by one of the keys below. Nothing in this module knows how
large a rendering is or where its tasks run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from itertools import product
from typing import Any, Literal, NamedTuple, Union

import numpy as np

from backend.tiling.lattice import Box, Lattice, Spans, WindowMask, union, windows_touching


class ReadKey(NamedTuple):
    """The task that reads a block of a `RasterSource`; its result is the block's pixels."""

    raster: str
    row: int
    col: int
    kind: Literal["read"] = "read"  # a field, because keys are compared as plain tuples


class WindowsKey(NamedTuple):
    """The task that computes a block's windows; its result is their weighted sum."""

    raster: str
    row: int
    col: int
    kind: Literal["windows"] = "windows"


class PartKey(NamedTuple):
    """The task that cuts a part from the windows of block (row, col).

    The part lies in the block that is `south` rows and `east` columns (0 or 1) away.
    """

    raster: str
    row: int
    col: int
    south: int
    east: int
    kind: Literal["part"] = "part"

    @property
    def block(self) -> BlockKey:
        """The block that the part belongs to."""
        return BlockKey(self.raster, self.row + self.south, self.col + self.east)


class BlockKey(NamedTuple):
    """The task that blends the parts of a block; its result is the block's pixels."""

    raster: str
    row: int
    col: int
    kind: Literal["block"] = "block"


Key = Union[ReadKey, WindowsKey, PartKey, BlockKey]
"""A task of the graph. Dask takes any tuple of strings and numbers as a key."""
Task = tuple[Any, ...]
"""A task of a Dask graph: a callable and the keys of its arguments."""


@dataclass(frozen=True)
class Patch:
    """Pixels (..., height, width) over a box, for a reader whose own pixels are `coarse` times finer."""

    pixels: np.ndarray
    box: Box
    coarse: int = 1

    def read(self, box: Box) -> np.ndarray:
        """The pixels (..., height, width) of a box inside the patch, which is given in the reader's pixels."""
        if self.coarse == 1:
            return self.pixels[(..., *box.slices_in(self.box))]
        rows = np.arange(box.row, box.bottom) // self.coarse - self.box.row
        cols = np.arange(box.col, box.right) // self.coarse - self.box.col
        return self.pixels[..., rows[:, None], cols[None, :]]


Compute = Callable[..., np.ndarray]
"""Computes a batch of windows (n boxes of cells), given a patch of each input.

Returns (n, channels, window * scale, window * scale), float32 where windows overlap. It is pickled with all that it
refers to and sent to the workers of a cluster."""


@dataclass(frozen=True)
class RasterSource:
    """A raster that is read, not computed: `read` returns the (..., height, width) pixels of a box of world pixels."""

    name: str
    read: Callable[[Box], np.ndarray]
    side_px: int = 512

    def blocks(self, region: Box) -> Iterator[tuple[ReadKey, Box]]:
        """Key and box of each block that a region of its pixels touches."""
        for row in range(region.row // self.side_px, -(-region.bottom // self.side_px)):
            for col in range(region.col // self.side_px, -(-region.right // self.side_px)):
                yield ReadKey(self.name, row, col), self.box(row, col)

    def box(self, row: int, col: int) -> Box:
        """A block's pixels."""
        return Box(row, col, 1, 1).scaled(self.side_px)

    def task(self, key: ReadKey) -> Task:
        """The task that reads a block."""
        return (partial(self.read, self.box(key.row, key.col)),)


def any_size(batch: int) -> int:
    """The `batch_multiple` of windows whose results do not depend on the size of their batch."""
    return 1


@dataclass(frozen=True)
class WindowOp:
    """How a raster's windows are computed and blended: everything that its tasks need, wherever they run.

    `compute` computes a batch of at most `batch` windows; it reads `margin` cells around each. A cell has `scale` x
    `scale` pixels of the result. A block has `side` x `side` windows. `finish` converts the blended pixels
    (channels, height, width) to the raster's values. `batch_multiple`, called with `batch` on the machine that
    computes, returns the number that every batch's size is padded to a multiple of.
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
    def part_offsets(self) -> tuple[tuple[int, int], ...]:
        """The offsets (south, east) of the blocks that a block's windows reach into, its own first."""
        return ((0, 0), (0, 1), (1, 0), (1, 1)) if self.lattice.overlap else ((0, 0),)

    @property
    def side_cells(self) -> int:
        """The side of a block in cells."""
        return self.side * self.lattice.stride

    def block_cells(self, row: int, col: int) -> Box:
        """The cells of a block, without those that its windows share with the blocks south and east of it."""
        shift = self.lattice.shift(self.phase)
        return Box(row * self.side_cells + shift, col * self.side_cells + shift, self.side_cells, self.side_cells)

    def results(self, windows: list[Box], patches: list[Patch]) -> Iterator[tuple[Box, np.ndarray]]:
        """Each window with its result, computed batch by batch.

        Batches are padded by repeating their last window, because the last bits of a result can depend on the size
        of its batch.
        """
        for first in range(0, len(windows), self.batch):
            group = windows[first : first + self.batch]
            padding = -len(group) % self.batch_multiple(self.batch)
            results = self.compute(group + group[-1:] * padding, *patches)
            yield from zip(group, results)


def unchanged(pixels: np.ndarray) -> np.ndarray:
    """The `finish` of a raster whose blended pixels are its values."""
    return pixels


def compute_windows(
    op: WindowOp, block: Box, windows: list[Box], assemblers: list[partial], *blocks: Any
) -> np.ndarray:
    """The weighted sum of a block's windows: (channels, height, width) over the block and the overlap beyond it.

    `blocks` are the inputs' blocks, input after input; each assembler takes those of its input and makes its patch.
    """
    remaining = iter(blocks)
    patches = [assembler(remaining) for assembler in assemblers]
    weights = op.lattice.weights(op.scale) if op.lattice.overlap else None
    side = op.side_cells + op.lattice.overlap
    extent = Box(block.row, block.col, side, side).scaled(op.scale)
    total = np.zeros((0, 0, 0))
    for window, result in op.results(windows, patches):
        if not total.size:
            total = np.zeros((len(result), extent.height, extent.width), dtype=result.dtype)
        target = total[(slice(None), *window.scaled(op.scale).slices_in(extent))]
        target += result if weights is None else np.multiply(result, weights, out=result)
    return total


def assemble(region: Box, coarse: int, boxes: list[Box], blocks: Iterator[np.ndarray]) -> Patch:
    """A patch over a region, from the blocks at `boxes`, which are taken from `blocks` in this order."""
    pieces = [(box, next(blocks)) for box in boxes]
    pixels = np.zeros((*pieces[0][1].shape[:-2], region.height, region.width), dtype=pieces[0][1].dtype)
    for box, block in pieces:
        shared = box.intersection(region)
        pixels[(..., *shared.slices_in(region))] = block[(..., *shared.slices_in(box))]
    return Patch(pixels, region, coarse)


def cut_part(op: WindowOp, south: int, east: int, total: np.ndarray) -> np.ndarray:
    """The part of a block's windows' sum that lies in the block (0, 0) itself, or in the one south or east of it.

    It is a copy, so that the sum can be freed.
    """
    if not op.lattice.overlap:
        return total
    side = op.side_cells * op.scale
    rows, cols = (slice(side, None) if beyond else slice(0, side) for beyond in (south, east))
    return total[:, rows, cols].copy()


def blend(op: WindowOp, *parts: np.ndarray) -> np.ndarray:
    """A block: the finished sum of its parts, each (channels, height, width) from the block's first pixel on."""
    if not op.lattice.overlap:
        return op.finish(parts[0])
    side = op.side_cells * op.scale
    total = np.zeros((len(parts[0]), side, side), dtype=np.float32)
    for part in parts:  # always in the same order: a sum of floats depends on it
        height, width = part.shape[1:]
        total[:, :height, :width] += part
    return op.finish(total)


@dataclass(frozen=True)
class Input:
    """A raster as another one, the reader, reads it.

    Along a side, a cell of the reader's lattice is `fine` of the reader's pixels, and a pixel of the raster is `coarse`
    of them: the cell covers `fine` / `coarse` of the raster's pixels.
    """

    raster: LazyRaster | RasterSource
    fine: int = 1
    coarse: int = 1

    def region(self, cells: Box) -> Box:
        """The raster's pixels under a box of the reader's cells."""
        return cells.scaled(self.fine).coarsened(self.coarse)

    def cells(self, region: Box) -> Box:
        """The reader's cells over a box of the raster's pixels."""
        return region.scaled(self.coarse).coarsened(self.fine)

    def spans(self, starts: np.ndarray, size: int) -> Spans:
        """Along an axis, the raster's pixels under `size` of the reader's cells from each start on."""
        return starts * self.fine // self.coarse, -(-(starts + size) * self.fine // self.coarse)


@dataclass(frozen=True, eq=False)
class LazyRaster:
    """A raster that `op` computes in windows from its inputs; a window costs `passes` forward passes."""

    name: str
    op: WindowOp
    inputs: tuple[Input, ...] = ()
    passes: float = 1.0

    def box(self, row: int, col: int) -> Box:
        """A block's pixels."""
        return self.op.block_cells(row, col).scaled(self.op.scale)

    def block_range(self, start: int, stop: int) -> range:
        """Along an axis, the indices of the blocks that touch the pixels from `start` up to `stop`."""
        side, shift = self.op.side_cells * self.op.scale, self.op.lattice.shift(self.op.phase) * self.op.scale
        return range((start - shift) // side, -(-(stop - shift) // side))

    def blocks(self, region: Box) -> Iterator[tuple[BlockKey, Box]]:
        """Key and box of each block that a region of its pixels touches."""
        for row in self.block_range(region.row, region.bottom):
            for col in self.block_range(region.col, region.right):
                yield BlockKey(self.name, row, col), self.box(row, col)

    def windows_of_block(self, row: int, col: int, mask: WindowMask) -> list[Box]:
        """The cells of those of a block's windows that are in the mask."""
        side = self.op.side
        indices = mask.indices_in(row * side, col * side, side)
        return [self.op.lattice.box(*index, self.op.phase) for index in indices]

    def task(self, key: Key, mask: WindowMask) -> Task:
        """The task of one of the raster's keys, where the windows of the mask are computed."""
        if isinstance(key, WindowsKey):
            return self._windows_task(key, mask)
        if isinstance(key, PartKey):
            return (partial(cut_part, self.op, key.south, key.east), WindowsKey(self.name, key.row, key.col))
        return self._block_task(key.row, key.col, mask)

    def _block_task(self, row: int, col: int, mask: WindowMask) -> Task:
        side = self.op.side
        sources = [(row - south, col - east, south, east) for south, east in self.op.part_offsets]
        parts = [PartKey(self.name, *part) for part in sources if mask.indices_in(part[0] * side, part[1] * side, side)]
        return (partial(blend, self.op), *parts)

    def _windows_task(self, key: WindowsKey, mask: WindowMask) -> Task:
        op, windows = self.op, self.windows_of_block(key.row, key.col, mask)
        extent = reduce(Box.union, windows)
        # Where some of a block's windows are not computed, the others may lie apart, and the blocks between them
        # may not be computed either: then each window's own surroundings are read.
        areas = [area.grown(op.margin) for area in (windows if len(windows) < op.side**2 else [extent])]
        assemblers, keys = [], list[Key]()
        for source in self.inputs:
            blocks = {block: box for area in areas for block, box in source.raster.blocks(source.region(area))}
            region = source.region(extent.grown(op.margin))
            assemblers.append(partial(assemble, region, source.coarse, list(blocks.values())))
            keys += blocks
        return (partial(compute_windows, op, op.block_cells(key.row, key.col), windows, assemblers), *keys)

    def reader_blocks(self, source: Input, region: Box) -> Iterator[tuple[int, int]]:
        """The indices of this raster's blocks whose windows may read a region of an input's pixels."""
        op, cells = self.op, source.cells(region).grown(self.op.margin)
        axes = []
        for start, stop in ((cells.row, cells.bottom), (cells.col, cells.right)):
            last = op.lattice.window_stop(stop, op.phase) - 1
            axes.append(range(op.lattice.first_window(start, op.phase) // op.side, last // op.side + 1))
        yield from product(*axes)

    def input_windows(self, mask: WindowMask) -> Iterator[tuple[LazyRaster, WindowMask]]:
        """Each input that is itself lazy, with those of its windows that this raster's windows in the mask read."""
        lattice, shift = self.op.lattice, self.op.lattice.shift(self.op.phase)
        size = lattice.window + 2 * self.op.margin
        starts = [
            np.arange(first, first + count) * lattice.stride + shift - self.op.margin
            for first, count in zip((mask.row, mask.col), mask.mask.shape)
        ]
        for source in self.inputs:
            if isinstance(source.raster, LazyRaster):
                op = source.raster.op
                rows, cols = (source.raster.to_cells(source.spans(axis, size)) for axis in starts)
                yield source.raster, windows_touching(op.lattice, op.phase, rows, cols, mask.mask)

    def to_cells(self, pixels: Spans) -> Spans:
        """Intervals of its pixels as intervals of its lattice's cells."""
        return pixels[0] // self.op.scale, -(-pixels[1] // self.op.scale)


def window_masks(outputs: Mapping[LazyRaster, WindowMask]) -> dict[LazyRaster, WindowMask]:
    """The windows of every lazy raster, inputs first, that are computed to get those of some."""
    requests = {raster: [mask] for raster, mask in outputs.items()}
    masks = {}
    for raster in reversed(_inputs_first(outputs)):
        masks[raster] = union(requests[raster])
        for source, mask in raster.input_windows(masks[raster]):
            requests.setdefault(source, []).append(mask)
    return dict(reversed(masks.items()))


def _inputs_first(rasters: Iterable[LazyRaster]) -> list[LazyRaster]:
    order: dict[LazyRaster, None] = {}

    def visit(raster: LazyRaster) -> None:
        for source in raster.inputs:
            if isinstance(source.raster, LazyRaster):
                visit(source.raster)
        order.setdefault(raster)

    for raster in rasters:
        visit(raster)
    return list(order)
