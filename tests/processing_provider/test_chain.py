"""One run of every algorithm in QGIS, on small rasters and with the bundled models."""

import json
from pathlib import Path

import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import QgsApplication, QgsProcessingException, QgsProcessingOutputLayerDefinition, QgsRasterLayer

from tests.processing_provider.algorithms import bundled
from tests.processing_provider.rasters import CODES, SCENE_EXTENT, read_raster, write_raster


@pytest.fixture
def pair(tmp_path):
    """An image of 100 x 100 px at 1 m with one colour for every class, and the classes at 10 m."""
    index = np.random.default_rng(3).integers(0, len(CODES), (10, 10))
    shades = np.array([[20, 80, 20], [120, 160, 60], [180, 150, 90], [200, 60, 60], [30, 60, 160]], dtype=np.uint8)
    image = shades[index.repeat(10, 0).repeat(10, 1)].transpose(2, 0, 1)
    paths = (
        write_raster(tmp_path / "image.tif", image, pixel=1),
        write_raster(tmp_path / "label.tif", CODES[index][None]),
    )
    return paths


def test_clip_an_image(pair, tmp_path, context):
    image, _ = pair
    parameters = {"EXTENT": "778040,778080,9984920,9984960 [EPSG:32717]", "SOURCE": "layer", "LAYER": image}
    result = processing.run("landforge:clipnaip", {**parameters, "OUTPUT": str(tmp_path / "out.tif")}, context=context)
    assert (read_raster(result["OUTPUT"]) == read_raster(image)[:, 40:80, 40:80]).all()


def test_data_set_training_prediction(pair, tmp_path, context, feedback):
    image, label = pair
    tiles = {"IMAGE": [image], "LABEL": [label], "TILE_PX": 32, "VAL_SHARE": "0.2", "TEST_SHARE": 0}
    built = processing.run("landforge:builddataset", {**tiles, "OUTPUT": str(tmp_path / "tiles")}, context=context)
    manifest = Path(built["OUTPUT"]) / "manifest.csv"
    trained = processing.run(
        "landforge:trainsegmentation",
        {"DATASET": [str(manifest)], "EPOCHS": 1, "CROP_PX": 32, "BATCH": 8, "OUTPUT": str(tmp_path / "model")},
        context=context,
        feedback=feedback,
    )
    assert json.loads((Path(trained["OUTPUT"]) / "model_index.json").read_text())["landforge"] == "segmentation"
    assert any("IoU" in message for message in feedback.messages)
    parameters = {"IMAGE": image, "MODEL": trained["OUTPUT"], "OUTPUT": str(tmp_path / "predicted.tif")}
    predicted = processing.run("landforge:segmentimage", parameters, context=context)["OUTPUT"]
    assert gdal.Open(predicted).GetGeoTransform() == gdal.Open(image).GetGeoTransform()
    assert set(np.unique(read_raster(predicted))) <= {0, *range(10, 101)}


def test_a_folder_that_is_no_model(pair, tmp_path, context):
    parameters = {"IMAGE": pair[0], "MODEL": str(tmp_path), "OUTPUT": str(tmp_path / "out.tif")}
    with pytest.raises(QgsProcessingException, match="not a Landforge model"):
        processing.run("landforge:segmentimage", parameters, context=context)
    assert not (tmp_path / "out.tif").exists()


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    """The folders of a real and a synthetic data set, cut from four images of 96 px and their labels each."""
    return {kind: build_tiles(tmp_path_factory.mktemp(kind), kind) for kind in ("real", "synthetic")}


def build_tiles(folder, kind):
    rng, images, labels = np.random.default_rng(len(kind)), [], []
    for number in range(4):
        index = rng.integers(0, len(CODES), (12, 12)).repeat(8, 0).repeat(8, 1)
        pixels = np.stack([index * 40, 255 - index * 40, index * 20]).astype(np.uint8)
        grid = {"origin": (778000.0 + 1000 * number, 9985000.0), "pixel": 1}
        tags = {"LANDFORGE_SYNTHETIC": "YES"} if kind == "synthetic" else None
        images.append(write_raster(folder / f"image{number}.tif", pixels, tags=tags, **grid))
        labels.append(write_raster(folder / f"label{number}.tif", CODES[index][None], **grid))
    parameters = {"IMAGE": images, "LABEL": labels, "TILE_PX": 32, "VAL_SHARE": 0.2, "TEST_SHARE": 0.2}
    return Path(processing.run("landforge:builddataset", {**parameters, "OUTPUT": str(folder / "tiles")})["OUTPUT"])


SMALL_TRAINING = {"EPOCHS": 1, "CROPS": 8, "BATCH": 4, "CROP_PX": 32, "ARCHITECTURE": "lale"}


def test_a_mixture_study(tiles, tmp_path, context, feedback):
    sets = {"REAL": [str(tiles["real"])], "SYNTHETIC": [str(tiles["synthetic"] / "manifest.csv")]}
    parameters = {**sets, "SHARES": "100", "ADDITIONS": "0.5", **SMALL_TRAINING, "OUTPUT": str(tmp_path / "study")}
    output = Path(processing.run("landforge:mixturestudy", parameters, context=context, feedback=feedback)["OUTPUT"])
    assert any("2 models" in message for message in feedback.messages)
    assert any("minutes a model: about" in message for message in feedback.messages)
    names = ["lale_plus0.5_1", "lale_real100_1"]
    assert sorted(path.name for path in (output / "models").iterdir()) == names
    assert "all + 0.5x" in (output / "mixturestudy.html").read_text()


