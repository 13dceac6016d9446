"""A little world that a model can learn in seconds: square fields of three classes, each of its own colour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio

from backend import protocol
from backend.geo import legend
from backend.jobs import builddataset
from tests.backend import scenes

COLOURS = {10: (40, 120, 40), 50: (180, 60, 60), 80: (30, 50, 160)}
TINY = dict(encoder="tu-tf_efficientnet_lite0", encoder_depth=3, decoder_channels=(16, 16, 16))


def world(height: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(3, height, width) uint8 RGB with some noise, and (1, height, width) uint8 WorldCover codes."""
    rng = np.random.default_rng(seed)
    fields = rng.choice(list(COLOURS), (-(-height // 16), -(-width // 16)))
    label = np.kron(fields, np.ones((16, 16), int))[:height, :width]
    colour = np.zeros((256, 3))
    for code, rgb in COLOURS.items():
        colour[code] = rgb
    image = colour[label] + rng.normal(0, 12, (height, width, 3))
    return image.clip(0, 255).astype(np.uint8).transpose(2, 0, 1), label[None].astype(np.uint8)


def write_pair(folder: Path, height: int = 320, width: int = 320, **place: object) -> tuple[str, str]:
    """The world as an image and a label raster; their paths."""
    image, label = world(height, width)
    pair = scenes.write_raster(folder / "image.tif", image, **place), folder / "label.tif"
    scenes.write_raster(folder / "label.tif", label, nodata=0, **place)
    return str(pair[0]), str(pair[1])


def write_dataset(folder: Path, tile_px: int = 64, style: str = "", **place: object) -> str:
    """The world as a data set of 25 tiles."""
    image, label = write_pair(folder, **place)
    output = str(folder / "dataset")
    job = protocol.BuildDataset((label,), output, (image,), tile_px=tile_px, style=style)
    builddataset.run(job, protocol.silent())
    return output


def write_packed(folder: Path, sizes: Sequence[int] = (40,), splits: Sequence[str] = ("train", "val")) -> Path:
    """Packed tiles of random classes whose images say the label: red is twenty times the class index."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    tiles = {}
    for size in sizes:
        label = rng.integers(0, legend.COUNT, (len(splits), size, size), dtype=np.uint8)
        np.save(folder / f"s{size}_label.npy", label)
        np.save(folder / f"s{size}_image.npy", np.stack([label * 20, label, label], axis=-1))
        tiles[f"s{size}"] = {"split": list(splits)}
    (folder / "packed.json").write_text(json.dumps({"pixel_m": 1.0, "tiles": tiles}))
    return folder


def read_raster(path: Path) -> np.ndarray:
    """(bands, height, width) of a raster."""
    with rasterio.open(path) as source:
        return source.read()


def dataset_tile(folder: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(height, width, 3) RGB and (height, width) codes of a data set's tile."""
    image, label = (read_raster(Path(folder) / kind / f"{name}.tif") for kind in ("image", "label"))
    return image.transpose(1, 2, 0), label[0]
