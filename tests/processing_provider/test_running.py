"""Algorithms run with the backend: outputs, threads, errors, cancelling, styled layers and models."""

import sys
import tempfile
from pathlib import Path

import numpy as np
import processing
import pytest
from landforge.backend import protocol
from landforge.plugin.bridge import process
from landforge.processing_provider import fields
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsPalettedRasterRenderer,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingAlgRunnerTask,
    QgsProcessingException,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterRasterLayer,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QEventLoop

from tests.processing_provider.rasters import EXTENT, read_raster, write_raster

CLIP = "landforge:clipworldcover"


def clip(landcover, output, **parameters):
    return {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": landcover, "OUTPUT": str(output), **parameters}


def test_a_local_layer_clipped(landcover, codes, tmp_path, context, feedback, cold):
    result = processing.run(CLIP, clip(landcover, tmp_path / "out.tif"), context=context, feedback=feedback)
    assert result == {"OUTPUT": str(tmp_path / "out.tif")}
    source = gdal.Open(result["OUTPUT"])
    assert source.GetGeoTransform() == (778100, 10, 0, 9984900, 0, -10)
    assert (read_raster(result["OUTPUT"]) == codes[:, 10:50, 10:50]).all()
    assert feedback.percentages[-1] > 90 and feedback.percentages == sorted(feedback.percentages)
    assert feedback.messages and not feedback.errors


def test_a_layer_in_memory_gives_the_same(codes, tmp_path, context, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    write_raster("/vsimem/codes.tif", codes)
    layer = QgsRasterLayer("/vsimem/codes.tif", "codes")
    context.project().addMapLayer(layer)
    result = processing.run(CLIP, clip(layer, tmp_path / "out.tif"), context=context)
    assert (read_raster(result["OUTPUT"]) == codes[:, 10:50, 10:50]).all()
    assert list(temporary.iterdir()) == []  # the export is gone


def in_background(algorithm, parameters, context, feedback):
    """Run an algorithm as the window does, in another thread than the layers'; returns its results, or None."""
    outcomes, loop = [], QEventLoop()
    algorithm = QgsApplication.processingRegistry().algorithmById(algorithm)
    task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
    task.executed.connect(lambda ok, results: outcomes.append(results if ok else None))
    task.executed.connect(loop.quit)
    QgsApplication.taskManager().addTask(task)
    if not outcomes:
        loop.exec()
    return outcomes[0]


def test_in_the_background(landcover, codes, tmp_path, context, feedback):
    result = in_background(CLIP, clip(landcover, tmp_path / "out.tif"), context, feedback)
    assert (read_raster(result["OUTPUT"]) == codes[:, 10:50, 10:50]).all()


def test_a_web_map_in_the_background(web_map, tmp_path, context, feedback):
    context.project().addMapLayer(web_map())
    parameters = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": "web map", "PIXEL_M": 2}
    result = in_background("landforge:clipnaip", {**parameters, "OUTPUT": str(tmp_path / "out.tif")}, context, feedback)
    assert result, feedback.errors
    data = read_raster(result["OUTPUT"])
    assert data.shape[1:] == (200, 200) and np.abs(data[:3].mean(axis=(1, 2)) - (200, 100, 50)).max() < 1


def test_the_grid_is_the_projects(landcover, tmp_path, context):
    psad56_utm_17s = QgsCoordinateReferenceSystem("EPSG:24877")  # in metres and valid at the extent
    context.project().setCrs(psad56_utm_17s)
    result = processing.run(CLIP, clip(landcover, tmp_path / "out.tif"), context=context)
    assert "24877" in gdal.Open(result["OUTPUT"]).GetProjection()
    result = processing.run(CLIP, clip(landcover, tmp_path / "out2.tif", GRID_CRS="EPSG:32718"), context=context)
    assert "32718" in gdal.Open(result["OUTPUT"]).GetProjection()


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"MAX_AREA_KM2": 0.01}, "more than the limit"),
        ({"EXTENT": "778100,778500,9884500,9884900 [EPSG:32717]"}, "codes.tif"),
        ({"OUTPUT": "/proc/none/out.tif"}, "Cannot write to /proc"),
    ],
)
def test_an_error_of_the_backend_is_an_exception_with_its_message(landcover, tmp_path, context, wrong, words):
    with pytest.raises(QgsProcessingException, match=words):
        processing.run(CLIP, clip(landcover, tmp_path / "out.tif", **wrong), context=context)
    assert not list(tmp_path.glob("*out*"))


