"""Small rasters as layers: images of one colour and land cover maps of patches."""

import numpy as np
from qgis.core import QgsRasterLayer

from tests.processing_provider.rasters import CODES, write_raster

SYNTHETIC_TAGS = {"LANDFORGE_SYNTHETIC": "YES", "LANDFORGE_MODEL": "spade", "LANDFORGE_SEED": "7"}


def image_layer(folder, name, colour, tags=None, size=400):
    """An image of one colour with some texture and 1 m pixels."""
    noise = np.random.default_rng(sum(colour)).integers(-20, 20, (1, size, size))
    pixels = np.clip(np.array(colour)[:, None, None] + noise, 0, 255).astype(np.uint8)
    return QgsRasterLayer(write_raster(folder / f"{name}.tif", pixels, pixel=1.0, tags=tags), name)


def landcover_layer(folder, name, seed, tags=None):
    """A land cover map of random patches of 5 x 5 pixels."""
    codes = np.random.default_rng(seed).choice(CODES, (8, 8)).repeat(5, 0).repeat(5, 1)
    return QgsRasterLayer(write_raster(folder / f"{name}.tif", codes[None], tags=tags), name)
