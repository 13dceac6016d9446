"""Renderings on a real Dask cluster of worker processes, started by Dask's own commands as the README says."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import rasterio
from distributed import Client

from backend.jobs import generatescene
from backend.protocol import BackendError, Extent, GenerateScene, silent
from backend.tiling import dask_cluster, render
from backend.tiling.lattice import Box, Lattice
from backend.tiling.lazy_raster import Input, LazyRaster, WindowOp
from backend.tiling.regions import Everywhere
from tests.backend.lazy_rasters import (
    RAMP,
    array_output,
    hoarding,
    phased_raster,
    raising,
    render_pixels,
    slow_ones,
    unchanged,
)

ROOT = Path(__file__).resolve().parents[3]
REGION = Box(-40, 13, 90, 110)


OTHER_VERSION = """
import distributed.versions as versions, dask.__main__
own = versions.get_package_info
versions.get_package_info = lambda packages: {{**own(packages), {package!r}: "2.7.18"}}
dask.__main__.main()
"""


def start(*words, variables=None, package=""):
    """One of Dask's commands, with Landforge in reach; `package`: which it claims to have in another version."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE", **(variables or {})}
    code = ["-c", OTHER_VERSION.format(package=package)] if package else ["-m", "dask"]
    dask = [sys.executable, "-P", *code, *words, "--no-dashboard"]
    return subprocess.Popen(dask, env=environment, stderr=subprocess.DEVNULL, start_new_session=True, cwd="/")


class Started:
    """A scheduler and its workers, each worker a process of its own."""

    def __init__(self, folder: Path, workers: int, options: tuple[str, ...] = ("--no-nanny",), **scheduler) -> None:
        self._file = folder / "scheduler.json"
        words = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(self._file))
        self.scheduler = start(*words, **scheduler)
        self._folder, self.workers = str(folder), list[subprocess.Popen]()
        self.address = self._wait()
        for _ in range(workers):
            self.add_worker(*options)

    def add_worker(self, *options: str, **environment) -> None:
        words = ("worker", self.address, "--nthreads", "1", "--local-directory", self._folder, *options)
        self.workers.append(start(*words, **environment))

    def _wait(self) -> str:
        import json

        for _ in range(300):
            with contextlib.suppress(OSError, ValueError, KeyError):
                return json.loads(self._file.read_text())["address"]
            time.sleep(0.1)
        raise AssertionError("the scheduler did not start")

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # also what a nanny has started
            process.wait()


@contextlib.contextmanager
def started(folder, workers, *options, **more):
    cluster = Started(folder, workers, *options, **more)
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory):
    with started(tmp_path_factory.mktemp("cluster"), 2) as cluster:
        yield cluster.address


def scene():
    coarse = phased_raster(Lattice(8, 6), "coarse", 2, 2, 2, 1, Input(RAMP, 1, 3))
    return phased_raster(Lattice(9, 5), "fine", 2, 3, 2, 4, Input(coarse, 2, 5))


def test_two_workers_give_what_one_process_gives(two_workers):
    assert np.array_equal(render_pixels(scene(), REGION, scheduler=two_workers), render_pixels(scene(), REGION))


def test_two_jobs_on_one_cluster_do_not_mix(two_workers):
    one = phased_raster(Lattice(8, 6), "field", 1, 2, 2, 1)
    other = phased_raster(Lattice(8, 6), "field", 1, 2, 2, 2)
    results = [render_pixels(field, REGION, scheduler=two_workers) for field in (one, other)]
    assert np.array_equal(results[0], render_pixels(one, REGION)) and np.array_equal(
        results[1], render_pixels(other, REGION)
    )
    assert not np.array_equal(*results)


