"""A small packed training folder of made-up tiles: green where trees stand, grey where built up."""

import json
from pathlib import Path

import numpy as np

COLOURS = {0: (40, 90, 40), 2: (150, 170, 90), 4: (150, 150, 155), 7: (40, 60, 90)}


def write(folder: Path, sizes: dict[str, int], count: int = 6, seed: int = 0, cells: int = 70) -> Path:
    """Groups of tiles of these sizes in pixels, and one land cover map of so many cells of 10 pixels a side."""
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
