"""Rasters are whole Cloud Optimized GeoTIFFs with legend and masks, or they are not there."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.enums import MaskFlags
from rio_cogeo.cogeo import cog_validate

from backend.geo import block_store, legend, raster
from backend.protocol import BackendError
from tests.backend.rasters import write_raster

ROOT = Path(__file__).resolve().parents[3]


def grid(height: int, width: int, pixel_m: float = 10.0) -> GeoBox:
    return GeoBox((height, width), Affine(pixel_m, 0, 500_000, 0, -pixel_m, 4_000_000), "EPSG:32618")


def write(path: Path, kind: raster.Kind, data: np.ndarray, valid: np.ndarray | None = None, block: int = 600) -> Path:
    """Write an array block by block."""
    height, width = data.shape[-2:]
    with raster.RasterWriter(path, grid(height, width), kind, {"NOTE": "for a test"}) as target:
        for row in range(0, height, block):
            for col in range(0, width, block):
                part = slice(row, row + block), slice(col, col + block)
                target.write(data[(..., *part)], row, col, None if valid is None else valid[part])
    return path


def codes(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).choice(np.append(legend.CODES, 0), (height, width)).astype(np.uint8)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, height, width), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(1300, 1100), (1, 1), (513, 7)])
@pytest.mark.parametrize("kind", ["classes", "rgb"])
def test_what_is_written_is_a_valid_cog_and_reads_back_to_the_bit(tmp_path, kind, shape):
    data = codes(*shape) if kind == "classes" else picture(*shape)
    path = write(tmp_path / "out.tif", kind, data)
    assert cog_validate(path, strict=True) == (True, [], [])
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read().squeeze(), data.squeeze())
        assert dataset.crs.to_epsg() == 32618
        assert dataset.transform == Affine(10, 0, 500_000, 0, -10, 4_000_000)
        assert dataset.tags()["NOTE"] == "for a test"
        assert dataset.compression.name == "deflate"


def test_a_class_raster_has_nodata_palette_and_overviews_of_codes_only(tmp_path):
    path = write(tmp_path / "out.tif", "classes", codes(1300, 1100))
    with rasterio.open(path) as dataset:
        assert dataset.nodata == 0
        assert dataset.overviews(1)
        for code, (_, colour) in legend.LEGEND.items():
            assert dataset.colormap(1)[code] == (*bytes.fromhex(colour), 255)
        assert dataset.colormap(1)[0][3] == 0
        overview = dataset.read(1, out_shape=(dataset.height // 2, dataset.width // 2))
        assert set(np.unique(overview)) <= {0, *legend.CODES}


def test_overviews_of_classes_are_the_commonest_class(tmp_path):
    data = np.full((1024, 1024), 10, np.uint8)
    data[::2, ::2] = 50  # one of four
    path = write(tmp_path / "out.tif", "classes", data)
    with rasterio.open(path, overview_level=0) as dataset:
        assert (dataset.read(1) == 10).all()


READ_TABLE = """
import json, sys
from osgeo import gdal
source = gdal.Open(sys.argv[1])
band = source.GetRasterBand(1)
table = band.GetDefaultRAT()
names = [table.GetNameOfCol(i) for i in range(table.GetColumnCount())]
usages = [table.GetUsageOfCol(i) for i in range(table.GetColumnCount())]
rows = [[table.GetValueAsString(r, c) for c in range(len(names))] for r in range(table.GetRowCount())]
print(json.dumps([names, usages, rows, band.GetDescription(), source.GetMetadata("IMAGE_STRUCTURE")]))
"""


def test_gdal_of_qgis_reads_the_legend_as_attribute_table(tmp_path):
    python = "/usr/bin/python3"
    if not Path(python).exists() or subprocess.run([python, "-c", "import osgeo.gdal"], capture_output=True).returncode:
        pytest.skip("no osgeo.gdal in the system's Python")
    path = write(tmp_path / "out.tif", "classes", codes(600, 600))
    done = subprocess.run([python, "-c", READ_TABLE, str(path)], capture_output=True, text=True, check=True)
    names, usages, rows, description, structure = json.loads(done.stdout)
    assert names == ["Value", "Class", "Red", "Green", "Blue"]
    assert usages == [5, 2, 6, 7, 8]  # MinMax, Name, Red, Green, Blue
    expected = [
        [str(code), name, *(str(v) for v in bytes.fromhex(colour))] for code, (name, colour) in legend.LEGEND.items()
    ]
    assert rows == expected
    assert description == "land cover"
    assert structure["LAYOUT"] == "COG"


def test_pixels_without_data_are_masked_in_an_image_and_in_its_overviews(tmp_path):
    data = np.full((3, 1300, 1100), 200, np.uint8)
    valid = np.zeros((1300, 1100), bool)
    valid[100:900, 200:1000] = True
    data[:, ~valid] = 0
    path = write(tmp_path / "out.tif", "rgb", data, valid)
    with rasterio.open(path) as dataset:
        assert dataset.mask_flag_enums == ([MaskFlags.per_dataset],) * 3
        np.testing.assert_array_equal(dataset.dataset_mask() > 0, valid)
    with rasterio.open(path, overview_level=0) as dataset:
        np.testing.assert_array_equal(dataset.dataset_mask() > 0, valid[::2, ::2])
        assert (dataset.read()[:, dataset.dataset_mask() > 0] == 200).all()  # what is masked does not darken the edge
    assert not path.with_name(path.name + ".msk").exists()


def test_blocks_are_clipped_to_the_raster(tmp_path):
    data = np.arange(64, dtype=np.uint8).reshape(8, 8)
    with raster.RasterWriter(tmp_path / "out.tif", grid(4, 4), "classes", {}) as target:
        target.write(data, -2, -3)
        target.write(data, 4, 0)
    with rasterio.open(tmp_path / "out.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(1), data[2:6, 3:7])


@pytest.mark.parametrize("kind", ["classes", "rgb"])
def test_a_growing_raster_can_be_looked_at(tmp_path, kind):
    data = codes(60, 40) if kind == "classes" else picture(60, 40) | 1
    with raster.RasterWriter(tmp_path / "out.tif", grid(60, 40), kind, {"NOTE": "for a test"}) as target:
        for row, end in ((30, 60), (0, 30)):
            target.write(data[..., row:end, :], row, 0)
            with rasterio.open(target.preview()) as dataset:
                np.testing.assert_array_equal(dataset.read().squeeze()[..., row:end, :], data[..., row:end, :])
                assert dataset.crs.to_epsg() == 32618 and dataset.tags()["NOTE"] == "for a test"
                assert not row or not dataset.dataset_mask()[:30].any(), "what is not written yet is transparent"
        preview = target.preview()
    assert not preview.parent.exists()


def test_a_growing_image_of_polygons_shows_their_inside(tmp_path):
    valid = np.zeros((60, 40), dtype=bool)
    valid[10:50, 5:20] = True
    with raster.RasterWriter(tmp_path / "out.tif", grid(60, 40), "rgb", {}) as target:
        before = target.preview()
        target.write(np.where(valid, picture(60, 40), 0), 0, 0, valid)
        assert target.preview() != before, "GDAL keeps what it knows of a file by its name"
        with rasterio.open(target.preview()) as dataset:
            np.testing.assert_array_equal(dataset.dataset_mask() > 0, valid)


@pytest.mark.parametrize("earlier", [False, True])
def test_an_interrupted_raster_leaves_nothing_and_keeps_what_was_there(tmp_path, earlier):
    path = tmp_path / "out.tif"
    if earlier:
        write(path, "classes", codes(20, 20))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(KeyboardInterrupt), raster.RasterWriter(path, grid(600, 600), "rgb", {}) as target:
        target.write(picture(600, 300), 0, 0)
        raise KeyboardInterrupt
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_new_image_takes_the_attribute_table_of_the_old_raster_away(tmp_path):
    path = write(tmp_path / "out.tif", "classes", codes(20, 20))
    write(path, "rgb", picture(20, 20))
    assert [p.name for p in tmp_path.iterdir()] == ["out.tif"]


BOX = grid(1300, 1100)
OFFSETS = [(row, col) for row in range(-50, 1300, 600) for col in range(0, 1100, 600)]
WHATS = ["classes", "rgb", "rgb masked"]


def write_blocks(
    path, kind="classes", stop=None, box=BOX, resume="text", seed="1", before=lambda number: None
) -> frozenset:
    """Write the first `stop` of the blocks that are not there, then interrupt; or all of them. What was there."""
    data = codes(1350, 1200)[None] if kind == "classes" else picture(1350, 1200)
    valid = np.random.default_rng(1).random((1350, 1200)) > 0.5
    with raster.RasterWriter(path, box, kind.split()[0], {"SEED": seed}, resume) as target:
        for number, (row, col) in enumerate(OFFSETS[:stop]):
            part = slice(row + 50, row + 650), slice(col, col + 600)
            if (row, col) not in target.done:
                before(number)
                target.write(data[(..., *part)], row, col, None if kind == "rgb" else valid[part])
        if stop is not None:
            raise KeyboardInterrupt
    return target.done


def run_apart(code: str, *args: object, before: tuple = ()) -> subprocess.CompletedProcess:
    """Run code with this module's names in a process of its own."""
    code = f"import sys\nfrom tests.backend.geo.test_raster import *\n{code}"
    command = [*before, sys.executable, "-c", code, *args]
    return subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def interrupt(path: Path, *args, **kwargs) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_blocks(path, *args, **kwargs)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    for kind in WHATS:
        write_blocks(folder / "out.tif", kind, resume=None)
        (folder / "out.tif").rename(folder / kind)
    return {kind: (folder / kind).read_bytes() for kind in WHATS}


