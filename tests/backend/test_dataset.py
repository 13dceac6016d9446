"""Data set folders and the crops of them: every pixel once on the grid, geography true at random."""

import json
import shutil

import numpy as np
import pytest
import torch

from backend import classes, dataset
from backend.protocol import BackendError
from tests.backend import patchwork


def write_packed(folder, sizes=(40,), splits=("train", "val")):
    """Tiles whose image says the label: red is ten times the class index."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    tiles = {}
    for size in sizes:
        label = rng.integers(0, classes.COUNT, (len(splits), size, size), dtype=np.uint8)
        np.save(folder / f"s{size}_label.npy", label)
        np.save(folder / f"s{size}_image.npy", np.stack([label * 20, label, label], axis=-1))
        tiles[f"s{size}"] = {"split": list(splits)}
    (folder / "packed.json").write_text(json.dumps({"pixel_m": 1.0, "tiles": tiles}))
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return patchwork.write_dataset(tmp_path_factory.mktemp("built"))


def test_both_kinds_are_read_alike(built, tmp_path):
    tiles = dataset.open_tiles(built)
    assert tiles.pixel_m == 1.0 and not tiles.synthetic and len(tiles.tiles) == 25
    image, label = tiles.tiles[7].read(10, 20, 16, 8)
    assert image.shape == (16, 8, 3) and label.shape == (16, 8) and set(np.unique(label)) <= {0, 4, 7}
    packed = dataset.open_tiles(write_packed(tmp_path / "packed"))
    image, label = packed.tiles[0].read(10, 20, 16, 8)
    assert image.shape == (16, 8, 3) and (image[..., 0] == label * 20).all()
    assert [tile.split for tile in packed.tiles] == ["train", "val"]


@pytest.mark.parametrize("size", [20, 32, 40, 64, 75])
def test_grid_crops_count_each_pixel_once(tmp_path, size):
    tiles = dataset.open_tiles(write_packed(tmp_path / "packed", (size,)))
    found = np.zeros(256, int)
    for image, label in dataset.Crops([tiles], "val", 32):
        assert image.shape == (3, 32, 32) and label.shape == (32, 32)
        known = label != classes.IGNORE
        assert (image[0][known] == label[known] * 20).all()
        found += np.bincount(label.numpy().ravel(), minlength=256)
    expected = np.bincount(tiles.tiles[1].read(0, 0, size, size)[1].ravel(), minlength=256)
    assert (found[:11] == expected[:11]).all()


def test_training_crops_are_a_function_of_seed_and_epoch(tmp_path):
    tiles = [dataset.open_tiles(write_packed(tmp_path / "packed", (40, 128), ["train"] * 3))]

    def labels(**which):
        return [label for _, label in dataset.Crops(tiles, "train", 32, **which)]

    first = labels(seed=1, epoch=0)
    assert len(first) == 3 + 3 * 16  # a tile of 40 px holds one crop of 32, one of 128 px sixteen
    assert all(torch.equal(a, b) for a, b in zip(first, labels(seed=1, epoch=0)))
    for other in (labels(seed=2, epoch=0), labels(seed=1, epoch=1)):
        assert not all(torch.equal(a, b) for a, b in zip(first, other))


def test_training_crops_turn_image_and_label_together(tmp_path):
    tiles = dataset.open_tiles(write_packed(tmp_path / "packed", (32,), ["train"]))
    original = tiles.tiles[0].read(0, 0, 32, 32)[1]
    seen = set()
    for epoch in range(40):
        ((image, label),) = dataset.Crops([tiles], "train", 32, 0, epoch)
        # colour changes are slight, so brighter labels stay brighter
        assert np.corrcoef(image[0].ravel(), label.ravel())[0, 1] > 0.98
        variants = [np.rot90(original[:, ::flip], turns) for flip in (1, -1) for turns in range(4)]
        matching = [number for number, variant in enumerate(variants) if (variant == label.numpy()).all()]
        assert len(matching) == 1
        seen.add(matching[0])
    assert seen == set(range(8))


def test_tiles_smaller_than_the_crop_are_padded_unlabelled(tmp_path):
    tiles = dataset.open_tiles(write_packed(tmp_path / "packed", (20,), ["train"]))
    ((image, label),) = dataset.Crops([tiles], "train", 64, 0, 0)
    assert image.shape == (3, 64, 64) and (label != classes.IGNORE).sum() == 400


@pytest.mark.parametrize("damage", ["nothing", "index", "manifest", "empty", "key"])
def test_a_folder_that_is_no_data_set(built, tmp_path, damage):
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    manifest = folder / dataset.MANIFEST
    if damage == "nothing":
        (folder / dataset.INDEX).unlink()
    elif damage == "index":
        (folder / dataset.INDEX).write_text("{")
    elif damage == "manifest":
        manifest.unlink()
    elif damage == "empty":
        manifest.write_text(manifest.read_text().splitlines()[0])
    else:
        manifest.write_text(manifest.read_text().replace("split", "splat"))
    with pytest.raises(BackendError, match="not a data set" if damage == "nothing" else "is damaged|holds no tiles"):
        dataset.open_tiles(folder)


def test_a_truncated_array_is_damage(tmp_path):
    folder = write_packed(tmp_path / "packed")
    path = folder / "s40_label.npy"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BackendError, match="is damaged"):
        dataset.open_tiles(folder)


def test_a_tile_that_is_gone(built, tmp_path):
    shutil.copytree(built, tmp_path / "copy")
    for path in (tmp_path / "copy" / "label").iterdir():
        path.write_bytes(b"no raster")
    tiles = dataset.open_tiles(tmp_path / "copy")
    with pytest.raises(BackendError, match="cannot be read"):
        dataset.Crops([tiles], "train", 64)[0]
