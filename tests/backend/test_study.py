"""The study's chain of jobs: each takes what those before it have made, and what is done is not done again."""

import csv
import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from backend import protocol
from backend.datasets import writer
from backend.protocol import BackendError
from weights import image_data as weights_data

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


def test_each_step_uses_the_outputs_of_earlier_ones(make, data, tmp_path):
    settings = json.loads((ROOT / "study" / "study.json").read_text())
    all_steps = list(make.steps(data, tmp_path / "out", settings))
    assert [step.job for step in all_steps] == KINDS
    outputs = {str(step.fields["output"]) for step in all_steps} | {
        str(tmp_path / "out" / "sets" / n) for n in settings["sets"]
    }
    for step in all_steps[1:]:
        taken = [
            step.fields[key] for key in ("dataset", "model", "real", "synthetic", "crosstest") if key in step.fields
        ]
        assert {one for value in taken for one in ([value] if isinstance(value, str) else value)} <= outputs
        assert step.done is None or str(tmp_path / "out") in str(step.done)
    assert all_steps[-1].fields["synthetic"] == tuple(str(tmp_path / "out" / "sets" / n) for n in settings["added"])
    assert len(all_steps[-3].fields["model"]) == 16 and len(all_steps[-3].fields["dataset"]) == 4


@pytest.mark.parametrize("device_type", ["cpu", "cuda", "mps"])
def test_every_step_is_a_job(make, data, tmp_path, device_type):
    settings = json.loads((ROOT / "study" / "study.json").read_text())
    known = [step for step in make.steps(data, tmp_path, settings) if step.job in protocol.JOBS]
    assert {"trainsegmentation", "crosstest", "mixturestudy"} <= {step.job for step in known}
    epochs = {make.job_of(step, settings, {}, device_type).epochs for step in known if step.job == "trainsegmentation"}
    assert len(epochs) == 2, "an architecture without a trained encoder has epochs of its own"
    jobs = [make.job_of(step, settings, {"seed": 3, "epochs": 2, "shares": [0, 100]}, device_type) for step in known]
    for job in jobs:
        assert getattr(job, "epochs", 2) == 2 and getattr(job, "seed", 3) == 3
        assert all(not isinstance(value, (list, dict)) for value in vars(job).values())
    assert jobs[-1].shares == (0, 100) and jobs[-1].batch == (32 if device_type == "cuda" else 8)


def test_finished_steps_are_skipped(make, data, tmp_path, monkeypatch, capsys):
    settings = json.loads((ROOT / "study" / "study.json").read_text())
    all_steps = list(make.steps(data, tmp_path / "out", settings))
    ran = []
    monkeypatch.setattr(make, "job_of", lambda step, *_: step)
    monkeypatch.setattr(
        make.importlib, "import_module", lambda name: SimpleNamespace(run=lambda job, report: ran.append(job.job))
    )
    for step in all_steps[:5]:
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
        make.parse_changes(["epochs"])
    assert make.parse_changes(["epochs=5", "class_weighting=balanced", "shares=[0,50]"]) == {
        **{"epochs": 5, "class_weighting": "balanced", "shares": [0, 50]}
    }


def _pair(folder, name, side, pixel_m, left, colour):
    profile = {"driver": "GTiff", "height": side, "width": side, "dtype": "uint8", "crs": "EPSG:26911"}
    place = {"transform": from_origin(left, 4_000_000, pixel_m, pixel_m)}
    for kind, count, value in (("image", 3, colour), ("label", 1, 10)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        with rasterio.open(folder / kind / f"{name}.tif", "w", count=count, **profile, **place) as target:
            target.write(np.full((count, side, side), value, np.uint8))


@pytest.fixture
def training_data(tmp_path):
    """Twelve sites of two years at 0.6 m, and two larger tiles at 1 m."""
    data = tmp_path / "data"
    rows = [{"name": f"{site}_{year}", "site": f"s{site}"} for site in range(12) for year in (2016, 2018)]
    for number, row in enumerate(rows):
        _pair(data / "naip", row["name"], 256, 0.6, 500_000 + 1000 * (number // 2), number)
    for number in range(2):
        _pair(data / "rural", f"r{number}", 320, 1.0, 600_000 + 1000 * number, 200)
    for group, found in (("naip", rows), ("rural", [{"name": "r0"}, {"name": "r1"}])):
        with open(data / group / "index.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, found[0])
            writer.writeheader()
            writer.writerows(found)
    return data


def test_what_the_bundled_weights_have_not_seen_is_the_test(make, training_data, tmp_path):
    assert make.tiles.is_training_data(training_data) and not make.tiles.is_training_data(tmp_path)
    make.tiles.build(training_data, tmp_path / "set", protocol.silent())
    index, entries = writer.read(tmp_path / "set")
    assert (index["pixel_m"], index["tile_px"]) == (1.0, 153)
    years = {}
    for each in entries:
        group, *name = each.tile.name.split("_")
        site = f"s{name[0]}" if group == "naip" else name[0]
        assert (each.tile.split == "test") == weights_data.held_out(site)
        years.setdefault((group, site), []).append(each.tile.split)
        with rasterio.open(tmp_path / "set" / each.files["image"]) as image:
            assert image.shape == (153, 153) and image.res == (1, 1) and tuple(image.bounds) == each.tile.bounds
    assert {split for splits in years.values() for split in splits} >= {"train", "test"}
    for (group, _), splits in years.items():
        assert len(set(splits)) == 1, "years of a site lie in one split"
        assert len(splits) == (4 if group == "rural" else 1), "one year of a site"


def test_a_share_of_the_sites_is_used_but_all_that_are_tested_on(make):
    rows = [{"name": f"{site}_{year}", "site": f"s{site}"} for site in range(200) for year in (2016, 2018)]
    all_sites, half = make.tiles.select_rows(rows), make.tiles.select_rows(rows, 0.5)
    assert len(all_sites) == 200 and set(map(str, half)) < set(map(str, all_sites))
    tested = [[row["name"] for row, split in selected if split == "test"] for selected in (all_sites, half)]
    assert tested[0] == tested[1] and 60 < len(half) - len(tested[1]) < 110


@pytest.mark.parametrize(("changes", "share"), [({}, 0.5), ({"site_share": 0.2}, 0.2)])
def test_the_share_of_sites_is_from_the_settings_or_the_caller(
    make, training_data, tmp_path, monkeypatch, changes, share
):
    shares = []

    def build(source, output, report, share):
        shares.append(share)
        raise BackendError("enough")

    monkeypatch.setattr(make.tiles, "build", build)
    monkeypatch.setattr(make.device, "best", lambda: SimpleNamespace(type="cpu"))
    assert make.main(training_data, tmp_path / "out", changes) == 1 and shares == [share]
