"""The plugin under qgis_process, as a user runs it at a shell."""

import json

import pytest
from landforge.processing_provider import workflow
from landforge.processing_provider.provider import ALGORITHMS
from qgis.core import Qgis

from tests.processing_provider.rasters import EXTENT, read_raster
from tests.qgis_environment import qgis_process

CLIP = "landforge:clipworldcover"


def test_every_algorithm_and_workflow_is_listed():
    result = qgis_process("list")
    assert result.returncode == 0
    names = {cls.JOB.__name__.lower() for cls in ALGORITHMS} | {path.stem for path in workflow.MODELS.glob("*.model3")}
    assert [name for name in sorted(names) if f"landforge:{name}\t" not in result.stdout] == []


def test_help():
    result = qgis_process("help", "landforge:generatescene")
    assert result.returncode == 0
    for words in ("EXTENT", "OUTPUT_IMAGE", "one pass, fast and clear", "not an observation of the Earth"):
        assert words in result.stdout


def test_help_of_a_workflow():
    assert "synthetic:OUTPUT_IMAGE" in qgis_process("help", "landforge:extenttocomparedscene").stdout


def test_run_with_text_for_numbers(landcover, codes, tmp_path):
    output = tmp_path / "out.tif"
    result = qgis_process(
        *("run", CLIP, "--", f"EXTENT={EXTENT}", "SOURCE=layer", f"LAYER={landcover}", "MAX_AREA_KM2=3"),
        f"OUTPUT={output}",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert (read_raster(output) == codes[:, 10:50, 10:50]).all()


@pytest.mark.skipif(Qgis.QGIS_VERSION_INT < 32400, reason="qgis_process takes JSON since QGIS 3.24")
def test_json_on_stdin(landcover, codes, tmp_path):
    output = tmp_path / "out.tif"
    inputs = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": landcover, "YEAR": 2020, "OUTPUT": str(output)}
    result = qgis_process("run", CLIP, "-", job={"inputs": inputs})
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads(result.stdout)["results"] == {"OUTPUT": str(output)}
    assert (read_raster(output) == codes[:, 10:50, 10:50]).all()


@pytest.mark.skipif(Qgis.QGIS_VERSION_INT < 32400, reason="qgis_process takes JSON since QGIS 3.24")
def test_expressions_in_json_on_stdin(landcover, codes, tmp_path):
    output = tmp_path / "out.tif"
    inputs = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": landcover, "YEAR": 2020, "OUTPUT": str(output)}
    inputs["EXTENT"] = {"type": "data_defined", "expression": f"'{EXTENT}'"}
    inputs["MAX_AREA_KM2"] = {"type": "data_defined", "expression": "1 + 2"}
    result = qgis_process("run", CLIP, "-", job={"inputs": inputs})
    assert result.returncode == 0, result.stdout + result.stderr
    assert (read_raster(output) == codes[:, 10:50, 10:50]).all()


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"SOURCE": "bucket"}, "one of esa, planetarycomputer, layer"),
        ({"EXTENT": EXTENT.replace("EPSG", "EPGS")}, "'EPGS:32717' is no CRS that QGIS knows"),
        ({"GRID_CRS": "EPSG:32799"}, "GRID_CRS: 'EPSG:32799' is no CRS that QGIS knows"),
        ({"MAX_AREA_KM2": "0.001"}, "more than the limit"),
    ],
)
def test_a_failure_says_why_and_is_not_a_success(landcover, tmp_path, wrong, words):
    inputs = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": landcover, "OUTPUT": str(tmp_path / "out.tif"), **wrong}
    result = qgis_process("run", CLIP, "--", *(f"{key}={value}" for key, value in inputs.items()))
    assert result.returncode != 0 and words in result.stdout + result.stderr
    assert not (tmp_path / "out.tif").exists()


def test_a_missing_backend_says_what_to_do(landcover, tmp_path):
    inputs = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": landcover, "OUTPUT": str(tmp_path / "out.tif")}
    result = qgis_process(
        *("run", CLIP, "--", *(f"{key}={value}" for key, value in inputs.items())),
        LANDFORGE_PYTHON=str(tmp_path / "none"),
    )
    assert result.returncode != 0 and "Set up the backend" in result.stdout + result.stderr
