"""Rasters are whole Cloud Optimized GeoTIFFs with legend and masks, or they are not there."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.enums import MaskFlags
from rio_cogeo.cogeo import cog_validate

from backend import classes, raster
from backend.protocol import BackendError
from tests.backend.scenes import write_raster


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
    return np.random.default_rng(0).choice(np.append(classes.CODES, 0), (height, width)).astype(np.uint8)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, height, width), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(1300, 1100), (1, 1), (513, 7)])
@pytest.mark.parametrize("kind", ["classes", "rgb"])
def test_what_is_written_is_a_valid_cog_and_reads_back_to_the_bit(tmp_path, kind, shape):
    data = codes(*shape) if kind == "classes" else picture(*shape)
    path = write(tmp_path / "out.tif", kind, data)
    assert cog_validate(path, strict=True) == (True, [], [])
    with rasterio.open(path) as found:
        np.testing.assert_array_equal(found.read().squeeze(), data.squeeze())
        assert found.crs.to_epsg() == 32618
        assert found.transform == Affine(10, 0, 500_000, 0, -10, 4_000_000)
        assert found.tags()["NOTE"] == "for a test"
        assert found.compression.name == "deflate"


def test_a_class_raster_has_nodata_palette_and_overviews_of_codes_only(tmp_path):
    path = write(tmp_path / "out.tif", "classes", codes(1300, 1100))
    with rasterio.open(path) as found:
        assert found.nodata == 0
        assert found.overviews(1)
        for code, (_, colour) in classes.LEGEND.items():
            assert found.colormap(1)[code] == (*bytes.fromhex(colour), 255)
        assert found.colormap(1)[0][3] == 0
        overview = found.read(1, out_shape=(found.height // 2, found.width // 2))
        assert set(np.unique(overview)) <= {0, *classes.CODES}


def test_overviews_of_classes_are_the_commonest_class(tmp_path):
    data = np.full((1024, 1024), 10, np.uint8)
    data[::2, ::2] = 50  # one of four
    path = write(tmp_path / "out.tif", "classes", data)
    with rasterio.open(path, overview_level=0) as found:
        assert (found.read(1) == 10).all()


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
        [str(code), name, *(str(v) for v in bytes.fromhex(colour))] for code, (name, colour) in classes.LEGEND.items()
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
    with rasterio.open(path) as found:
        assert found.mask_flag_enums == ([MaskFlags.per_dataset],) * 3
        np.testing.assert_array_equal(found.dataset_mask() > 0, valid)
    with rasterio.open(path, overview_level=0) as found:
        np.testing.assert_array_equal(found.dataset_mask() > 0, valid[::2, ::2])
        assert (found.read()[:, found.dataset_mask() > 0] == 200).all()  # what is masked does not darken the edge
    assert not path.with_name(path.name + ".msk").exists()


def test_blocks_are_clipped_to_the_raster(tmp_path):
    data = np.arange(64, dtype=np.uint8).reshape(8, 8)
    with raster.RasterWriter(tmp_path / "out.tif", grid(4, 4), "classes", {}) as target:
        target.write(data, -2, -3)
        target.write(data, 4, 0)
    with rasterio.open(tmp_path / "out.tif") as found:
        np.testing.assert_array_equal(found.read(1), data[2:6, 3:7])


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
