"""Training learns, reports, resumes exactly, keeps its best, and refuses what it cannot train on."""

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from safetensors.torch import load_file

from backend import protocol
from backend.datasets.reader import open_tiles
from backend.geo import legend
from backend.jobs import builddataset, segmentimage, trainsegmentation
from backend.models import architectures, model_folder
from backend.protocol import BackendError
from backend.training import segmentation
from tests.backend.labelled_images import TINY_NETWORK, image_and_label, write_dataset
from tests.backend.packed_tiles import write_random_tiles
from tests.backend.rasters import write_raster
from tests.backend.reporters import Interrupted, InterruptingReporter, RecordingReporter

SETTINGS = dict(epochs=12, batch=4, crop_px=64, learning_rate=5e-3, **TINY_NETWORK)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    output, reporter = tmp_path_factory.mktemp("trained") / "model", RecordingReporter()
    trainsegmentation.run(protocol.TrainSegmentation((data,), str(output), **SETTINGS), reporter)
    return output, reporter


def test_training_learns(trained):
    output, _ = trained
    _, index = model_folder.find(str(output), "segmentation")
    chance = 1 / 5  # three classes drawn at random: each is hit a third of the time, so IoU is a fifth
    assert index["figures"]["val"]["miou"] > 3 * chance and index["figures"]["test"]["miou"] > 3 * chance
    assert set(index["figures"]["val"]["classes"]) == {"10", "50", "80"}
    assert index["data"]["codes"] == [10, 50, 80] and index["pixel_m"] == 1.0
    assert architectures.load(output, index).module is not None
    assert "50 Built-up" in (output / "README.md").read_text()
    assert {path.name for path in output.iterdir()} == {
        "checkpoints",
        "model.safetensors",
        "model_index.json",
        "README.md",
        "report.html",
    }
    report = (output / "report.html").read_text()
    assert report.count("<svg") == 2 and 'src="data:image/png;base64,' in report and "http" not in report
    assert "Tiles of test: mIoU" in report and "Confusion" in report and "Built-up" in report


def test_the_model_segments_a_world_it_has_not_seen(trained, tmp_path):
    image, label = image_and_label(200, 260, seed=9)
    source = write_raster(tmp_path / "image.tif", image)
    job = protocol.SegmentImage(str(source), str(tmp_path / "out.tif"), str(trained[0]))
    segmentimage.run(job, protocol.silent())
    with rasterio.open(job.output) as found:
        assert (found.read() == label).mean() > 0.8


def test_training_reports_scores_and_progress(trained):
    _, reporter = trained
    logs = [event.message for event in reporter.events("log")]
    assert sum(line.startswith("epoch ") and "val mIoU" in line for line in logs) == 12
    assert sum("Tree cover: IoU" in line and "F1" in line for line in logs) == 12 + 2
    fractions = [event.fraction for event in reporter.events("progress")]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory):
    """The folder of a training of four epochs."""
    output = tmp_path_factory.mktemp("uninterrupted") / "model"
    trainsegmentation.run(
        protocol.TrainSegmentation((data,), str(output), **{**SETTINGS, "epochs": 4}), protocol.silent()
    )
    return output


@pytest.mark.parametrize("words", ["epoch 3, loss", "epoch 2 of 4"])
def test_a_stopped_training_resumes_exactly(data, uninterrupted, tmp_path, words):
    job = protocol.TrainSegmentation((data,), str(tmp_path / "stopped"), **{**SETTINGS, "epochs": 4})
    with pytest.raises(Interrupted):
        trainsegmentation.run(job, InterruptingReporter(words))
    torch.rand(7), np.random.rand(7)  # whatever else the process does in between
    trainsegmentation.run(job, protocol.silent())
    for file in ("model.safetensors", "checkpoints/state.safetensors"):
        expected, resumed = (load_file(folder / file) for folder in (uninterrupted, tmp_path / "stopped"))
        assert expected.keys() == resumed.keys()
        assert all(torch.equal(expected[key], resumed[key]) for key in expected), file