@pytest.mark.parametrize("kind", WHATS)
def test_a_resumed_raster_equals_an_uninterrupted_one_to_the_byte(tmp_path, uninterrupted, kind):
    path = tmp_path / "out.tif"
    interrupt(path, kind, stop=2)
    assert left(tmp_path) == [".out.unfinished"]
    interrupt(path, kind, stop=5)
    assert write_blocks(path, kind) == frozenset(OFFSETS[:5])
    assert path.read_bytes() == uninterrupted[kind]
    assert left(tmp_path) == ["out.tif", *(["out.tif.aux.xml"] if kind == "classes" else [])]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "2"},
        {"resume": "other text"},
        {"box": grid(1300, 1101)},
        {"box": grid(1300, 1100, 1.0)},
        {"box": GeoBox(BOX.shape, BOX.affine, "EPSG:32619")},
    ],
)
def test_another_raster_does_not_go_on_from_this_one(tmp_path, change):
    path = tmp_path / "out.tif"
    interrupt(path, stop=3)
    assert write_blocks(path, **change) == frozenset()
    assert left(tmp_path) == ["out.tif", "out.tif.aux.xml"]


def test_an_image_does_not_go_on_from_a_class_raster(tmp_path, uninterrupted):
    interrupt(tmp_path / "out.tif", stop=3)
    assert write_blocks(tmp_path / "out.tif", "rgb") == frozenset()
    assert (tmp_path / "out.tif").read_bytes() == uninterrupted["rgb"]


