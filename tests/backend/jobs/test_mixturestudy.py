"""A study of mixtures: as many steps each, resumed where it stopped, and a page of what came out."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from backend.geo import legend
from backend.jobs import crosstest, mixturestudy
from backend.models import model_folder
from backend.protocol import BackendError, CrossTest, MixtureStudy, silent
from backend.training import segmentation
from tests.backend.html_tags import HtmlTags
from tests.backend.packed_tiles import write_random_tiles, write_split_tiles
from tests.backend.reporters import Interrupted, InterruptingReporter, RecordingReporter

SETTINGS = dict(architecture=("lale",), epochs=1, batch=4, crop_px=32, shares=(50, 100, 0), additions=(2,), crops=16)
NAMES = ["real0", "real50", "real100", "plus2"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return write_split_tiles(folder / "real", 8), write_split_tiles(folder / "made", 12, True, codes=(0, 4))


@pytest.fixture(scope="module")
def studied(data, tmp_path_factory):
    output, reporter = tmp_path_factory.mktemp("studied") / "study", RecordingReporter()
    job = MixtureStudy((data[0],), (data[1],), str(output), **SETTINGS)
    assert mixturestudy.run(job, reporter) == {"output": str(output)}
    return output, reporter


def rows(output):
    return list(csv.DictReader((output / "mixturestudy.csv").read_text().splitlines()))


def test_every_model_takes_as_many_steps_on_its_own_tiles(studied):
    output, reporter = studied
    assert sorted(path.name for path in (output / "models").iterdir()) == sorted(f"lale_{name}_1" for name in NAMES)
    assert len([e for e in reporter.events("progress") if "loss" in e.message]) == 4 * 16 / 4
    jobs = [json.loads((output / f"models/lale_{name}_1/checkpoints/job.json").read_text()) for name in NAMES]
    assert [job["mix"] for job in jobs] == [[], [0.5, 0.5], [], [1, 2]]
    assert {(job["crops"], job["epochs"], job["seed"]) for job in jobs} == {(16, 1, 0)}
    results = [row for row in rows(output) if row["repetition"] == "all"]
    assert [(row["real_tiles"], row["synthetic_tiles"]) for row in results] == [
        ("0", "8"),
        ("4", "4"),
        ("8", "0"),
        ("8", "12"),
    ]
    assert all(float(row["low"]) <= float(row["miou"]) <= float(row["high"]) and row["tiles"] == "3" for row in results)
    index = model_folder.find(str(output / "models/lale_real0_1"), "segmentation")[1]
    assert index["data"]["tiles"] == {"train": 8, "val": 2, "test": 0}, "the best epoch is chosen on real tiles"


def test_scores_are_those_of_a_cross_test(studied, data, tmp_path):
    models = tuple(str(studied[0] / f"models/lale_{name}_1") for name in NAMES)
    crosstest.run(CrossTest(models, (data[0],), str(tmp_path)), silent())
    results = list(csv.DictReader((tmp_path / "crosstest.csv").read_text().splitlines()))
    assert [(row["miou"], row["low"]) for row in results] == [(row["miou"], row["low"]) for row in rows(studied[0])]
    assert len({row["miou"] for row in results}) > 1


def test_the_study_speaks(studied):
    _, reporter = studied
    logs = [event.message for event in reporter.events("log")]
    assert any("a model: about" in line and "for the 3 left" in line for line in logs)
    assert any("fewer synthetic tiles (12) than 2 times the real ones (8)" in line for line in logs)
    assert any("no training tile of made shows: 80 Permanent water" in line for line in logs)
    fractions = [event.fraction for event in reporter.events("progress")]
    assert fractions == sorted(fractions) and fractions[-1] == 1


def test_the_page_holds_all_that_it_shows(studied):
    text = (studied[0] / "mixturestudy.html").read_text()
    page = HtmlTags()
    page.feed(text)
    assert not page.open and page.count["svg"] == 1 and "http" not in text
    for words in ("all + 2x", "50 %", "4 steps", "Synthetic tiles alone reach", "What was held equal", "a quarter of"):
        assert words in text
    report = json.loads((studied[0] / "mixturestudy.json").read_text())
    labels = ["0 % real", "50 % real", "100 % real", "real + 2x synthetic"]
    assert [point["mixture"] for point in report["points"]] == labels
    assert not list(studied[0].glob(".*part*"))


def test_a_merged_study_names_the_merged_classes(data, tmp_path, reporter):
    settings = {**SETTINGS, "shares": (100,), "additions": ()}
    merged = write_split_tiles(
        tmp_path / "merged", 8, codes=(2, 8, 6)
    )  # grassland, wetland, and snow, which becomes bare
    job = MixtureStudy((merged,), data[1:], str(tmp_path / "study"), legend="merged", **settings)
    mixturestudy.run(job, reporter)
    text, names = (tmp_path / "study/mixturestudy.html").read_text(), legend.names_of("merged")
    assert f"<th>{names[30]}</th><th>{names[60]}</th></tr>" in text, "the columns, by the legend's names"
    assert "merged legend, of 7 classes: Tree cover + Mangroves;" in text
    (row,) = rows(tmp_path / "study")
    assert row["legend"] == "merged" and row["iou_30"] and row["iou_60"] and not row["iou_90"] + row["iou_70"]
    assert any(
        f"no training tile of made shows: 30 {names[30]}, 60 {names[60]}" in e.message for e in reporter.events("log")
    )


def test_a_study_that_cannot_be_written_says_so(data, tmp_path):
    settings = {**SETTINGS, "shares": (100,), "additions": ()}
    job = MixtureStudy((data[0],), data[1:], str(tmp_path / "study"), **settings)
    mixturestudy.run(job, silent())
    (tmp_path / "study/mixturestudy.csv").unlink()
    (tmp_path / "study/mixturestudy.csv").mkdir()
    with pytest.raises(BackendError, match=r"Cannot write to .*study"):
        mixturestudy.run(job, silent())
    assert not list((tmp_path / "study").glob(".*part*"))


def test_a_stopped_study_goes_on_and_ends_the_same(studied, data, tmp_path, reporter, monkeypatch):
    settings = {**SETTINGS, "epochs": 2, "shares": (0, 50), "additions": ()}
    job, uninterrupted = (
        MixtureStudy(data[:1], data[1:], str(tmp_path / name), **settings) for name in ("study", "whole")
    )
    mixturestudy.run(uninterrupted, silent())
    with pytest.raises(Interrupted):
        mixturestudy.run(job, InterruptingReporter("epoch 2, loss"))  # of the first model
    with pytest.raises(Interrupted):
        mixturestudy.run(job, InterruptingReporter("1 of 2 models"))
    trained = []
    step = segmentation.SegmentationTrainer.step
    monkeypatch.setattr(
        segmentation.SegmentationTrainer, "step", lambda self: (trained.append(self.job), step(self))[1]
    )
    mixturestudy.run(job, reporter)
    assert [Path(job.output).name for job in trained] == ["lale_real50_1"] * 2, "what is finished is left alone"
    assert rows(tmp_path / "study") == rows(tmp_path / "whole")
    for name in NAMES[:2]:
        states = [load_file(tmp_path / f"{kind}/models/lale_{name}_1/model.safetensors") for kind in ("study", "whole")]
        assert all((states[0][key] == states[1][key]).all() for key in states[0])


def test_a_finished_study_takes_more(studied, data, tmp_path):
    shutil.copytree(studied[0], tmp_path / "study")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "study").rglob("model.safetensors")}
    more = {**SETTINGS, "repetitions": 2, "shares": (100,), "additions": ()}
    job = MixtureStudy((data[0],), (data[1],), str(tmp_path / "study"), test=data, **more)
    mixturestudy.run(job, silent())
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    results = [(row["test_set"], row["mixture"], row["repetition"]) for row in rows(tmp_path / "study")]
    assert results == [(name, "100 % real", which) for name in ("real", "made") for which in ("all", "1", "2")]


def test_bad_input_is_said(data, tmp_path):
    real, synthetic = data

    def refused(words, **changes):
        fields = {"real": (real,), "synthetic": (synthetic,), "output": str(tmp_path / "out"), **SETTINGS, **changes}
        with pytest.raises(BackendError, match=words):
            mixturestudy.run(MixtureStudy(**fields), silent())
        assert not (tmp_path / "out").exists()

    coarse = write_split_tiles(tmp_path / "coarse", 8, pixel_m=2.0)
    small = write_split_tiles(tmp_path / "small", 8, size=16)
    one = write_split_tiles(tmp_path / "one", 1)
    untested = str(write_random_tiles(tmp_path / "untested", (32,), ("train", "train", "val")))
    unchosen = str(write_random_tiles(tmp_path / "unchosen", (32,), ("train", "train", "test")))
    untaught = str(write_random_tiles(tmp_path / "untaught", (32,), ("val", "test")))
    unlabelled = Path(write_split_tiles(tmp_path / "unlabelled", 8))
    np.save(unlabelled / "s_label.npy", np.full((13, 32, 32), legend.IGNORE, np.uint8))
    refused("No real data set", real=())
    refused("No synthetic data set", synthetic=())
    refused("different pixel sizes", synthetic=(coarse,))
    refused("different pixel sizes", test=(coarse,))
    refused(r"small are 16 pixels wide, less than the crop of 32", synthetic=(small,))
    refused("one holds a single training tile", real=(one,))
    refused("holds no 'test' tiles", test=(untested,))
    refused("hold no 'val' tiles", real=(unchosen,))
    refused("untaught holds no 'train' tiles", real=(untaught,))
    refused("No label of the test tiles", test=(str(unlabelled),))
    refused("are the same", synthetic=(real,))
    refused("real share of 101 percent", shares=(101,))
    refused("real share of -1 percent", shares=(-1,))
    refused("addition of -1 times", additions=(-1,))
    refused("addition of inf times", additions=(float("inf"),))
    refused("No mixture", shares=(), additions=(0,))
    refused("at least one architecture", architecture=())
    refused("one repetition", repetitions=0)
    refused("no architecture 'transformer'", architecture=("lale", "transformer"))
    swin = "tu-swin_tiny_patch4_window7_224"
    refused("unet with the encoder 'tu-swin.* cannot take crops of 32 px", architecture=("lale", "unet"), encoder=swin)
    refused("at least 1 epoch", epochs=0)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    with pytest.raises(BackendError, match="not empty"):
        mixturestudy.run(MixtureStudy((real,), (synthetic,), str(tmp_path / "mine"), **SETTINGS), silent())


def test_a_model_that_explodes_is_named(data, tmp_path):
    job = MixtureStudy((data[0],), (data[1],), str(tmp_path / "out"), learning_rate=1e30, **SETTINGS)
    with pytest.raises(BackendError, match=r"lale_real0_1: The loss is no longer a number in epoch 1. Use a smaller"):
        mixturestudy.run(job, silent())
