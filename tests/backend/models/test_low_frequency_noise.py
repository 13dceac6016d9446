"""The tone of a place: fields of one class differ, as real ones do, and a place keeps its tone in any extent."""

import numpy as np
import pytest

from backend import protocol
from backend.generation import outputs
from backend.geo import legend
from backend.models import controlnet
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import RasterSource
from backend.tiling.regions import Everywhere
from backend.tiling.render import Output, render

CROPLAND = legend.CODES.tolist().index(40)


@pytest.fixture(scope="module")
def generator():
    return outputs.load_generator("controlnet", "")


def painted(generator, box):
    """Cropland everywhere: (3, height, width) uint8."""
    ground = RasterSource("cropland", lambda part: np.full((part.height, part.width), CROPLAND, np.uint8))
    found = np.zeros((3, box.height, box.width), np.uint8)

    def write(part, pixels):
        shared = part.intersection(box)
        found[(slice(None), *shared.slices_in(box))] = pixels[(slice(None), *shared.slices_in(part))]

    render([Output(generator.field("EPSG:32615", 3, 2, ground), box, Everywhere(), 1.0, write)], "", protocol.silent())
    return found


def test_even_components_alone_have_a_tone(generator):
    evenness = generator.autoencoder.evenness()
    assert evenness.shape == (8,) and sorted(evenness > 0.9) == [False] * 5 + [True] * 3, "brightness and two colours"
    box = Box(0, 0, 512, 512)
    drawn = generator.noise("w", 1, box)
    blocks = drawn.reshape(8, 32, 16, 32, 16).mean((2, 4))
    assert (blocks.std((1, 2))[evenness > 0.9] > 1.2 * blocks.std((1, 2))[evenness < 0.1].max()).all()
    part = Box(100, 200, 64, 96)
    assert np.array_equal(generator.noise("w", 1, part), drawn[(slice(None), *part.slices_in(box))])


def test_fields_of_one_class_differ(generator, monkeypatch):
    box = Box(0, 0, 128, 896)

    def spread():
        return painted(generator, box).reshape(3, 128, 7, 128).mean((1, 3)).std(1).mean()

    toned = spread()
    monkeypatch.setattr(controlnet, "TONE", 0.0)
    assert toned > 1.5 * spread()


def test_a_place_keeps_its_tone_in_any_extent(generator):
    whole, part = Box(0, 0, 128, 512), Box(0, 256, 128, 128)
    assert np.array_equal(painted(generator, whole)[(slice(None), *part.slices_in(whole))], painted(generator, part))