DEATHS = {
    "before its fourth block": "write_blocks(path, what, before=lambda number: number == 3 and die())",
    "between a block and its line": """
append = block_store.BlockStore._append
block_store.BlockStore._append = lambda self, line: die() if len(self._blocks) == 3 else append(self, line)
write_blocks(path, what)
""",
    "while it makes the final file": """
def copy(source, target, **options):
    shutil.copy(source, target)
    die()
rasterio.shutil.copy = copy
write_blocks(path, what)
""",
}


@pytest.mark.skipif(os.name != "posix", reason="kills by a signal")
@pytest.mark.parametrize("when", DEATHS)
@pytest.mark.parametrize("kind", ["classes", "rgb masked"])
def test_a_killed_run_is_resumed(tmp_path, uninterrupted, kind, when):
    path = tmp_path / "out.tif"
    killed = run_apart(f"path, what = Path(sys.argv[1]), sys.argv[2]\n{DEATHS[when]}", path, kind)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert left(tmp_path) == [".out.unfinished"]
    assert write_blocks(path, kind) == frozenset(OFFSETS if "final" in when else OFFSETS[:3])
    assert path.read_bytes() == uninterrupted[kind]
    assert ".out.unfinished" not in left(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="kills by a signal")
def test_what_a_killed_run_left_that_cannot_be_resumed_is_no_obstacle(tmp_path, uninterrupted):
    path = tmp_path / "out.tif"
    run_apart("write_blocks(sys.argv[1], resume=None, before=lambda number: number == 3 and die())", path)
    assert len(left(tmp_path)) == 1 and left(tmp_path)[0].startswith(".out.part")
    assert write_blocks(path, resume=None) == frozenset()
    assert path.read_bytes() == uninterrupted["classes"]
    assert left(tmp_path) == ["out.tif", "out.tif.aux.xml"]


@pytest.mark.parametrize("resume", [None, "text"])
def test_a_second_run_of_the_same_output_is_refused(tmp_path, resume):
    path = tmp_path / "out.tif"
    with raster.RasterWriter(path, grid(20, 20), "rgb", {}, resume) as target:
        target.write(picture(20, 20), 0, 0)
        with pytest.raises(BackendError, match=r"Another run is writing .*out.tif. Wait for it or choose another"):
            raster.RasterWriter(path, grid(20, 20), "rgb", {}, resume)
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(), picture(20, 20))


