"""No seams: across the borders of windows what the bundled models make changes no more than beside them.

The bounds are four standard deviations of the ratio by chance: that of lattices that lie elsewhere, on the same
renderings (of images, on extents of twice the area). On smaller extents of land cover chance exceeds its bound.
"""

import numpy as np
import pytest

from backend.generation.image_generators import load_image_generator
from backend.geo import legend
from backend.models import base, spade
from backend.models import landcover as landcover_model
from backend.models.image_inputs import ImageInputs
from backend.models.landcover import LandCoverGenerator
from backend.protocol import GenerateScene, silent
from backend.tiling.lattice import Box, Lattice
from backend.tiling.regions import Everywhere
from backend.tiling.render import Output, render
from tests.backend.seams import borders, seam_ratio

WORLD, STEPS, PHASES = "EPSG:32618", GenerateScene.steps, (0, 1)
ROW, COL = -4_700_123, 376_057
PLACES = 2  # far from each other, of images


def rendered(field, region, channels):
    """A region of a field, (channels, height, width) uint8."""
    out = np.zeros((channels, region.height, region.width), np.uint8)

    def write(box, pixels):
        shared = box.intersection(region)
        pixels = pixels.reshape(channels, box.height, box.width)
        out[(slice(None), *shared.slices_in(region))] = pixels[(slice(None), *shared.slices_in(box))]

    render([Output(field, region, Everywhere(), 1.0, write)], "", silent())
    return out


def ratios(image, region, work, apart=1):
    """The ratio for the windows of each phase."""
    return [seam_ratio(image, region.row, region.col, work.lattice, phase, work.scale, apart) for phase in PHASES]


def landcover(style):
    return base.load(LandCoverGenerator, "landcover").lazy_raster(WORLD, 1, STEPS, styles=(style,))


def test_land_cover_has_no_seams():
    field, region = landcover("temperate"), Box(ROW // 10, COL // 10, 480, 480)  # 23 km2
    planes = legend.one_hot(rendered(field, region, 1)[0])
    apart = landcover_model.PATCH  # its windows begin where patches do
    assert ratios(planes[planes.any(axis=(1, 2))], region, field.op, apart) == pytest.approx([1, 1], abs=0.16)


@pytest.mark.parametrize(("generator", "side_m", "chance"), [("spade", 1120, 0.06), ("controlnet", 560, 0.1)])
def test_images_have_no_seams(generator, side_m, chance):
    inputs = ImageInputs(landcover("tropical"), 10)  # of small patches: towns differ more by chance
    field = load_image_generator(generator).lazy_raster(WORLD, 1, STEPS, inputs)
    apart = spade.COARSE if generator == "spade" else 1  # its windows begin where its coarsest cells do
    by_place = []
    for place in range(PLACES):
        region = Box(ROW + 5000 * place, COL, side_m, side_m)
        image = rendered(field, region, 3)
        assert image.std() > 10, "an image has contrast"
        by_place.append(ratios(image, region, field.op, apart))
    assert np.mean(by_place, axis=0) == pytest.approx([1, 1], abs=chance)


@pytest.mark.parametrize("lattice", [Lattice(8, 6), Lattice(9, 5)])
@pytest.mark.parametrize("phase", PHASES)
def test_the_measure_finds_a_seam_and_nothing_else(lattice, phase):
    """Noise of 1 has differences of 1.128 on average; windows that differ by 4 are a seam, patterns in cells none."""
    rng, size, scale = np.random.default_rng(0), 1200, 4
    plain = rng.normal(size=(2, size, size)) + np.tile([0, 9, 3, 1], size // scale)  # from column 0 of the world on
    row, col = -40_000, 12_000
    assert seam_ratio(plain, row, col, lattice, phase, scale) == pytest.approx(1, abs=0.01)
    begins = (np.arange(col, col + size) // scale - lattice.shift(phase)) // lattice.stride
    assert seam_ratio(plain + begins % 2 * 4, row, col, lattice, phase, scale) > 1.2
    assert seam_ratio(plain + begins % 2 * 4, row, col, lattice, phase + 1, scale) < 1.05


def test_borders_are_where_windows_begin_and_end():
    lattice, scale = Lattice(8, 6), 3
    for phase in PHASES:
        windows = [lattice.box(0, number, phase).scaled(scale) for number in range(-3, 9)]
        expected = {window.col for window in windows} | {window.right for window in windows}
        border, beside = borders(-5, 100, lattice, phase, scale)
        found = {int(place) - 4 for place in np.flatnonzero(border)}
        assert found == {place for place in expected if -5 < place < 95}
        assert {int(place) - 4 for place in np.flatnonzero(beside)} == {
            place + side for place in expected for side in (-scale, scale) if -5 < place + side < 95
        } - expected
