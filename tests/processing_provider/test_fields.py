"""From parameters to the job's fields."""

import json

import pytest
from landforge.backend.protocol import BackendError
from landforge.plugin import settings
from landforge.processing_provider import fields
from qgis.core import QgsApplication, QgsProcessing, QgsProcessingException, QgsSettings

from tests.processing_provider.conftest import EXTENT, write_raster


def algorithm(name):
    return QgsApplication.processingRegistry().algorithmById(f"landforge:{name}").create()


def read(name, context, **parameters):
    return fields.read(algorithm(name), parameters, context)


def test_numbers_may_come_as_text(context):
    found = read("generatelandcover", context, EXTENT=EXTENT, SEED="7", STEPS="3", MAX_AREA_KM2="12.5")
    assert (found["seed"], found["steps"], found["max_area_km2"]) == (7, 3, 12.5)


def test_what_is_left_out_is_the_default(context):
    found = read("clipnaip", context, EXTENT=EXTENT)
    assert found["source"] == "planetarycomputer" and "year" not in found and "pixel_m" not in found


def test_a_year_is_a_number(context):
    assert read("clipworldcover", context, EXTENT=EXTENT, YEAR="2020")["year"] == 2020
    assert read("clipnaip", context, EXTENT=EXTENT, YEAR="2018")["year"] == 2018


@pytest.fixture
def scheduler_in_the_settings():
    settings.put(settings.SCHEDULER, "tcp://settings:8786")
    yield
    QgsSettings().remove("landforge")


@pytest.mark.parametrize("name", ["generatelandcover", "generatescene", "generateimage", "segmentimage"])
def test_the_scheduler(context, landcover, image, scheduler_in_the_settings, name):
    inputs = {"EXTENT": EXTENT, "LANDCOVER": landcover, "IMAGE": image}
    assert read(name, context, SCHEDULER="tcp://own:8786 ", **inputs)["scheduler"] == "tcp://own:8786"
    for empty in ("", " ", None):
        assert read(name, context, SCHEDULER=empty, **inputs)["scheduler"] == "tcp://settings:8786"


def test_without_a_scheduler_it_is_this_machine(context, image):
    assert read("segmentimage", context, IMAGE=image)["scheduler"] == ""


def test_what_needs_no_scheduler_has_none(context, scheduler_in_the_settings):
    assert "scheduler" not in read("clipnaip", context, EXTENT=EXTENT)


def test_a_choice_that_is_none_names_the_choices(context):
    with pytest.raises(QgsProcessingException, match="one of esa, planetarycomputer, layer"):
        read("clipworldcover", context, EXTENT=EXTENT, SOURCE="0")


def test_the_layer_matters_only_as_the_source(context, landcover):
    assert "layer" not in read("clipworldcover", context, EXTENT=EXTENT, SOURCE="esa", LAYER=landcover)
    with pytest.raises(QgsProcessingException, match="LAYER is empty"):
        read("clipworldcover", context, EXTENT=EXTENT, SOURCE="layer")


def test_what_cannot_be_opened(context, tmp_path):
    damaged = tmp_path / "damaged.tif"
    damaged.write_bytes(b"II*\0garbage")
    for path in (damaged, tmp_path / "none.tif"):
        with pytest.raises(QgsProcessingException, match=f"LANDCOVER cannot be opened: {path}"):
            read("generateimage", context, LANDCOVER=str(path))


def test_one_of_many_that_cannot_be_opened(context, image, tmp_path):
    with pytest.raises(QgsProcessingException, match="IMAGE cannot be opened"):
        read("builddataset", context, IMAGE=[image, str(tmp_path / "none.tif")], LABEL=[image])


def test_a_layer_without_crs(context, tmp_path, codes):
    path = write_raster(tmp_path / "nowhere.tif", codes, crs=None)
    with pytest.raises(QgsProcessingException, match=r"'nowhere' has no CRS.*Set it first"):
        read("generateimage", context, LANDCOVER=path)


def test_several_layers_keep_their_order(context, image, landcover):
    found = read("builddataset", context, IMAGE=[image, landcover], LABEL=[landcover, image])
    assert [raster.path for raster in found["image"]] == [image, landcover]


