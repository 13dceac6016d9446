"""Augmentation: image and label are turned together, crops lie within their tiles, colours change within bounds."""

import numpy as np
import pytest

from backend.datasets import augment
from backend.datasets.augment import color_jitter, dihedral
from backend.datasets.layout import ArrayTile


def test_the_eight_variants_differ_and_keep_the_shape():
    array = np.arange(9).reshape(1, 3, 3)
    variants = [dihedral(array, variant) for variant in range(8)]
    assert len({variant.tobytes() for variant in variants}) == 8
    assert all(variant.shape == array.shape for variant in variants)


def test_image_and_label_of_a_crop_are_turned_together():
    label = np.arange(48, dtype=np.uint8).reshape(6, 8)
    tile = ArrayTile("train", np.stack([label, label * 2, label * 3], axis=-1), label)
    for variant in range(8):
        image, classes = augment.read_crop(tile, (1, 2), 4, 5, variant)
        assert (classes == dihedral(label[1:5, 2:7], variant)).all()
        assert image.shape == (3, *classes.shape) and (image[1] == classes * 2).all()


@pytest.mark.parametrize("step_px", [1, 4])
def test_random_corners_reach_every_position_of_their_grid(step_px):
    rng = np.random.default_rng(0)
    corners = {augment.random_corner(rng, (12, 9), (4, 5), step_px) for _ in range(500)}
    assert corners == {(row, col) for row in range(0, 9, step_px) for col in range(0, 5, step_px)}


def test_an_index_is_drawn_by_its_weight():
    rng = np.random.default_rng(0)
    drawn = np.bincount([augment.weighted_index(rng, [1, 0, 3]) for _ in range(400)])
    assert drawn[1] == 0 and 0.65 < drawn[2] / 400 < 0.85


def test_colour_varies_as_in_one_vintage():
    grey = np.full((3, 8, 8), 120, np.uint8)
    rng = np.random.default_rng(0)
    found = np.array([color_jitter(grey, rng).mean(axis=(1, 2)) for _ in range(200)])
    assert found.min() > 100 and found.max() < 145 and found.std() > 3
    hue = found / found.mean(axis=1, keepdims=True)
    assert 0.003 < hue.std() < 0.02, "bands keep together"
    ramp = np.tile(np.arange(256, dtype=np.uint8), (3, 1, 1))
    assert (np.diff(color_jitter(ramp, rng).astype(int)) >= 0).all(), "brighter stays brighter"


def test_segmentation_sees_a_stronger_change_of_colour():
    grey = np.full((3, 8, 8), 120, np.uint8)
    rng = np.random.default_rng(0)
    means = np.array([augment.strong_color_jitter(grey, rng).mean(axis=(1, 2)) for _ in range(200)])
    mild = np.array([color_jitter(grey, rng).mean(axis=(1, 2)) for _ in range(200)])
    assert means.min() > 90 and means.max() < 150 and means.std() > 1.5 * mild.std()
