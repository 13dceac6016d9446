"""The plugin under qgis_process, as a user at a shell has it."""

import json

import pytest
from qgis.core import Qgis

from tests.processing_provider.conftest import EXTENT, read_raster, write_raster
from tests.qgis_environment import qgis_process

CLIP = "landforge:clipworldcover"


def test_list():
    answer = qgis_process("list")
    assert answer.returncode == 0
    for name in ("clipworldcover", "clipnaip", "builddataset", "generatelandcover", "generateimage", "generatescene"):
        assert f"landforge:{name}" in answer.stdout
    for name in (
        "trainlandcover",
        "trainimage",
        "trainsegmentation",
        "segmentimage",
        "crosstest",
        "landcoverdifference",
    ):
        assert f"landforge:{name}" in answer.stdout


def test_the_ready_models_are_listed():
    answer = qgis_process("list")
    assert "landforge:extenttocomparedscene" in answer.stdout and "landforge:pairstotestedmodel" in answer.stdout
    assert "synthetic:OUTPUT_IMAGE" in qgis_process("help", "landforge:extenttocomparedscene").stdout


def test_help():
    answer = qgis_process("help", "landforge:generatescene")
    assert answer.returncode == 0
    for words in ("EXTENT", "OUTPUT_IMAGE", "many times faster", "not an observation of the Earth"):
        assert words in answer.stdout


def test_run_with_text_for_numbers(landcover, codes, tmp_path):
    output = tmp_path / "out.tif"
    answer = qgis_process(
        *("run", CLIP, "--", f"EXTENT={EXTENT}", "SOURCE=layer", f"LAYER={landcover}", "MAX_AREA_KM2=3"),
        f"OUTPUT={output}",
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (read_raster(output) == codes[:, 10:50, 10:50]).all()


def test_an_extent_in_another_crs_than_the_layer(landcover, tmp_path):
    output = tmp_path / "out.tif"
    box = "-78.501,-78.498,-0.139,-0.136 [EPSG:4326]"
    answer = qgis_process("run", CLIP, "--", f"EXTENT={box}", "SOURCE=layer", f"LAYER={landcover}", f"OUTPUT={output}")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert read_raster(output).shape[1:] in ((34, 34), (34, 35), (35, 34), (35, 35))


@pytest.mark.skipif(Qgis.QGIS_VERSION_INT < 32400, reason="qgis_process takes JSON since QGIS 3.24")
def test_json_on_stdin(landcover, codes, tmp_path):
    output = tmp_path / "out.tif"
    inputs = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": landcover, "YEAR": "2020", "OUTPUT": str(output)}
    answer = qgis_process("run", CLIP, "-", job={"inputs": inputs})
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert json.loads(answer.stdout)["results"] == {"OUTPUT": str(output)}
    assert (read_raster(output) == codes[:, 10:50, 10:50]).all()


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"EXTENT": "778100,778500,9984500,9984900"}, "no CRS"),
        ({"EXTENT": "778500,778100,9984500,9984900 [EPSG:32717]"}, "inverted"),
        ({"SOURCE": "bucket"}, "one of esa, planetarycomputer, layer"),
        ({"MAX_AREA_KM2": "0.001"}, "more than the limit"),
        ({"LAYER": "/nowhere.tif"}, "cannot be opened"),
    ],
)
def test_a_failure_says_why_and_is_not_a_success(landcover, tmp_path, wrong, words):
    given = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": landcover, "OUTPUT": str(tmp_path / "out.tif"), **wrong}
    answer = qgis_process("run", CLIP, "--", *(f"{key}={value}" for key, value in given.items()))
    assert answer.returncode != 0 and words in answer.stdout + answer.stderr
    assert not (tmp_path / "out.tif").exists()


def test_a_missing_backend_says_what_to_do(landcover, tmp_path):
    given = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": landcover, "OUTPUT": str(tmp_path / "out.tif")}
    answer = qgis_process(
        *("run", CLIP, "--", *(f"{key}={value}" for key, value in given.items())),
        LANDFORGE_PYTHON=str(tmp_path / "none"),
    )
    assert answer.returncode != 0 and "Set up the backend" in answer.stdout + answer.stderr


def test_a_layer_of_a_project_without_crs(tmp_path, codes):
    path = write_raster(tmp_path / "nowhere.tif", codes, crs=None)
    answer = qgis_process("run", "landforge:generateimage", "--", f"LANDCOVER={path}", f"OUTPUT={tmp_path / 'o.tif'}")
    assert answer.returncode != 0 and "has no CRS" in answer.stdout + answer.stderr
