"""Runs the commands of docs/user/commands.md as documented, one after another."""

import json
import os
import re
import shlex

import pytest
from landforge.processing_provider import workflow
from landforge.processing_provider.provider import ALGORITHMS
from qgis.core import Qgis

from tests.qgis_environment import ROOT, qgis_process

TEXT = (ROOT / "docs" / "user" / "commands.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(block.replace("\\\n", " ")) for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)]
INPUTS = [json.loads(block)["inputs"] for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]
NAMES = [f"{number:02d}-{command[2].partition(':')[2]}" for number, command in enumerate(COMMANDS)]


@pytest.fixture(scope="module", params=["text", "json"])
def working_folder(request, tmp_path_factory):
    """A working folder with the sample, and the form of the inputs: text or json."""
    if request.param == "json" and Qgis.QGIS_VERSION_INT < 32400:
        pytest.skip("qgis_process takes JSON since QGIS 3.24")
    folder = tmp_path_factory.mktemp("commands")
    (folder / "demo").symlink_to(ROOT / "demo", target_is_directory=True)
    before = os.getcwd()
    os.chdir(folder)
    yield folder, request.param
    os.chdir(before)


def test_every_algorithm_and_model_is_there():
    stems = {path.stem for path in workflow.MODELS.glob("*.model3")}
    assert {name[3:] for name in NAMES} == {cls.JOB.__name__.lower() for cls in ALGORITHMS} | stems


@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=NAMES)
def test_json_says_the_same(number):
    assert COMMANDS[number][:2] == ["qgis_process", "run"] and COMMANDS[number][3] == "--"
    assert dict(part.split("=", 1) for part in COMMANDS[number][4:]) == INPUTS[number]


@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=NAMES)
def test_it_runs(working_folder, number):
    folder, form = working_folder
    command, inputs = COMMANDS[number], INPUTS[number]
    if form == "json":
        result = qgis_process("run", command[2], "-", job={"inputs": inputs})
    else:
        result = qgis_process(*command[1:])
    assert result.returncode == 0, result.stdout + result.stderr
    outputs = [value for key, value in inputs.items() if key.rpartition(":")[2].startswith("OUTPUT")]
    assert outputs and all((folder / path).exists() for path in outputs)
