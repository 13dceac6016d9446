"""Every parameter of every algorithm takes an expression, a project variable, a layer by object, id, name or source."""

import itertools
from pathlib import Path

import processing
import pytest
from landforge.backend.protocol import Extent
from landforge.processing_provider import fields
from landforge.processing_provider.provider import ALGORITHMS
from landforge.processing_provider.raster_input import RasterInput
from landforge.processing_provider.values import evaluated
from landforge.processing_provider.vector_input import VectorInput
from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsExpression,
    QgsFeature,
    QgsGeometry,
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterNumber,
    QgsProperty,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedGeometry,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QVariant

from tests.processing_provider.algorithms import algorithm, read_fields
from tests.processing_provider.rasters import EXTENT, read_raster

NAMES = [cls.JOB.__name__.lower() for cls in ALGORITHMS]
SQUARE = "Polygon((778100 9984500, 778500 9984500, 778500 9984900, 778100 9984900, 778100 9984500))"
E = QgsProperty.fromExpression


@pytest.fixture
def layers(project, landcover, tmp_path):
    """A raster and a polygon layer with a field `width`, both files."""
    memory = QgsVectorLayer("Polygon?crs=EPSG:32717&field=width:double", "shapes", "memory")
    feature = QgsFeature(memory.fields())
    feature.setGeometry(QgsGeometry.fromWkt(SQUARE))
    feature.setAttributes([4.0])
    memory.dataProvider().addFeature(feature)
    path, options = str(tmp_path / "shapes.gpkg"), QgsVectorFileWriter.SaveVectorOptions()
    QgsVectorFileWriter.writeAsVectorFormatV3(memory, path, project.transformContext(), options)
    found = QgsRasterLayer(landcover, "codes"), QgsVectorLayer(path, "shapes")
    project.addMapLayers(found)
    return found


def sample(definition, layers, folder):
    """A value of a parameter, none of which is its default."""
    raster, shapes = layers
    key, kind = definition.name(), definition.type()
    if kind == "extent":
        return EXTENT
    if kind == "crs":
        return "EPSG:32718"
    if kind == "raster":
        return raster.id()
    if kind == "source":
        return shapes.id()
    if kind == "field":
        return "width"
    if kind == "multilayer":
        is_raster = definition.layerType() == QgsProcessing.SourceType.TypeRaster
        return [raster.id(), raster.source()] if is_raster else [str(folder), str(folder / "other")]
    if kind == "enum":
        chosen = [option for option in definition.options() if option != definition.defaultValue()]
        chosen = [option for option in chosen if option != "layer"] or chosen
        return chosen[:2] if definition.allowMultiple() else chosen[-1]
    if kind == "number":
        base = definition.minimum() if definition.minimum() > -1e300 else 0
        step = 1 if definition.dataType() == QgsProcessingParameterNumber.Type.Integer else 0.25
        return base + step
    if key in ("SHARES", "ADDITIONS", "MIX"):
        return "10:25" if key == "SHARES" and not definition.defaultValue() else "0, 5"
    if kind in ("rasterDestination", "fileDestination"):
        return str(folder / f"{key}.{'tif' if kind == 'rasterDestination' else 'csv'}")
    return str(folder) if kind in ("file", "folderDestination") else "2018"


def literal(value):
    if isinstance(value, list):
        return f"array({', '.join(map(literal, value))})"
    return QgsExpression.quotedValue(value)


def comparable(value):
    """Layers by what they refer to, feature sources by their name."""
    if isinstance(value, tuple):
        return tuple(map(comparable, value))
    if isinstance(value, (RasterInput, VectorInput)):
        return value.path
    return value.sourceName() if hasattr(value, "sourceName") else value


def read(name, context, parameters):
    return {key: comparable(value) for key, value in read_fields(name, context, **parameters).items()}


@pytest.fixture
def plain(layers, tmp_path):
    """A function that gives a plain value for every parameter of an algorithm."""
    (tmp_path / "other").mkdir()

    def values(name):
        instance = algorithm(name)
        return {
            definition.name(): sample(definition, layers, tmp_path) for definition in instance.parameterDefinitions()
        }

    return values


