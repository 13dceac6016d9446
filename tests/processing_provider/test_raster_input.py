"""A local file is passed by its path; any other layer is exported in its own pixels."""

from pathlib import Path

import numpy as np
import pytest
from landforge.backend.protocol import BackendError, Extent
from landforge.processing_provider import fields
from landforge.processing_provider.raster_input import RasterInput
from osgeo import gdal, osr
from qgis.core import (
    QgsApplication,
    QgsContrastEnhancement,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsMultiBandColorRenderer,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsRasterLayer,
    QgsRasterRange,
)

from tests.processing_provider.algorithms import algorithm
from tests.processing_provider.rasters import read_raster, write_raster

EXTENT = Extent(778100, 9984500, 778500, 9984900, "EPSG:32717")


def export(layer, path, extent=EXTENT, pixel_m=1.0):
    raster = RasterInput(layer, QgsCoordinateTransformContext())
    assert raster.path == ""
    return raster.export(path, extent, "", pixel_m, QgsProcessingFeedback(False))


def test_a_local_file_is_passed_by_its_path(landcover):
    assert RasterInput(QgsRasterLayer(landcover, "codes"), QgsCoordinateTransformContext()).path == landcover


def test_a_layer_whose_crs_was_set_in_qgis_is_exported_with_it(tmp_path, codes):
    layer = QgsRasterLayer(write_raster(tmp_path / "nowhere.tif", codes, crs=None), "nowhere")
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:32717"))
    path = export(layer, tmp_path / "out.tif", extent=None)
    assert (read_raster(path) == codes).all()
    assert "32717" in gdal.Open(path).GetProjection()


def test_the_export_is_the_layers_own_pixels_around_the_extent(tmp_path, codes):
    memory = "/vsimem/codes.tif"
    write_raster(memory, codes)
    path = export(QgsRasterLayer(memory, "memory"), tmp_path / "out.tif")
    left, pixel, _, top, _, _ = gdal.Open(path).GetGeoTransform()
    row, col = round((9985000 - top) / 10), round((left - 778000) / 10)
    data = read_raster(path)
    _, height, width = data.shape
    assert pixel == 10 and (data == codes[:, row : row + height, col : col + width]).all()
    assert 0 < col <= 10 and 0 < row <= 10 and col + width >= 50 and row + height >= 50
    assert col + width < 60 and row + height < 60  # the extent's part, not the layer


def test_a_virtual_layer(tmp_path, landcover, codes, project):
    source = QgsRasterLayer(landcover, "codes")
    project.addMapLayer(source)
    uri = (
        '?crs=EPSG:32717&extent=778000,9984000,779200,9985000&width=120&height=100&formula="codes@1" %2B 0'
        f"&codes:uri={landcover}&codes:provider=gdal"
    )
    layer = QgsRasterLayer(uri, "virtual", "virtualraster")
    if not layer.isValid():
        pytest.skip("this QGIS has no virtual raster provider")
    assert (read_raster(export(layer, tmp_path / "out.tif", extent=None)) == codes).all()


def test_the_tags_of_a_synthetic_file_survive_the_export(tmp_path, codes):
    memory = "/vsimem/synthetic.tif"
    write_raster(memory, codes, tags={"LANDFORGE_SYNTHETIC": "YES", "LANDFORGE_SEED": "7"})
    tags = gdal.Open(export(QgsRasterLayer(memory, "fake"), tmp_path / "out.tif")).GetMetadata()
    assert tags["LANDFORGE_SYNTHETIC"] == "YES" and tags["LANDFORGE_SEED"] == "7"


def test_an_extent_off_the_layer(tmp_path, codes):
    memory = "/vsimem/off.tif"
    write_raster(memory, codes)
    with pytest.raises(QgsProcessingException, match="'memory' does not reach into the extent"):
        export(QgsRasterLayer(memory, "memory"), tmp_path / "out.tif", Extent(0, 0, 1, 1, "EPSG:4326"))


def test_a_layer_without_crs(tmp_path, codes):
    with pytest.raises(QgsProcessingException, match="has no CRS"):
        RasterInput(
            QgsRasterLayer(write_raster(tmp_path / "a.tif", codes, crs=None), "a"), QgsCoordinateTransformContext()
        )


def test_a_web_map_is_read_at_the_requested_pixel_size(tmp_path, web_map):
    data = read_raster(export(web_map(), tmp_path / "out.tif", pixel_m=2.0))
    assert data.shape[0] >= 3 and 210 <= data.shape[2] <= 230  # 400 m and the margins, at 2 m
    assert np.abs(data[:3].mean(axis=(1, 2)) - (200, 100, 50)).max() < 1


def test_a_web_map_whose_server_fails_is_no_black_picture(tmp_path, web_map):
    with pytest.raises(QgsProcessingException, match="'web map' drew nothing"):
        export(web_map("none"), tmp_path / "out.tif")


