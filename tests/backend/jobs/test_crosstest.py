"""Models by data sets, from their folders to the table."""

import csv
import json

import numpy as np
import pytest
import torch

from backend.geo import legend
from backend.jobs import builddataset, crosstest
from backend.models import architectures, model_folder
from backend.protocol import BackendError, BuildDataset, CrossTest, silent
from tests.backend.labelled_images import image_and_label
from tests.backend.packed_tiles import write_random_tiles
from tests.backend.rasters import write_raster


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two models of the same name in different folders."""
    folders = []
    for seed in (1, 2):
        folder = tmp_path_factory.mktemp(f"m{seed}") / "model"
        folder.mkdir()
        torch.manual_seed(seed)
        architectures.save(folder, architectures.build("lale", ""))
        index = dict(architecture="lale", encoder="", sizes={}, codes=legend.CODES.tolist())
        model_folder.write_index(folder, "segmentation", **index, pixel_m=1.0, mean=[0.5] * 3, std=[0.25] * 3)
        folders.append(str(folder))
    return tuple(folders)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return (
        str(write_random_tiles(folder / "tested", (64, 40), ("train", "val", "test", "test"))),
        str(write_random_tiles(folder / "untested", (64,))),
    )


def test_all_by_all(models, data, tmp_path, reporter):
    job = CrossTest(models, data, str(tmp_path / "out"), crop_px=64)
    assert crosstest.run(job, reporter) == {"output": job.output}
    rows = list(csv.DictReader((tmp_path / "out" / "crosstest.csv").read_text().splitlines()))
    names = [f"{path.split('/')[-2]}/model" for path in models]
    assert [(r["model"], r["test_set"], r["tiles"]) for r in rows] == [
        (name, *rest) for name in names for rest in (("tested", "4"), ("untested", "1"))
    ]
    assert any("holds no 'test' tiles: its 'val' tiles are used" in event.message for event in reporter.events("log"))
    assert [event.fraction for event in reporter.events("progress")] == [0, 0.25, 0.5, 0.75]


def test_a_model_that_knows_the_answer_scores_one(models, data, tmp_path, monkeypatch):
    class Knows(torch.nn.Module):
        def forward(self, image):
            label = (image[:, 0] // 20).long()
            return torch.nn.functional.one_hot(label.clamp(max=10), legend.COUNT).permute(0, 3, 1, 2).float()

    monkeypatch.setattr(architectures, "load", lambda folder, index: Knows())
    crosstest.run(CrossTest(models[:1], data[:1], str(tmp_path), crop_px=64), silent())
    (row,) = json.loads((tmp_path / "crosstest.json").read_text())
    assert row["miou"] == row["low"] == row["high"] == row["accuracy"] == 1


def test_bad_input_is_said(models, data, tmp_path):
    def refused(words, **changes):
        fields = {"model": models, "dataset": data, "output": str(tmp_path / "out"), **changes}
        with pytest.raises(BackendError, match=words):
            crosstest.run(CrossTest(**fields), silent())

    coarse = write_random_tiles(tmp_path / "coarse")
    index = json.loads((coarse / "packed.json").read_text())
    (coarse / "packed.json").write_text(json.dumps({**index, "pixel_m": 2.0}))
    only_train = write_random_tiles(tmp_path / "train", splits=("train", "train"))
    (tmp_path / "file").write_text("")
    refused("at least one model", model=())
    refused("at least one model", dataset=())
    refused("multiple of 32", crop_px=40)
    refused("is not a Landforge model", model=(str(tmp_path),))
    refused("a segmentation model is needed", model=("landcover",))
    refused("is not a data set", dataset=(str(tmp_path),))
    refused(r"reads pixels of 1 m.*have 2 m", dataset=(str(coarse),))
    refused("nor 'val' tiles", dataset=(str(only_train),))
    refused("or choose another output", output=str(tmp_path / "file" / "out"))
    assert np.array_equal(sorted(path.name for path in tmp_path.iterdir()), ["coarse", "file", "train"])


def test_where_a_model_knows_the_merged_legend_alone_all_are_scored_in_it(
    models, data, tmp_path, reporter, monkeypatch
):
    """One that takes each class for another of the same joined class is right in the merged legend."""

    def load(folder, index):
        class Swaps(torch.nn.Module):
            def forward(self, image):
                label = (image[:, 0].round() // 20).long().clamp(max=10)
                swapped = torch.tensor([9, 1, 8, 3, 4, 6, 5, 7, 10, 0, 2])[label]
                return 20 * torch.nn.functional.one_hot(swapped, legend.COUNT).permute(0, 3, 1, 2).float()

        return architectures.Segmenter(Swaps(), [0.0] * 3, [1 / 255] * 3, index.get("legend", "worldcover"))

    monkeypatch.setattr(architectures, "load", load)
    crosstest.run(CrossTest(models, data[:1], str(tmp_path / "plain"), crop_px=64), reporter)
    rows = json.loads((tmp_path / "plain" / "crosstest.json").read_text())
    assert {row["legend"] for row in rows} == {"worldcover"} and all(row["accuracy"] < 0.5 for row in rows)
    _, index = model_folder.find(models[1], "segmentation")
    del index["landforge"]
    merged = tmp_path / "merged"
    merged.mkdir()
    model_folder.write_index(merged, "segmentation", **{**index, "legend": "merged"})
    crosstest.run(CrossTest((models[0], str(merged)), data[:1], str(tmp_path / "out"), crop_px=64), reporter)
    rows = json.loads((tmp_path / "out" / "crosstest.json").read_text())
    assert [row["legend"] for row in rows] == ["merged"] * 2
    assert all(row["miou"] == 1 and len(row["classes"]) == 7 for row in rows)
    assert any("knows the merged legend alone" in event.message for event in reporter.events("log"))
    page = (tmp_path / "out" / "crosstest.html").read_text()
    assert "Scored in the merged legend" in page and "Tree cover + Mangroves" in page
    assert "merged legend" not in (tmp_path / "plain" / "crosstest.html").read_text()


def test_labels_that_lie_aside_or_show_nothing_are_said(models, tmp_path, reporter):
    """A label shifted by a wrong CRS makes every model look bad, an empty one makes none look like anything."""
    image, label = image_and_label(400, 400)
    paths = write_raster(tmp_path / "i.tif", image), tmp_path / "l.tif"
    write_raster(paths[1], label, left=500_006.0, top=3_999_992.0, nodata=0)
    built = BuildDataset((str(paths[1]),), str(tmp_path / "shifted"), (str(paths[0]),), tile_px=64)
    builddataset.run(built, silent())
    crosstest.run(CrossTest(models[:1], (built.output,), str(tmp_path / "out"), crop_px=64), reporter)
    assert any("shifted: The labels seem to lie 6 m east" in event.message for event in reporter.events("log"))
    empty = write_random_tiles(tmp_path / "empty", (64,), ("train", "test"))
    np.save(empty / "s64_label.npy", np.full((2, 64, 64), legend.IGNORE, np.uint8))
    with pytest.raises(BackendError, match=r"No label of the test tiles of .*empty is known"):
        crosstest.run(CrossTest(models[:1], (str(empty),), str(tmp_path / "none"), crop_px=64), silent())
    assert not (tmp_path / "none").exists()
