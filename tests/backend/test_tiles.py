"""Packed tiles: crops of the right split and size, image and label turned alike."""

import numpy as np
import pytest

from backend.protocol import BackendError
from backend.tiles import PackedLandCover, PackedTiles, turned
from tests.backend import packed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return packed.write(tmp_path_factory.mktemp("packed"), {"naip": 153, "usgs": 76})


def test_the_eight_variants_differ_and_keep_the_shape():
    array = np.arange(9).reshape(1, 3, 3)
    variants = [turned(array, variant) for variant in range(8)]
    assert len({variant.tobytes() for variant in variants}) == 8
    assert all(variant.shape == array.shape for variant in variants)


def test_image_and_label_stay_together(folder):
    data, rng = PackedTiles(folder), np.random.default_rng(1)
    sizes = set()
    for _ in range(12):
        images, labels = data.batch(rng, 3, 128)
        sizes.add(images.shape[-1])
        for index, colour in packed.COLOURS.items():
            there = np.moveaxis(images, 1, -1)[labels == index]
            assert (np.abs(there.astype(int) - colour) < 12).all()
    assert sizes == {128, 72}, "a group of smaller tiles gives smaller crops, in multiples of 8"


def test_splits_share_no_tile(folder):
    train, val = (PackedTiles(folder, split).groups["naip"][2] for split in ("train", "val"))
    assert list(val) == [0]
    assert not set(train) & set(val)


def test_land_cover_crops_never_straddle_a_held_out_block(folder):
    rng = np.random.default_rng(0)
    for split, inside in (("train", False), ("val", True)):
        data = PackedLandCover(folder, split)
        for _ in range(60):
            name, variant, row, col = data.place(rng, 64, 4)
            held = turned(data.rasters[name][1], variant)[row : row + 64, col : col + 64]
            assert held.all() if inside else not held.any()
            assert row % 4 == col % 4 == 0
            assert data.crop((name, variant, row, col), 64).shape == (64, 64)


@pytest.mark.parametrize("kind", [PackedTiles, PackedLandCover])
def test_a_folder_without_an_index_is_named(tmp_path, kind):
    data = kind(tmp_path)
    with pytest.raises(BackendError, match=r"packed.json"):
        _ = data.groups if kind is PackedTiles else data.rasters
