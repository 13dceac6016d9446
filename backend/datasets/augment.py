"""Random crops of tiles and their augmentation, for segmentation and for generators.

Turns and mirrorings keep the geography true: a town seen from above has no upright side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.datasets.layout import Tile


def dihedral(array: np.ndarray, variant: int) -> np.ndarray:
    """One of the 8 turns and mirrorings of the last two axes; variants 4 to 7 are mirrored."""
    return np.rot90(array[..., ::-1] if variant >= 4 else array, variant % 4, axes=(-2, -1))


def color_jitter(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change the light of (..., 3, h, w) uint8 RGB a little: gain and gamma, and a trace of gain for each band.

    For generators: no more than colours vary within one vintage of imagery, as they learn to draw what they are shown.
    """
    gamma, gain = np.exp(rng.uniform(-0.1, 0.1)), rng.uniform(0.94, 1.06) * rng.uniform(0.98, 1.02, 3)
    levels = np.clip(np.rint(255 * gain[:, None] * (np.arange(256) / 255) ** gamma), 0, 255).astype(np.uint8)
    # all levels are in range: "clip" saves the check of each pixel
    return np.stack([levels[band].take(image[..., band, :, :], mode="clip") for band in range(3)], axis=-3)


def strong_color_jitter(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast and each band's gain of (3, h, w) uint8 RGB.

    For segmentation: more than within one vintage, as a model must read images of other sensors and dates.
    """
    mean = image.mean()
    brightness, contrast, gain = rng.uniform(0.85, 1.15), rng.uniform(0.85, 1.15), rng.uniform(0.95, 1.05, 3)
    changed = ((image - mean) * contrast + mean * brightness) * gain[:, None, None]
    return np.clip(changed, 0, 255).astype(np.uint8)


def random_variant(rng: np.random.Generator) -> int:
    """A turn and mirroring for `dihedral`."""
    return int(rng.integers(8))


def random_corner(
    rng: np.random.Generator, shape: Sequence[int], crop: Sequence[int], step_px: int = 1
) -> tuple[int, int]:
    """Row and column of a random crop (height, width) within a shape (height, width), multiples of `step_px`."""
    row, col = (int(rng.integers((size - used) // step_px + 1)) * step_px for size, used in zip(shape, crop))
    return row, col


def weighted_index(rng: np.random.Generator, weights: Sequence[float] | np.ndarray) -> int:
    """An index drawn with probabilities in proportion to the weights."""
    shares = np.asarray(weights)
    return int(rng.choice(len(shares), p=shares / shares.sum()))


def read_crop(
    tile: Tile, corner: tuple[int, int], height: int, width: int, variant: int
) -> tuple[np.ndarray, np.ndarray]:
    """A crop of a tile, turned: (3, height, width) uint8 RGB and (height, width) uint8 class indices."""
    image, label = tile.read(*corner, height, width)
    return dihedral(np.moveaxis(image, -1, 0), variant), dihedral(label, variant)
