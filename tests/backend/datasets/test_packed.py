"""Packed tiles: crops of the right split and size, image and label turned alike."""

import json

import numpy as np
import pytest

from backend.datasets.augment import dihedral
from backend.datasets.layout import write_stack
from backend.datasets.packed import PackedLandCover, PackedTiles
from backend.geo import legend
from backend.protocol import BackendError
from tests.backend.packed_tiles import COLOURS, write_styled_tiles


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_styled_tiles(tmp_path_factory.mktemp("packed"), {"naip": 153, "usgs": 76})


def test_image_and_label_stay_together(folder):
    data, rng = PackedTiles((folder,)), np.random.default_rng(1)
    sizes = set()
    for _ in range(20):
        images, labels, *_ = data.batch(rng, 3, 128)
        sizes.add(images.shape[-1])
        for index, colour in COLOURS.items():
            there = np.moveaxis(images, 1, -1)[labels == index]
            # no more than the noise of the tiles and the light that changes from crop to crop
            assert (np.abs(there.astype(int) - colour) < 12 + 0.35 * np.array(colour)).all()
    assert sizes == {128, 72}, "a group of smaller tiles gives smaller crops, in multiples of 8"


def test_a_batch_is_of_all_groups_whose_tiles_are_large_enough(tmp_path):
    folder = write_styled_tiles(tmp_path, {"naip": 153, "rural": 200, "usgs": 76})
    index = json.loads((folder / "packed.json").read_text())
    for name, entry in index["tiles"].items():
        entry["styles"] = [[name]] * len(entry["styles"])
    (folder / "packed.json").write_text(json.dumps(index))
    data, rng = PackedTiles((folder,)), np.random.default_rng(1)
    batches = [data.batch(rng, 16, 128) for _ in range(40)]
    met = {images.shape[-1]: {name for (name,) in styles} for images, _, _, styles in batches}
    assert met == {128: {"naip", "rural"}, 72: {"naip", "rural", "usgs"}}


def test_splits_share_no_tile(folder):
    train, val = (PackedTiles((folder,), split).groups["0_naip"].numbers for split in ("train", "val"))
    assert list(val) == [0]
    assert not set(train) & set(val)


def test_land_cover_crops_never_straddle_a_held_out_block(folder):
    rng = np.random.default_rng(0)
    for split, inside in (("train", False), ("val", True)):
        data = PackedLandCover((folder,), split)
        for _ in range(60):
            crop = data.random_crop(rng, 64, 4)
            held = dihedral(data.groups[crop.group].held_out[0], crop.variant)
            held = held[crop.row : crop.row + 64, crop.col : crop.col + 64]
            assert held.all() if inside else not held.any()
            assert crop.row % 4 == crop.col % 4 == 0
            assert data.read(crop, 64).shape == (64, 64)


@pytest.mark.parametrize("kind", [PackedTiles, PackedLandCover])
def test_a_folder_without_an_index_is_named(tmp_path, kind):
    data = kind((tmp_path,))
    with pytest.raises(BackendError, match=r"packed.json"):
        _ = data.groups


def tiles_of_land_cover(folder, arrays, split):
    write_stack(folder / "x_landcover.npy", len(arrays), iter(arrays))
    index = {"pixel_m": 10.0, "landcover": {"x": {"split": split}}}
    (folder / "packed.json").write_text(json.dumps(index))
    return folder


def test_land_cover_in_tiles(tmp_path):
    arrays = [np.full((70, 70), index, np.uint8) for index in range(4)]
    folder = tiles_of_land_cover(tmp_path, arrays, ["train", "val", "train", "test"])
    rng = np.random.default_rng(0)
    train, val = (PackedLandCover((folder,), split) for split in ("train", "val"))
    assert {train.random_crop(rng, 64).tile for _ in range(30)} == {0, 2}
    assert 3 not in {tile for _, tile, _ in train.tiles()}
    assert train.class_counts().tolist()[:4] == [4900, 0, 4900, 0] and train.crop_count(35) == 8
    assert val.class_counts()[1] == 4900 and val.has_crop(64)


def test_nodata_is_mostly_passed_over(tmp_path):
    rng = np.random.default_rng(0)
    known = rng.integers(0, 5, (64, 64), dtype=np.uint8)
    folder = tiles_of_land_cover(tmp_path, [known, np.where(known < 2, legend.IGNORE, known)], ["train", "train"])
    data = PackedLandCover((folder,))
    assert np.mean([data.random_crop(rng, 64).tile for _ in range(100)]) < 0.3


def test_emphasis_weighs_a_group(folder, tmp_path):
    import shutil

    shutil.copytree(folder, tmp_path / "copy")
    path = tmp_path / "copy" / "packed.json"
    index = json.loads(path.read_text())
    index["tiles"]["usgs"]["emphasis"] = 100.0
    path.write_text(json.dumps(index))
    rng = np.random.default_rng(0)
    for folders, least, most in (((folder,), 0.05, 0.4), ((path.parent,), 0.9, 1.0)):
        data = PackedTiles(folders)
        share = np.mean([data.random_group(rng) == "0_usgs" for _ in range(100)])
        assert least <= share <= most


@pytest.mark.parametrize("damage", ["missing", "truncated", "type", "size"])
def test_damaged_arrays_are_named(folder, tmp_path, damage):
    import shutil

    shutil.copytree(folder, tmp_path / "copy")
    path = tmp_path / "copy" / "usgs_label.npy"
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        label = np.load(path)
        np.save(path, label.astype(np.int32) if damage == "type" else label[:, 1:])
    with pytest.raises(BackendError, match="Pack them again"):
        _ = PackedTiles((tmp_path / "copy",)).groups


def test_values_that_are_no_class_are_named(tmp_path):
    folder = tiles_of_land_cover(tmp_path, [np.full((64, 64), 40, np.uint8)], ["train"])
    with pytest.raises(BackendError, match="hold the values 40, but class indices run from 0 to 10"):
        PackedLandCover((folder,)).class_counts()
