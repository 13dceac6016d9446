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


@pytest.fixture(scope="module")
def working_folder(tmp_path_factory):
    """The working folder of all commands, with the sample in it."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "demo").symlink_to(ROOT / "demo", target_is_directory=True)
    before = os.getcwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def test_every_algorithm_and_model_is_there():
    stems = {path.stem for path in workflow.MODELS.glob("*.model3")}
    assert {name[3:] for name in NAMES} == {cls.JOB.__name__.lower() for cls in ALGORITHMS} | stems


@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=NAMES)
def test_json_says_the_same(number):
    assert COMMANDS[number][:2] == ["qgis_process", "run"] and COMMANDS[number][3] == "--"
    assert dict(part.split("=", 1) for part in COMMANDS[number][4:]) == INPUTS[number]


def assert_succeeded(result, folder, inputs):
    assert result.returncode == 0, result.stdout + result.stderr
    outputs = [value for key, value in inputs.items() if key.rpartition(":")[2].startswith("OUTPUT")]
    assert outputs and all((folder / path).exists() for path in outputs)


@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=NAMES)
def test_it_runs(working_folder, number):
    assert_succeeded(qgis_process(*COMMANDS[number][1:]), working_folder, INPUTS[number])


@pytest.mark.skipif(Qgis.QGIS_VERSION_INT < 32400, reason="qgis_process takes JSON since QGIS 3.24")
@pytest.mark.parametrize("name", ["clipnaip", "extenttocomparedscene"])
def test_it_runs_with_json(working_folder, tmp_path, monkeypatch, name):
    """An algorithm and a workflow stand for all, since `test_json_says_the_same` holds for all."""
    (tmp_path / "demo").symlink_to(ROOT / "demo", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    (number,) = (number for number, known in enumerate(NAMES) if known[3:] == name)
    result = qgis_process("run", COMMANDS[number][2], "-", job={"inputs": INPUTS[number]})
    assert_succeeded(result, tmp_path, INPUTS[number])
