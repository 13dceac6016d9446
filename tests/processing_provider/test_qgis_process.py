"""The plugin under qgis_process, as a user runs it at a shell."""

import json

import numpy as np
import pytest
from qgis.core import Qgis

from tests.processing_provider.conftest import CODES, EXTENT, read_raster, write_raster
from tests.qgis_environment import qgis_process

CLIP = "landforge:clipworldcover"


def test_list():
    result = qgis_process("list")
    assert result.returncode == 0
    for name in ("clipworldcover", "clipnaip", "builddataset", "generatelandcover", "generateimage", "generatescene"):
        assert f"landforge:{name}" in result.stdout
    for name in (
        "buildstandardsets",
        "trainlandcover",
        "trainimage",
        "trainsegmentation",
        "segmentimage",
        "crosstest",
        "imagequality",
        "landcoverrealism",
        "mixturestudy",
        "choosetiles",
        "landcoverdifference",
    ):
        assert f"landforge:{name}" in result.stdout


def test_the_workflows_are_listed():
    result = qgis_process("list")
    assert "landforge:extenttocomparedscene" in result.stdout and "landforge:pairstotestedmodel" in result.stdout
    assert "synthetic:OUTPUT_IMAGE" in qgis_process("help", "landforge:extenttocomparedscene").stdout


def test_help():
    result = qgis_process("help", "landforge:generatescene")
    assert result.returncode == 0
    for words in ("EXTENT", "OUTPUT_IMAGE", "one pass, fast and clear", "not an observation of the Earth"):
        assert words in result.stdout


def test_run_with_text_for_numbers(landcover, codes, tmp_path):
    output = tmp_path / "out.tif"
    result = qgis_process(
        *("run", CLIP, "--", f"EXTENT={EXTENT}", "SOURCE=layer", f"LAYER={landcover}", "MAX_AREA_KM2=3"),
        f"OUTPUT={output}",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert (read_raster(output) == codes[:, 10:50, 10:50]).all()


def test_an_extent_in_another_crs_than_the_layer(landcover, tmp_path):
    output = tmp_path / "out.tif"
    box = "-78.501,-78.498,-0.139,-0.136 [EPSG:4326]"
    result = qgis_process("run", CLIP, "--", f"EXTENT={box}", "SOURCE=layer", f"LAYER={landcover}", f"OUTPUT={output}")
    assert result.returncode == 0, result.stdout + result.stderr
    assert read_raster(output).shape[1:] in ((34, 34), (34, 35), (35, 34), (35, 35))


@pytest.mark.skipif(Qgis.QGIS_VERSION_INT < 32400, reason="qgis_process takes JSON since QGIS 3.24")
def test_json_on_stdin(landcover, codes, tmp_path):
    output = tmp_path / "out.tif"
    inputs = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": landcover, "YEAR": "2020", "OUTPUT": str(output)}
    result = qgis_process("run", CLIP, "-", job={"inputs": inputs})
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads(result.stdout)["results"] == {"OUTPUT": str(output)}
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


def test_a_layer_of_a_project_without_crs(tmp_path, codes):
    path = write_raster(tmp_path / "nowhere.tif", codes, crs=None)
    result = qgis_process("run", "landforge:generateimage", "--", f"LANDCOVER={path}", f"OUTPUT={tmp_path / 'o.tif'}")
    assert result.returncode != 0 and "has no CRS" in result.stdout + result.stderr


def write_tiles(folder, kind):
    """A data set of four images of 96 px and their labels, cut by the algorithm itself."""
    rng, images, labels = np.random.default_rng(len(kind)), [], []
    (folder / kind).mkdir(parents=True)
    for number in range(4):
        index = rng.integers(0, len(CODES), (12, 12)).repeat(8, 0).repeat(8, 1)
        pixels = np.stack([index * 40, 255 - index * 40, index * 20]).astype(np.uint8)
        place = {"origin": (778000.0 + 1000 * number, 9985000.0), "pixel": 1}
        tags = {"LANDFORGE_SYNTHETIC": "YES"} if kind == "synthetic" else None
        images.append(write_raster(folder / kind / f"image{number}.tif", pixels, tags=tags, **place))
        labels.append(write_raster(folder / kind / f"label{number}.tif", CODES[index][None], **place))
    output = folder / f"{kind}_tiles"
    given = [*(f"IMAGE={path}" for path in images), *(f"LABEL={path}" for path in labels)]
    cut = ("TILE_PX=32", "VAL_SHARE=0.2", "TEST_SHARE=0.2", f"OUTPUT={output}")
    result = qgis_process("run", "landforge:builddataset", "--", *given, *cut)
    assert result.returncode == 0, result.stdout + result.stderr
    return output


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiles")
    return {kind: write_tiles(folder, kind) for kind in ("real", "synthetic")}


SMALL = ("EPOCHS=1", "CROPS=8", "BATCH=4", "CROP_PX=32")


def test_a_mixture_study(tiles, tmp_path):
    given = (f"REAL={tiles['real']}", f"SYNTHETIC={tiles['synthetic'] / 'manifest.csv'}", "SHARES=100", "ADDITIONS=0.5")
    output = tmp_path / "study"
    run = ("run", "landforge:mixturestudy", "--", *given, *SMALL, f"OUTPUT={output}")
    result = qgis_process(*run, "ARCHITECTURE=lale")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 models" in result.stdout and "minutes a model: about" in result.stdout
    names = ["lale_plus0.5_1", "lale_real100_1"]
    assert sorted(path.name for path in (output / "models").iterdir()) == names
    assert "all + 0.5x" in (output / "mixturestudy.html").read_text()


def test_chosen_tiles_are_a_data_set(tiles, tmp_path):
    given = (f"REAL={tiles['real']}", f"POOL={tiles['synthetic']}", "COUNT=2", "ROUNDS=1", "ARCHITECTURE=lale")
    output = tmp_path / "study"
    result = qgis_process("run", "landforge:choosetiles", "--", *given, *SMALL, f"OUTPUT={output}")
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"CHOSEN:\t{output / 'chosen'}" in result.stdout
    assert len((output / "chosen" / "manifest.csv").read_text().splitlines()) == 1 + 2
    assert {"choosetiles.html", "ranking.csv"} <= {path.name for path in output.iterdir()}