@pytest.mark.parametrize("resume", [None, "text"])
def test_a_full_disk_is_said_and_keeps_only_what_can_be_resumed(tmp_path, monkeypatch, uninterrupted, resume):
    path, put = tmp_path / "out.tif", block_store.BlockStore._put

    def full(self, name, data, row, col):
        put(self, name, data[:7], row, col)
        if len(self._blocks) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(self, name, data, row, col)

    monkeypatch.setattr(block_store.BlockStore, "_put", full)
    with pytest.raises(BackendError, match=r"Cannot write .*out.tif: .*No space left.* the space on its disk"):
        write_blocks(path, "rgb masked", resume=resume)
    assert left(tmp_path) == ([".out.unfinished"] if resume else [])
    monkeypatch.undo()
    assert write_blocks(path, "rgb masked", resume=resume) == frozenset(OFFSETS[:3] if resume else [])
    assert path.read_bytes() == uninterrupted["rgb masked"]


def fill_up_and_resume(folder: Path) -> None:
    """Write a raster on a disk that runs full at the third block, and again with room."""
    path, ballast = folder / "out.tif", folder / "ballast"

    def fill(number: int) -> None:
        if number == 2:
            ballast.write_bytes(bytes(shutil.disk_usage(folder).free - 300_000))  # what is left is less than a block

    with pytest.raises(BackendError, match="No space left"):
        write_blocks(path, "rgb masked", before=fill)
    ballast.unlink()
    assert write_blocks(path, "rgb masked") == frozenset(OFFSETS[:2])
    sys.stdout.buffer.write(path.read_bytes())