def test_a_web_map_with_holes_says_so(tmp_path, web_map, feedback):
    raster = RasterInput(web_map("half"), QgsCoordinateTransformContext())
    path = raster.export(tmp_path / "out.tif", EXTENT, "", 1.0, feedback)
    alpha = read_raster(path)[3]
    assert 0 < (alpha == 0).mean() < 1 and "was not drawn" in feedback.messages[-1]


def test_a_web_map_without_an_extent_has_no_size(tmp_path, web_map):
    with pytest.raises(QgsProcessingException, match="web map without pixels of its own"):
        export(web_map(), tmp_path / "out.tif", extent=None)


def test_a_picture_carries_no_codes(context, project, web_map):
    project.addMapLayer(web_map())
    algorithm = QgsApplication.processingRegistry().algorithmById("landforge:generateimage").create()
    with pytest.raises(QgsProcessingException, match="without class codes"):
        fields.read(algorithm, {"LANDCOVER": "web map"}, context)


@pytest.fixture(params=[False, True], ids=["exceptions off", "exceptions on"])
def gdal_exceptions(request):
    """GDAL's Python exceptions, which any plugin may turn on for all."""
    before = gdal.GetUseExceptions()
    (gdal.UseExceptions if request.param else gdal.DontUseExceptions)()
    yield
    (gdal.UseExceptions if before else gdal.DontUseExceptions)()


def test_a_layer_with_open_options_under_both_ways_of_gdal(landcover, codes, tmp_path, gdal_exceptions):
    layer = QgsRasterLayer(f"{landcover}|option:NUM_THREADS=2", "codes")
    assert layer.isValid() and (read_raster(export(layer, tmp_path / "out.tif", extent=None)) == codes).all()
    assert RasterInput(layer, QgsCoordinateTransformContext()).files() == [landcover]


def test_a_layer_whose_file_is_gone_under_both_ways_of_gdal(landcover, tmp_path, gdal_exceptions):
    layer = QgsRasterLayer(landcover, "gone")
    Path(landcover).unlink()
    raster = RasterInput(layer, QgsCoordinateTransformContext())
    assert raster.path == "" and raster.files() == []


def test_a_virtual_raster_lists_the_files_behind_it(landcover, tmp_path):
    vrt = str(tmp_path / "codes.vrt")
    gdal.BuildVRT(vrt, [landcover]).FlushCache()
    assert {vrt, landcover} <= set(RasterInput(QgsRasterLayer(vrt, "v"), QgsCoordinateTransformContext()).files())


@pytest.mark.parametrize("in_file", [None, 10])
@pytest.mark.parametrize("in_qgis", [[30], [30, 40]])
def test_nodata_that_was_set_in_qgis_is_exported(tmp_path, landcover, codes, in_file, in_qgis):
    if in_file:
        dataset = gdal.Open(landcover, gdal.GA_Update)
        dataset.GetRasterBand(1).SetNoDataValue(in_file)
        del dataset
    layer = QgsRasterLayer(landcover, "codes")
    layer.dataProvider().setUserNoDataValue(1, [QgsRasterRange(value, value) for value in in_qgis])
    dataset = gdal.Open(export(layer, tmp_path / "out.tif", extent=None))
    data, nodata = dataset.ReadAsArray(), dataset.GetRasterBand(1).GetNoDataValue()
    is_nodata = np.isin(codes[0], [in_file or 0, *in_qgis])
    assert ((data == nodata) == is_nodata).all() and (data[~is_nodata] == codes[0][~is_nodata]).all()


def test_nodata_of_a_file_that_was_switched_off_in_qgis(tmp_path, landcover, codes):
    dataset = gdal.Open(landcover, gdal.GA_Update)
    dataset.GetRasterBand(1).SetNoDataValue(30)
    del dataset
    layer = QgsRasterLayer(landcover, "codes")
    layer.dataProvider().setUseSourceNoDataValue(1, False)
    dataset = gdal.Open(export(layer, tmp_path / "out.tif", extent=None))
    assert (dataset.ReadAsArray() == codes[0]).all() and dataset.GetRasterBand(1).GetNoDataValue() != 30


def test_a_raster_placed_by_ground_control_points_is_exported(tmp_path, landcover, codes):
    path, reference = str(tmp_path / "gcps.tif"), osr.SpatialReference()
    reference.ImportFromEPSG(32717)
    corners = ((0, 0), (120, 0), (0, 100), (120, 100))
    dataset = gdal.GetDriverByName("GTiff").Create(path, 120, 100, 1)
    dataset.GetRasterBand(1).WriteArray(codes[0])
    points = [gdal.GCP(778000 + 10 * col, 9985000 - 10 * row, 0, col, row) for col, row in corners]
    dataset.SetGCPs(points, reference.ExportToWkt())
    del dataset
    exported = export(QgsRasterLayer(path, "gcps"), tmp_path / "out.tif", extent=None)
    assert (read_raster(exported) == codes).all()
    assert gdal.Open(exported).GetGeoTransform() == (778000, 10, 0, 9985000, 0, -10)