def test_the_best_epoch_is_kept(data, tmp_path, monkeypatch):
    miou = iter([0.1, 0.5, 0.3, 0.5])
    real = segmentation.score

    def scored(run, batches, legend):
        found = real(run, batches, legend)
        value = next(miou, None)
        return found if value is None else type("Fixed", (type(found),), {"miou": value})(found.matrix)

    monkeypatch.setattr(segmentation, "score", scored)
    output = tmp_path / "model"
    settings = {**SETTINGS, "epochs": 4}
    kept = []
    save = architectures.save
    monkeypatch.setattr(architectures, "save", lambda folder, module: (kept.append(folder), save(folder, module)))
    trainsegmentation.run(protocol.TrainSegmentation((data,), str(output), **settings), protocol.silent())
    assert model_folder.find(str(output), "segmentation")[1]["best_epoch"] == 2
    assert len(kept) == 3  # after epochs 1 and 2, and once more with the scores of the best


def test_a_finished_training_is_not_run_again(trained, data, reporter):
    output, _ = trained
    before = (output / "model.safetensors").read_bytes()
    trainsegmentation.run(protocol.TrainSegmentation((data,), str(output), **SETTINGS), reporter)
    assert (output / "model.safetensors").read_bytes() == before
    assert any("finished: it is not run again" in event.message for event in reporter.events("log"))


def test_several_data_sets_one_packed(data, tmp_path, reporter):
    label = np.zeros((4, 40, 40), np.uint8)
    packed = tmp_path / "packed"
    packed.mkdir()
    np.save(packed / "x_image.npy", np.zeros((4, 40, 40, 3), np.uint8))
    np.save(packed / "x_label.npy", label + np.uint8(5))
    (packed / "packed.json").write_text(
        json.dumps({"pixel_m": 1.0, "tiles": {"x": {"split": ["train"] * 3 + ["val"]}}})
    )
    job = protocol.TrainSegmentation((data, str(packed)), str(tmp_path / "out"), **{**SETTINGS, "epochs": 1})
    trainsegmentation.run(job, reporter)
    _, index = model_folder.find(job.output, "segmentation")
    assert index["data"]["codes"] == [10, 50, 60, 80] and index["data"]["names"] == ["dataset", "packed"]


@pytest.mark.parametrize("architecture", architectures.names())
def test_every_architecture_trains(architecture, data, tmp_path):
    decoder = (16,) if architecture == "deeplabv3plus" else (16, 16, 16)
    settings = {**SETTINGS, "epochs": 1, "architecture": architecture, "decoder_channels": decoder}
    output = tmp_path / "model"
    trainsegmentation.run(protocol.TrainSegmentation((data,), str(output), **settings), protocol.silent())
    assert architectures.load(*model_folder.find(str(output), "segmentation"))


def test_loss_ignores_what_has_no_label():
    logits = torch.zeros(1, legend.COUNT, 8, 8, requires_grad=True)
    label = torch.full((1, 8, 8), legend.IGNORE)
    loss = segmentation.segmentation_loss(logits, label)
    loss.backward()
    assert loss.item() == 0 and not logits.grad.any()
    label[:, :4] = 2
    changed = logits.detach().clone()
    changed[:, :, 4:] = 9 * torch.rand(1, legend.COUNT, 4, 8)
    assert segmentation.segmentation_loss(changed, label).item() == pytest.approx(
        segmentation.segmentation_loss(logits.detach(), label).item(), abs=1e-5
    )
    assert segmentation.segmentation_loss(logits.detach(), label).item() > math.log(legend.COUNT)


def without(folder, target, **splits):
    """A copy of a data set, its splits renamed."""
    shutil.copytree(folder, target)
    manifest = target / "manifest.csv"
    text = manifest.read_text()
    for old, new in splits.items():
        text = text.replace(f",{old},", f",{new},")
    manifest.write_text(text)
    return str(target)


