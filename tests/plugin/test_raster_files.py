"""Rasters are opened alike with GDAL's exceptions on and off, and nowhere else than in one module."""

import re

import pytest
from landforge.plugin import layer_menu, layers, raster_files
from landforge.plugin.compare import layer_pairs
from osgeo import gdal
from qgis.core import QgsRasterLayer

from tests.plugin.raster_layers import SYNTHETIC_TAGS, image_layer, landcover_layer
from tests.qgis_environment import ROOT

TAGS = {**SYNTHETIC_TAGS, "LANDFORGE_SETTINGS": '{"seed": 7}'}


@pytest.fixture(params=[False, True], ids=["exceptions off", "exceptions on"], autouse=True)
def gdal_exceptions(request):
    before = gdal.GetUseExceptions()
    (gdal.UseExceptions if request.param else gdal.DontUseExceptions)()
    yield
    (gdal.UseExceptions if before else gdal.DontUseExceptions)()


@pytest.fixture
def synthetic(tmp_path):
    return image_layer(tmp_path, "made", (9, 9, 9), TAGS, size=8)


def test_what_gdal_cannot_open_is_none(tmp_path):
    (tmp_path / "text.tif").write_text("no raster")
    for source in (
        tmp_path / "none.tif",
        tmp_path / "text.tif",
        "",
        "NETCDF:none.nc:x",
        f"{tmp_path}/a.tif|option:A=B",
    ):
        assert raster_files.open_raster(str(source)) is None
        assert raster_files.open_raster(str(source), update=True) is None


def test_open_options_are_those_of_the_source(synthetic):
    source = f"{synthetic.source()}|option:NUM_THREADS=2|option:GEOREF_SOURCES=NONE"
    dataset = raster_files.open_raster(source)
    assert dataset.GetMetadataItem("LANDFORGE_SEED") == "7" and dataset.GetGeoTransform()[0] == 0


@pytest.mark.parametrize("name", ["pipe|layername=x", "a|option b", "50%20#é 'q'"])
def test_names_that_look_like_options(tmp_path, name):
    layer = image_layer(tmp_path, name, (9, 9, 9), TAGS, size=8)
    assert raster_files.raster_tags(layer)["LANDFORGE_SEED"] == "7"


def test_the_menu_and_the_compare_panel_of_a_layer_with_an_open_option(synthetic):
    layer = QgsRasterLayer(f"{synthetic.source()}|option:NUM_THREADS=2", "plain")
    assert layer_pairs.is_synthetic(layer)
    assert layer_menu.generation_settings(synthetic) == {"seed": 7}
    layer_menu.generation_settings(layer)


def test_a_layer_whose_file_is_gone(tmp_path, synthetic):
    (tmp_path / "made.tif").unlink()
    assert not layer_pairs.is_synthetic(synthetic) and layer_menu.generation_settings(synthetic) == {}
    layers.style(synthetic)
    assert synthetic.name() == "made"


def test_a_result_without_a_legend_is_styled(tmp_path):
    layer = landcover_layer(tmp_path, "codes", 1, SYNTHETIC_TAGS)
    layers.style(layer)
    assert "SYNTHETIC" in layer.name()


def test_gdal_opens_in_one_module_only():
    opens = re.compile(r"\b(?:gdal|ogr)\.(?:Open|VSI)")
    files = [*(ROOT / "plugin").rglob("*.py"), *(ROOT / "processing_provider").rglob("*.py")]
    assert [path.name for path in files if opens.search(path.read_text())] == ["raster_files.py"]
