"""Renderings: the blocks that are wanted of some fields, computed from north to south, in process or on a cluster.

The graph is made row by row, from what the row wants down to what is still held of the rows above, so a rendering
begins at once and its memory does not grow with its height. What comes later needs is kept, the rest is forgotten.
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
from typing import Any, Protocol

import dask
import numpy as np
from dask.callbacks import Callback

from backend.protocol import Reporter
from backend.tiling import dask_cluster
from backend.tiling.lattice import Box, WindowMask, touching
from backend.tiling.lazy_raster import Input, Key, LazyRaster, RasterSource, Task, window_masks
from backend.tiling.regions import RegionOfInterest

LARGE_WINDOWS = 400
"""From how many windows on a rendering says beforehand how long it will take."""

OnDone = Callable[..., None]
"""Hears of every task that is done: its key and, where it ran here, its seconds."""

Writes = Mapping[Key, Callable[[Any], None]]
"""Who takes the blocks of some keys."""


@dataclass(frozen=True, eq=False)
class Output:
    """What is wanted of a field: a region of its pixels, and of that what an area holds and is not `done` already.

    `write` takes a block's box and its pixels; `done` are the first row and column of blocks in world pixels.
    """

    field: LazyRaster
    region: Box
    area: RegionOfInterest
    pixel_m: float
    write: Callable[[Box, np.ndarray], None]
    done: frozenset[tuple[int, int]] = frozenset()

    def blocks(self) -> WindowMask:
        """The blocks that are wanted."""
        rows = self.field.span(self.region.row, self.region.bottom)
        cols = self.field.span(self.region.col, self.region.right)
        first = self.field.box(rows[0], cols[0])
        wanted = self.area.touches(_starts(first.row, rows, first), _starts(first.col, cols, first), first.height)
        for row, col in self.done:
            wanted[(row - first.row) // first.height, (col - first.col) // first.height] = False
        return WindowMask(rows[0], cols[0], wanted)

    def windows(self, blocks: WindowMask) -> WindowMask:
        """The windows that give the wanted blocks, as far as they lie in region and area."""
        work, first, region = self.field.work, self.field.box(blocks.row, blocks.col), self.region
        height, width = blocks.wanted.shape
        rows = np.clip(_starts(first.row, range(height + 1), first), region.row, region.bottom)
        cols = np.clip(_starts(first.col, range(width + 1), first), region.col, region.right)
        spans = [self.field.in_cells((axis[:-1], axis[1:])) for axis in (rows, cols)]
        found = touching(work.lattice, work.phase, spans[0], spans[1], blocks.wanted)
        window = work.lattice.box(found.row, found.col, work.phase).scaled(work.scale)
        step = work.lattice.stride * work.scale
        starts = [at + np.arange(count) * step for at, count in zip((window.row, window.col), found.wanted.shape)]
        return WindowMask(found.row, found.col, found.wanted & self.area.touches(starts[0], starts[1], window.height))

    def first_block(self) -> Output | None:
        """The output of the first wanted block alone, as a trial; None where all is done."""
        for index in self.blocks().indices():
            return replace(self, region=self.field.box(*index).intersection(self.region), done=frozenset())
        return None


def passes(outputs: list[Output]) -> tuple[int, float]:
    """How many windows a rendering computes, and how many forward passes these cost."""
    found = RenderPlan(outputs).covers
    return sum(len(cover) for cover in found.values()), sum(len(cover) * field.passes for field, cover in found.items())


def _starts(first: int, axis: range, block: Box) -> np.ndarray:
    """Along an axis, the first pixel of each block."""
    return first + np.arange(len(axis)) * block.height


class Progress:
    """Counts windows by what they cost, and says how long the rest will take."""

    def __init__(self, found: dict[LazyRaster, WindowMask], report: Reporter) -> None:
        self._fields = {field.name: field for field in found}
        self._covers = {field.name: cover for field, cover in found.items()}
        self._cost = {field.name: field.passes for field in found}
        self._done = dict.fromkeys(self._fields, 0)
        self._seconds = dict.fromkeys(self._fields, 0.0)
        self.windows = sum(len(cover) for cover in found.values())
        self._report, self._begun, self._shown = report, time.monotonic(), 0.0

    def _share(self) -> float:
        total = sum(len(self._covers[name]) * cost for name, cost in self._cost.items())
        return sum(self._done[name] * cost for name, cost in self._cost.items()) / total

    def add(self, key: Key, seconds: float = 0.0) -> None:
        """A task is done, here in so many seconds; those that compute windows count."""
        name, kind, row, col = key[:4]
        if kind != "windows":
            return
        self._done[name] += len(self._fields[name].found(row, col, self._covers[name]))
        self._seconds[name] += seconds
        self._shown = max(self._shown, self._share())
        message = f"window {sum(self._done.values()):,} of {self.windows:,}"
        left, spent = self._left(), time.monotonic() - self._begun
        self._report.progress(self._shown, message + (f", about {duration(left)} left" if spent > 5 < left else ""))

    def _left(self) -> float:
        share = self._share()
        return (time.monotonic() - self._begun) * (1 / share - 1) if share else 0.0

    def estimate(self) -> None:
        """After a trial of every field here: count windows by the seconds they took, and say how long it will be."""
        if not all(self._seconds.values()):
            return
        self._cost = {name: seconds / self._done[name] for name, seconds in self._seconds.items()}
        if self.windows >= LARGE_WINDOWS:
            self._report.log(f"{self.windows:,} windows, about {duration(self._left())} from now on.")


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class RenderPlan:
    """The tasks of a rendering: which there are, in which order they are wanted, what they need and who needs them."""

    def __init__(self, outputs: list[Output]) -> None:
        self.wanted = {output: output.blocks() for output in outputs}
        self.covers = window_masks({output.field: output.windows(blocks) for output, blocks in self.wanted.items()})
        self._fields: dict[str, LazyRaster | RasterSource] = {field.name: field for field in self.covers}
        self._works = {field.name: field.work for field in self.covers}
        self._readers: dict[str, list[tuple[LazyRaster, Input]]] = defaultdict(list)
        for field in self.covers:
            for given in field.inputs:
                self._fields[given.of.name] = given.of
                self._readers[given.of.name].append((field, given))
        self._final = {output.field.key(*index) for output, blocks in self.wanted.items() for index in blocks.indices()}
        self._computed: set[Key] = set()

    def rows(self) -> list[tuple[Output, list[Key]]]:
        """The wanted blocks row by row, from north to south; the first of each output by itself, as a trial."""
        rows: list[tuple[float, Output, list[Key]]] = []
        for output, blocks in self.wanted.items():
            north = -math.inf
            for number, indices in groupby(blocks.indices(), lambda index: index[0]):
                keys = [output.field.key(*index) for index in indices]
                if north == -math.inf:
                    rows.append((north, output, [keys.pop(0)]))
                north = output.field.box(number, 0).row * output.pixel_m
                rows += [(north, output, keys)] if keys else []
        rows.sort(key=lambda row: row[0])
        return [(output, keys) for _, output, keys in rows]

    def task(self, key: Key) -> Task:
        """The task of a key."""
        found = self._fields[key[0]]
        return found.task(key) if isinstance(found, RasterSource) else found.task(key, self.covers[found])

    def graph(self, keys: Iterable[Key], held: Container[Key]) -> dict[Key, Task]:
        """The tasks that give the keys on top of what is held, each after those that it needs."""
        graph: dict[Key, Task] = {}
        stack = [(key, False) for key in keys]
        while stack:
            key, ready = stack.pop()
            if ready:
                graph[key] = graph.pop(key)  # last of all so far: what it needs stands before it
            elif key not in held and key not in graph:
                graph[key] = self.task(key)
                stack.append((key, True))
                stack += [(below, False) for below in graph[key][1:]]
        return graph

    def readers(self, key: Key) -> Iterator[Key]:
        """The tasks, of the whole rendering, that read what a key gives."""
        name, kind, row, col, *place = key
        if kind == "windows":
            for spill in self._works[name].spills:
                if self._needed(name, row, col, spill):
                    yield (name, "part", row, col, *spill)
        elif kind == "part":
            yield (name, "block", row + place[0], col + place[1])
        else:
            if key in self._final:
                yield ("written", *key)
            for field, given in self._readers[name]:
                for index in field.reading(given, self._fields[name].box(row, col)):
                    if field.found(*index, self.covers[field]):
                        reader = (field.name, "windows", *index)
                        if key in self.task(reader):
                            yield reader

    def _needed(self, name: str, row: int, col: int, spill: tuple[int, int]) -> bool:
        """Whether anything reads the block that a block's windows spill into."""
        block = (name, "block", row + spill[0], col + spill[1])
        return any(True for _ in self.readers(block))

    def kept(self, keys: list[Key], graph: dict[Key, Task], held: Iterable[Key]) -> list[Key]:
        """What must outlive the graph that gives the keys; adds to it what only later graphs read of its windows."""
        self._computed |= graph.keys() | {("written", *key) for key in keys}
        for key in [key for key in graph if key[1] == "windows"]:
            for part in self.readers(key):
                graph.setdefault(part, self.task(part))
        return [key for key in {**graph, **dict.fromkeys(held)} if key[1] != "windows" and self._read_later(key)]

    def _read_later(self, key: Key) -> bool:
        return any(reader not in self._computed for reader in self.readers(key))


