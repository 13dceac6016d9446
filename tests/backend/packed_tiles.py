"""Packed training folders of made-up tiles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backend.geo import legend

COLOURS = {0: (40, 90, 40), 2: (150, 170, 90), 4: (150, 150, 155), 7: (40, 60, 90)}
"""RGB by class index: green where trees stand, grey where built up."""


def write_styled_tiles(folder: Path, sizes: dict[str, int], count: int = 6, seed: int = 0, cells: int = 70) -> Path:
    """Groups of tiles with styles, `sizes` pixels wide, and a land cover map `cells` cells of 10 pixels high."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    index: dict = {"pixel_m": 1.0, "tiles": {}, "landcover": {}}
    for name, size in sizes.items():
        fields = rng.choice(list(COLOURS), size=(count, -(-size // 10), -(-size // 10)))
        labels = fields.repeat(10, 1).repeat(10, 2)[:, :size, :size].astype(np.uint8)
        images = np.zeros((*labels.shape, 3), np.uint8)
        for index_, colour in COLOURS.items():
            images[labels == index_] = colour
        images += rng.integers(0, 12, images.shape, dtype=np.uint8)
        np.save(folder / f"{name}_image.npy", images)
        np.save(folder / f"{name}_label.npy", labels)
        names = [f"{name}_{number}" for number in range(count)]
        split = ["val" if number == 0 else "train" for number in range(count)]
        index["tiles"][name] = {"split": split, "names": names, "styles": [["arid", "2020"]] * count}
    coarse = rng.choice(list(COLOURS), size=(cells, cells + 20))
    np.save(folder / "made_landcover.npy", coarse.repeat(10, 0).repeat(10, 1).astype(np.uint8))
    index["landcover"]["made"] = {"held_out_blocks": [[0, 0]], "block_px": cells * 5}
    (folder / "packed.json").write_text(json.dumps(index))
    return folder


def write_random_tiles(folder: Path, sizes: Sequence[int] = (40,), splits: Sequence[str] = ("train", "val")) -> Path:
    """Tiles of random classes whose images show the label: red is twenty times the class index."""
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


def write_split_tiles(
    folder: Path,
    train: int,
    synthetic: bool = False,
    codes: Sequence[int] = (0, 4, 7),
    pixel_m: float = 1.0,
    size: int = 32,
) -> str:
    """Tiles of fields, each class of its own colour: `train` to train on, then two of val and three of test."""
    folder.mkdir(parents=True)
    splits, rng = ["train"] * train + ["val"] * 2 + ["test"] * 3, np.random.default_rng(train)
    label = rng.choice(np.array(codes, np.uint8), (len(splits), size // 8, size // 8)).repeat(8, 1).repeat(8, 2)
    np.save(folder / "s_label.npy", label)
    np.save(folder / "s_image.npy", np.stack([label * 20, 255 - label * 20, label * 9], axis=-1))
    index = {"pixel_m": pixel_m, "synthetic": synthetic, "tiles": {"s": {"split": splits}}}
    (folder / "packed.json").write_text(json.dumps(index))
    return str(folder)
