"""The recipes of the bundled weights are jobs of the backend for each device type; only their models are bundled."""

import importlib.util
import json
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from backend import protocol
from backend.datasets.packed import PackedLandCover
from backend.generation.image_generators import load_image_generator
from backend.geo import legend
from backend.jobs import trainimage, trainlandcover
from backend.training import stages
from backend.training.state import load_state, save_state
from tests.backend.packed_tiles import write_styled_tiles

ROOT = Path(__file__).resolve().parents[2]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "weights" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make():
    return script("make")


@pytest.mark.parametrize("recipe", ["landcover", "controlnet", "spade", "segmentation"])
def test_a_recipe_is_a_job(make, recipe):
    assert recipe in make.RECIPES
    jobs = {device: make.job_of(recipe, Path("packed"), device) for device in ("cpu", "cuda", "mps")}
    assert jobs["mps"] == jobs["cpu"] and jobs["cpu"].dataset == ("packed",)
    if recipe == "segmentation":
        assert isinstance(jobs["cuda"], protocol.TrainSegmentation)
        assert jobs["cpu"].decoder_channels == (192, 96, 32, 16)
        return
    assert jobs["cpu"] != jobs["cuda"]
    for job in jobs.values():
        spec = trainlandcover.RECIPE if recipe == "landcover" else trainimage.RECIPES[job.generator]
        stages._check_numbers(job)
        assert spec.kind == recipe and stages._stage_names(job, spec) == list(spec.stages)


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
    make.bundle(type(job)(job.dataset, str(output)), tmp_path / "bundled")
    files = {path.relative_to(tmp_path / "bundled").as_posix() for path in (tmp_path / "bundled").rglob("*.*")}
    assert files == {"painter/config.json", "model_index.json"}


def test_a_packed_folder_is_not_packed_again(make, tmp_path):
    (tmp_path / "packed.json").write_text("{}")
    assert make._pack(tmp_path, "spade", protocol.silent()) == tmp_path