def test_bad_data_and_settings_are_refused(data, tmp_path, refusal):
    coarse = write_dataset(tmp_path / "coarse", pixel=2.0)
    unlabelled = write_random_tiles(tmp_path / "unlabelled", (64,), ("train", "train", "val"))
    np.save(unlabelled / "s64_label.npy", np.full((3, 64, 64), legend.IGNORE, np.uint8))
    cases = [
        ((), {}, "No data set"),
        ((str(tmp_path),), {}, "not a data set"),
        ((data, coarse), {}, "different pixel sizes"),
        ((without(data, tmp_path / "a", val="train"),), {}, "no 'val' tiles"),
        ((without(data, tmp_path / "b", train="val"),), {}, "no 'train' tiles"),
        ((data,), {"crop_px": 100}, "multiple of 32"),
        ((data,), {"epochs": 0}, "at least 1 epoch"),
        ((data,), {"batch": 1}, "batch of at least 2"),
        ((data,), {"learning_rate": 0.0}, "learning rate"),
        ((data,), {"architecture": "transformer"}, "no architecture 'transformer'"),
        ((data,), {"mix": (50.0, 50.0)}, r"mix 50, 50 does not fit 1 data set"),
        ((data,), {"mix": (0.0,)}, "a number above 0 for each"),
        ((data,), {"legend": "mine"}, "no legend 'mine'. Choose one of worldcover, merged"),
        ((data,), {"patience": -1}, "a patience of at least 0"),
        ((data,), {"crops": 1}, "at least 2 crops"),
        ((str(unlabelled),), {}, "No label of the training tiles is known"),
        ((data,), {"encoder": "resnet19"}, "no encoder 'resnet19'"),
        ((data,), {"encoder_depth": 9}, "cannot be built"),
        (
            (data,),
            {"encoder": "tu-swin_tiny_patch4_window7_224", "encoder_depth": 4, "decoder_channels": ()},
            "cannot take crops of",
        ),
    ]
    for dataset, changed, message in cases:
        said = refusal(trainsegmentation.run, protocol.TrainSegmentation, dataset, **{**SETTINGS, **changed})
        assert message in said


def test_an_output_of_something_else_is_left_alone(trained, data, tmp_path, reporter):
    output, _ = trained
    with pytest.raises(BackendError, match="other settings"):
        trainsegmentation.run(protocol.TrainSegmentation((data,), str(output), **{**SETTINGS, "epochs": 3}), reporter)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BackendError, match="not empty"):
        trainsegmentation.run(protocol.TrainSegmentation((data,), str(tmp_path), **SETTINGS), reporter)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_another_list_of_tiles_is_another_training(data, tmp_path):
    copy = without(data, tmp_path / "copy")
    job = protocol.TrainSegmentation((copy,), str(tmp_path / "model"), **{**SETTINGS, "epochs": 1})
    trainsegmentation.run(job, protocol.silent())
    manifest = tmp_path / "copy" / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(",val,", ",train,", 1))
    with pytest.raises(BackendError, match="other settings or data"):
        trainsegmentation.run(job, protocol.silent())


def test_a_training_from_before_the_crops_setting_resumes(data, tmp_path, reporter):
    job = protocol.TrainSegmentation((data,), str(tmp_path / "model"), **{**SETTINGS, "epochs": 1})
    trainsegmentation.run(job, reporter)
    path = tmp_path / "model" / "checkpoints" / "job.json"
    known = json.loads(path.read_text())
    del known["crops"], known["listed"]
    path.write_text(json.dumps(known))
    trainsegmentation.run(job, reporter)
    assert any("finished: it is not run again" in event.message for event in reporter.events("log"))


