"""Crops from every kind of source, and the ground that they share."""

import numpy as np
import pytest
from PIL import Image

from backend import jobs, protocol
from backend.geo import legend
from backend.jobs import builddataset
from backend.metrics.image_crops import ground_keys, open_crops
from backend.protocol import BackendError
from tests.backend.labelled_images import write_image_and_label
from tests.backend.packed_tiles import write_random_tiles
from tests.backend.rasters import read_raster, write_raster


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return write_image_and_label(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def built(pair, tmp_path_factory):
    output = str(tmp_path_factory.mktemp("built") / "dataset")
    builddataset.run(protocol.BuildDataset(pair[1:], output, pair[:1], tile_px=64), protocol.silent())
    return output


def test_a_raster_and_a_data_set_of_it_hold_the_same_crops(pair, built):
    raster, dataset = open_crops(pair[0], 64), open_crops(built, 64)
    assert raster.pixel_m == dataset.pixel_m == 1 and len(raster.crops) == 25
    ours, theirs = (dict(zip(own, one.crops)) for own, one in zip(ground_keys([raster, dataset]), (raster, dataset)))
    assert set(theirs) <= set(ours) and len(theirs) > 10
    for key, crop in theirs.items():
        image, label = crop.read()
        assert (image == ours[key].read()[0]).all() and (label != legend.IGNORE).all()
        assert (ours[key].read()[1] == legend.IGNORE).all()


def test_tiles_are_cut_into_smaller_crops_with_their_own_ground(built):
    large, parts = open_crops(built, 64), open_crops(built, 32)
    assert len(parts.crops) == 4 * len(large.crops)
    image = large.crops[0].read()[0]
    quarters = {one.corner: one.read()[0] for one in parts.crops}
    crs, left, top = large.crops[0].corner
    assert (quarters[crs, left + 32, top - 32] == image[32:, 32:]).all()


def test_ground_some_metres_off_is_the_same_and_further_off_is_not(pair, tmp_path):
    image = read_raster(pair[0])
    near = write_raster(tmp_path / "near.tif", image, left=500_002.0, top=4_000_003.0)
    far = write_raster(tmp_path / "far.tif", image, left=500_011.0)
    other = write_raster(tmp_path / "other.tif", image, crs="EPSG:32617")
    own, *rest = (set(crops) for crops in ground_keys([open_crops(path, 64) for path in (pair[0], near, far, other)]))
    assert [len(own & crops) for crops in rest] == [25, 0, 0]


def test_a_split_of_a_data_set_and_packed_tiles(built, tmp_path):
    counts = [len(open_crops(built, 64, split).crops) for split in ("all", "train", "val", "test")]
    assert counts[0] == sum(counts[1:]) and min(counts) > 0
    packed = open_crops(write_random_tiles(tmp_path / "packed", (64, 40), ("train", "val", "val")), 64, "val")
    assert len(packed.crops) == 2 and packed.crops[0].corner is None
    image, label = packed.crops[0].read()
    assert (image[..., 1] == label).all()


def test_a_folder_of_plain_images_goes_by_name(tmp_path):
    for name in ("one", "two"):
        Image.fromarray(np.full((64, 70, 3), 90, np.uint8)).save(tmp_path / f"{name}.png")
    crops = open_crops(tmp_path, 32)
    assert crops.pixel_m == 0 and len(crops.crops) == 8
    assert ground_keys([crops])[0][0] == "one 0 0" and (crops.crops[0].read()[0] == 90).all()


def test_crops_without_data_are_left_out_and_shared_ones_come_first(tmp_path):
    image = np.full((3, 64, 128), 50, np.uint8)
    image[:, :, :32] = 0
    crops = open_crops(write_raster(tmp_path / "a.tif", image), 32)
    (own,) = ground_keys([crops])
    drawn = [key for key, _ in crops.drawn(own, set(), 0)]
    assert len(drawn) == 6 and drawn == [key for key, _ in crops.drawn(own, set(), 0)]
    assert drawn != [key for key, _ in crops.drawn(own, set(), 1)]
    assert next(crops.drawn(own, {drawn[-1]}, 0))[0] == drawn[-1]


def test_bad_sources_are_said(pair, built, tmp_path):
    def refused(words, path, size_px=64, split="all"):
        with pytest.raises(BackendError, match=words):
            open_crops(path, size_px, split)

    (tmp_path / "empty").mkdir()
    labels = str(tmp_path / "labels")
    jobs.builddataset.run(protocol.BuildDataset((pair[1],), labels, tile_px=64), protocol.silent())
    packed = write_random_tiles(tmp_path / "packed", (40,))
    refused("does not exist", tmp_path / "none.tif")
    refused("neither a data set", tmp_path / "empty")
    refused("labels alone", labels)
    refused(r"64 x 64 pixels, smaller than the crops of 128.*crop size to 64", built, 128)
    refused(r"40 x 40 pixels, smaller than the crops of 64.*crop size to 32", packed)
    refused("'test' tile", packed, 32, "test")
    refused("an image needs red, green and blue", pair[1])
    mixed = tmp_path / "mixed"
    write_raster(mixed / "a.tif", np.ones((3, 64, 64), np.uint8))
    write_raster(mixed / "b.tif", np.ones((3, 64, 64), np.uint8), pixel=2.0)
    refused("different pixel sizes", mixed)