def test_a_scene_is_the_same_on_a_cluster(tmp_path, two_workers):
    scenes = {}
    for name, address in {"here": "", "there": two_workers}.items():
        paths = [str(tmp_path / f"{name}_{layer}.tif") for layer in ("cover", "image")]
        extent = Extent(376_000, 4_700_000, 376_300, 4_700_250, "EPSG:32618")
        generatescene.run(GenerateScene(extent, *paths, "spade", seed=5, steps=2, scheduler=address), silent())
        scenes[name] = [rasterio.open(path).read().astype(int) for path in paths]
    assert np.array_equal(scenes["here"][0], scenes["there"][0])
    assert (np.abs(scenes["here"][1] - scenes["there"][1]) <= 1).mean() >= 0.999


def test_what_a_worker_refuses_is_said_here(two_workers):
    field = phased_raster(Lattice(8, 6), "field", 0, 2, 2, 1)
    work = WindowOp(Lattice(8, 6), partial(raising, BackendError("The worker has another model.")), unchanged)
    with pytest.raises(BackendError, match="The worker has another model"):
        render_pixels(type(field)("field", work), REGION, scheduler=two_workers)


@pytest.mark.parametrize("survivors", [1, 0])
def test_a_dead_worker_costs_its_work_and_all_dead_end_the_run(tmp_path, monkeypatch, survivors):
    monkeypatch.setattr(dask_cluster, "LOST_S", 3.0)
    written = []
    with started(tmp_path, 2) as cluster:

        def write(box, pixels):
            written.append(box)
            if len(written) == 2:
                for process in cluster.workers[survivors:]:
                    process.kill()

        field = type(scene())("slow", WindowOp(Lattice(8, 8), slow_ones, unchanged, side=2))
        output = render.Output(field, Box(0, 0, 96, 96), Everywhere(), 1.0, write)
        if survivors:
            render.render([output], cluster.address, silent())
            assert len(written) == len(set(written)) == 36
        else:
            with pytest.raises(BackendError, match=r"was lost.*same settings and output"):
                render.render([output], cluster.address, silent())
            assert 2 <= len(written) < 36


def pixels_of(compute, cluster, side=16, region=REGION):
    """Render a raster that is computed by a function."""
    field = LazyRaster("field", WindowOp(Lattice(8, 8), compute, unchanged, side=side))
    return render_pixels(field, region, scheduler=cluster.address)


def test_a_worker_that_is_paused_for_its_memory_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_cluster, "LOST_S", 3.0)
    with started(tmp_path, 1, ("--no-nanny", "--memory-limit", "400MB")) as cluster:
        with pytest.raises(BackendError, match=r"Memory.*limit of 0.4 GB.*--memory-limit.*Finished blocks are kept"):
            pixels_of(partial(hoarding, 400), cluster, side=2)
        monkeypatch.setattr(dask_cluster, "CONNECT_S", 2.0)
        with pytest.raises(BackendError, match="Memory has run out"):  # not: there are no workers
            render_pixels(scene(), REGION, scheduler=cluster.address)


def test_a_worker_that_its_nanny_restarts_again_and_again_is_said(tmp_path):
    one_failure = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with (
        started(tmp_path, 1, ("--nanny", "--memory-limit", "400MB"), variables=one_failure) as cluster,
        pytest.raises(BackendError, match=r"ended several workers.*limit of 0.4 GB.*--memory-limit.*blocks are kept"),
    ):
        pixels_of(partial(hoarding, 600), cluster)


def test_a_worker_that_is_killed_once_costs_nothing_but_its_work(tmp_path):
    """Also not the pixels of a source, which the worker had been sent."""
    out, written = np.zeros((2, 96, 96), dtype=np.float32), []
    with started(tmp_path, 1, ("--nanny",)) as cluster:

        def write(box, pixels):
            written.append(box)
            out[(slice(None), *box.slices_in(Box(0, 0, 96, 96)))] = pixels
            if len(written) == 2:
                with Client(cluster.address, set_as_default=False) as client:
                    (pid,) = client.run(os.getpid).values()
                os.kill(pid, signal.SIGKILL)

        field = phased_raster(Lattice(8, 8), "field", 0, 1, 2, 1, Input(RAMP, 1, 3))
        output = render.Output(field, Box(0, 0, 96, 96), Everywhere(), 1.0, write)
        render.render([output], cluster.address, silent())
    assert len(written) == len(set(written)) == 36
    assert np.array_equal(out, render_pixels(field, Box(0, 0, 96, 96)))