def test_a_damaged_checkpoint_is_refused(trained, data, tmp_path, reporter):
    shutil.copytree(trained[0], tmp_path / "model", ignore=shutil.ignore_patterns("report.html"))
    (tmp_path / "model" / "checkpoints" / "state.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(BackendError, match="cannot resume"):
        trainsegmentation.run(protocol.TrainSegmentation((data,), str(tmp_path / "model"), **SETTINGS), reporter)


def test_a_loss_that_explodes_is_an_error(data, tmp_path, reporter):
    settings = {**SETTINGS, "learning_rate": 1e30}
    with pytest.raises(BackendError, match=r"no longer a number in epoch 1\. Use a smaller learning rate than 1e\+30"):
        trainsegmentation.run(protocol.TrainSegmentation((data,), str(tmp_path / "model"), **settings), reporter)


def test_a_mix_sets_the_shares_and_stands_in_the_index(data, tmp_path):
    (tmp_path / "other").mkdir()
    other = write_dataset(tmp_path / "other")
    drawn = []
    job = protocol.TrainSegmentation(
        (data, other), str(tmp_path / "m"), mix=(75, 25), class_weighting="balanced", **{**SETTINGS, "epochs": 1}
    )
    crops = segmentation.RandomCrops
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segmentation, "RandomCrops", lambda tiles, *rest: drawn.append(tiles) or crops(tiles, *rest))
        trainsegmentation.run(job, protocol.silent())
    own = sum(str(tile.image).startswith(data) for tile in drawn[-1])
    assert own == round(0.75 * len(drawn[-1]))
    index = model_folder.find(job.output, "segmentation")[1]
    assert index["training"]["mix"] == [75, 25] and index["training"]["class_weighting"] == "balanced"


def test_an_epoch_has_the_requested_number_of_crops(data, tmp_path, reporter):
    job = protocol.TrainSegmentation((data,), str(tmp_path / "m"), crops=40, **{**SETTINGS, "epochs": 2})
    trainsegmentation.run(job, reporter)
    assert len([e for e in reporter.events("progress") if "loss" in e.message]) == 2 * 40 / SETTINGS["batch"]
    assert model_folder.find(job.output, "segmentation")[1]["training"]["crops"] == 40


def test_an_offset_of_a_data_sets_labels_is_warned_about(data, tmp_path, reporter):
    folder = Path(shutil.copytree(data, tmp_path / "aside"))
    index = json.loads((folder / "dataset.json").read_text())
    found = {"east": 15.0, "north": 0.1, "confidence": 0.9999, "significant": True, "places": 80}
    (folder / "dataset.json").write_text(json.dumps({**index, "offset_m": found}))
    job = protocol.TrainSegmentation((data, str(folder)), str(tmp_path / "m"), **{**SETTINGS, "epochs": 1})
    trainsegmentation.run(job, reporter)
    (line,) = (event.message for event in reporter.events("log") if "seem to lie" in event.message)
    assert line.startswith(str(folder)) and "15 m east of what the images show (confidence 99.99 %, 80 places)" in line


def test_rare_classes_weigh_more(data):
    sets = [open_tiles(data)]
    weights = segmentation.class_weights(sets)
    counts = np.zeros(256)
    for tile in sets[0].tiles:
        if tile.split == "train":
            counts += np.bincount(tile.read(0, 0, *tile.shape)[1].ravel(), minlength=256)
    seen = np.flatnonzero(counts[:11])
    assert (np.argsort(counts[seen]) == np.argsort(-weights.numpy()[seen])).all() and (weights > 0).sum() == len(seen)
    assert float((weights.numpy() * counts[:11]).sum() / counts[:11].sum()) == pytest.approx(1)


def test_patience_ends_a_training_that_gets_no_better(data, tmp_path, monkeypatch, reporter):
    real, given = segmentation.score, iter([0.3, 0.5, 0.4, 0.5, 0.9])

    def scored(run, batches, legend):
        found = real(run, batches, legend)
        value = next(given, None)
        return found if value is None else type("Fixed", (type(found),), {"miou": value})(found.matrix)

    monkeypatch.setattr(segmentation, "score", scored)
    job = protocol.TrainSegmentation((data,), str(tmp_path / "m"), patience=2, **SETTINGS)
    trainsegmentation.run(job, reporter)
    assert model_folder.find(job.output, "segmentation")[1]["best_epoch"] == 2
    assert any(
        "No better epoch in the last 2: the training ends after 4 of 12" in e.message for e in reporter.events("log")
    )


