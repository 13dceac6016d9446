"""Renders outputs: computes the blocks of lazy rasters that cover a region, north to south, in process or on a cluster.

The task graph is built one row of blocks at a time, down to the results that are still in memory from earlier rows. A
rendering therefore starts immediately, and its memory does not grow with its height: after each row, results that later
rows read are kept and the rest are freed.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple, Protocol, Union

import dask
import numpy as np
from dask.callbacks import Callback

from backend.protocol import Reporter
from backend.tiling import dask_cluster
from backend.tiling.lattice import Box, WindowMask, windows_touching
from backend.tiling.lazy_raster import (
    BlockKey,
    Input,
    Key,
    LazyRaster,
    PartKey,
    RasterSource,
    ReadKey,
    Task,
    WindowsKey,
    window_masks,
)
from backend.tiling.regions import RegionOfInterest

LARGE_WINDOWS = 400
"""The number of windows from which a rendering logs beforehand how long it will take."""

OnDone = Callable[..., None]
"""Called for every finished task with its key and, where it ran in this process, its seconds."""

Writes = Mapping[BlockKey, dask_cluster.Write]
"""The function that takes the pixels of each block to be written."""


class WriteKey(NamedTuple):
    """The task that writes a block."""

    block: BlockKey
    kind: str = "write"


Reader = Union[Key, WriteKey]


@dataclass(frozen=True, eq=False)
class Output:
    """The part of a lazy raster that a rendering writes: its pixels in `region` and `area`, without the `done` blocks.

    `write` takes a block's box and its pixels. `done` are the first row and column, in world pixels, of the blocks that
    are written already.
    """

    raster: LazyRaster
    region: Box
    area: RegionOfInterest
    pixel_m: float
    write: Callable[[Box, np.ndarray], None]
    done: frozenset[tuple[int, int]] = frozenset()

    def blocks(self) -> WindowMask:
        """The blocks to be written."""
        rows = self.raster.block_range(self.region.row, self.region.bottom)
        cols = self.raster.block_range(self.region.col, self.region.right)
        first = self.raster.box(rows[0], cols[0])
        mask = self.area.any_inside(_starts(first.row, rows, first), _starts(first.col, cols, first), first.height)
        for row, col in self.done:
            mask[(row - first.row) // first.height, (col - first.col) // first.height] = False
        return WindowMask(rows[0], cols[0], mask)

    def windows(self, blocks: WindowMask) -> WindowMask:
        """The windows that touch these blocks inside region and area."""
        op, first, region = self.raster.op, self.raster.box(blocks.row, blocks.col), self.region
        height, width = blocks.mask.shape
        rows = np.clip(_starts(first.row, range(height + 1), first), region.row, region.bottom)
        cols = np.clip(_starts(first.col, range(width + 1), first), region.col, region.right)
        spans = [self.raster.to_cells((axis[:-1], axis[1:])) for axis in (rows, cols)]
        touching = windows_touching(op.lattice, op.phase, spans[0], spans[1], blocks.mask)
        corner = op.lattice.box(touching.row, touching.col, op.phase).scaled(op.scale)
        step = op.lattice.stride * op.scale
        starts = [at + np.arange(count) * step for at, count in zip((corner.row, corner.col), touching.mask.shape)]
        inside = self.area.any_inside(starts[0], starts[1], corner.height)
        return WindowMask(touching.row, touching.col, touching.mask & inside)

    def first_block(self) -> Output | None:
        """The output of the first block to be written alone; None where all blocks are done."""
        for index in self.blocks().indices():
            return replace(self, region=self.raster.box(*index).intersection(self.region), done=frozenset())
        return None


def passes(outputs: list[Output]) -> tuple[int, float]:
    """The number of windows that a rendering computes, and the number of forward passes that these take."""
    windows = RenderPlan(outputs).windows
    return sum(map(len, windows.values())), sum(len(mask) * raster.passes for raster, mask in windows.items())


def _starts(first: int, axis: range, block: Box) -> np.ndarray:
    """Along an axis, the first pixel of each block."""
    return first + np.arange(len(axis)) * block.height


class Progress:
    """Reports the share of the windows that are computed, weighted by their cost, and the remaining time."""

    def __init__(self, windows: dict[LazyRaster, WindowMask], report: Reporter) -> None:
        self._rasters = {raster.name: raster for raster in windows}
        self._masks = {raster.name: mask for raster, mask in windows.items()}
        self._cost = {raster.name: raster.passes for raster in windows}
        self._done = dict.fromkeys(self._rasters, 0)
        self._seconds = dict.fromkeys(self._rasters, 0.0)
        self.windows = sum(map(len, windows.values()))
        self._report, self._begun, self._reported = report, time.monotonic(), 0.0

    def _share(self) -> float:
        total = sum(len(self._masks[name]) * cost for name, cost in self._cost.items())
        return sum(self._done[name] * cost for name, cost in self._cost.items()) / total

    def add(self, key: Reader, seconds: float = 0.0) -> None:
        """Count a finished task, which took `seconds` where it ran in this process; only tasks of windows count."""
        if not isinstance(key, WindowsKey):
            return
        name = key.raster
        self._done[name] += len(self._rasters[name].windows_of_block(key.row, key.col, self._masks[name]))
        self._seconds[name] += seconds
        self._reported = max(self._reported, self._share())
        message = f"window {sum(self._done.values()):,} of {self.windows:,}"
        left, spent = self._seconds_left(), time.monotonic() - self._begun
        self._report.progress(self._reported, message + (f", about {duration(left)} left" if spent > 5 < left else ""))

    def _seconds_left(self) -> float:
        share = self._share()
        return (time.monotonic() - self._begun) * (1 / share - 1) if share else 0.0

    def estimate(self) -> None:
        """Set the cost of a raster's windows to the seconds that its first ones took, and log the expected time.

        Does nothing until windows of every raster have run in this process.
        """
        if not all(self._seconds.values()):
            return
        self._cost = {name: seconds / self._done[name] for name, seconds in self._seconds.items()}
        if self.windows >= LARGE_WINDOWS:
            self._report.log(f"{self.windows:,} windows, about {duration(self._seconds_left())} from now on.")


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class RenderPlan:
    """The tasks of a rendering: which there are, in which order, what each reads, and which tasks read its result.

    `windows` are the windows of every lazy raster that are computed, inputs first.
    """

    def __init__(self, outputs: list[Output]) -> None:
        self.blocks = {output: output.blocks() for output in outputs}
        self.windows = window_masks({output.raster: output.windows(blocks) for output, blocks in self.blocks.items()})
        self._rasters: dict[str, LazyRaster | RasterSource] = {raster.name: raster for raster in self.windows}
        self._ops = {raster.name: raster.op for raster in self.windows}
        self._reading: dict[str, list[tuple[LazyRaster, Input]]] = defaultdict(list)
        for raster in self.windows:
            for source in raster.inputs:
                self._rasters[source.raster.name] = source.raster
                self._reading[source.raster.name].append((raster, source))
        self._outputs = {
            BlockKey(output.raster.name, *index) for output, blocks in self.blocks.items() for index in blocks.indices()
        }
        self._computed: set[Reader] = set()

    def rows(self) -> list[tuple[Output, list[BlockKey]]]:
        """The blocks to be written, row by row from north to south.

        The first block of each output comes first and alone, so that the time of a window is known early.
        """
        rows: list[tuple[float, Output, list[BlockKey]]] = []
        for output, blocks in self.blocks.items():
            north = -math.inf
            for number, indices in groupby(blocks.indices(), lambda index: index[0]):
                keys = [BlockKey(output.raster.name, *index) for index in indices]
                if north == -math.inf:
                    rows.append((north, output, [keys.pop(0)]))
                north = output.raster.box(number, 0).row * output.pixel_m
                rows += [(north, output, keys)] if keys else []
        rows.sort(key=lambda row: row[0])
        return [(output, keys) for _, output, keys in rows]

    def task(self, key: Key) -> Task:
        """The task of a key."""
        raster = self._rasters[key.raster]
        if isinstance(raster, LazyRaster):
            return raster.task(key, self.windows[raster])
        return raster.task(ReadKey(key.raster, key.row, key.col))

    def graph(self, keys: Iterable[Key], held: Container[Key]) -> dict[Key, Task]:
        """The tasks that compute the keys from the results in `held`, each after those that it reads."""
        graph: dict[Key, Task] = {}
        stack = [(key, False) for key in keys]
        while stack:
            key, ready = stack.pop()
            if ready:
                graph[key] = graph.pop(key)  # to the end: all that it reads stands before it
            elif key not in held and key not in graph:
                graph[key] = self.task(key)
                stack.append((key, True))
                stack += [(argument, False) for argument in graph[key][1:]]
        return graph

    def readers(self, key: Key) -> Iterator[Reader]:
        """The tasks of the whole rendering that read a key's result."""
        if isinstance(key, WindowsKey):
            for offset in self._ops[key.raster].part_offsets:
                part = PartKey(key.raster, key.row, key.col, *offset)
                if any(True for _ in self.readers(part.block)):
                    yield part
        elif isinstance(key, PartKey):
            yield key.block
        else:
            if isinstance(key, BlockKey) and key in self._outputs:
                yield WriteKey(key)
            for raster, source in self._reading[key.raster]:
                for index in raster.reader_blocks(source, self._rasters[key.raster].box(key.row, key.col)):
                    if raster.windows_of_block(*index, self.windows[raster]):
                        reader = WindowsKey(raster.name, *index)
                        if key in self.task(reader):
                            yield reader

    def extend_and_keep(self, keys: list[BlockKey], graph: dict[Key, Task], held: Iterable[Key]) -> list[Key]:
        """The results that later graphs read; to be called once for each graph, in their order.

        Adds to the graph the parts of its windows that only later graphs read, so that these windows can be freed.
        """
        self._computed |= graph.keys() | {WriteKey(key) for key in keys}
        for key in [key for key in graph if isinstance(key, WindowsKey)]:
            for part in self.readers(key):
                if isinstance(part, PartKey):
                    graph.setdefault(part, self.task(part))
        results = {**graph, **dict.fromkeys(held)}
        return [key for key in results if not isinstance(key, WindowsKey) and self._is_read_later(key)]

    def _is_read_later(self, key: Key) -> bool:
        return any(reader not in self._computed for reader in self.readers(key))


