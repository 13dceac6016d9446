"""The study's chain of jobs: each takes what those before it have made, and what is done is not done again."""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from backend import protocol
from backend.protocol import BackendError

ROOT = Path(__file__).resolve().parents[2]
KINDS = ["builddataset", "buildstandardsets", *["trainsegmentation"] * 16, "crosstest", "imagequality", "mixturestudy"]


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make_study", ROOT / "study" / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(tmp_path):
    for kind in ("image", "label"):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for name in ("a.tif", "b.tif"):
            (tmp_path / "data" / kind / name).touch()
    return tmp_path / "data"


def test_each_step_takes_what_those_before_it_make(make, data, tmp_path):
    recipe = json.loads((ROOT / "study" / "study.json").read_text())
    found = list(make.steps(data, tmp_path / "out", recipe))
    assert [step.job for step in found] == KINDS
    made = {str(step.fields["output"]) for step in found} | {str(tmp_path / "out" / "sets" / n) for n in recipe["sets"]}
    for step in found[1:]:
        taken = [
            step.fields[key] for key in ("dataset", "model", "real", "synthetic", "crosstest") if key in step.fields
        ]
        assert {one for value in taken for one in ([value] if isinstance(value, str) else value)} <= made
        assert step.done is None or str(tmp_path / "out") in str(step.done)
    assert len(found[-3].fields["model"]) == 16 and len(found[-3].fields["dataset"]) == 4


@pytest.mark.parametrize("where", ["cpu", "cuda", "mps"])
def test_every_step_is_a_job(make, data, tmp_path, where):
    recipe = json.loads((ROOT / "study" / "study.json").read_text())
    known = [step for step in make.steps(data, tmp_path, recipe) if step.job in protocol.JOBS]
    assert {"trainsegmentation", "crosstest", "mixturestudy"} <= {step.job for step in known}
    jobs = [make.job_of(step, recipe, {"seed": 3, "epochs": 2, "shares": [0, 100]}, where) for step in known]
    for job in jobs:
        assert getattr(job, "epochs", 2) == 2 and getattr(job, "seed", 3) == 3
        assert all(not isinstance(value, (list, dict)) for value in vars(job).values())
    assert jobs[-1].shares == (0, 100) and jobs[-1].batch == (32 if where == "cuda" else 8)


def test_what_is_done_is_not_done_again(make, data, tmp_path, monkeypatch, capsys):
    recipe = json.loads((ROOT / "study" / "study.json").read_text())
    found = list(make.steps(data, tmp_path / "out", recipe))
    ran = []
    monkeypatch.setattr(make, "job_of", lambda step, *_: step)
    monkeypatch.setattr(
        make.importlib, "import_module", lambda name: SimpleNamespace(run=lambda job, report: ran.append(job.job))
    )
    for step in found[:5]:
        step.done.parent.mkdir(parents=True, exist_ok=True)
        step.done.touch()
    assert make.main(data, tmp_path / "out", {}) == 0
    assert ran == KINDS[5:] and "is there" in capsys.readouterr().out
    ran.clear()
    assert make.main(tmp_path / "out" / "dataset", tmp_path / "new", {}) == 0
    assert ran == KINDS[1:], "a data set is taken as it is"


def test_a_folder_of_something_else_is_said(make, tmp_path, capsys):
    assert make.main(tmp_path, tmp_path / "out", {}) == 1
    assert "no data set, and not a folder of image/ and label/" in capsys.readouterr().err
    with pytest.raises(BackendError):
        make.rasters(tmp_path)
    with pytest.raises(SystemExit, match="'epochs' is no KEY=VALUE"):
        make.parsed(["epochs"])
    assert make.parsed(["epochs=5", "class_weighting=balanced", "shares=[0,50]"]) == {
        **{"epochs": 5, "class_weighting": "balanced", "shares": [0, 50]}
    }
