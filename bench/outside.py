"""Figures of whole backends, each in a process of its own: memory, disk space, and time until something is visible."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from backend import protocol
from backend.geo import block_store
from backend.protocol import Event
from bench import scenery
from bench.figures import Figure, Size, seconds

ROOT = Path(__file__).resolve().parent.parent
MOST_GB, GROWTH = 3.0, 1.15
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Backend:
    """A running `python -m backend run`, whose peak memory is known when it has ended."""

    def __init__(self, job: Any, folder: Path) -> None:
        self._events, self._begun = folder / "events", time.perf_counter()
        (folder / "job.json").write_text(protocol.dump_job(job), encoding="utf-8")
        command = [sys.executable, "-m", "backend", "run", str(folder / "job.json")]
        with open(self._events, "wb") as out, open(folder / "log", "wb") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=log)

    def seconds(self) -> float:
        """The time since its start."""
        return time.perf_counter() - self._begun

    def running(self) -> bool:
        """Whether it is running; its exit status is left for `peak_gb`."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def cancel(self) -> None:
        """Send SIGTERM, as QGIS does."""
        self._process.send_signal(signal.SIGTERM)

    def peak_gb(self, expected: int = 0) -> float:
        """Wait for its end; its peak memory in GB. RuntimeError where its exit status is not `expected`."""
        try:
            _, status, usage = os.wait4(self._process.pid, 0)
        except BaseException:
            self._process.kill()
            raise
        self._process.returncode = os.waitstatus_to_exitcode(status)
        if self._process.returncode != expected:
            last = self._events.read_text(encoding="utf-8").splitlines()[-1:]
            raise RuntimeError(f"the backend ended with {self._process.returncode}: {''.join(last)}")
        return usage.ru_maxrss * RSS_UNIT / 1e9


def _peak_gb(job: Any, folder: str) -> tuple[float, float]:
    """The peak memory and the seconds of a job."""
    backend = Backend(job, Path(folder))
    return backend.peak_gb(), backend.seconds()


def memory(size: Size) -> Iterator[Figure]:
    """The peak memory of an image of 25 km2, and its ratio to that of 2 km2."""
    small, large = (0.5, 1.0) if size == "quick" else (2**0.5, 5.0)
    for generator in ("spade", "controlnet")[: 2 if size == "long" else 1]:
        little, peak = (_image_gb(generator, km) for km in (small, large))
        name = f"{generator}, {large**2:.3g} km2"
        yield Figure(f"memory, {name} over {small**2:.3g} km2", peak, "GB", little, at_most=GROWTH)
        yield Figure(f"memory, {name}", peak, "GB", at_most=MOST_GB)


def _image_gb(generator: Any, km: float) -> float:
    with tempfile.TemporaryDirectory() as folder:
        landcover = scenery.landcover(Path(folder) / "landcover.tif", km)
        job = protocol.GenerateImage(str(landcover), f"{folder}/image.tif", generator)
        return _peak_gb(job, folder)[0]


def segmentation(size: Size) -> Iterator[Figure]:
    """The peak memory of segmenting a large image over that of a small one; the time of a very large one."""
    small, large = (500, 1000) if size == "quick" else (2000, 6000)
    (little, _), (peak, _) = (_segment(side) for side in (small, large))
    yield Figure(f"memory, segmentation, {large:,} px over {small:,} px", peak, "GB", little, at_most=GROWTH)
    if size == "long":
        peak, taken = _segment(20_000)
        yield Figure("memory, segmentation, 20,000 px over 2,000 px", peak, "GB", little, at_most=GROWTH)
        yield Figure("segmentation of 20,000 x 20,000 px", taken / 60, "min")


