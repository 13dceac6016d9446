"""The recipes of the bundled weights are jobs of the backend for each device type; only their models are bundled."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from backend import protocol
from backend.datasets.packed import PackedLandCover
from backend.generation.image_generators import load_image_generator
from backend.geo import legend
from backend.jobs import trainimage, trainlandcover
from backend.training import stages

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
    make._bundle(type(job)(job.dataset, str(output)), tmp_path / "bundled")
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