@pytest.fixture(scope="module")
def mangroves(tmp_path_factory):
    """The world with mangroves and snow: half of its woods are mangroves, half of its water is snow."""
    folder = tmp_path_factory.mktemp("mangroves")
    image, label = image_and_label(320, 320)
    label[:, :, ::2][label[:, :, ::2] == 10] = 95
    label[:, ::2][label[:, ::2] == 80] = 70
    paths = write_raster(folder / "i.tif", image), write_raster(folder / "l.tif", label, nodata=0)
    job = protocol.BuildDataset((str(paths[1]),), str(folder / "dataset"), (str(paths[0]),), tile_px=64)
    builddataset.run(job, protocol.silent())
    return job.output


def test_a_model_of_the_merged_legend(mangroves, tmp_path, reporter):
    job = protocol.TrainSegmentation(
        (mangroves,), str(tmp_path / "model"), legend="merged", **{**SETTINGS, "epochs": 4}
    )
    trainsegmentation.run(job, reporter)
    _, index = model_folder.find(job.output, "segmentation")
    assert index["legend"] == "merged" and index["codes"] == legend.CODES.tolist()
    assert index["data"]["codes"] == [10, 50, 60, 80] and set(index["figures"]["val"]["classes"]) == {
        "10",
        "50",
        "60",
        "80",
    }
    assert any("legend merged: Tree cover + Mangroves; Shrubland" in event.message for event in reporter.events("log"))
    card = (tmp_path / "model" / "README.md").read_text()
    assert (
        "7 classes merged from the ESA WorldCover legend" in card and "Bare / sparse vegetation + Snow and ice" in card
    )
    assert (
        "cannot find: 20 Shrubland, 30 Grassland + Herbaceous wetland + Moss and lichen, 40 Cropland.\n" in card
        and "seen in training: 10 Tree cover + Mangroves, 50 Built-up" in card
        and "| 10 Tree cover + Mangroves |" in card
    )
    assert any("Tree cover + Mangroves: IoU" in event.message for event in reporter.events("log"))
    report = (tmp_path / "model" / "report.html").read_text()
    assert report.count("<th>Tree cover + Mangroves</th>") == 6, "a row, a row and a column of two splits"
    assert "<th>Tree cover</th>" not in report
    image = write_raster(tmp_path / "image.tif", image_and_label(128, 128, seed=9)[0])
    predicted = protocol.SegmentImage(str(image), str(tmp_path / "out.tif"), job.output)
    segmentimage.run(predicted, protocol.silent())
    with rasterio.open(predicted.output) as found:
        assert set(np.unique(found.read())) <= {10, 50, 60, 80}
        assert json.loads(found.tags()["LANDFORGE_LEGEND"])["10"] == "Tree cover + Mangroves"
        assert found.colormap(1)[10][:3] == legend.rgb(10)
    table = (tmp_path / "out.tif.aux.xml").read_text()
    assert table.count("<Row") == 7 and "<F>Tree cover + Mangroves</F>" in table and "<F>Mangroves</F>" not in table


def test_a_training_from_before_the_legend_setting_resumes(data, tmp_path):
    job = protocol.TrainSegmentation((data,), str(tmp_path / "model"), **{**SETTINGS, "epochs": 1})
    trainsegmentation.run(job, protocol.silent())
    path = tmp_path / "model" / "checkpoints" / "job.json"
    known = json.loads(path.read_text())
    del known["legend"]
    path.write_text(json.dumps(known))
    trainsegmentation.run(job, protocol.silent())
    with pytest.raises(BackendError, match="other settings"):
        trainsegmentation.run(dataclasses.replace(job, legend="merged"), protocol.silent())