def test_a_disk_that_is_really_full_is_survived(tmp_path, uninterrupted):
    mount = 'mount -t tmpfs -o size=32m tmpfs "$0" && exec "$@"'  # in a namespace of its own, gone with its process
    small_disk = ("unshare", "-rm", "sh", "-c", mount, tmp_path)
    if not shutil.which("unshare") or subprocess.run([*small_disk, "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    done = run_apart("fill_up_and_resume(Path(sys.argv[1]))", tmp_path, before=small_disk)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == uninterrupted["rgb masked"]


def test_a_final_file_that_cannot_be_made_keeps_the_blocks_alone(tmp_path, monkeypatch, uninterrupted):
    path = tmp_path / "out.tif"

    def copy(source, target, **_):
        Path(target).write_text("half")
        raise rasterio.errors.RasterioIOError("No space left on device")

    with monkeypatch.context() as patched, pytest.raises(BackendError, match="No space left"):
        patched.setattr(rasterio.shutil, "copy", copy)
        write_blocks(path)
    assert left(tmp_path) == [".out.unfinished"]
    assert left(tmp_path / ".out.unfinished") == ["journal", "lock", "pixels.bin"]
    assert write_blocks(path) == frozenset(OFFSETS)
    assert path.read_bytes() == uninterrupted["classes"]


@pytest.mark.skipif(not hasattr(os.stat_result, "st_blocks"), reason="the system does not say what a file takes")
def test_the_room_that_finished_blocks_take_is_not_asked_for_again(tmp_path, monkeypatch):
    path, sizes = tmp_path / "out.tif", []
    check = raster.check_writable
    monkeypatch.setattr(raster, "check_writable", lambda path, size: (sizes.append(size), check(path, size)))
    interrupt(path, "rgb", stop=4)
    interrupt(path, "rgb", stop=4)
    assert sizes[0] == 2 * 3 * 1300 * 1100
    assert sizes[0] - sizes[1] >= 3 * 1150 * 1100


def test_tags_of_any_text_are_kept(tmp_path):
    tags = {"MARKUP": "a <b> & 'c' \"d\"", "KEY <&>": "é 土地", "JSON": '{"a": ["b\\n"]}', "LINES": "one\ntwo"}
    with raster.RasterWriter(tmp_path / "out.tif", grid(4, 4), "rgb", tags) as target:
        target.write(picture(4, 4), 0, 0)
    with rasterio.open(tmp_path / "out.tif") as dataset:
        assert {key: dataset.tags()[key] for key in tags} == tags


def test_a_very_large_raster_costs_its_blocks_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(raster, "check_writable", lambda *_: None)  # the disk need not hold what is not written
    path, start = tmp_path / "out.tif", time.process_time()
    with pytest.raises(KeyboardInterrupt), raster.RasterWriter(path, grid(60_000, 60_000), "classes", {}, "") as target:
        target.write(codes(1024, 1024), 30_000, 30_000)
        assert time.process_time() - start < 5, "seconds of this process alone"
        raise KeyboardInterrupt
    if os.name == "posix":
        assert block_store.disk_bytes(tmp_path / ".out.unfinished") < 32e6


def test_an_output_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BackendError, match="Cannot write to"):
        raster.check_writable(tmp_path / "file" / "out.tif")
    with pytest.raises(BackendError, match="is a folder"):
        raster.check_writable(tmp_path / "folder")
    with pytest.raises(BackendError, match=r"needs about 1,000,000,000 MB, but the disk .* Free some space"):
        raster.check_writable(tmp_path / "out.tif", size_bytes=1e15)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_a_raster_that_cannot_be_read_is_refused(tmp_path):
    whole = write_raster(tmp_path / "whole.tif", picture(400, 400), compress="deflate", tiled=True)
    (tmp_path / "cut.tif").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(BackendError, match="does not exist"), raster.open_raster(tmp_path / "none.tif"):
        pass
    with pytest.raises(BackendError, match="damaged or not a raster"), raster.open_raster(tmp_path / "text.tif"):
        pass
    with pytest.raises(BackendError, match="damaged"), raster.open_raster(tmp_path / "cut.tif") as source:
        source.read()


@pytest.mark.parametrize("crs", [None, 'LOCAL_CS["unnamed",UNIT["metre",1]]'])
def test_a_raster_without_crs_is_refused(tmp_path, crs):
    path = write_raster(tmp_path / "bare.tif", picture(8, 8), crs=crs)
    with raster.open_raster(path) as source, pytest.raises(BackendError, match="has no CRS"):
        raster.check_crs(source, "layer")


def test_a_window_outside_repeats_the_edge(tmp_path):
    data = picture(5, 6)
    with rasterio.open(write_raster(tmp_path / "small.tif", data)) as source:
        np.testing.assert_array_equal(
            raster.read_window(source, -2, -1, 9, 9), np.pad(data, ((0, 0), (2, 2), (1, 2)), mode="edge")
        )
        assert (raster.read_window(source, 100, 100, 2, 2) == data[:, -1:, -1:]).all()


def write_with_sidecars(path: Path) -> list[Path]:
    """A wholly masked raster whose mask, overviews and statistics are files beside it; with another raster's mask."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False, TIFF_USE_OVR=True):
        write_raster(path, picture(700, 500), pixel=10.0)
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(np.zeros((700, 500), bool))
            dataset.build_overviews([2], rasterio.enums.Resampling.nearest)
            dataset.stats()
    path.with_suffix(".tfw").write_text("1\n0\n0\n-1\n7\n7\n")
    path.with_name("out.tiff.msk").touch()
    beside = sorted(set(path.parent.iterdir()) - {path, path.with_name("out.tiff.msk")})
    assert {"out.tif.msk", "out.tif.ovr", "out.tfw"} <= {file.name for file in beside}
    return beside


@pytest.mark.parametrize("kind", ["classes", "rgb"])
def test_what_lay_beside_an_old_output_goes_with_it(tmp_path, kind):
    path = tmp_path / "out.tif"
    write_with_sidecars(path)
    data = codes(700, 500) if kind == "classes" else picture(700, 500)
    write(path, kind, data)
    statistics = ["out.tif.aux.xml"] if kind == "classes" else []
    assert left(tmp_path) == ["out.tif", *statistics, "out.tiff.msk"]
    with rasterio.open(path) as dataset:
        assert (dataset.read().squeeze() == data).all()
        assert ((dataset.dataset_mask() > 0) == (data != 0 if kind == "classes" else True)).all()


@pytest.mark.parametrize("failing", [0, 1, -1])
def test_an_old_output_stays_whole_where_it_cannot_be_replaced(tmp_path, monkeypatch, failing):
    path, calls, replace = tmp_path / "out.tif", [], os.replace
    beside = write_with_sidecars(path)
    before = {file: file.read_bytes() for file in (path, *beside)}

    def failing_replace(source, target):
        calls.append(target)
        if len(calls) == (len(beside) + 1 if failing < 0 else failing + 1):
            raise PermissionError("another program has it open")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing_replace)
    with pytest.raises(BackendError, match="another program has it open"):
        write(path, "rgb", picture(64, 64))
    assert {file: file.read_bytes() for file in before} == before
    assert left(tmp_path) == sorted([*(file.name for file in before), "out.tiff.msk"])
