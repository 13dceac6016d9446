"""Images with labels that a model learns in seconds: square fields of three classes, each of its own colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend import protocol
from backend.jobs import builddataset
from tests.backend.rasters import read_raster, write_raster

COLOURS = {10: (40, 120, 40), 50: (180, 60, 60), 80: (30, 50, 160)}
TINY_NETWORK = dict(encoder="tu-tf_efficientnet_lite0", encoder_depth=3, decoder_channels=(16, 16, 16))


def image_and_label(height: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(3, height, width) uint8 RGB with some noise, and (1, height, width) uint8 WorldCover codes."""
    rng = np.random.default_rng(seed)
    fields = rng.choice(list(COLOURS), (-(-height // 16), -(-width // 16)))
    label = np.kron(fields, np.ones((16, 16), int))[:height, :width]
    colour = np.zeros((256, 3))
    for code, rgb in COLOURS.items():
        colour[code] = rgb
    image = colour[label] + rng.normal(0, 12, (height, width, 3))
    return image.clip(0, 255).astype(np.uint8).transpose(2, 0, 1), label[None].astype(np.uint8)


def write_image_and_label(folder: Path, height: int = 320, width: int = 320, **grid: object) -> tuple[str, str]:
    """Write an image and its label as rasters; `grid` is passed on to `write_raster`. Returns their paths."""
    image, label = image_and_label(height, width)
    image_path = write_raster(folder / "image.tif", image, **grid)
    label_path = write_raster(folder / "label.tif", label, nodata=0, **grid)
    return str(image_path), str(label_path)


def write_dataset(folder: Path, tile_px: int = 64, style: str = "", **grid: object) -> str:
    """Build a data set of 25 tiles from an image and its label; returns its folder."""
    image, label = write_image_and_label(folder, **grid)
    output = str(folder / "dataset")
    job = protocol.BuildDataset((label,), output, (image,), tile_px=tile_px, style=style)
    builddataset.run(job, protocol.silent())
    return output


def read_tile(folder: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(height, width, 3) RGB and (height, width) codes of a data set's tile."""
    image, label = (read_raster(Path(folder) / kind / f"{name}.tif") for kind in ("image", "label"))
    return image.transpose(1, 2, 0), label[0]