def _segment(side_px: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        image = scenery.image(Path(folder) / "image.tif", side_px)
        return _peak_gb(protocol.SegmentImage(str(image), f"{folder}/out.tif"), folder)


def unbounded(size: Size) -> Iterator[Figure]:
    """A land cover map too large to finish: the time to its first block, memory and disk space after a minute."""
    km, watched_s = (128.0, 15.0) if size == "quick" else (512.0, 60.0)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "landcover.tif"
        backend = Backend(
            protocol.GenerateLandCover(scenery.extent(km), str(output), max_area_km2=km**2 + 1), Path(folder)
        )
        first, disk = _watch(backend, protocol.unfinished_path(output), watched_s)
        backend.cancel()
        peak = backend.peak_gb(expected=128 + signal.SIGTERM)
    name = f"{km:g} x {km:g} km"
    yield Figure(f"first block of {name}", first, "s", at_most=15.0)
    yield Figure(f"memory, {name}, {watched_s:g} s", peak, "GB", at_most=MOST_GB)
    yield Figure(f"disk, {name}, {watched_s:g} s", disk / 1e6, "MB")


def _watch(backend: Backend, unfinished: Path, watched_s: float) -> tuple[float, int]:
    """The seconds until the first block was on disk, and the bytes that all blocks take at the end."""
    first = float("inf")
    while backend.running() and backend.seconds() < watched_s:
        if first == float("inf") and _blocks(unfinished):
            first = backend.seconds()
        time.sleep(0.02)
    return first, block_store.disk_bytes(unfinished)


def _blocks(unfinished: Path) -> int:
    """The number of finished blocks in a store's journal, which has a line for each after the header."""
    try:
        return (unfinished / block_store.JOURNAL).read_bytes().count(b"\n") - 1
    except OSError:
        return 0


def start(size: Size) -> Iterator[Figure]:
    """The time that a job waits for imports and models: in a new process, with imports done, with models loaded."""
    for job in ("clipworldcover", "segmentimage", "generatescene"):
        yield Figure(f"import of {job}", _import_seconds(job), "s")
    cold, warm = _scene_starts()
    imported, _ = _scene_starts("--warm", "generatescene")
    yield Figure("first scene in the worker begins after", cold.rendering, "s")
    yield Figure("first scene after its imports begins after", imported.rendering, "s")
    yield Figure("second scene in the warm worker begins after", warm.rendering, "s", at_most=1.0)
    yield Figure("first window, cold over warm worker", cold.first_window, "s", warm.first_window)
    yield Figure("first window, after imports over warm worker", imported.first_window, "s", warm.first_window)


def _import_seconds(job: str) -> float:
    """The seconds from the start of a Python process until a job's modules are imported."""
    return seconds(lambda: subprocess.run([sys.executable, "-c", f"import backend.jobs.{job}"], cwd=ROOT, check=True))


class Start(NamedTuple):
    """Seconds until a job's rendering began, and until its first windows were computed."""

    rendering: float
    first_window: float


def _scene_starts(*options: str) -> list[Start]:
    """The starts of two scenes in a new worker; with `--warm`, the first is counted from the end of the imports."""
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "wb") as log:
        begun = time.perf_counter()
        worker = subprocess.Popen(
            [sys.executable, "-m", "backend", "serve", *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
        )
        with worker:
            starts = [_start(worker, seed, folder, begun if not (seed or options) else None) for seed in range(2)]
            worker.stdin.close()
    return starts


def _start(worker: subprocess.Popen, seed: int, folder: str, begun: float | None) -> Start:
    """Hand a scene over and wait for its end; seconds count from `begun`, or from when the worker takes the job."""
    outputs = f"{folder}/landcover{seed}.tif", f"{folder}/image{seed}.tif"
    job = protocol.GenerateScene(scenery.extent(0.3), *outputs, generator="spade", seed=seed)
    path = Path(folder) / f"job{seed}.json"
    path.write_text(protocol.dump_job(job), encoding="utf-8")
    worker.stdin.write(f"{path}\n")
    worker.stdin.flush()
    windows: list[float] = []
    for line in worker.stdout:
        event = Event.from_line(line)
        if begun is None:
            begun = time.perf_counter()
        if event.message.startswith("window "):
            windows.append(time.perf_counter() - begun)
        if event.kind == "result":
            return Start(*windows[:2])
        if event.kind == "error":
            raise RuntimeError(event.message)
    raise RuntimeError("the worker ended before its job")