def test_copies_of_training_land_cover_are_detected_in_any_orientation(tmp_path):
    """A copy has distance 0. Held-out windows are no training windows, and windows beside them are not held out."""
    measure, rng = script("measure_landcover"), np.random.default_rng(0)
    side = measure.WINDOW
    coarse = rng.integers(0, legend.COUNT, (3 * side // 12, 2 * side // 12), dtype=np.uint8)
    whole = coarse.repeat(12, 0).repeat(12, 1)
    np.save(tmp_path / "a_landcover.npy", whole)
    entry = {"held_out_blocks": [[0, 0]], "block_px": side, "style": "temperate"}
    (tmp_path / "packed.json").write_text(json.dumps({"landcover": {"a": entry}}))
    data = PackedLandCover((tmp_path,))
    windows, others = (measure.real_windows(data, "temperate", held_out) for held_out in (True, False))
    assert len(windows) == 1 and (windows[0] == whole[:side, :side]).all() and len(others) == 5
    assert not len(measure.real_windows(data, "tropical", True))
    copy, other = whole[200 : 200 + side, 190 : 190 + side].copy(), rng.permutation(whole[side : 2 * side, side:])
    turned = np.ascontiguousarray(np.rot90(copy)[:, ::-1])
    distances = measure.nearest(np.stack([copy, turned, windows[0], other]), list(measure.training_ground(tmp_path)))
    assert (distances[:2] < 0.05).all() and (distances[2:] > 0.3).all()


def test_straight_borders_and_thin_lines_of_maps_are_measured():
    measure, side = script("measure_landcover"), 96
    rows, cols = np.mgrid[:side, :side]
    field, round_field = np.zeros((2, 1, side, side), np.uint8)
    field[0, 20:70, 20:70] = measure.CROP
    round_field[0, np.hypot(rows - 48, cols - 48) < 12] = measure.CROP
    assert measure.straight_share(field, measure.CROP) > 0.6 > 0.2 > measure.straight_share(round_field, measure.CROP)
    assert np.isnan(measure.straight_share(field, measure.BUILT))
    field[0, :, 80] = measure.BUILT
    assert measure.thin_share(field, measure.BUILT) == 1 and measure.thin_share(field, measure.CROP) == 0


def test_shares_and_sheet_of_maps():
    measure = script("measure_landcover")
    maps = np.zeros((3, measure.WINDOW, measure.WINDOW), np.uint8)
    maps[1:, :, : measure.WINDOW // 2] = 4
    assert measure.shares(maps)[[0, 4]].round(3).tolist() == [0.667, 0.333] and measure.shares(maps).sum() == 1
    image = measure.sheet(maps)
    assert image.shape == (1040, 1040, 3) and (image[0] == 255).all() and (image[64, 64] == (0, 100, 0)).all()


@pytest.mark.parametrize("kind", ["spade", "controlnet"])
def test_images_are_generated_on_the_labels_of_crops(kind):
    measure = script("measure_image")
    generator = load_image_generator(kind)
    labels = np.stack([np.full((128, 128), index, np.uint8) for index in (0, 4)])
    styles = measure.style_vectors(generator, [[], []], True, 0)
    images = measure.generated(generator, labels, styles, 2, lines=labels // 4)
    assert images.shape == (2, 3, 128, 128) and images.dtype == np.uint8
    woods, town = images.mean((1, 2, 3))
    assert woods < town, "asphalt is brighter than crowns"


def test_crops_of_wide_ground_show_one_class_and_do_not_overlap(tmp_path):
    measure = script("measure_wide_ground")
    label = np.full((3, 200, 200), 2, np.uint8)
    label[:2, 8:136, 16:144] = 7  # one crop of water in each of two tiles; one of them is held out
    label[2, :, 150:] = 4
    np.save(tmp_path / "x_label.npy", label)
    np.save(tmp_path / "x_image.npy", np.stack([label] * 3, -1))
    entry = {"split": ["train", "val", "train"]}
    (tmp_path / "packed.json").write_text(json.dumps({"pixel_m": 1.0, "tiles": {"x": entry}}))
    water = measure.pure_crops(tmp_path, "train", 80, 128, 0.97)
    assert water.shape == (1, 3, 128, 128) and (water == 7).all()
    assert len(measure.pure_crops(tmp_path, "train", 30, 128, 0.97)) == 1
    assert len(measure.pure_crops(tmp_path, "train", 80, 64, 0.97)) == 4
    assert not len(measure.pure_crops(tmp_path, "train", 50, 128, 0.97))
    crops, source = measure.real_crops(tmp_path, 80)
    assert source == {"crop_px": 64, "share": 0.9, "splits": "train and val"} and len(crops) == 8


def test_an_image_follows_the_lines_that_it_has_edges_on():
    measure = script("measure_lines")
    image = np.full((1, 3, 96, 96), 60, np.uint8)
    image[..., 20:60, 30:70] = 160
    own, elsewhere, across = (np.zeros((1, 96, 96), np.uint8) for _ in range(3))
    own[0, 20, 30:70] = own[0, 20:60, 30] = 1
    elsewhere[0, 80, 10:90] = 1
    across[0, 12:28, 50] = 1
    assert measure.followed_share(image, own) > 0.95 and measure.followed_share(image, own, in_direction=True) > 0.85
    assert measure.followed_share(image, elsewhere) == 0
    assert 0.2 < measure.followed_share(image, across) < 0.4
    assert measure.followed_share(image, across, in_direction=True) == 0


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    """The script in an empty folder with an encoder, packed tiles and land cover."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    encoder = tmp_path / ".weights" / "encoder" / "efficientnet_lite0.safetensors"
    encoder.parent.mkdir(parents=True)
    save_file({"conv": np.linspace(-1, 1, 4096, dtype=np.float32), "mean": np.full(3, 1 / 3, np.float32)}, encoder)
    write_styled_tiles(tmp_path / ".weights" / "packed", {"a": 80}, count=3)
    return script("gpu")


def test_packed_arrays_and_the_encoder_travel(gpu, tmp_path):
    """Labels and land cover without loss, images nearly so, and an encoder's small tensors exactly."""
    before = {path: np.load(path) for path in Path(".weights/packed").glob("*.npy")}
    encoder = load_file(".weights/encoder/efficientnet_lite0.safetensors")
    for recipe, folders in (("spade", ("packed", "encoder")), ("landcover", ("packed",))):
        gpu.pack(".weights/packed", recipe)
        for folder in folders:
            shutil.rmtree(tmp_path / ".weights" / folder)
        gpu.unpack(recipe)
        (tmp_path / ".weights/packed").rename(tmp_path / recipe)
        write_styled_tiles(tmp_path / ".weights" / "packed", {"a": 80}, count=3)
    for path, array in before.items():
        kind = "landcover" if path.stem.endswith("landcover") else "spade"
        returned = np.load(tmp_path / kind / path.name)
        if path.stem.endswith("image"):
            assert returned.shape == array.shape and 0 < np.abs(returned.astype(float) - array).mean() < 12
        else:
            assert np.array_equal(returned, array)
    returned = load_file(".weights/encoder/efficientnet_lite0.safetensors")
    assert np.array_equal(returned["mean"], encoder["mean"])
    assert np.abs(returned["conv"] / encoder["conv"] - 1).max() < 2**-11
    assert (tmp_path / ".weights/packages/diffusers/models/modeling_utils.py").is_file()


def test_a_training_goes_to_a_gpu_and_returns(gpu, make, tmp_path, monkeypatch):
    """With the settings there, and without what is made again; parts that do not fit together are refused."""
    monkeypatch.setattr(gpu, "PART", 1000)
    checkpoints, out = tmp_path / ".weights/spade/checkpoints", tmp_path / "out"
    (checkpoints / "latents").mkdir(parents=True)
    (checkpoints / "latents" / "a.npy").write_bytes(b"")
    out.mkdir()
    cpu, cuda = (make.job_of("spade", Path(".weights/packed"), kind) for kind in ("cpu", "cuda"))
    (checkpoints / "job.json").write_text(json.dumps({"batch": cpu.batch}))
    layer = torch.nn.Linear(40, 40)
    save_state(checkpoints / "painter.safetensors", {"layer": layer}, {"elapsed": 60.0, "batch": cpu.batch})
    gpu.pack(".weights/packed", "spade")
    gpu.unpack("spade")
    gpu.collect("spade", str(out))
    assert len(list(out.iterdir())) > 3 and not (checkpoints / "latents").exists()
    shutil.rmtree(checkpoints)
    gpu.restore(str(out), "spade")
    other = torch.nn.Linear(40, 40)
    counters = load_state(checkpoints / "painter.safetensors", {"layer": other})
    assert torch.equal(layer.weight, other.weight)
    assert counters == {"elapsed": pytest.approx(60 * cuda.minutes / cpu.minutes), "batch": cuda.batch}
    assert json.loads((checkpoints / "job.json").read_text()) == {"batch": cuda.batch}
    gpu.settings(".weights/packed", "spade", "cpu")
    assert load_state(checkpoints / "painter.safetensors", {"layer": other}) == {"elapsed": 60.0, "batch": cpu.batch}
    (out / "spade.zip.1").write_bytes(b"damaged")
    with pytest.raises(SystemExit, match="damaged or incomplete"):
        gpu.restore(str(out), "spade")


def test_archives_hold_files_of_the_weights_alone(gpu, tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(".weights/../../outside", b"")
    with zipfile.ZipFile(tmp_path / "bad.zip") as archive, pytest.raises(SystemExit, match="not below"):
        gpu._extract(archive, tmp_path)


def test_rounded_checkpoints_keep_weights_better_than_moments(gpu, tmp_path):
    torch.manual_seed(0)
    layer = torch.nn.Linear(64, 64)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.randn(9, 64)).square().mean().backward()
    optimizer.step()
    save_state(tmp_path / "a.safetensors", {"layer": layer, "optimizer": optimizer}, {})
    (tmp_path / "b.safetensors").write_bytes(gpu._rounded_tensors(tmp_path / "a.safetensors"))
    other = torch.nn.Linear(64, 64)
    moments = torch.optim.AdamW(other.parameters())
    load_state(tmp_path / "b.safetensors", {"layer": other, "optimizer": moments})
    assert torch.equal(layer.bias, other.bias), "small tensors are exact"
    assert 0 < (layer.weight / other.weight - 1).abs().max() < 2**-11
    ones, others = (next(iter(each.state_dict()["state"].values()))["exp_avg"] for each in (optimizer, moments))
    assert 2**-11 < (ones / others - 1).abs().max() < 2**-7
