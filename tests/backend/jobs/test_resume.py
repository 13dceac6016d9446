"""Jobs that are interrupted and run again: they go on from their finished blocks and end as if nothing had happened."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from backend import protocol
from backend.geo.raster import RasterWriter
from backend.jobs import generateimage, generatelandcover, generatescene, segmentimage
from backend.models import segmentation
from backend.protocol import Extent, GenerateImage, GenerateLandCover, GenerateScene, SegmentImage
from backend.tiling.lattice import Lattice
from tests.backend.rasters import write_raster
from tests.backend.reporters import RecordingReporter

ROOT = Path(__file__).resolve().parents[3]
# where blocks of all generators meet, so that a small extent has four of each
LEFT, TOP = 5760 * 8 * 8, 5760 * 8 * 102
EXTENT = Extent(LEFT - 250, TOP - 150, LEFT + 150, TOP + 250, "EPSG:32618")
HALF = f"POLYGON (({LEFT} {TOP - 150}, {LEFT + 150} {TOP - 150}, {LEFT} {TOP + 150}, {LEFT} {TOP - 150}))"


class PowerCutError(Exception):
    """What interrupts a job."""


@pytest.fixture(scope="module", autouse=True)
def small_windows():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segmentation, "LATTICE", Lattice(window=96, stride=96))
        patch.setattr(segmentation, "MARGIN", 16)
        yield


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A land cover map and an image around the corner of four blocks."""
    folder, rng = tmp_path_factory.mktemp("inputs"), np.random.default_rng(0)
    codes = rng.choice([10, 30, 50], (1, 40, 40)).astype(np.uint8)
    landcover = write_raster(folder / "landcover.tif", codes, LEFT - 250, TOP + 250, 10.0, nodata=0)
    pixels = rng.integers(0, 255, (3, 260, 260), dtype=np.uint8)
    image = write_raster(folder / "image.tif", pixels, 96 * 4000 - 130, 96 * 40_000 + 130)
    return str(landcover), str(image)


JOBS = {
    "landcover": (generatelandcover, lambda to, inputs, seed: GenerateLandCover(EXTENT, to("a"), seed, steps=4)),
    "an area of it": (
        generatelandcover,
        lambda to, inputs, seed: GenerateLandCover(EXTENT, to("a"), seed, steps=4, area=HALF),
    ),
    "image": (generateimage, lambda to, inputs, seed: GenerateImage(inputs[0], to("a"), "spade", seed, steps=1)),
    "scene": (generatescene, lambda to, inputs, seed: GenerateScene(EXTENT, to("a"), to("b"), "spade", seed, steps=4)),
    "segmentation": (segmentimage, lambda to, inputs, seed: SegmentImage(inputs[1], to("a"))),
}


def build(case, folder, inputs, seed=1):
    """A job's module and the job, with outputs in a folder."""
    module, job = JOBS[case]
    return module, job(lambda name: str(folder / f"{name}.tif"), inputs, seed)


def left(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def run(case, folder, inputs, seed=1):
    """Run a job to its end: how many windows it computed, and from how many blocks it went on."""
    module, job = build(case, folder, inputs, seed)
    reporter = RecordingReporter()
    module.run(job, reporter)
    counted = [re.match(r"window ([\d,]+) of", event.message) for event in reporter.events("progress")]
    went_on = [re.search(r"left (\d+) finished blocks", event.message) for event in reporter.events("log")]
    windows = max((int(match.group(1)) for match in counted if match), default=0)
    return windows, sum(int(match.group(1)) for match in went_on if match)


def interrupt(case, folder, inputs, after, seed=1):
    """Run a job up to the write after so many."""
    written, write = [], RasterWriter.write

    def cut(self, *args):
        if len(written) == after:
            raise PowerCutError
        write(self, *args)
        written.append(args)

    module, job = build(case, folder, inputs, seed)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(PowerCutError):
        patch.setattr(RasterWriter, "write", cut)
        module.run(job, RecordingReporter())


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, inputs):
    """What a job makes without interruption: its files, and how many windows it computes."""
    results = {}

    def get(case, seed=1):
        if (case, seed) not in results:
            folder = tmp_path_factory.mktemp("whole")
            windows, went_on = run(case, folder, inputs, seed)
            assert went_on == 0
            results[case, seed] = left(folder), windows
        return results[case, seed]

    return get


