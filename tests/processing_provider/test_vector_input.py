"""Vector layers of any provider: a plain local file is passed by its path, any other layer is exported."""

from pathlib import Path

import processing
import pytest
from landforge.backend.protocol import VECTOR_SUFFIXES, Extent
from landforge.processing_provider import fields
from landforge.processing_provider.vector_input import VectorInput
from osgeo import ogr
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsRasterLayer,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from tests.processing_provider.algorithms import algorithm, bundled, read_fields
from tests.processing_provider.rasters import SCENE_EXTENT, read_raster, write_raster
from tests.processing_provider.test_running import in_background

PLACE = Extent(778000, 9984680, 778320, 9985000, "EPSG:32717")
ROAD = "LineString(777000 9984800, 779000 9984800)"
OTHER = "LineString(777000 9984700, 779000 9984700)"
FAR = "LineString(700000 9984800, 701000 9984800)"
POND = "Polygon((778100 9984900, 778200 9984900, 778200 9984980, 778100 9984980, 778100 9984900))"


@pytest.fixture
def layer(project):
    """A function that adds a layer in memory to the project, with a feature for every WKT and width."""

    def add_layer(*shapes, kind="LineString", crs="EPSG:32717", width=8.0, name="streets"):
        made = QgsVectorLayer(
            f"{kind}?crs={crs}&field=highway:string&field=width:double&field=note:string", name, "memory"
        )
        if not crs:
            made.setCrs(QgsCoordinateReferenceSystem())
        for shape in shapes:
            feature = QgsFeature(made.fields())
            feature.setGeometry(QgsGeometry.fromWkt(shape))
            feature.setAttributes(["path", width, "ignored"])
            assert made.dataProvider().addFeatures([feature])[0]
        made.updateExtents()
        project.addMapLayer(made)
        return made

    return add_layer


def saved(layer, path, driver="GPKG", name=None):
    """A memory layer as a layer of a file."""
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = driver, name or path.stem
    QgsVectorFileWriter.writeAsVectorFormatV2(layer, str(path), layer.transformContext(), options)
    return QgsVectorLayer(str(path) + (f"|layername={name}" if name else ""), "saved")


def vector_input(context, value, key="ROADS"):
    return VectorInput(algorithm("generatescene"), {key: value}, key, context)


def exported(context, value, folder, key="ROADS", width_field=""):
    """The features of an export as (WKT, fields)."""
    made = vector_input(context, value, key)
    assert made.path == ""
    path, _, name = made.export(folder, PLACE, "", width_field, QgsProcessingFeedback(False)).partition("|layername=")
    source = ogr.Open(path)
    return [(feature.geometry().ExportToWkt(), feature.items()) for feature in source.GetLayerByName(name)]


@pytest.mark.parametrize("driver, suffix", [("GPKG", ".gpkg"), ("ESRI Shapefile", ".shp"), ("FlatGeobuf", ".fgb")])
def test_a_plain_file_is_passed_by_its_path(context, layer, tmp_path, driver, suffix):
    path = tmp_path / f"roads{suffix}"
    file = saved(layer(ROAD), path, driver)
    assert vector_input(context, file).path == str(path) and suffix in VECTOR_SUFFIXES
    assert vector_input(context, str(path)).path == str(path)
    assert vector_input(context, QgsProcessingFeatureSourceDefinition(str(path))).path == str(path)


def test_a_layer_of_a_file_is_passed_by_path_and_name(context, layer, tmp_path):
    path = tmp_path / "town.gpkg"
    assert vector_input(context, saved(layer(ROAD), path, name="streets")).path == f"{path}|layername=streets"


def add_computed_width(layer):
    field = layer.fields().at(layer.fields().indexOf("width"))
    field.setName("twice")
    assert layer.addExpressionField("2 * width", field) >= 0


def test_what_a_file_does_not_say_by_itself_is_exported(context, layer, project, tmp_path):
    for change in (
        lambda file: file.setSubsetString("width > 5"),
        lambda file: file.setCrs(QgsCoordinateReferenceSystem("EPSG:24877")),
        lambda file: file.startEditing() and file.deleteFeature(1),
        add_computed_width,
    ):
        file = saved(layer(ROAD, OTHER), tmp_path / "roads.gpkg")
        assert vector_input(context, file).path
        project.addMapLayer(file)
        change(file)
        assert not vector_input(context, file).path
        file.rollBack()
        project.removeMapLayer(file.id())


def test_an_export_has_the_features_around_the_extent_and_the_widths(context, layer, tmp_path):
    ((wkt, attributes),) = exported(context, layer(ROAD, FAR), tmp_path, width_field="width")
    assert QgsGeometry.fromWkt(wkt).equals(QgsGeometry.fromWkt(ROAD))
    assert attributes == {"highway": "path", "width": 8.0}


def test_only_the_selected_features_are_exported(context, layer, tmp_path):
    streets = layer(ROAD, OTHER)
    streets.select(2)
    ((wkt, _),) = exported(context, QgsProcessingFeatureSourceDefinition(streets.id(), True), tmp_path)
    assert "9984700" in wkt


def test_a_filter_stays(context, layer, tmp_path):
    file = saved(layer(ROAD, OTHER), tmp_path / "roads.gpkg")
    file.setSubsetString("fid = 2")
    (tmp_path / "export").mkdir()
    ((wkt, _),) = exported(context, file, tmp_path / "export")
    assert "9984700" in wkt


