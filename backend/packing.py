"""The training data folder packed once into plain arrays, so that a training machine needs no GDAL.

A packed folder holds, for each group of tiles of one size, `NAME_image.npy` (N, size, size, 3) uint8 RGB and
`NAME_label.npy` (N, size, size) uint8 class indices (IGNORE where unknown), all at 1 m; for each land cover
raster `NAME_landcover.npy` (height, width) uint8 class indices at 10 m; and `packed.json`, which says which
tiles and which blocks training must not see.
"""

from __future__ import annotations

import csv
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling

from backend import classes
from backend.protocol import BackendError, Reporter
from backend.tiles import INDEX

TILE_GROUPS = {"naip": 0.6, "rural": 1.0, "usgs": 0.6}
"""Folders of tiles and their GSD in metres; each has `image/`, `label/` and `index.csv`."""
HELD_OUT_PERCENT = 15
BLOCK_PX = 512


def _held_out(site: str) -> bool:
    """Whether a site belongs to validation: by its name's checksum, so the same on every machine."""
    return zlib.crc32(site.encode()) % 100 < HELD_OUT_PERCENT


def _read(path: Path, factor: float, resampling: Resampling) -> np.ndarray:
    with rasterio.open(path) as source:
        size = (int(source.height * factor), int(source.width * factor))
        # the whole pixels of 1 m that the tile covers: its last fraction of a metre is left out
        window = rasterio.windows.Window(0, 0, size[1] / factor, size[0] / factor)
        return source.read(window=window, out_shape=(source.count, *size), resampling=resampling)


def _pack_tiles(source: Path, target: Path, name: str, pixel_m: float, report: Reporter) -> dict[str, Any]:
    with open(source / name / "index.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    images, labels, split = [], [], []
    for number, row in enumerate(rows):
        image = source / name / "image" / f"{row['name']}.tif"
        images.append(_read(image, pixel_m, Resampling.average).transpose(1, 2, 0)[..., :3])
        label = _read(source / name / "label" / image.name, pixel_m, Resampling.nearest)[0]
        labels.append(classes.to_index(label))
        # different years of one site show the same ground, so the site decides, not the tile
        split.append("val" if _held_out(row.get("site") or row["name"]) else "train")
        if number % 50 == 0:
            report.progress(number / len(rows), f"packing {name}")
    np.save(target / f"{name}_image.npy", np.stack(images))
    np.save(target / f"{name}_label.npy", np.stack(labels))
    groups = [row.get("city") or row.get("scene") or "" for row in rows]
    years = [row.get("year", "") for row in rows]
    return {
        "split": split,
        "names": [row["name"] for row in rows],
        "places": groups,
        "years": years,
    }


def _pack_landcover(path: Path, target: Path) -> dict[str, Any]:
    with rasterio.open(path) as source:
        indices = classes.to_index(source.read(1))
    np.save(target / f"{path.stem}_landcover.npy", indices)
    held = [
        [row, col]
        for row in range(0, indices.shape[0] - BLOCK_PX + 1, BLOCK_PX)
        for col in range(0, indices.shape[1] - BLOCK_PX + 1, BLOCK_PX)
        if _held_out(f"{path.stem}_{row}_{col}")
    ]
    return {"held_out_blocks": held, "block_px": BLOCK_PX}


def pack(source: Path, target: Path, report: Reporter) -> Path:
    """Pack a data folder (`naip/`, `rural/`, `usgs/`, `worldcover/`, those that are there) into arrays.

    Returns the packed folder. Raises BackendError where the data folder holds none of them.
    """
    groups = [name for name in TILE_GROUPS if (source / name / "index.csv").is_file()]
    maps = sorted((source / "worldcover").glob("*.tif"))
    if not groups and not maps:
        raise BackendError(
            f"{source} is no training data folder: it holds none of {', '.join(TILE_GROUPS)} with an index.csv, and no "
            "worldcover/*.tif."
        )
    target.mkdir(parents=True, exist_ok=True)
    index = {
        "pixel_m": 1.0,
        "tiles": {name: _pack_tiles(source, target, name, TILE_GROUPS[name], report) for name in groups},
        "landcover": {path.stem: _pack_landcover(path, target) for path in maps},
    }
    (target / INDEX).write_text(json.dumps(index))
    return target
