"""Known pixels: an RGB raster on the image's own grid, whose masked pixels are generated."""

import numpy as np
import pytest

from backend.geo import grid
from backend.protocol import BackendError, Extent
from backend.tiling.known_input import open_known
from backend.tiling.lattice import Box
from tests.backend.rasters import write_raster

LEFT, TOP = 376_000, 4_700_500
IMAGE_GRID = grid.geobox(Extent(LEFT, TOP - 40, LEFT + 60, TOP, "EPSG:32618"), 1.0)


def rgb(height=30, width=50):
    """(3, height, width) uint8 with an unknown square, 0 in all bands."""
    pixels = np.full((3, height, width), 90, np.uint8)
    pixels[:, 5:15, 10:20] = 0
    return pixels


def test_valid_pixels_are_known_and_masked_ones_are_not(tmp_path):
    path = write_raster(tmp_path / "image.tif", rgb(), LEFT + 4, TOP - 3, 1.0, nodata=0)
    with open_known(str(path), IMAGE_GRID, print) as source:
        row, col = grid.world_offset(IMAGE_GRID)
        pixels = source.read(Box(row - 5, col - 5, 50, 80))
    assert pixels.shape == (4, 50, 80) and pixels.dtype == np.uint8
    known = pixels[3] == 255
    assert known.sum() == 30 * 50 - 100 and known[8, 9] and not known[7, 9] and not known[8, 8]
    assert not known[13:23, 19:29].any()
    assert (pixels[:3, known] == 90).all() and not pixels[:3, ~known].any()


def test_no_path_is_no_source():
    with open_known("", IMAGE_GRID, print) as source:
        assert source is None


@pytest.mark.parametrize(
    ("pixels", "place", "fields", "message"),
    [
        (rgb(), (LEFT + 0.5, TOP, 1.0), {}, "lies on another grid than the new image, which has pixels of 1 m"),
        (rgb(), (LEFT, TOP, 0.6), {}, "lies on another grid"),
        (rgb(), (LEFT, TOP, 1.0), {"crs": "EPSG:32617"}, "lies on another grid"),
        (rgb()[:1], (LEFT, TOP, 1.0), {}, "has 1 band.s., but an image needs red, green and blue"),
        (rgb(), (LEFT + 9000, TOP, 1.0), {}, "does not reach into the extent"),
    ],
)
def test_rasters_that_cannot_be_continued_are_refused(tmp_path, pixels, place, fields, message):
    path = write_raster(tmp_path / "image.tif", pixels, *place, **fields)
    with pytest.raises(BackendError, match=message), open_known(str(path), IMAGE_GRID, print):
        pass