def test_a_wrong_band_count(image, tmp_path, context):
    with pytest.raises(QgsProcessingException, match=r"band"):
        processing.run(CLIP, clip(image, tmp_path / "out.tif"), context=context)
    assert not list(tmp_path.glob("*out*"))


def test_parameters_are_read_once_per_run(landcover, tmp_path, context, monkeypatch):
    reads = []

    def read(algorithm, parameters, context):
        reads.append(parameters)
        return fields_read(algorithm, parameters, context)

    fields_read = fields.read
    monkeypatch.setattr(fields, "read", read)
    for name in ("a.tif", "b.tif"):
        reads.clear()
        processing.run(CLIP, clip(landcover, tmp_path / name), context=context)
        assert len(reads) == 1


def test_other_parameters_than_the_checked_ones_are_read_again(landcover, tmp_path, context, feedback):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(CLIP)
    checked = clip(landcover, tmp_path / "checked.tif")
    assert algorithm.checkParameterValues(checked, context) == (True, "")
    other = clip(landcover, tmp_path / "other.tif", EXTENT="778100,778300,9984500,9984900 [EPSG:32717]")
    result, ok = algorithm.run(other, context, feedback)
    assert ok and read_raster(result["OUTPUT"]).shape == (1, 40, 20)


def test_an_extent_in_another_crs_than_the_layer(landcover, tmp_path, context):
    parameters = clip(landcover, tmp_path / "out.tif", EXTENT="-78.501,-78.498,-0.139,-0.136 [EPSG:4326]")
    result = processing.run(CLIP, parameters, context=context)
    assert read_raster(result["OUTPUT"]).shape[1:] in ((34, 34), (34, 35), (35, 34), (35, 35))


def test_an_error_in_preparing_is_an_exception_with_its_message(tmp_path, context, codes):
    """Models run a child without checking its values, and QGIS drops the message of an exception in preparing."""
    nowhere = write_raster(tmp_path / "nowhere.tif", codes, crs=None)
    algorithm = QgsApplication.processingRegistry().algorithmById(CLIP)
    with pytest.raises(QgsProcessingException, match="has no CRS"):
        QgsProcessingAlgorithm.run(algorithm, clip(nowhere, tmp_path / "o.tif"), context, context.feedback(), {}, False)


def test_without_a_backend_it_says_so(landcover, tmp_path, context, monkeypatch):
    monkeypatch.setenv("LANDFORGE_PYTHON", str(tmp_path / "none"))
    with pytest.raises(QgsProcessingException, match="Set up the backend"):
        processing.run(CLIP, clip(landcover, tmp_path / "out.tif"), context=context)


def test_a_dead_backend_is_an_exception(landcover, tmp_path, context, monkeypatch, cold):
    monkeypatch.setattr("landforge.plugin.bridge.environment.problem", lambda *_: "")
    monkeypatch.setenv("LANDFORGE_PYTHON", "/bin/false" if Path("/bin/false").exists() else sys.executable)
    with pytest.raises(QgsProcessingException, match="ended before"):
        processing.run(CLIP, clip(landcover, tmp_path / "out.tif"), context=context)


def test_cancelling_leaves_nothing(landcover, tmp_path, context, feedback, cold):
    feedback.progressChanged.connect(lambda _: feedback.cancel())
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        processing.run(CLIP, clip(landcover, tmp_path / "out.tif"), context=context, feedback=feedback)
    assert not list(tmp_path.glob("*out*"))