@pytest.mark.parametrize("name", NAMES)
def test_an_expression_for_every_parameter(name, plain, context):
    values = plain(name)
    expected = read(name, context, values)
    assert len(expected) > 1
    for key, value in values.items():
        text = literal(value)
        for expression in (E(text), QgsProperty.fromValue(value), {"type": "data_defined", "expression": text}):
            assert read(name, context, {**values, key: expression}) == expected, key
    everything = {key: E(literal(value)) for key, value in values.items()}
    assert read(name, context, everything) == expected
    assert algorithm(name).checkParameterValues(everything, context) == (True, "")


@pytest.mark.parametrize("name", NAMES)
def test_a_project_variable_for_every_parameter(name, plain, context, project):
    values = plain(name)
    project.setCustomVariables({f"my_{key.lower()}": value for key, value in values.items()})
    variables = {key: E(f"@my_{key.lower()}") for key in values}
    assert read(name, context, variables) == read(name, context, values)


@pytest.mark.parametrize("name", NAMES)
def test_the_outputs_are_those_of_their_expressions(name, plain, context):
    values, instance = plain(name), algorithm(name)
    outputs = [definition.name() for definition in instance.destinationParameterDefinitions()]
    everything = evaluated(instance, {key: E(literal(value)) for key, value in values.items()}, context)
    assert outputs and all(everything[key] == values[key] for key in outputs)


@pytest.mark.parametrize("name", NAMES)
def test_layers_by_object_id_name_and_source(name, plain, context, layers):
    values = plain(name)
    expected, instance = read(name, context, values), algorithm(name)
    for definition in instance.parameterDefinitions():
        key, kind = definition.name(), definition.type()
        layer = layers[0] if kind in ("raster", "multilayer") else layers[1]
        if kind not in ("raster", "source", "multilayer"):
            continue
        is_file = kind == "multilayer" and definition.layerType() == QgsProcessing.SourceType.TypeFile
        for value in (layer, layer.id(), layer.name(), layer.source(), E(f"'{layer.id()}'")):
            value = [value] if kind == "multilayer" else value
            result = read(name, context, {**values, key: value}).get(key.lower())
            wanted = expected.get(key.lower())
            assert result == ((layer.source(),) if is_file else wanted[:1] if kind == "multilayer" else wanted), key
        if kind == "multilayer":  # alone, without a list
            for value in (layer, layer.id(), layer.source()):
                assert read(name, context, {**values, key: value})[key.lower()] == (layer.source(),), key


def test_expressions_in_lists_sources_and_outputs(context, layers, tmp_path, project):
    raster, shapes = layers
    project.setCustomVariables({"map": raster.id(), "folder": str(tmp_path)})
    source = QgsProcessingFeatureSourceDefinition(E(f"'{shapes.id()}'"), True)
    sink = QgsProcessingOutputLayerDefinition(E("@folder || '/out.tif'"), project)
    parameters = {"AREA": source, "EXTENT": EXTENT, "OUTPUT": sink}
    values = evaluated(algorithm("generatelandcover"), parameters, context)
    assert values["AREA"].selectedFeaturesOnly and values["AREA"].source.staticValue() == shapes.id()
    assert values["OUTPUT"].destinationProject is project
    assert values["OUTPUT"].sink.staticValue() == str(tmp_path / "out.tif")
    assert source.source.expressionString()  # the caller's own is unchanged
    job = read_fields("builddataset", context, LABEL=[E("@map"), raster])
    assert [label.path for label in job["label"]] == [raster.source()] * 2


