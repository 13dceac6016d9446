"""The bundled workflows are complete, explained and run; every algorithm works as a step of a model."""

import csv
from pathlib import Path

import numpy as np
import processing
import pytest
from landforge.processing_provider import workflow
from landforge.processing_provider.provider import ALGORITHMS
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsProcessingException,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingOutputLayerDefinition,
)

from tests.processing_provider.algorithms import bundled
from tests.processing_provider.rasters import CODES, SCENE_EXTENT, read_raster, write_raster

SCENE, TESTED = "landforge:extenttocomparedscene", "landforge:pairstotestedmodel"


def algorithm(name):
    return QgsApplication.processingRegistry().createAlgorithmById(name)


@pytest.mark.parametrize("name", [SCENE, TESTED])
def test_they_are_complete(name):
    model = algorithm(name)
    assert isinstance(model, workflow.Workflow) and model.canExecute() == (True, "")
    assert model.validate() == (True, [])  # what the designer shows in red
    for child in model.childAlgorithms().values():
        known = {definition.name() for definition in child.algorithm().parameterDefinitions()}
        assert set(child.parameterSources()) <= known
    assert not model.icon().isNull() and model.group() == "Workflows" and model.displayName()[0].isupper()


@pytest.mark.parametrize("name", [SCENE, TESTED])
def test_every_parameter_has_help(name):
    model = algorithm(name)
    help_texts = model.helpContent()
    for definition in model.parameterDefinitions():
        assert help_texts[definition.name()].rstrip().endswith((".", ",")), definition.name()
        assert help_texts[definition.name()].split(",")[0] in model.shortHelpString()


@bundled("landcover")
@bundled("spade")
def test_extent_to_compared_scene(landcover, tmp_path, project):
    keys = ("real:OUTPUT", "synthetic:OUTPUT_LANDCOVER", "synthetic:OUTPUT_IMAGE", "difference:OUTPUT")
    outputs = {
        key: QgsProcessingOutputLayerDefinition(str(tmp_path / f"{key.replace(':', '_')}.tif"), project) for key in keys
    }
    parameters = {
        "EXTENT": SCENE_EXTENT,
        "SOURCE": "layer",
        "LAYER": landcover,
        "GENERATOR": "spade",
        "SEED": 7,
        "STEPS": 2,
    }
    files = {"difference:OUTPUT_TABLE": str(tmp_path / "t.csv"), "difference:OUTPUT_REPORT": str(tmp_path / "t.html")}
    result = processing.runAndLoadResults(SCENE, {**parameters, **outputs, **files})
    real, synthetic = read_raster(result["real:OUTPUT"]), read_raster(result["synthetic:OUTPUT_LANDCOVER"])
    assert real.shape == synthetic.shape == read_raster(result["difference:OUTPUT"]).shape == (1, 32, 32)
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()))
    assert sum(float(row["agree_ha"]) for row in rows) == pytest.approx((real == synthetic).sum() / 100)
    assert gdal.Open(result["synthetic:OUTPUT_IMAGE"]).GetMetadata()["LANDFORGE_SYNTHETIC"] == "YES"
    names = {layer.name() for layer in project.mapLayers().values()}
    assert names == {
        "Land cover · codes",
        "Land cover SYNTHETIC · landcover · seed 7",
        "Image SYNTHETIC · spade · seed 7",
        "Difference of land cover · real_OUTPUT · synthetic_OUTPUT_LANDCOVER",
    }


@pytest.fixture
def pairs(tmp_path):
    """A folder of pairs of images and labels, with one colour for every class."""
    shades = np.array([[20, 80, 20], [120, 160, 60], [180, 150, 90], [200, 60, 60], [30, 60, 160]], dtype=np.uint8)
    for part in ("image", "label"):
        (tmp_path / "pairs" / part).mkdir(parents=True)
    for number in range(2):
        index = np.random.default_rng(number).integers(0, len(CODES), (20, 20))
        origin = (778000.0 + 1000 * number, 9985000.0)
        image = shades[index.repeat(10, 0).repeat(10, 1)].transpose(2, 0, 1)
        write_raster(tmp_path / "pairs" / "image" / f"{number}.tif", image, pixel=1, origin=origin)
        write_raster(tmp_path / "pairs" / "label" / f"{number}.tif", CODES[index][None], origin=origin)
    return tmp_path / "pairs"


def test_a_folder_of_pairs_to_a_tested_model(pairs, tmp_path, context, feedback):
    keys = ("tiles:OUTPUT", "training:OUTPUT", "test:OUTPUT")
    outputs = {key: str(tmp_path / key.split(":")[0]) for key in keys}
    parameters = {"PAIRS": str(pairs), "TILE_PX": 32, "EPOCHS": 1, "CROP_PX": 32, "ARCHITECTURE": "lale"}
    result = processing.run(TESTED, {**parameters, **outputs}, context=context, feedback=feedback)
    (row,) = csv.DictReader((tmp_path / "test" / "crosstest.csv").read_text(encoding="utf-8").splitlines())
    assert (row["model"], row["test_set"]) == ("training", "tiles") and int(row["tiles"]) > 0
    assert {key: result[key] for key in keys} == outputs


def test_a_folder_stands_for_its_rasters(pairs, tmp_path, context):
    parameters = {"IMAGE": str(pairs / "image"), "LABEL": [str(pairs / "label")], "TILE_PX": 32}
    result = processing.run("landforge:builddataset", {**parameters, "OUTPUT": str(tmp_path / "set")}, context=context)
    manifest = (Path(result["OUTPUT"]) / "manifest.csv").read_text(encoding="utf-8").splitlines()
    assert len(manifest) == 1 + 2 * 36
    (tmp_path / "empty").mkdir()
    parameters = {"LABEL": str(tmp_path / "empty"), "OUTPUT": str(tmp_path / "other")}
    with pytest.raises(QgsProcessingException, match="holds no raster"):
        processing.run("landforge:builddataset", parameters, context=context)


@pytest.mark.parametrize("cls", ALGORITHMS, ids=lambda cls: cls.JOB.__name__.lower())
def test_every_algorithm_can_be_a_step(cls, tmp_path):
    """Read back from a saved model, it has its parameters and outputs, and it may run in the background."""
    name = f"landforge:{cls.JOB.__name__.lower()}"
    model = QgsProcessingModelAlgorithm("model", "tests")
    child = QgsProcessingModelChildAlgorithm(name)
    child.setChildId("step")
    model.addChildAlgorithm(child)
    assert model.toFile(str(tmp_path / "saved.model3"))
    saved = QgsProcessingModelAlgorithm()
    assert saved.fromFile(str(tmp_path / "saved.model3")) and saved.canExecute() == (True, "")
    step = saved.childAlgorithm("step").algorithm()
    assert step.id() == name and step.outputDefinitions()
    assert not step.flags() & step.Flag.FlagHideFromModeler and not step.flags() & step.Flag.FlagNoThreading


def test_an_unreadable_model_is_left_out(tmp_path, monkeypatch):
    (tmp_path / "broken.model3").write_text("no model")
    monkeypatch.setattr(workflow, "MODELS", tmp_path)
    assert list(workflow.load_workflows()) == []