@pytest.fixture
def failing_job(monkeypatch):
    """A function that makes every job fail with an error, after it has finished blocks of its output or before."""

    def fail_with(error, finished_blocks=True):
        def run_job(job, *_):
            if finished_blocks:
                protocol.unfinished_path(job.output).mkdir(parents=True)
            raise error

        monkeypatch.setattr(process, "run_job", run_job)

    return fail_with


def failure(parameters, context):
    """The message of the exception that a clip raises."""
    with pytest.raises(QgsProcessingException) as raised:
        processing.run(CLIP, parameters, context=context)
    return str(raised.value)


@pytest.mark.parametrize(
    "error, words",
    [(process.Cancelled(), "Cancelled: no output was written."), (protocol.BackendError("A worker died."), "A worker")],
)
def test_finished_blocks_are_named_for_the_next_run(landcover, tmp_path, context, failing_job, error, words):
    failing_job(error)
    message = failure(clip(landcover, tmp_path / "out.tif"), context)
    assert words in message and str(tmp_path / ".out.unfinished") in message
    assert "What is finished" in message and "same settings and output goes on from there" in message


@pytest.mark.parametrize("error", [process.Cancelled(), protocol.BackendError("A worker died.")])
def test_without_finished_blocks_no_resuming_is_promised(landcover, tmp_path, context, failing_job, error):
    failing_job(error, finished_blocks=False)
    assert "What is finished" not in failure(clip(landcover, tmp_path / "out.tif"), context)


def test_a_cancelled_training_names_its_checkpoint_folder(tmp_path, context, monkeypatch):
    def run_job(job, *_):
        (Path(job.output) / protocol.CHECKPOINTS).mkdir(parents=True)
        raise process.Cancelled()

    monkeypatch.setattr(process, "run_job", run_job)
    (tmp_path / "data").mkdir()
    parameters = {"DATASET": [str(tmp_path / "data")], "OUTPUT": str(tmp_path / "model")}
    with pytest.raises(QgsProcessingException) as raised:
        processing.run("landforge:trainlandcover", parameters, context=context)
    assert "up to the last checkpoint is kept" in str(raised.value) and "no output" not in str(raised.value)


def test_a_generator_trained_on_a_clip_generates_land_cover(tmp_path, context, feedback):
    """A clip at 10 m to a data set of labels alone, to a model, to a map with requested class shares."""
    codes = np.random.default_rng(1).choice(np.array([10, 30, 80], np.uint8), (30, 60)).repeat(10, 0).repeat(10, 1)
    label = write_raster(tmp_path / "clip.tif", codes[None])
    data, model, cover = (str(tmp_path / name) for name in ("data", "model", "cover.tif"))
    processing.run("landforge:builddataset", {"LABEL": [label], "TILE_PX": 130, "OUTPUT": data}, context=context)
    training = {"DATASET": [data], "STEPS": 1, "BATCH": 2, "OUTPUT": model}
    processing.run("landforge:trainlandcover", training, context=context, feedback=feedback)
    assert (Path(model) / "report.html").is_file() and any("samples" in message for message in feedback.messages)
    drawing = {"EXTENT": EXTENT, "MODEL": model, "SHARES": "80:70", "STEPS": 1, "OUTPUT": cover}
    processing.run("landforge:generatelandcover", drawing, context=context)
    assert set(np.unique(read_raster(cover))) <= set(protocol.WORLDCOVER_CODES)


def test_no_resuming_is_promised_with_a_temporary_output(landcover, context, failing_job):
    failing_job(process.Cancelled())
    message = failure(clip(landcover, QgsProcessing.TEMPORARY_OUTPUT), context)
    assert "Cancelled" in message and "What is finished" not in message


def test_no_resuming_is_promised_with_a_layer_that_every_run_exports_anew(codes, tmp_path, context, failing_job):
    failing_job(process.Cancelled())
    layer = QgsRasterLayer(write_raster("/vsimem/codes.tif", codes), "codes")
    context.project().addMapLayer(layer)
    message = failure(clip(layer, tmp_path / "out.tif"), context)
    assert (tmp_path / ".out.unfinished").is_dir() and "What is finished" not in message


