"""A local file is passed by its path; any other layer is exported in its own pixels."""

import numpy as np
import pytest
from landforge.backend.protocol import Extent
from landforge.processing_provider import fields
from landforge.processing_provider.raster_input import RasterInput
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsRasterLayer,
)

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
