"""The training data of the bundled weights: its cities, climates and held-out sites, and how it is packed into arrays.

DATA holds `naip/`, `rural/` and `usgs/`, each with `image/` and `label/` GeoTIFFs and an `index.csv`, and `worldcover/`
with land cover rasters at 10 m. It is packed once, so that a training machine needs no GDAL: for each group of tiles
`NAME_image.npy` (N, size, size, 3) uint8 RGB and `NAME_label.npy` (N, size, size) uint8 class indices at 1 m, for each
land cover raster `NAME_landcover.npy` (height, width) uint8 class indices, and `packed.json` with the splits.
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

from backend.datasets.layout import PACKED_INDEX
from backend.datasets.pack import resized
from backend.geo import legend
from backend.protocol import BackendError, Reporter

TILE_GROUPS = {"naip": 0.6, "rural": 1.0, "usgs": 0.6}
"""Folders of tiles and their GSD in metres."""
EMPHASIS = {"usgs": 4.0}
"""The factor on how often a group is drawn; without it a group is drawn in proportion to its pixels."""
CLIMATES = {
    "bishop": "arid",
    "palm_springs": "arid",
    "chico": "inland",
    "claremont": "inland",
    "riverside": "inland",
    "long_beach": "coastal",
    "rural": "humid",
}
"""The climate of a city or of a whole group; together with the year it is the style of a tile."""
HELD_OUT_PERCENT = 15
BLOCK_PX = 512


def site_of(row: dict[str, str]) -> str:
    """The site of a row of an index, which its years share; a tile without a site is a site of its own."""
    return row.get("site") or row["name"]


def held_out(site: str) -> bool:
    """Whether a site belongs to validation, by its name's checksum: the same on every machine."""
    return zlib.crc32(site.encode()) % 100 < HELD_OUT_PERCENT


def styles_of(row: dict[str, str], group: str) -> list[str]:
    """The climate and the year of a tile, as far as they are known."""
    return [style for style in (CLIMATES.get(row.get("city") or group), row.get("year")) if style]


def _read(path: Path, factor: float, resampling: Resampling) -> np.ndarray:
    with rasterio.open(path) as source:
        return resized(source, factor, resampling)


def _pack_tiles(source: Path, target: Path, name: str, pixel_m: float, report: Reporter) -> dict[str, Any]:
    """Write a group's arrays; returns its entry in `packed.json`."""
    with open(source / name / "index.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    images, labels, split = [], [], []
    for number, row in enumerate(rows):
        image = source / name / "image" / f"{row['name']}.tif"
        images.append(_read(image, pixel_m, Resampling.average).transpose(1, 2, 0)[..., :3])
        label = _read(source / name / "label" / image.name, pixel_m, Resampling.nearest)[0]
        labels.append(legend.to_index(label))
        # the years of a site show the same ground: the split is the site's
        split.append("val" if held_out(site_of(row)) else "train")
        if number % 50 == 0:
            report.progress(number / len(rows), f"packing {name}")
    np.save(target / f"{name}_image.npy", np.stack(images))
    np.save(target / f"{name}_label.npy", np.stack(labels))
    return {
        "split": split,
        "names": [row["name"] for row in rows],
        "styles": [styles_of(row, name) for row in rows],
        "emphasis": EMPHASIS.get(name, 1.0),
    }


def _pack_landcover(path: Path, target: Path) -> dict[str, Any]:
    """Write a land cover raster's array; returns its entry in `packed.json`."""
    with rasterio.open(path) as source:
        indices = legend.to_index(source.read(1))
    np.save(target / f"{path.stem}_landcover.npy", indices)
    blocks = [
        [row, col]
        for row in range(0, indices.shape[0] - BLOCK_PX + 1, BLOCK_PX)
        for col in range(0, indices.shape[1] - BLOCK_PX + 1, BLOCK_PX)
        if held_out(f"{path.stem}_{row}_{col}")
    ]
    return {"held_out_blocks": blocks, "block_px": BLOCK_PX}


def pack(source: Path, target: Path, report: Reporter) -> Path:
    """Pack those of DATA's groups and land cover rasters that are there; returns the packed folder.

    Raises BackendError where DATA holds none of them.
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
    (target / PACKED_INDEX).write_text(json.dumps(index))
    return target