@pytest.mark.parametrize("window", [True, False])
def test_only_the_window_runs_jobs_in_the_warm_worker(landcover, tmp_path, context, monkeypatch, window):
    monkeypatch.setattr("qgis.utils.iface", object() if window else None)
    decisions = []

    def run_job(job, python, on_event, is_cancelled, warm, *_):
        decisions.append(warm)
        return {}

    monkeypatch.setattr(process, "run_job", run_job)
    processing.run(CLIP, clip(landcover, tmp_path / "out.tif"), context=context)
    assert decisions == [window]


def test_the_warm_worker_stays_for_the_next_job(landcover, tmp_path, context):
    workers = set()
    for name in ("a.tif", "b.tif"):
        processing.run(CLIP, clip(landcover, tmp_path / name), context=context)
        workers.add(process._worker)
        assert process._worker is not None and process._worker.child.is_running()
    assert len(workers) == 1
    assert (read_raster(tmp_path / "a.tif") == read_raster(tmp_path / "b.tif")).all()


def load(output, project, name=""):
    definition = QgsProcessingOutputLayerDefinition(str(output), project)
    definition.destinationName = name
    return definition


def test_results_arrive_styled_named_and_grouped(codes, tmp_path, project):
    tags = {"LANDFORGE_SYNTHETIC": "YES", "LANDFORGE_MODEL": "landcover", "LANDFORGE_SEED": "7"}
    source = write_raster(tmp_path / "codes.tif", codes, tags=tags)
    for output in ("one.tif", "two.tif"):
        processing.runAndLoadResults(CLIP, {**clip(source, ""), "OUTPUT": load(tmp_path / output, project)})
    layers = list(project.mapLayers().values())
    assert [layer.name() for layer in layers] == ["Land cover SYNTHETIC · landcover · seed 7"] * 2
    assert all(isinstance(layer.renderer(), QgsPalettedRasterRenderer) for layer in layers)
    (group,) = project.layerTreeRoot().children()  # one group per extent
    assert len(group.children()) == 2 and group.name() == "0.138° S 78.500° W · landcover · seed 7"


def test_a_name_that_the_user_gave_stays(landcover, tmp_path, project):
    output = load(tmp_path / "out.tif", project, "My valley")
    processing.runAndLoadResults(CLIP, {**clip(landcover, ""), "OUTPUT": output})
    assert [layer.name() for layer in project.mapLayers().values()] == ["My valley"]


def test_as_a_step_of_a_model(landcover, codes, tmp_path, context, feedback):
    """A layer into the model, clipped twice: the second clip takes the first one's result."""
    model = QgsProcessingModelAlgorithm("twice", "tests")
    model.addModelParameter(QgsProcessingParameterRasterLayer("MAP", "Map"), QgsProcessingModelParameter("MAP"))
    source = QgsProcessingModelChildParameterSource
    inputs = {"first": source.fromModelParameter("MAP"), "second": source.fromChildOutput("first", "OUTPUT")}
    for name, layer in inputs.items():
        child = QgsProcessingModelChildAlgorithm(CLIP)
        child.setChildId(name)
        child.addParameterSources("EXTENT", [source.fromStaticValue(EXTENT)])
        child.addParameterSources("SOURCE", [source.fromStaticValue("layer")])
        child.addParameterSources("LAYER", [layer])
        if name == "second":
            final = QgsProcessingModelOutput("CLIP", "Clip")
            final.setChildId(name)
            final.setChildOutputName("OUTPUT")
            child.setModelOutputs({"CLIP": final})
        model.addChildAlgorithm(child)
    model.updateDestinationParameters()
    result, ok = model.run({"MAP": landcover, "second:CLIP": str(tmp_path / "out.tif")}, context, feedback)
    assert ok and np.array_equal(read_raster(tmp_path / "out.tif"), codes[:, 10:50, 10:50]), (result, feedback.errors)
