"""Algorithm parameters become the fields of a job."""

import os
from pathlib import Path

import pytest
from landforge.backend.protocol import BackendError, ClipNaip
from landforge.plugin import settings
from osgeo import gdal
from qgis.core import (
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingOutputLayerDefinition,
    QgsProperty,
    QgsRasterLayer,
    QgsSettings,
)

from tests.processing_provider.algorithms import algorithm, read_fields
from tests.processing_provider.rasters import EXTENT, write_raster


def test_numbers_may_come_as_text(context):
    job = read_fields("generatelandcover", context, EXTENT=EXTENT, SEED="7", STEPS="3", MAX_AREA_KM2="12.5")
    assert (job["seed"], job["steps"], job["max_area_km2"]) == (7, 3, 12.5)


def test_an_empty_parameter_takes_the_default(context):
    job = read_fields("clipnaip", context, EXTENT=EXTENT)
    assert job["source"] == "planetarycomputer" and "year" not in job and "pixel_m" not in job


def test_a_year_is_a_number(context):
    assert read_fields("clipworldcover", context, EXTENT=EXTENT, YEAR="2020")["year"] == 2020
    assert read_fields("clipnaip", context, EXTENT=EXTENT, YEAR="2018")["year"] == 2018


@pytest.mark.parametrize(
    ("value", "expected"), [(None, True), (True, True), (False, False), ("false", False), (0, False)]
)
def test_a_switch_is_a_boolean(context, value, expected):
    switch = {} if value is None else {"FILL_YEARS": value}
    assert read_fields("clipnaip", context, EXTENT=EXTENT, **switch).get("fill_years", ClipNaip.fill_years) is expected


