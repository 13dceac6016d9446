"""Offsets of labels: detected in metres, and none where there is none."""

import numpy as np
import pytest

from backend.datasets import image_label_pairs, label_offset
from backend.geo import legend
from tests.backend.rasters import write_raster

COLOURS = np.array([(40, 90, 40), (150, 140, 90), (110, 150, 80), (160, 90, 80)])
CODES = np.array([10, 40, 30, 50], np.uint8)


def ground(size, seed=0, cell=24):
    """(size, size) class indices 0 to 3 in rounded patches of no regular order."""
    rng = np.random.default_rng(seed)
    fields = rng.normal(size=(4, size // cell + 3, size // cell + 3))
    fine = fields.repeat(cell, 1).repeat(cell, 2)
    for axis in (1, 2):
        sums = np.cumsum(fine, axis=axis)
        fine = np.take(sums, range(cell, sums.shape[axis]), axis) - np.take(sums, range(sums.shape[axis] - cell), axis)
    return fine[:, :size, :size].argmax(0)


def pictured(indices, noise=25, seed=0):
    """(3, size, size) uint8 RGB of classes, with noise."""
    rng = np.random.default_rng(seed)
    image = COLOURS[indices] + rng.normal(0, noise, (*indices.shape, 3))
    return image.clip(0, 255).astype(np.uint8).transpose(2, 0, 1)


def written(folder, image, label, east=0.0, north=0.0, pixel=2.0, **options):
    """The paths of an image and of a label, shifted by these metres."""
    one = write_raster(folder / "image.tif", image, pixel=pixel, **options)
    place = dict(left=500_000 + east, top=4_000_000 + north, pixel=pixel)
    return [str(one)], [str(write_raster(folder / "label.tif", label[None], nodata=0, **place))]


def offset(images, labels):
    with image_label_pairs.open_pairs(images, labels, 32, image_label_pairs.PairReading(print)) as opened:
        return label_offset.estimate(opened)


@pytest.mark.parametrize("east, north", [(14, 0), (0, -6), (-30, 12), (-8, -26)])
@pytest.mark.parametrize("pixel", [2.0, 0.5])
def test_a_known_offset_is_found_in_metres(tmp_path, east, north, pixel):
    size = 480 if pixel == 2 else 1600
    indices = ground(size, cell=24 if pixel == 2 else 60)
    at = offset(*written(tmp_path, pictured(indices), CODES[indices], east, north, pixel))
    assert at.significant and at.confidence >= label_offset.SURE
    assert (at.east, at.north) == (pytest.approx(east, abs=1), pytest.approx(north, abs=1))


def test_an_offset_beyond_the_first_reach_is_found_in_coarser_pixels(tmp_path):
    indices = ground(900, cell=40)
    for east, north in ((60, -20), (-110, 90)):
        at = offset(*written(tmp_path, pictured(indices), CODES[indices], east, north))
        assert at.significant and (at.east, at.north) == (pytest.approx(east, abs=3), pytest.approx(north, abs=3))


def test_coarse_labels_are_placed_better_than_their_pixels(tmp_path):
    indices = ground(600)
    coarse = CODES[indices[2::5, 2::5]]
    label = write_raster(tmp_path / "l.tif", coarse[None], 500_015.0, 4_000_000.0, 10.0, nodata=0)
    at = offset(written(tmp_path, pictured(indices), CODES[indices])[0], [str(label)])
    assert at.significant and at.east == pytest.approx(15, abs=1.5) and at.north == pytest.approx(0, abs=1.5)


@pytest.mark.parametrize("seed", range(6))
def test_no_offset_where_there_is_none(tmp_path, seed):
    indices = ground(400, seed)
    at = offset(*written(tmp_path, pictured(indices, 60, seed), CODES[indices]))
    assert not at.significant and abs(at.east) < 1 and abs(at.north) < 1 and not label_offset.warning(at.to_json())


@pytest.mark.parametrize("seed", range(6))
def test_images_without_structure_and_labels_of_another_place_give_no_offset(tmp_path, seed):
    rng = np.random.default_rng(seed)
    label = CODES[ground(400, seed)]
    noise = rng.integers(90, 110, (3, 400, 400)).astype(np.uint8)
    flat = np.full((3, 400, 400), 100, np.uint8)
    for image in (noise, flat, pictured(ground(400, seed + 100), 25, seed)):
        assert not offset(*written(tmp_path, image, label)).significant


def test_windows_that_disagree_give_no_offset(tmp_path):
    """The labels of the northern half lie 16 m east, those of the southern half 16 m west: no CRS does that."""
    indices = ground(480)
    label = CODES[indices]
    label[:240], label[240:] = np.roll(label[:240], 8, axis=1), np.roll(label[240:], -8, axis=1)
    assert not offset(*written(tmp_path, pictured(indices), label)).significant


def test_an_offset_beyond_the_reach_is_not_guessed(tmp_path):
    indices = ground(480)
    at = offset(*written(tmp_path, pictured(indices), CODES[indices], east=300))
    assert not at.significant


def test_masked_pixels_do_not_count(tmp_path):
    indices = ground(480)
    image = np.maximum(pictured(indices), 1)
    image[:, :, :200] = 0
    at = offset(*written(tmp_path, image, CODES[indices], 12, 0, nodata=0))
    assert at.significant and at.east == pytest.approx(12, abs=1)


def test_too_few_windows_or_classes_give_nothing(tmp_path):
    indices = ground(480)
    images, labels = written(tmp_path, pictured(indices), np.full((480, 480), 10, np.uint8))
    assert offset(images, labels) is None, "a single class"
    with image_label_pairs.open_pairs([], labels, 32, image_label_pairs.PairReading(print)) as opened:
        assert label_offset.estimate(opened) is None, "labels alone"
    small = ground(60)
    assert offset(*written(tmp_path, pictured(small), CODES[small])) is None, "too few places"
    assert offset(*written(tmp_path, pictured(small[:36, :36]), CODES[small[:36, :36]])) is None, "too small"


def test_the_shift_scores_are_correlation_ratios():
    """Against sums over pixels, one shift after another."""
    indices, reach = ground(40, cell=8).astype(np.uint8), 4
    image = pictured(indices, 30)
    indices[5:9, 20:30] = legend.IGNORE
    mask = np.random.default_rng(0).random(indices.shape) > 0.1
    scores = label_offset.shift_scores(image, indices, mask, reach)
    features = label_offset._features(image)
    for down, right in ((0, 0), (3, -2), (-4, 4)):
        ratios = []
        moved = np.roll(indices, (-down, -right), (0, 1))[reach:-reach, reach:-reach]
        use = mask[reach:-reach, reach:-reach] & (moved != legend.IGNORE)
        for feature in features:
            values, groups = feature[reach:-reach, reach:-reach][use], moved[use]
            means = {group: values[groups == group].mean() for group in np.unique(groups)}
            explained = sum((groups == group).sum() * (means[group] - values.mean()) ** 2 for group in means)
            ratios.append(explained / ((values - values.mean()) ** 2).sum())
        assert scores[reach + down, reach + right] == pytest.approx(np.mean(ratios), abs=1e-6)