def test_a_data_set_by_its_folder_or_its_manifest(context, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.csv").write_text(json.dumps({}))
    given = [str(tmp_path / "one"), str(tmp_path / "two" / "manifest.csv")]
    assert read("trainsegmentation", context, DATASET=given)["dataset"] == (
        str(tmp_path / "one"),
        str(tmp_path / "two"),
    )


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
        found = read(name, context, EXTENT=EXTENT, SHARES="10:60, 50:20.5", GUIDANCE_SCALE="1.5")
        assert found["shares"] == {10: 60.0, 50: 20.5} and found["guidance_scale"] == 1.5
        assert "shares" not in read(name, context, EXTENT=EXTENT)


@pytest.mark.parametrize(
    "text, words", [("11:20", "no class 11"), ("10:60,50:60", "120 percent"), ("trees", "no class")]
)
def test_class_shares_that_are_none_are_said(context, text, words):
    parameters = {"EXTENT": EXTENT, "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT, "SHARES": text}
    ok, message = algorithm("generatelandcover").checkParameterValues(parameters, context)
    assert not ok and words in message


def test_a_training_from_nothing_and_from_a_model(context, tmp_path):
    (tmp_path / "manifest.csv").write_text("")
    given = {"DATASET": [str(tmp_path)], "MINUTES": "2.5"}
    for name in ("trainlandcover", "trainimage"):
        found = read(name, context, **given)
        assert found["dataset"] == (str(tmp_path),) and found["minutes"] == 2.5 and found["stage"] == "all"
        assert not {"model", "steps", "learning_rate"} & found.keys()
    more = {"MODEL": "spade", "STEPS": 100, "LEARNING_RATE": 1e-4, "BATCH": 4, "SEED": 7}
    found = read("trainimage", context, **given, GENERATOR="spade", STAGE="painter", **more)
    wanted = {"model": "spade", "steps": 100, "learning_rate": 1e-4, "batch": 4, "seed": 7, "stage": "painter"}
    assert wanted.items() <= found.items() and found["generator"] == "spade"
    with pytest.raises(QgsProcessingException, match="one of all, autoencoder, decoder, denoiser"):
        read("trainlandcover", context, **given, STAGE="painter")


def test_labels_alone(context, landcover):
    found = read("builddataset", context, LABEL=[landcover])
    assert "image" not in found and len(found["label"]) == 1
    parameters = {"LABEL": [landcover], "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT}
    assert algorithm("builddataset").checkParameterValues(parameters, context)[0]


def test_images_to_compare_are_rasters_or_data_sets(context, image, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "manifest.csv").write_text("")
    given = {"REAL": [image], "SYNTHETIC": [str(tmp_path / "set" / "manifest.csv"), image], "COUNT": "40"}
    found = read("imagequality", context, **given)
    assert found["real"] == (image,) and found["synthetic"] == (str(tmp_path / "set"), image)
    assert found["count"] == 40 and "crosstest" not in found and found["split"] == "all"


def test_land_cover_to_compare_is_layers_or_data_sets(context, landcover, tmp_path):
    found = read("landcoverrealism", context, REAL=[landcover], SYNTHETIC_DATASET=[str(tmp_path)], WINDOW_M="640")
    assert [one.path for one in found["real"]] == [landcover] and found["synthetic_dataset"] == (str(tmp_path),)
    assert found["window_m"] == 640 and "synthetic" not in found


def test_lists_of_numbers_and_of_choices(context, tmp_path):
    def study(**given):
        return read("mixturestudy", context, REAL=[str(tmp_path)], SYNTHETIC=["b", "c"], **given)

    found = study()
    assert found["shares"] == (0, 25, 50, 75, 100) and found["additions"] == (1, 3)
    assert found["architecture"] == ("unet",) and found["real"] == (str(tmp_path),) and "test" not in found
    for several in (["lale", "unet"], "lale,unet", "lale, unet"):
        assert study(ARCHITECTURE=several, SHARES="100", ADDITIONS="0.5")["architecture"] == ("lale", "unet")
    with pytest.raises(BackendError, match="'half' is no list of shares"):
        study(SHARES="half")
    with pytest.raises(QgsProcessingException, match=r"ARCHITECTURE is 'vgg', but must be of deeplabv3plus, lale"):
        study(ARCHITECTURE=["lale", "vgg"])
