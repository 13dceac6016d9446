"""Low-frequency noise: fields of one class differ in tone, as real ones do; a place keeps its tone in any extent."""

import numpy as np
import pytest

from backend import protocol
from backend.generation.image_generators import load_image_generator
from backend.geo import legend
from backend.models import controlnet
from backend.models.image_inputs import ImageInputs
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import RasterSource
from backend.tiling.regions import Everywhere
from backend.tiling.render import Output, render

CROPLAND = legend.CODES.tolist().index(40)


@pytest.fixture(scope="module")
def generator():
    return load_image_generator("controlnet")


def cropland_image(generator, box):
    """An image of cropland everywhere, (3, height, width) uint8."""
    landcover = RasterSource("cropland", lambda part: np.full((part.height, part.width), CROPLAND, np.uint8))
    image = np.zeros((3, box.height, box.width), np.uint8)

    def write(part, pixels):
        shared = part.intersection(box)
        image[(slice(None), *shared.slices_in(box))] = pixels[(slice(None), *shared.slices_in(part))]

    raster = generator.lazy_raster("EPSG:32615", 3, 2, ImageInputs(landcover))
    render([Output(raster, box, Everywhere(), 1.0, write)], "", protocol.silent())
    return image


def test_only_components_that_are_constant_over_a_patch_get_low_frequency_noise(generator):
    dc_share = generator.autoencoder.dc_share()
    assert dc_share.shape == (8,) and sorted(dc_share > 0.9) == [False] * 5 + [True] * 3, "brightness and two colours"
    box = Box(0, 0, 512, 512)
    initial = generator.noise("w", 1, box)
    blocks = initial.reshape(8, 32, 16, 32, 16).mean((2, 4))
    assert (blocks.std((1, 2))[dc_share > 0.9] > 1.2 * blocks.std((1, 2))[dc_share < 0.1].max()).all()
    part = Box(100, 200, 64, 96)
    assert np.array_equal(generator.noise("w", 1, part), initial[(slice(None), *part.slices_in(box))])


def test_fields_of_one_class_differ(generator, monkeypatch):
    box = Box(0, 0, 128, 896)

    def spread():
        return cropland_image(generator, box).reshape(3, 128, 7, 128).mean((1, 3)).std(1).mean()

    with_noise = spread()
    monkeypatch.setattr(controlnet, "LOW_FREQUENCY_STRENGTH", 0.0)
    assert with_noise > 1.5 * spread()


def test_a_place_keeps_its_tone_in_any_extent(generator):
    whole, part = Box(0, 0, 128, 512), Box(0, 256, 128, 128)
    image = cropland_image(generator, whole)
    assert np.array_equal(image[(slice(None), *part.slices_in(whole))], cropland_image(generator, part))
