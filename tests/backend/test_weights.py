"""The recipes of the bundled weights: jobs that the backend takes, by device; what they make is put in its place."""

import importlib.util
from pathlib import Path

import pytest

from backend import protocol, stages
from backend.jobs import trainimage, trainlandcover

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make", ROOT / "weights" / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("recipe", ["landcover", "controlnet", "spade", "segmentation"])
def test_a_recipe_is_a_job(make, recipe):
    assert recipe in make.RECIPES
    jobs = {where: make.job_of(recipe, Path("packed"), where) for where in ("cpu", "cuda", "mps")}
    assert jobs["mps"] == jobs["cpu"] and jobs["cpu"].dataset == ("packed",)
    if recipe == "segmentation":
        assert isinstance(jobs["cuda"], protocol.TrainSegmentation) and jobs["cpu"].decoder_channels == (
            192,
            96,
            32,
            16,
        )
        return
    assert jobs["cpu"] != jobs["cuda"]
    for job in jobs.values():
        found = trainlandcover.RECIPE if recipe == "landcover" else trainimage.RECIPES[job.generator]
        stages._check_numbers(job)
        assert found.kind == recipe and stages._asked(job, found) == list(found.stages)


def test_only_the_model_is_bundled(make, tmp_path):
    job = make.job_of("spade", tmp_path, "cpu")
    output = tmp_path / "output"
    for file in (
        "painter/config.json",
        "checkpoints/job.json",
        "samples/a.png",
        "report.html",
        "README.md",
        "model_index.json",
    ):
        (output / file).parent.mkdir(parents=True, exist_ok=True)
        (output / file).write_text(file)
    (tmp_path / "bundled").mkdir()
    make._bundle(type(job)(job.dataset, str(output)), tmp_path / "bundled")
    found = {path.relative_to(tmp_path / "bundled").as_posix() for path in (tmp_path / "bundled").rglob("*.*")}
    assert found == {"painter/config.json", "model_index.json"}


def test_a_packed_folder_is_taken_as_it_is(make, tmp_path):
    (tmp_path / "packed.json").write_text("{}")
    assert make._pack(tmp_path, protocol.silent()) == tmp_path