@pytest.mark.parametrize("turn", [0, 360, -360])
def test_a_layer_of_any_turn_is_exported_between_180_and_180(tmp_path, codes, turn):
    write_raster("/vsimem/turned.tif", codes, crs=4326, origin=(-170.0 + turn, -16.0), pixel=0.0001)
    extent = Extent(-169.998, -16.006, -169.994, -16.002, "EPSG:4326")
    layer = QgsRasterLayer("/vsimem/turned.tif", "turned")
    path = export(layer, tmp_path / "out.tif", extent)
    left, _, _, top, _, _ = gdal.Open(path).GetGeoTransform()
    row, col = round((-16.0 - top) / 0.0001), round((left + 170) / 0.0001)
    data = read_raster(path)
    assert 0 < row < 20 and 0 < col < 20 and data.size < codes.size
    assert (data == codes[:, row : row + data.shape[1], col : col + data.shape[2]]).all()
    whole = gdal.Open(export(layer, tmp_path / "whole.tif", None))
    assert whole.GetGeoTransform()[0] == pytest.approx(-170)
    assert RasterInput(layer, QgsCoordinateTransformContext()).extent.xmin == pytest.approx(-170)


def test_an_extent_on_both_sides_of_where_a_layer_begins(tmp_path, codes):
    write_raster("/vsimem/world.tif", codes[:, :60], crs=4326, origin=(0.0, 90.0), pixel=3.0)
    world = QgsRasterLayer("/vsimem/world.tif", "world")
    with pytest.raises(QgsProcessingException, match="'world' begins and ends at a longitude within the extent"):
        export(world, tmp_path / "out.tif", Extent(-0.1, 51.0, 0.1, 51.2, "EPSG:4326"))
    with pytest.raises(BackendError, match="crosses the antimeridian"):
        export(world, tmp_path / "out.tif", None)


def test_an_extent_at_the_antimeridian_does_not_reach_around_the_earth(tmp_path, codes):
    write_raster("/vsimem/belt.tif", codes[:, :60], crs=4326, origin=(-180.0, 90.0), pixel=3.0)
    path = export(
        QgsRasterLayer("/vsimem/belt.tif", "belt"), tmp_path / "out.tif", Extent(179.9, 0.0, 180.0, 0.1, "EPSG:4326")
    )
    assert read_raster(path).shape == (1, 1, 1) and gdal.Open(path).GetGeoTransform()[0] == 177


def drawn(path, bounds, bands=(3, 2, 1)):
    """A layer of an image that is drawn with the bounds of a stretch, or without one."""
    layer = QgsRasterLayer(path, "image")
    renderer = QgsMultiBandColorRenderer(layer.dataProvider(), *bands)
    for band, setter in zip(
        bands, ("setRedContrastEnhancement", "setGreenContrastEnhancement", "setBlueContrastEnhancement")
    ):
        if bounds:
            stretch = QgsContrastEnhancement(layer.dataProvider().dataType(band))
            stretch.setContrastEnhancementAlgorithm(QgsContrastEnhancement.StretchToMinimumMaximum)
            stretch.setMinimumValue(bounds[0])
            stretch.setMaximumValue(bounds[1])
            getattr(renderer, setter)(stretch)
    layer.setRenderer(renderer)
    return layer


@pytest.mark.parametrize(
    ("dtype", "bounds", "expected"),
    [
        (np.uint16, (10.0, 900.5), ("3, 2, 1", "10.0, 900.5; 10.0, 900.5; 10.0, 900.5")),
        (np.uint16, None, ("", "")),
        (np.uint8, (10.0, 200.0), ("", "")),
    ],
)
def test_an_image_of_16_bits_is_read_as_its_layer_is_drawn(tmp_path, dtype, bounds, expected):
    pixels = np.random.default_rng(0).integers(0, 250, (3, 20, 20)).astype(dtype)
    layer = drawn(write_raster(tmp_path / "image.tif", pixels), bounds)
    raster = RasterInput(layer, QgsCoordinateTransformContext())
    assert (raster.bands, raster.stretch) == expected


def test_a_stretch_that_is_typed_comes_before_the_layers(tmp_path, context):
    pixels = np.random.default_rng(0).integers(0, 999, (3, 20, 20)).astype(np.uint16)
    layer = drawn(write_raster(tmp_path / "image.tif", pixels), (10.0, 900.0))
    segmentimage = algorithm("segmentimage")
    parameters = {"IMAGE": layer, "OUTPUT": "TEMPORARY_OUTPUT"}
    read = fields.read(segmentimage, fields.normalized(segmentimage, parameters, context), context)
    assert read["bands"] == "3, 2, 1" and read["stretch"].startswith("10.0, 900.0;")
    parameters["STRETCH"] = "0, 500"
    read = fields.read(segmentimage, fields.normalized(segmentimage, parameters, context), context)
    assert read["stretch"] == "0, 500" and not read.get("bands")
