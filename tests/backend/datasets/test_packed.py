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


def packed_labels(folder, labels, styles=None, split=None, **arrays):
    """A packed group of labels (n, size, size) whose images show the label in all bands, with further arrays."""
    for kind, array in {"label": labels, "image": np.stack([labels * 20] * 3, -1), **arrays}.items():
        np.save(folder / f"x_{kind}.npy", array)
    entry = {"split": split or ["train"] * len(labels), "styles": styles or [[]] * len(labels)}
    (folder / "packed.json").write_text(json.dumps({"pixel_m": 1.0, "tiles": {"x": entry}}))
    return folder


def test_image_labels_and_lines_are_turned_together(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 8, (3, 70, 70), dtype=np.uint8)
    data = PackedTiles((packed_labels(tmp_path, labels, fine=10 - labels, lines=labels % 2),))
    for fine_share, class_balanced_share in ((0, 0), (0, 1), (1, 0), (1, 1)):
        batch = data.batch(rng, 8, 64, fine_share=fine_share, class_balanced_share=class_balanced_share)
        coarse = 10 - batch.labels if fine_share else batch.labels
        assert batch.images.shape == (8, 3, 64, 64) and batch.labels.shape == batch.lines.shape == (8, 64, 64)
        assert (batch.lines == coarse % 2).all()
        correlation = np.corrcoef(batch.images[:, 1].ravel(), coarse.ravel())[0, 1]
        assert correlation > 0.98, "the light of each crop changes, its pattern does not"


def test_some_crops_have_a_fine_label(tmp_path):
    labels = np.zeros((2, 64, 64), np.uint8)
    data, rng = PackedTiles((packed_labels(tmp_path, labels, fine=labels + 4),)), np.random.default_rng(0)
    fine = np.concatenate([data.batch(rng, 20, 64).labels[:, 0, 0] for _ in range(20)]) == 4
    assert 0.43 < fine.mean() < 0.57


def test_a_packed_folder_without_lines_and_fine_labels_has_no_lines(tmp_path):
    labels = np.ones((2, 64, 64), np.uint8)
    data = PackedTiles((packed_labels(tmp_path, labels),))
    batch = data.batch(np.random.default_rng(0), 4, 64, fine_share=1)
    assert (batch.labels == 1).all() and batch.lines.dtype == np.uint8 and not batch.lines.any()


def test_lines_of_another_shape_are_named(tmp_path):
    labels = np.ones((2, 64, 64), np.uint8)
    packed_labels(tmp_path, labels, lines=labels[1:])
    with pytest.raises(BackendError, match=r"x_lines .* Pack them again"):
        _ = PackedTiles((tmp_path,)).groups


@pytest.fixture
def lake(tmp_path):
    """Grass and houses in cells of 10 m, with one lake of 90 m in the first of 10 tiles and a pond in the second."""
    rng = np.random.default_rng(0)
    labels = rng.choice(np.array([2, 4], np.uint8), (10, 16, 16)).repeat(10, 1).repeat(10, 2)
    labels[0, 30:120, 40:130] = 7
    labels[1, 40:60, 40:60] = 7
    labels[9] = 0  # of another split
    labels[2, :8, :8] = 6  # far too few pixels for their share of the crops
    return PackedTiles((packed_labels(tmp_path, labels, split=["train"] * 9 + ["val"]),))


def drawn(data, class_balanced_share, count=600):
    rng = np.random.default_rng(2)
    labels = data.batch(rng, count, 64, class_balanced_share=class_balanced_share).labels
    return np.stack([(labels == index).mean((1, 2)) for index in range(legend.COUNT)], axis=1)


def test_classes_are_drawn_equally_often_and_half_of_them_nearly_pure(lake):
    by_class, by_pixels = drawn(lake, 1), drawn(lake, 0)
    assert not by_class[:, 0].any(), "no tile of the other split"
    assert (by_class[:, 7] > 0).mean() > 0.3 > 0.2 > (by_pixels[:, 7] > 0).mean()
    pure = (by_class[:, 7] >= 0.9).mean()
    assert 1 / 6 - 0.04 < pure < 1 / 3, "half of the third of water, and some more by chance"
    assert not (by_class[:, 2] >= 0.9).any(), "grass has no such place, and is drawn nevertheless"
    assert (by_class[:, 6] > 0).mean() < 0.08, "a class of a few pixels is not shown again and again"


def test_the_share_of_crops_drawn_by_class_is_kept(lake):
    water = [(drawn(lake, share)[:, 7] >= 0.9).mean() for share in (0, 0.6, 1)]
    assert water[1] == pytest.approx(0.4 * water[0] + 0.6 * water[2], abs=0.06)


def test_class_crops_of_small_tiles_keep_the_batch_of_one_size(folder):
    data, rng = PackedTiles((folder,)), np.random.default_rng(3)
    sizes = {data.batch(rng, 5, 128, 16, class_balanced_share=1).images.shape[-1] for _ in range(30)}
    assert sizes == {128, 64}


def test_tiles_without_a_known_class_are_drawn_by_pixels(tmp_path):
    data = PackedTiles((packed_labels(tmp_path, np.full((2, 64, 64), legend.IGNORE, np.uint8)),))
    assert (data.batch(np.random.default_rng(0), 3, 64, class_balanced_share=1).labels == legend.IGNORE).all()


def test_a_style_borrows_a_class_from_its_alternative_with_the_most_of_it(tmp_path):
    labels = np.zeros((5, 64, 64), np.uint8)
    labels[0, :20] = 7  # arid, 2018: some water
    labels[2, :40] = 7  # coastal, 2018: more
    labels[3, :30] = 4
    styles = [["arid", "2018"], ["temperate", "2018"], ["coastal", "2018"], ["coastal", "2020"], ["temperate", "2018"]]
    data = PackedTiles((packed_labels(tmp_path, labels, styles),))
    assert data.borrowed_styles(["2018", "2020", "arid", "coastal", "temperate"]) == {
        "2018": {50: "2020"},
        "2020": {80: "2018"},
        "arid": {50: "coastal"},
        "temperate": {50: "coastal", 80: "coastal"},
    }
    assert data.borrowed_styles(["arid", "2018"]) == {}, "a climate borrows from no year"


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