def test_curves_become_lines(context, layer, tmp_path):
    circle = "CurvePolygon(CompoundCurve(CircularString(778100 9984800, 778200 9984800, 778100 9984800)))"
    ((wkt, _),) = exported(context, layer(circle, kind="CurvePolygon"), tmp_path, "BUILDINGS")
    assert wkt.startswith("POLYGON") and QgsGeometry.fromWkt(wkt).area() == pytest.approx(7854, rel=0.01)


def test_an_export_in_another_crs_keeps_it(context, layer, tmp_path):
    shape = "LineString(-78.5 -0.138, -78.49 -0.138)"
    made = vector_input(context, layer(shape, crs="EPSG:4326"))
    path = made.export(tmp_path, PLACE, "", "", QgsProcessingFeedback(False)).partition("|")[0]
    file = ogr.Open(path)
    opened = file.GetLayer(0)
    assert opened.GetFeatureCount() == 1 and opened.GetSpatialRef().GetAuthorityCode(None) == "4326"


@pytest.mark.parametrize(
    "key, kind, shape, options, words",
    [
        ("ROADS", "Point", "Point(778100 9984800)", {}, "ROADS must be lines or polygons"),
        ("BUILDINGS", "LineString", ROAD, {}, "BUILDINGS must be polygons"),
        ("WATER", "Polygon", POND, {"crs": ""}, "has no CRS"),
    ],
)
def test_layers_that_cannot_be_used(context, layer, key, kind, shape, options, words):
    with pytest.raises(QgsProcessingException, match=words):
        vector_input(context, layer(shape, kind=kind, **options), key)


def test_what_is_no_vector_layer(context, tmp_path):
    for value in (str(tmp_path / "missing.gpkg"), "no such layer"):
        with pytest.raises(QgsProcessingException, match="ROADS cannot be opened"):
            read_fields("generatescene", context, EXTENT=SCENE_EXTENT, ROADS=value)


def test_the_fields_of_a_job(context, layer, tmp_path, feedback):
    path = tmp_path / "roads.gpkg"
    file, pond = saved(layer(ROAD), path), layer(POND, kind="Polygon", name="ponds")
    inputs = read_fields("generatescene", context, EXTENT=SCENE_EXTENT, ROADS=file, ROADS_WIDTH="width", WATER=pond)
    assert "buildings" not in inputs and "water_width" not in inputs
    folder = tmp_path / "export"
    folder.mkdir()
    values = fields.export_layers(inputs, folder, 1.0, feedback)
    assert values["roads"] == str(path) and values["roads_width"] == "width"
    assert values["water"] == f"{folder / 'water.gpkg'}|layername=ponds"
    assert any("'ponds': 1 features" in message for message in feedback.messages)


def test_an_unknown_width_field_is_refused_with_those_there_are(context, layer):
    with pytest.raises(QgsProcessingException, match=r"no field 'breite'\. Its fields are: highway, width, note"):
        read_fields("generatescene", context, EXTENT=SCENE_EXTENT, ROADS=layer(ROAD), ROADS_WIDTH="breite")


@bundled("landcover")
@bundled("spade")
def test_a_scene_with_a_layer_in_memory_in_the_background(context, layer, tmp_path, feedback):
    outputs = {name: str(tmp_path / f"{name}.tif") for name in ("OUTPUT_LANDCOVER", "OUTPUT_IMAGE")}
    parameters = {"EXTENT": SCENE_EXTENT, "STEPS": 2, "WATER": layer(POND, kind="Polygon"), **outputs}
    assert in_background("landforge:generatescene", parameters, context, feedback), feedback.errors
    assert (read_raster(outputs["OUTPUT_LANDCOVER"])[0, 2:10, 10:20] == 80).all()


@bundled("spade")
def test_an_image_reads_features_around_its_land_cover(context, layer, codes, tmp_path):
    """The land cover is in memory as well: its bounds are the extent of the export."""
    write_raster("/vsimem/cover.tif", codes)
    cover = QgsRasterLayer("/vsimem/cover.tif", "cover")
    context.project().addMapLayer(cover)
    output = tmp_path / "image.tif"
    parameters = {"LANDCOVER": cover, "BUILDINGS": layer(POND, kind="Polygon"), "OUTPUT": str(output)}
    processing.run("landforge:generateimage", parameters, context=context)
    assert Path(output).is_file()


@pytest.mark.parametrize("turn", [360, -360])
def test_roads_with_longitudes_beyond_180_are_exported_between(context, layer, tmp_path, turn):
    place = Extent(-169.998, -16.006, -169.994, -16.002, "EPSG:4326")
    near, far = ((f"LineString({x} -16.004, {x + 0.001} -16.004)") for x in (-169.996 + turn, -160 + turn))
    file = saved(layer(near, far, crs="EPSG:4326"), tmp_path / "streets.gpkg")
    made = vector_input(context, file)
    assert made.path == ""
    path, _, name = made.export(tmp_path, place, "", "", QgsProcessingFeedback(False)).partition("|layername=")
    source = ogr.Open(path)  # its layers live as long as it does
    (bounds,) = [feature.geometry().GetEnvelope() for feature in source.GetLayerByName(name)]
    assert bounds == pytest.approx((-169.996, -169.995, -16.004, -16.004))