def test_chosen_tiles_are_a_data_set(tiles, tmp_path, context):
    sets = {"REAL": [str(tiles["real"])], "POOL": [str(tiles["synthetic"])]}
    parameters = {**sets, "COUNT": 2, "ROUNDS": 1, **SMALL_TRAINING, "OUTPUT": str(tmp_path / "study")}
    result = processing.run("landforge:choosetiles", parameters, context=context)
    output = tmp_path / "study"
    assert result == {"OUTPUT": str(output), "CHOSEN": str(output / "chosen")}
    algorithm = QgsApplication.processingRegistry().algorithmById("landforge:choosetiles")
    assert algorithm.outputDefinition("CHOSEN").type() == "outputFolder"
    assert len((output / "chosen" / "manifest.csv").read_text().splitlines()) == 1 + 2
    assert {"choosetiles.html", "ranking.csv"} <= {path.name for path in output.iterdir()}


@bundled("landcover")
@bundled("spade")
def test_a_scene_of_two_layers_over_the_same_ground(tmp_path, project):
    outputs = {
        key: QgsProcessingOutputLayerDefinition(str(tmp_path / f"{key}.tif"), project)
        for key in ("OUTPUT_LANDCOVER", "OUTPUT_IMAGE")
    }
    parameters = {"EXTENT": SCENE_EXTENT, "GENERATOR": "spade", "SEED": 7, "STEPS": 2, **outputs}
    processing.runAndLoadResults("landforge:generatescene", parameters)
    (group,) = project.layerTreeRoot().children()
    image, landcover = [node.layer() for node in group.children()]
    assert image.name() == "Image SYNTHETIC · spade · seed 7" and group.name().endswith(" · spade · seed 7")
    assert landcover.name() == "Land cover SYNTHETIC · landcover · seed 7"
    assert image.extent() == landcover.extent() and (image.width(), landcover.width()) == (320, 32)


@bundled("landcover")
def test_land_cover(tmp_path, context):
    parameters = {"EXTENT": SCENE_EXTENT, "SEED": "7", "STEPS": "2", "OUTPUT": str(tmp_path / "out.tif")}
    result = processing.run("landforge:generatelandcover", parameters, context=context)
    assert read_raster(result["OUTPUT"]).shape == (1, 32, 32)
    assert gdal.Open(result["OUTPUT"]).GetMetadata()["LANDFORGE_SYNTHETIC"] == "YES"


@pytest.mark.parametrize(
    "generator",
    [pytest.param("controlnet", marks=bundled("controlnet")), pytest.param("spade", marks=bundled("spade"))],
)
def test_an_image_on_a_map(pair, tmp_path, context, generator):
    parameters = {"LANDCOVER": pair[1], "GENERATOR": generator, "STEPS": 2, "OUTPUT": str(tmp_path / "out.tif")}
    result = processing.run("landforge:generateimage", parameters, context=context)
    assert read_raster(result["OUTPUT"]).shape == (3, 100, 100)


@bundled("segmentation")
def test_the_bundled_segmentation(pair, tmp_path, context):
    parameters = {"IMAGE": pair[0], "OUTPUT": str(tmp_path / "out.tif")}
    result = processing.run("landforge:segmentimage", parameters, context=context)
    assert gdal.Open(result["OUTPUT"]).GetMetadata()["LANDFORGE_PREDICTED"] == "YES"


@bundled("landcover")
def test_land_cover_again_beside_itself(tmp_path, context):
    """By its tags: the seed stays, and so do the pixels."""
    first = {"EXTENT": SCENE_EXTENT, "SEED": 7, "STEPS": 2, "SHARES": "10:60", "OUTPUT": str(tmp_path / "first.tif")}
    processing.run("landforge:generatelandcover", first, context=context)
    beside = {"RASTER": first["OUTPUT"], "EXTENT": "778200,778500,9984680,9985000 [EPSG:32717]"}
    result = processing.run(
        "landforge:regeneratearea", {**beside, "OUTPUT": str(tmp_path / "next.tif")}, context=context
    )
    assert result == {"OUTPUT": str(tmp_path / "next.tif")}
    assert (read_raster(result["OUTPUT"])[:, :, :12] == read_raster(first["OUTPUT"])[:, :, 20:]).all()
    other = {"RASTER": first["OUTPUT"], "SEED": 8, "OUTPUT": str(tmp_path / "other.tif")}
    processing.run("landforge:regeneratearea", other, context=context)
    assert gdal.Open(other["OUTPUT"]).GetMetadata()["LANDFORGE_SEED"] == "8"
    assert read_raster(other["OUTPUT"]).shape == (1, 32, 32)


def test_a_real_raster_is_not_made_again(pair, tmp_path, context):
    parameters = {"RASTER": pair[1], "OUTPUT": str(tmp_path / "out.tif")}
    with pytest.raises(QgsProcessingException, match="does not say how it was made"):
        processing.run("landforge:regeneratearea", parameters, context=context)


def test_a_layer_that_is_no_file_is_not_made_again(pair, tmp_path, context):
    layer = QgsRasterLayer(write_raster("/vsimem/label.tif", read_raster(pair[1])), "in memory")
    context.project().addMapLayer(layer)
    with pytest.raises(QgsProcessingException, match="'in memory' is no local file"):
        processing.run(
            "landforge:regeneratearea", {"RASTER": layer, "OUTPUT": str(tmp_path / "o.tif")}, context=context
        )
