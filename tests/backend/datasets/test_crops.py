"""Crops: every pixel once on the grid, geography true at random, and no border that gives small tiles away."""

import numpy as np
import pytest
import torch

from backend.datasets.crops import GridCrops, RandomCrops, epoch_tiles, grid_crops
from backend.datasets.reader import open_tiles, tiles_of
from backend.geo import legend
from tests.backend.packed_tiles import write_random_tiles


def packed(tmp_path, sizes, splits=("train",)):
    tmp_path.mkdir(exist_ok=True)
    return tiles_of([open_tiles(write_random_tiles(tmp_path / "packed", sizes, splits))], "train")


@pytest.mark.parametrize("size", [20, 32, 40, 64, 75])
def test_grid_crops_count_each_pixel_once(tmp_path, size):
    tiles = packed(tmp_path, [size])
    found = np.zeros(256, int)
    for image, label in GridCrops(tiles, 32):
        assert image.shape == (3, 32, 32) and label.shape == (32, 32)
        known = label != legend.IGNORE
        assert (image[0][known] == label[known] * 20).all()
        found += np.bincount(label.numpy().ravel(), minlength=256)
    expected = np.bincount(tiles[0].read(0, 0, size, size)[1].ravel(), minlength=256)
    assert (found[:11] == expected[:11]).all()


def test_grids_fit_their_tiles(tmp_path):
    tiles = packed(tmp_path, [20, 70, 80, 300])
    assert [(crops.crop_px, len(crops)) for crops in grid_crops(tiles, 128)] == [(32, 1), (64, 8), (128, 9)]


def test_random_crops_are_a_function_of_seed_and_epoch(tmp_path):
    tiles = packed(tmp_path, [20, 40, 128], ["train"] * 3)

    def all_of(seed, epoch):
        return [
            torch.cat([image, label[None]]) for image, label in RandomCrops(epoch_tiles([tiles], 32), 32, seed, epoch)
        ]

    first = all_of(1, 0)
    assert len(first) == 3 * (1 + 2 + 16)  # as many as the tiles' areas hold
    assert all(torch.equal(a, b) for a, b in zip(first, all_of(1, 0)))
    for other in (all_of(2, 0), all_of(1, 1)):
        assert not all(torch.equal(a, b) for a, b in zip(first, other))


def test_random_crops_turn_image_and_label_together(tmp_path):
    tiles = packed(tmp_path, [32])
    original = tiles[0].read(0, 0, 32, 32)[1]
    seen = set()
    for epoch in range(40):
        ((image, label),) = RandomCrops(tiles, 32, 0, epoch)
        # colour changes are slight, so brighter labels stay brighter
        assert np.corrcoef(image[0].ravel(), label.ravel())[0, 1] > 0.98
        variants = [np.rot90(original[:, ::flip], turns) for flip in (1, -1) for turns in range(4)]
        matching = [number for number, variant in enumerate(variants) if (variant == label.numpy()).all()]
        assert len(matching) == 1
        seen.add(matching[0])
    assert seen == set(range(8))


def test_small_tiles_lie_on_larger_ones(tmp_path):
    tiles = packed(tmp_path, [20, 64])
    for epoch in range(5):
        for image, label in RandomCrops(tiles, 64, 0, epoch):
            assert (label != legend.IGNORE).all()
            assert np.corrcoef(image[0].ravel(), label.ravel())[0, 1] > 0.9


def test_small_tiles_alone_are_padded_unlabelled(tmp_path):
    ((image, label),) = RandomCrops(packed(tmp_path, [20]), 64, 0, 0)
    assert image.shape == (3, 64, 64) and (label != legend.IGNORE).sum() == 400
    assert image[0, 20:40, 20:40].float().std() > 0


def test_a_mix_keeps_its_shares_and_the_length_of_an_epoch(tmp_path):
    few, many = (packed(tmp_path / name, [32], ["train"] * count) for name, count in (("few", 4), ("many", 20)))

    def drawn(*arguments, **options):
        return [id(tile) for tile in epoch_tiles([few, many], 32, *arguments, **options)]

    names = {name: [id(tile) for tile in tiles] for name, tiles in (("few", few), ("many", many))}
    assert drawn() == names["few"] + names["many"]
    half = drawn((50, 50), seed=1)
    assert [sum(tile in group for tile in half) for group in names.values()] == [12, 12]
    assert {half.count(tile) for tile in names["few"]} == {3}
    assert {half.count(tile) for tile in names["many"]} == {0, 1}
    assert half == drawn((50, 50), seed=1) != drawn((50, 50), seed=1, epoch=1)
    assert len(epoch_tiles([few, []], 32, (1, 1))) == 2, "an empty group gives nothing"


@pytest.mark.parametrize("count", [7, 10, 100])
def test_an_epoch_of_a_given_length(tmp_path, count):
    few, many = (packed(tmp_path / name, [32], ["train"] * size) for name, size in (("few", 4), ("many", 20)))

    def drawn(*mix, epoch=0):
        found = [id(tile) for tile in epoch_tiles([few, many], 32, mix, 1, epoch, count)]
        assert len(found) == count
        return [[tile for tile in found if tile in set(map(id, group))] for group in (few, many)]

    assert len(drawn()[0]) == round(count * 4 / 24), "without a mix, as large as they are"
    for mix in ((1, 2), (2, 1), (1, 1)):
        ours, _ = drawn(*mix)
        assert abs(len(ours) - count * mix[0] / sum(mix)) <= 0.5
        assert {ours.count(tile) for tile in ours} <= {len(ours) // 4, -(-len(ours) // 4)}, "each as often"
    assert drawn() != drawn(epoch=1)
