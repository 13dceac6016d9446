"""Tiles chosen round after round: as many as at random, resumed where it stopped, and a data set of them."""

import csv
import json

import pytest

from backend.datasets import reader
from backend.jobs import choosetiles
from backend.protocol import BackendError, ChooseTiles, silent
from backend.studies import active_learning
from backend.training import segmentation
from tests.backend.html_tags import HtmlTags
from tests.backend.labelled_images import write_dataset
from tests.backend.packed_tiles import write_random_tiles, write_split_tiles
from tests.backend.reporters import Interrupted, InterruptingReporter, RecordingReporter

SETTINGS = dict(architecture="lale", epochs=1, batch=4, crop_px=32, crops=8, count=3, rounds=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return write_split_tiles(folder / "real", 6), write_dataset(folder)


@pytest.fixture(scope="module")
def studied(data, tmp_path_factory):
    output, reporter = tmp_path_factory.mktemp("studied") / "study", RecordingReporter()
    outputs = choosetiles.run(ChooseTiles((data[0],), (data[1],), str(output), **SETTINGS), reporter)
    assert outputs == {"output": str(output), "chosen": str(output / "chosen")}
    return output, reporter


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_each_round_adds_as_many_of_both(studied, data):
    output, reporter = studied
    folders = ["round0", "round1_chosen", "round1_random", "round2_chosen", "round2_random"]
    assert sorted(path.name for path in (output / "models").iterdir()) == folders
    jobs = [json.loads((output / f"models/{name}/checkpoints/job.json").read_text()) for name in folders]
    assert [job["tiles"] for job in jobs] == [[8], [8, 3], [8, 3], [8, 6], [8, 6]]
    assert {(job["crops"], job["seed"]) for job in jobs} == {(8, 0)} and jobs[1]["listed"] != jobs[2]["listed"]
    assert [(row["arm"], row["round"], row["added_tiles"]) for row in rows(output / "choosetiles.csv")] == [
        ("chosen", "0", "0"),
        ("chosen", "1", "3"),
        ("random", "1", "3"),
        ("chosen", "2", "6"),
        ("random", "2", "6"),
    ]
    fractions = [event.fraction for event in reporter.events("progress")]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert any("looking at" in event.message for event in reporter.events("progress"))


def test_the_ranking_says_what_was_chosen_and_why(studied, data):
    output, _ = studied
    ranking = rows(output / "ranking.csv")
    pool = {tile.name for tile in reader.open_tiles(data[1]).tiles if tile.split == "train"}
    first, second = ([row for row in ranking if row["round"] == number] for number in "12")
    assert {row["tile"] for row in first} == pool and len(second) == len(pool) - 3
    assert all(row["chosen"] == str(int(int(row["rank"]) <= 3)) for row in ranking)
    entropies = sorted((float(row["entropy"]) for row in first), reverse=True)
    assert all(float(row["entropy"]) >= entropies[8] and row["distance"] for row in first[:3]), "of the 9 in most doubt"
    chosen = reader.open_tiles(output / "chosen")
    assert {tile.name for tile in chosen.tiles} == {row["tile"] for row in ranking if row["chosen"] == "1"}
    assert {tile.split for tile in chosen.tiles} == {"train"} and len(chosen.tiles) == 6


def test_the_page_holds_all_that_it_shows(studied):
    text = (studied[0] / "choosetiles.html").read_text()
    page = HtmlTags()
    page.feed(text)
    assert not page.open and page.count["svg"] == 1 and page.count["img"] == 1 and "http" not in text
    for words in ("With 6 tiles chosen by &#39;combined&#39;", "real alone", "+3", "+6", "the whole pool", "2 steps"):
        assert words in text
    assert [step["added_tiles"] for step in json.loads((studied[0] / "choosetiles.json").read_text())["steps"]] == [
        *(0, 3, 3, 6, 6)
    ]


def test_a_merged_choice_names_the_merged_classes(data, tmp_path, studied):
    settings = {**SETTINGS, "rounds": 1}
    job = ChooseTiles((data[0],), (data[1],), str(tmp_path / "study"), legend="merged", **settings)
    choosetiles.run(job, silent())
    text, plain = ((folder / "choosetiles.html").read_text() for folder in (tmp_path / "study", studied[0]))
    assert "merged legend, of 7 classes" in text and "merged legend" not in plain
    assert "<th>Tree cover + Mangroves</th>" in text and "<th>Tree cover</th>" not in text
    assert "<th>Tree cover</th>" in plain
    assert {row["legend"] for row in rows(tmp_path / "study/choosetiles.csv")} == {"merged"}
    assert {tile.name for tile in reader.open_tiles(tmp_path / "study/chosen").tiles}


def test_a_stopped_study_goes_on_with_the_same_choice(studied, data, tmp_path, monkeypatch):
    job = ChooseTiles((data[0],), (data[1],), str(tmp_path / "study"), **SETTINGS)
    with pytest.raises(Interrupted):
        choosetiles.run(job, InterruptingReporter("4 of 5 models"))
    ranked, trained = [], []
    step = segmentation.SegmentationTrainer.step
    monkeypatch.setattr(segmentation.SegmentationTrainer, "step", lambda self: (trained.append(1), step(self))[1])
    statistics = active_learning.acquisition.tile_statistics
    monkeypatch.setattr(
        active_learning.acquisition, "tile_statistics", lambda *args: (ranked.append(1), statistics(*args))[1]
    )
    choosetiles.run(job, silent())
    assert len(trained) == 1 and not ranked, "only what was missing"
    for name in ("ranking.csv", "choosetiles.csv"):
        assert rows(tmp_path / "study" / name) == rows(studied[0] / name)


def test_bad_input_is_said(data, tmp_path):
    real, pool = data

    def refused(words, **changes):
        fields = {"real": (real,), "pool": (pool,), "output": str(tmp_path / "out"), **SETTINGS, **changes}
        with pytest.raises(BackendError, match=words):
            choosetiles.run(ChooseTiles(**fields), silent())
        assert not (tmp_path / "out").exists()

    (tmp_path / "coarse").mkdir()
    coarse = write_dataset(tmp_path / "coarse", pixel=2.0)
    refused("2 rounds of 30 are 60 tiles, but the pool has", count=30)
    refused("No real data set", real=())
    refused("No pool data set", pool=())
    refused("holds packed tiles", pool=(real,))
    refused("different pixel sizes", pool=(coarse,))
    refused("64 pixels wide|32 pixels wide", crop_px=96)
    refused("at least 1 tile a round", count=0)
    refused("at least 1 round", rounds=0)
    swin = "tu-swin_tiny_patch4_window7_224"
    refused("unet with the encoder 'tu-swin.* cannot take crops of 32 px", architecture="unet", encoder=swin)
    refused("at least 1 epoch", epochs=0)
    refused("no architecture 'transformer'", architecture="transformer")
    refused("holds no 'test' tiles", test=(str(write_random_tiles(tmp_path / "untested", (32,))),))
    refused(
        "round0: .* no 'val' tiles",
        real=(str(write_random_tiles(tmp_path / "a", (32,), ["train", "test"])),),
    )