def test_a_scheduler_that_vanishes_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_cluster, "LOST_S", 3.0)
    monkeypatch.setattr(dask_cluster, "CONNECT_S", 5.0)
    with started(tmp_path, 1) as cluster:

        def write(box, pixels):
            cluster.scheduler.kill()

        field = LazyRaster("slow", WindowOp(Lattice(8, 8), slow_ones, unchanged))
        output = render.Output(field, Box(0, 0, 96, 96), Everywhere(), 1.0, write)
        with pytest.raises(BackendError, match=r"was lost.*same settings and output"):
            render.render([output], cluster.address, silent())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), r"Memory has run out \(MemoryError\) on a worker.*--memory-limit"),
        (ValueError("a bug"), "a bug"),
    ],
)
def test_an_error_on_a_worker_is_not_one_of_this_machine(two_workers, error, words):
    field = LazyRaster("field", WindowOp(Lattice(8, 8), partial(raising, error), unchanged))
    with pytest.raises(BackendError if isinstance(error, MemoryError) else ValueError, match=words):
        render_pixels(field, REGION, scheduler=two_workers)


@pytest.mark.parametrize("package", ["python", "dask", "distributed"])
def test_a_scheduler_of_another_version_is_said(tmp_path, package):
    with (
        started(tmp_path, 0, package=package) as cluster,
        pytest.raises(BackendError, match=rf"The scheduler .* has {package} 2\.7.*same versions"),
    ):
        render_pixels(scene(), REGION, scheduler=cluster.address)


def test_a_worker_of_another_version_is_said(tmp_path):
    with started(tmp_path, 0) as cluster:
        cluster.add_worker("--no-nanny", package="dask")
        with pytest.raises(BackendError, match=r"The worker tcp://.* has dask 2\.7.*same versions"):
            render_pixels(scene(), REGION, scheduler=cluster.address)


@pytest.mark.parametrize("role", ["scheduler", "worker"])
def test_a_cluster_without_landforge_is_said(tmp_path, role):
    bare = {"variables": {"PYTHONPATH": ""}}
    with started(tmp_path, 0, **(bare if role == "scheduler" else {})) as cluster:
        cluster.add_worker("--no-nanny", **(bare if role == "worker" else {}))
        with pytest.raises(BackendError, match=rf"A {role} .* lacks a part of Landforge \(No module .*PYTHONPATH="):
            render_pixels(scene(), REGION, scheduler=cluster.address)


def test_no_scheduler_is_said(monkeypatch):
    monkeypatch.setattr(dask_cluster, "CONNECT_S", 1.0)
    for address in ("tcp://127.0.0.1:9", "nonsense://"):
        with pytest.raises(BackendError, match="No Dask scheduler answers"):
            render_pixels(scene(), REGION, scheduler=address)


def test_a_scheduler_without_workers_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(dask_cluster, "CONNECT_S", 3.0)
    with started(tmp_path, 0) as cluster, pytest.raises(BackendError, match=r"has no workers.*dask worker"):
        render_pixels(scene(), REGION, scheduler=cluster.address)


def test_a_cluster_is_never_far_ahead(two_workers, monkeypatch):
    """Blocks wait on the workers in a bounded number, however large the rendering."""
    ahead = []

    class Watched(dask_cluster.Cluster):
        def _take(self):
            super()._take()
            ahead.append(self._unwritten)

    monkeypatch.setattr(dask_cluster, "Cluster", Watched)
    field = phased_raster(Lattice(8, 8), "field", 0, 1, 1, 1)
    out = np.zeros((2, 400, 40), dtype=np.float32)
    render.render([array_output(field, Box(0, 0, 400, 40), out)], two_workers, silent())
    assert 0 < max(ahead) <= 2 * dask_cluster.BLOCKS_AHEAD + 5