class Executor(Protocol):
    """Runs tasks: in this process, or on a cluster."""

    def run(self, graph: dict[Key, Task], held: dict[Key, Any], keep: list[Key], writes: Writes) -> dict[Key, Any]:
        """Run a graph on the results in `held`, write the blocks of `writes`, and return the results of `keep`."""

    def finish(self) -> None:
        """Wait until all blocks are written."""


class InProcess:
    """Runs tasks one after another in this process; torch itself uses all cores or the GPU."""

    def __init__(self, on_done: OnDone) -> None:
        self._on_done = on_done

    def run(  # noqa: D102
        self, graph: dict[Key, Task], held: dict[Key, Any], keep: list[Key], writes: Writes
    ) -> dict[Key, Any]:
        write_tasks = {WriteKey(key): (write, key) for key, write in writes.items()}
        begun = 0.0

        def start(*_: Any) -> None:
            nonlocal begun
            begun = time.monotonic()

        with Callback(pretask=start, posttask=lambda key, *_: self._on_done(key, time.monotonic() - begun)):
            results = dask.get({**held, **graph, **write_tasks}, [*write_tasks, *keep])
        return dict(zip(keep, results[len(write_tasks) :]))

    def finish(self) -> None:  # noqa: D102
        pass


@contextmanager
def _executor(scheduler: str, on_done: OnDone) -> Iterator[Executor]:
    if scheduler:
        with dask_cluster.connected(scheduler, on_done) as cluster:
            yield cluster
    else:
        yield InProcess(on_done)


def render(outputs: list[Output], scheduler: str, report: Reporter) -> None:
    """Compute the outputs and hand them to their `write`, block by block.

    `scheduler` is the address of a Dask scheduler; without one everything is computed in this process. Raises
    BackendError where the cluster cannot be reached or is lost.
    """
    plan = RenderPlan(outputs)
    progress = Progress(plan.windows, report)
    if progress.windows:
        report.progress(0.0, f"window 0 of {progress.windows:,}")
    with _executor(scheduler, progress.add) as executor:
        held: dict[Key, Any] = {}
        for number, (output, keys) in enumerate(plan.rows()):
            graph = plan.graph(keys, held)
            keep = plan.extend_and_keep(keys, graph, held)
            writes = {key: partial(output.write, output.raster.box(key.row, key.col)) for key in keys}
            held = executor.run(graph, held, keep, writes)
            if number == len(outputs) - 1:
                progress.estimate()
        executor.finish()
    report.progress(1.0, "compressing")