class Executor(Protocol):
    """Where tasks run."""

    def run(self, graph: dict[Key, Task], held: dict[Key, Any], keep: list[Key], writes: Writes) -> dict[Key, Any]:
        """Run a graph on top of what is held; hand the blocks of `writes` over and return what `keep` names."""

    def finish(self) -> None:
        """Wait for all that was begun."""


class InProcess:
    """Tasks one after another in this process; torch itself uses all cores or the GPU."""

    def __init__(self, on_done: OnDone) -> None:
        self._on_done = on_done

    def run(  # noqa: D102
        self, graph: dict[Key, Task], held: dict[Key, Any], keep: list[Key], writes: Writes
    ) -> dict[Key, Any]:
        written = {("written", *key): (write, key) for key, write in writes.items()}
        wanted, begun = [*written, *keep], 0.0

        def start(*_: Any) -> None:
            nonlocal begun
            begun = time.monotonic()

        with Callback(pretask=start, posttask=lambda key, *_: self._on_done(key, time.monotonic() - begun)):
            results = dask.get({**held, **graph, **written}, wanted)
        return dict(zip(keep, results[len(written) :]))

    def finish(self) -> None:  # noqa: D102
        pass


@contextmanager
def _executor(scheduler: str, on_done: OnDone) -> Iterator[Executor]:
    if scheduler:
        with dask_cluster.connected(scheduler, on_done) as found:
            yield found
    else:
        yield InProcess(on_done)


def render(outputs: list[Output], scheduler: str, report: Reporter) -> None:
    """Compute what the outputs want and hand it to their `write`, block by block.

    `scheduler` is the address of a Dask scheduler; without one all is computed here. Raises BackendError where the
    cluster cannot be reached or is lost.
    """
    plan = RenderPlan(outputs)
    progress = Progress(plan.covers, report)
    if progress.windows:
        report.progress(0.0, f"window 0 of {progress.windows:,}")
    with _executor(scheduler, progress.add) as executor:
        held: dict[Key, Any] = {}
        for number, (output, keys) in enumerate(plan.rows()):
            graph = plan.graph(keys, held)
            keep = plan.kept(keys, graph, held)
            writes = {key: partial(output.write, output.field.box(*key[2:])) for key in keys}
            held = executor.run(graph, held, keep, writes)
            if number == len(outputs) - 1:
                progress.estimate()
        executor.finish()
    report.progress(1.0, "compressing")