@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize("case", JOBS)
def test_an_interrupted_job_goes_on_and_ends_the_same(tmp_path, inputs, uninterrupted, case, after):
    if (case, after) == ("an area of it", 3):
        after = 2  # of its three blocks
    interrupt(case, tmp_path, inputs, after)
    assert left(tmp_path) == {}, "nothing appears under its name before it is whole"
    files, windows = uninterrupted(case)
    again, went_on = run(case, tmp_path, inputs)
    assert went_on == after
    cheaper = after > 1 and case not in ("landcover", "an area of it")  # whose windows are wider than the extent
    assert again < windows if cheaper else again <= windows
    assert left(tmp_path) == files
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files), "nothing is left beside the outputs"


def test_a_job_may_be_interrupted_again(tmp_path, inputs, uninterrupted):
    for after in (1, 2, 3):
        interrupt("scene", tmp_path, inputs, after)
    assert run("scene", tmp_path, inputs)[1] == 6
    assert left(tmp_path) == uninterrupted("scene")[0]


@pytest.mark.parametrize("case", ["landcover", "image", "scene"])
def test_another_seed_starts_afresh(tmp_path, inputs, uninterrupted, case):
    interrupt(case, tmp_path, inputs, 2, seed=2)
    assert run(case, tmp_path, inputs) == (uninterrupted(case)[1], 0)
    assert left(tmp_path) == uninterrupted(case)[0]
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_another_area_starts_afresh(tmp_path, inputs, uninterrupted):
    interrupt("an area of it", tmp_path, inputs, 1)
    assert run("landcover", tmp_path, inputs) == (uninterrupted("landcover")[1], 0)
    assert left(tmp_path) == uninterrupted("landcover")[0]


@pytest.mark.parametrize(("case", "number"), [("image", 0), ("segmentation", 1)])
def test_another_input_starts_afresh(tmp_path, inputs, uninterrupted, case, number):
    interrupt(case, tmp_path, inputs, 2)
    path = Path(inputs[number])
    stamp = path.stat()
    try:
        os.utime(path, (stamp.st_atime, stamp.st_mtime + 5))
        assert run(case, tmp_path, inputs) == (uninterrupted(case)[1], 0)
    finally:
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert left(tmp_path) == uninterrupted(case)[0]


def test_a_job_that_ended_while_compressing_computes_nothing_again(tmp_path, inputs, uninterrupted, monkeypatch):
    def cut(self):
        raise PowerCutError

    monkeypatch.setattr(RasterWriter, "_finish", cut)
    with pytest.raises(PowerCutError):
        run("scene", tmp_path, inputs)
    monkeypatch.undo()
    assert run("scene", tmp_path, inputs) == (0, 8)
    assert left(tmp_path) == uninterrupted("scene")[0]


@pytest.fixture(scope="module")
def long_job(tmp_path_factory):
    """A job of six blocks by the folder of its output, and what it makes."""
    codes = np.random.default_rng(3).choice([10, 30, 50, 80], (1, 60, 120)).astype(np.uint8)
    landcover = str(write_raster(tmp_path_factory.mktemp("map") / "map.tif", codes, LEFT, TOP, 10.0))
    folder = tmp_path_factory.mktemp("whole")

    def job(folder):
        return GenerateImage(landcover, str(folder / "image.tif"), "spade")

    generateimage.run(job(folder), RecordingReporter())
    return job, left(folder)


@pytest.mark.skipif(os.name != "posix", reason="ends by a signal")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_was_ended_midway_is_gone_on_from(tmp_path, long_job, how):
    folder, file = tmp_path / "out", tmp_path / "job.json"
    job = long_job[0](folder)
    file.write_text(protocol.dump_job(job))
    journal = protocol.unfinished_path(job.output) / "journal"
    command = [sys.executable, "-m", "backend", "run", str(file)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and not (journal.is_file() and journal.read_bytes().count(b"\n") > 2):
        time.sleep(0.02)
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    assert process.returncode == (143 if how == signal.SIGTERM else -how), err
    assert b'"result"' not in out and [path.name for path in folder.iterdir()] == [journal.parent.name]
    reporter = RecordingReporter()
    generateimage.run(job, reporter)
    assert re.search(
        r"left [2-5] finished blocks; going on", " ".join(event.message for event in reporter.events("log"))
    )
    assert left(folder) == long_job[1]
    assert [path.name for path in folder.iterdir()] == ["image.tif"]