@pytest.mark.parametrize("year", [2020, 2020.0, "2020"])
def test_a_choice_of_numbers_takes_a_number_from_json(context, year):
    parameters = {"EXTENT": EXTENT, "YEAR": year, "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT}
    assert algorithm("clipworldcover").checkParameterValues(parameters, context) == (True, "")
    assert read_fields("clipworldcover", context, EXTENT=EXTENT, YEAR=year)["year"] == 2020


def test_a_number_that_is_no_choice_is_refused(context):
    parameters = {"EXTENT": EXTENT, "YEAR": 2019, "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT}
    valid, message = algorithm("clipworldcover").checkParameterValues(parameters, context)
    assert not valid and "YEAR is '2019', but must be one of 2021, 2020" in message


@pytest.fixture
def scheduler_in_the_settings():
    settings.put(settings.SCHEDULER, "tcp://settings:8786")
    yield
    QgsSettings().remove("landforge")


@pytest.mark.parametrize("name", ["generatelandcover", "generatescene", "generateimage", "segmentimage"])
def test_the_scheduler(context, landcover, image, scheduler_in_the_settings, name):
    inputs = {"EXTENT": EXTENT, "LANDCOVER": landcover, "IMAGE": image}
    assert read_fields(name, context, SCHEDULER="tcp://own:8786 ", **inputs)["scheduler"] == "tcp://own:8786"
    for empty in ("", " ", None):
        assert read_fields(name, context, SCHEDULER=empty, **inputs)["scheduler"] == "tcp://settings:8786"


def test_without_a_scheduler_it_is_this_machine(context, image):
    assert read_fields("segmentimage", context, IMAGE=image)["scheduler"] == ""


def test_an_algorithm_without_blocks_has_no_scheduler(context, scheduler_in_the_settings):
    assert "scheduler" not in read_fields("clipnaip", context, EXTENT=EXTENT)


def test_an_unknown_choice_is_refused_with_the_choices(context):
    with pytest.raises(QgsProcessingException, match="one of esa, planetarycomputer, layer"):
        read_fields("clipworldcover", context, EXTENT=EXTENT, SOURCE="0")


def test_the_layer_matters_only_as_the_source(context, landcover):
    assert "layer" not in read_fields("clipworldcover", context, EXTENT=EXTENT, SOURCE="esa", LAYER=landcover)
    with pytest.raises(QgsProcessingException, match="LAYER is empty"):
        read_fields("clipworldcover", context, EXTENT=EXTENT, SOURCE="layer")


def test_a_raster_that_cannot_be_opened_is_refused(context, tmp_path):
    damaged = tmp_path / "damaged.tif"
    damaged.write_bytes(b"II*\0garbage")
    for path in (damaged, tmp_path / "none.tif"):
        with pytest.raises(QgsProcessingException, match=f"LANDCOVER cannot be opened: {path}"):
            read_fields("generateimage", context, LANDCOVER=str(path))


def test_one_of_many_that_cannot_be_opened(context, image, tmp_path):
    with pytest.raises(QgsProcessingException, match="IMAGE cannot be opened"):
        read_fields("builddataset", context, IMAGE=[image, str(tmp_path / "none.tif")], LABEL=[image])


def test_a_layer_without_crs(context, tmp_path, codes):
    path = write_raster(tmp_path / "nowhere.tif", codes, crs=None)
    with pytest.raises(QgsProcessingException, match=r"'nowhere' has no CRS.*Set it first"):
        read_fields("generateimage", context, LANDCOVER=path)


def test_several_layers_keep_their_order(context, image, landcover):
    job = read_fields("builddataset", context, IMAGE=[image, landcover], LABEL=[landcover, image])
    assert [raster.path for raster in job["image"]] == [image, landcover]


def test_a_data_set_by_its_folder_or_its_manifest(context, tmp_path):
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
        (folder / "manifest.csv").write_text("")
    datasets = [str(folders[0]), str(folders[1] / "manifest.csv")]
    job = read_fields("trainsegmentation", context, DATASET=datasets)
    assert job["dataset"] == tuple(map(str, folders))


@pytest.mark.parametrize(
    "parameters, words",
    [
        ({"OUTPUT_LANDCOVER": "/x/a.tif", "OUTPUT_IMAGE": "/x/a.tif"}, "another output"),
        ({"OUTPUT_LANDCOVER": "/x/a.png", "OUTPUT_IMAGE": "/x/a.tif"}, "must end in .tif"),
    ],
)
def test_outputs_that_cannot_be(context, parameters, words):
    ok, message = algorithm("generatescene").checkParameterValues({"EXTENT": EXTENT, **parameters}, context)
    assert not ok and words in message


def test_an_output_over_its_input(context, landcover):
    ok, message = algorithm("generateimage").checkParameterValues(
        {"LANDCOVER": landcover, "OUTPUT": landcover}, context
    )
    assert not ok and "also an input" in message


@pytest.fixture
def aliases(tmp_path, landcover):
    """Other paths of the land cover, by what they are."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "alias.tif").symlink_to(landcover)
    name = Path(landcover).name
    return {
        "..": f"{tmp_path}/sub/../{name}",
        "link to the folder": f"{tmp_path}/link/{name}",
        "link to the file": f"{tmp_path}/alias.tif",
        "relative": os.path.relpath(landcover),
        "expression": QgsProperty.fromExpression(f"'{landcover}'"),
        "layer definition": QgsProcessingOutputLayerDefinition(landcover),
    }


@pytest.mark.parametrize(
    "what", ["..", "link to the folder", "link to the file", "relative", "expression", "layer definition"]
)
def test_an_output_over_its_input_by_another_path(context, landcover, aliases, what):
    for layer in (landcover, QgsRasterLayer(f"{landcover}|option:NUM_THREADS=2", "codes")):
        ok, message = algorithm("generateimage").checkParameterValues(
            {"LANDCOVER": layer, "OUTPUT": aliases[what]}, context
        )
        assert not ok and "also an input" in message


def test_an_output_that_an_input_refers_to(context, landcover, tmp_path):
    vrt = str(tmp_path / "codes.vrt")
    gdal.BuildVRT(vrt, [landcover]).FlushCache()
    ok, message = algorithm("generateimage").checkParameterValues({"LANDCOVER": vrt, "OUTPUT": landcover}, context)
    assert not ok and "also an input" in message


def test_an_address_is_no_output(context, landcover):
    parameters = {"LANDCOVER": landcover, "OUTPUT": f"file://{landcover}"}
    ok, message = algorithm("generateimage").checkParameterValues(parameters, context)
    assert not ok and "OUTPUT is an address" in message


def test_temporary_outputs_are_fine(context, landcover):
    parameters = {"LANDCOVER": landcover, "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT}
    assert algorithm("generateimage").checkParameterValues(parameters, context) == (True, "")


@pytest.mark.parametrize("bad", [{"SEED": "many"}, {"SEED": -1}, {"STEPS": 0}])
def test_numbers_out_of_bounds_are_refused(context, bad):
    parameters = {"EXTENT": EXTENT, "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT, **bad}
    ok, message = algorithm("generatelandcover").checkParameterValues(parameters, context)
    assert not ok and next(iter(bad)) in message


def test_class_shares_are_numbers(context):
    for name in ("generatelandcover", "generatescene"):
        job = read_fields(name, context, EXTENT=EXTENT, SHARES="10:60, 50:20.5", GUIDANCE_SCALE="1.5")
        assert job["shares"] == {10: 60.0, 50: 20.5} and job["guidance_scale"] == 1.5
        assert "shares" not in read_fields(name, context, EXTENT=EXTENT)


@pytest.mark.parametrize(
    "text, words", [("11:20", "no class 11"), ("10:60,50:60", "120 percent"), ("trees", "no class")]
)
def test_invalid_class_shares_are_refused(context, text, words):
    parameters = {"EXTENT": EXTENT, "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT, "SHARES": text}
    ok, message = algorithm("generatelandcover").checkParameterValues(parameters, context)
    assert not ok and words in message


def test_a_training_from_nothing_and_from_a_model(context, tmp_path):
    (tmp_path / "manifest.csv").write_text("")
    parameters = {"DATASET": [str(tmp_path)], "MINUTES": "2.5"}
    for name in ("trainlandcover", "trainimage"):
        job = read_fields(name, context, **parameters)
        assert job["dataset"] == (str(tmp_path),) and job["minutes"] == 2.5 and job["stage"] == "all"
        assert not {"model", "steps", "learning_rate"} & job.keys()
    settings = {"model": "spade", "steps": 100, "learning_rate": 1e-4, "batch": 4, "seed": 7, "stage": "painter"}
    fine_tuning = {key.upper(): value for key, value in settings.items()}
    job = read_fields("trainimage", context, **parameters, GENERATOR="spade", **fine_tuning)
    assert settings.items() <= job.items() and job["generator"] == "spade"
    with pytest.raises(QgsProcessingException, match="one of all, autoencoder, decoder, denoiser"):
        read_fields("trainlandcover", context, **parameters, STAGE="painter")


def test_labels_alone(context, landcover):
    job = read_fields("builddataset", context, LABEL=[landcover])
    assert "image" not in job and len(job["label"]) == 1
    parameters = {"LABEL": [landcover], "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT}
    assert algorithm("builddataset").checkParameterValues(parameters, context)[0]


def test_images_to_compare_are_rasters_or_data_sets(context, image, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "manifest.csv").write_text("")
    synthetic = [str(tmp_path / "set" / "manifest.csv"), image]
    job = read_fields("imagequality", context, REAL=[image], SYNTHETIC=synthetic, COUNT="40")
    assert job["real"] == (image,) and job["synthetic"] == (str(tmp_path / "set"), image)
    assert job["count"] == 40 and "crosstest" not in job and job["split"] == "all"


def test_land_cover_to_compare_is_layers_or_data_sets(context, landcover, tmp_path):
    job = read_fields("landcoverrealism", context, REAL=[landcover], SYNTHETIC_DATASET=[str(tmp_path)], WINDOW_M="640")
    assert [raster.path for raster in job["real"]] == [landcover] and job["synthetic_dataset"] == (str(tmp_path),)
    assert job["window_m"] == 640 and "synthetic" not in job


def test_lists_of_numbers_and_of_choices(context, tmp_path):
    def read_study(**parameters):
        return read_fields("mixturestudy", context, REAL=[str(tmp_path)], SYNTHETIC=["b", "c"], **parameters)

    job = read_study()
    assert job["shares"] == (0, 25, 50, 75, 100) and job["additions"] == (1, 3)
    assert job["architecture"] == ("unet",) and job["real"] == (str(tmp_path),) and "test" not in job
    for architectures in (["lale", "unet"], "lale,unet", "lale, unet"):
        assert read_study(ARCHITECTURE=architectures, SHARES="100", ADDITIONS="0.5")["architecture"] == ("lale", "unet")
    with pytest.raises(BackendError, match="'half' is no list of shares"):
        read_study(SHARES="half")
    with pytest.raises(QgsProcessingException, match=r"ARCHITECTURE is 'vgg', but must be of deeplabv3plus, lale"):
        read_study(ARCHITECTURE=["lale", "vgg"])


def test_images_to_compare_are_layers_too(context, image, tmp_path):
    layer = QgsRasterLayer(image, "mine")
    context.project().addMapLayer(layer)
    for value in (layer, layer.id(), "mine"):
        job = read_fields("imagequality", context, REAL=[str(tmp_path), value], SYNTHETIC=[image])
        assert job["real"][0] == str(tmp_path) and job["real"][1].path == image