@pytest.mark.parametrize(
    "value, expected",
    [
        (E("layer_property('shapes', 'extent')"), Extent(778100, 9984500, 778500, 9984900, "EPSG:32717")),
        (
            E("bounds(make_line(make_point(1,3), make_point(2,4)))"),
            Extent(1, 3, 2, 4, "EPSG:2154"),
        ),
        (QgsGeometry.fromRect(QgsRectangle(1, 3, 2, 4)), Extent(1, 3, 2, 4, "EPSG:2154")),
        (
            QgsReferencedGeometry(
                QgsGeometry.fromRect(QgsRectangle(1, 3, 2, 4)), QgsCoordinateReferenceSystem("EPSG:4326")
            ),
            Extent(1, 3, 2, 4, "EPSG:4326"),
        ),
    ],
)
def test_geometries_are_extents(context, project, layers, value, expected):
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:2154"))
    assert read_fields("generatelandcover", context, EXTENT=value)["extent"] == expected
    parameters = {"EXTENT": value, "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT}
    assert algorithm("generatelandcover").checkParameterValues(parameters, context) == (True, "")


@pytest.mark.parametrize(
    "value, words",
    [
        (E("3 +"), r"SEED: the expression '3 \+' cannot be evaluated: .*syntax error"),
        (E("no_such()"), "SEED: the expression 'no_such.*' cannot be evaluated"),
        (E("@nowhere"), "there is no variable @nowhere"),
        (E("raise_error"), "SEED"),
        (E("NULL"), "SEED has no value"),
        (QgsProperty.fromField("seed"), "SEED is the field 'seed'"),
        ({"type": "data_defined", "field": "seed"}, "SEED is the field 'seed'"),
    ],
)
def test_an_expression_without_a_value_is_refused(context, value, words):
    with pytest.raises(QgsProcessingException, match=words):
        read_fields("generatelandcover", context, EXTENT=EXTENT, SEED=value)


def test_null_leaves_an_optional_parameter_empty(context):
    for empty in (E("NULL"), NULL, QVariant(), None, ""):
        job = read_fields("clipnaip", context, EXTENT=EXTENT, YEAR=empty, GRID_CRS=empty, LAYER=empty)
        assert "year" not in job and "layer" not in job
    with pytest.raises(QgsProcessingException, match="no variable @year"):
        read_fields("clipnaip", context, EXTENT=EXTENT, YEAR=E("@year"))


def test_lists_of_numbers_as_arrays(context, tmp_path):
    job = read_fields("mixturestudy", context, REAL=["a"], SYNTHETIC=["b"], SHARES=E("array(0, 12.5, 100)"))
    assert job["shares"] == (0, 12.5, 100)


def test_paths_as_path_objects(context, landcover, tmp_path):
    job = read_fields("generateimage", context, LANDCOVER=Path(landcover))
    assert job["landcover"].path == landcover


def model_of_a_clip(landcover, sources):
    """A model that clips a map, with expressions or values for some of its parameters."""
    child = QgsProcessingModelChildAlgorithm("landforge:clipworldcover")
    child.setChildId("clip")
    source = QgsProcessingModelChildParameterSource
    for key, value in {"SOURCE": "layer", "LAYER": landcover, **sources}.items():
        made = source.fromExpression(value[1:]) if str(value).startswith("=") else source.fromStaticValue(value)
        child.addParameterSources(key, [made])
    model = QgsProcessingModelAlgorithm("clipping")
    model.addChildAlgorithm(child)
    return model


@pytest.mark.parametrize("form", ["=@place", E("@place")])
def test_in_a_model(landcover, codes, tmp_path, context, project, form):
    project.setCustomVariables({"place": EXTENT, "limit": 3})
    output = tmp_path / "out.tif"
    parameters = {"EXTENT": form, "MAX_AREA_KM2": "=@limit", "OUTPUT": f"='{output}'"}
    model = model_of_a_clip(landcover, parameters)
    processing.run(model, {}, context=context)
    assert (read_raster(output) == codes[:, 10:50, 10:50]).all()


def test_a_model_refuses_what_a_dialog_refuses(landcover, tmp_path, context, feedback):
    for change, words in (
        ({"OUTPUT": landcover}, "also an input"),
        ({"MAX_AREA_KM2": "much"}, "MAX_AREA_KM2"),
        ({"EXTENT": "1,2,3,4 [EPGS:4326]"}, "no CRS that QGIS knows"),
    ):
        parameters = {"EXTENT": EXTENT, "OUTPUT": str(tmp_path / "out.tif"), **change}
        with pytest.raises(QgsProcessingException):
            processing.run(model_of_a_clip(landcover, parameters), {}, context=context, feedback=feedback)
        assert words in feedback.errors[-1]


def test_a_check_that_fails_after_one_that_held_is_not_run(context, landcover, tmp_path, feedback):
    instance = algorithm("clipworldcover")
    good = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": landcover, "OUTPUT": str(tmp_path / "a.tif")}
    assert instance.checkParameterValues(good, context)[0]
    assert not instance.checkParameterValues({**good, "EXTENT": "nowhere"}, context)[0]
    assert instance._checked is None
    assert list(itertools.chain(fields.normalized(instance, good, context))) == list(good)
