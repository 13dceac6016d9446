"""The image tiles of the bundled weights: their cities, climates and held-out sites, and how they are packed.

DATA holds folders of tiles, each with `image/` and `label/` GeoTIFFs and, where there are, `label_fine/` and an
`index.csv`. It is packed once, so that a training machine needs no GDAL: for each group of tiles `NAME_image.npy`
(N, size, size, 3) uint8 RGB, `NAME_label.npy` and `NAME_fine.npy` (N, size, size) uint8 class indices, and
`NAME_lines.npy` (N, size, size) uint8 straight edges, all at 1 m; and `packed.json` with the splits.
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

from backend.datasets.layout import PACKED_INDEX, PIXEL_M
from backend.datasets.line_segments import draw_line_segments
from backend.datasets.pack import resized
from backend.geo import legend
from backend.protocol import BackendError, Reporter

TILE_GROUPS = ("naip", "rural", "usgs", "naip_wv", "naip_desert")
"""Folders of tiles."""
EMPHASIS = {"usgs": 4.0, "naip_wv": 2.0, "naip_desert": 0.25}
"""The factor on how often a group is drawn; without it a group is drawn in proportion to its pixels."""
CLIMATES = {
    "bishop": "arid",
    "palm_springs": "arid",
    "naip_desert": "arid",
    "chico": "semiarid",
    "claremont": "semiarid",
    "riverside": "semiarid",
    "long_beach": "coastal",
    "rural": "temperate",
    "naip_wv": "temperate",
}
"""The climate of a city or of a whole group; together with the year or the season it is the style of a tile."""
SEASONS = ("summer", "autumn")
"""The seasons that end the names of tiles of one site."""
HELD_OUT_PERCENT = 15


def site_of(row: dict[str, str]) -> str:
    """The site of a row of an index, which its years share; a tile without a site is a site of its own."""
    return row.get("site") or row["name"]


def held_out(site: str) -> bool:
    """Whether a site belongs to validation, by its name's checksum: the same on every machine."""
    return zlib.crc32(site.encode()) % 100 < HELD_OUT_PERCENT


def styles_of(row: dict[str, str], group: str) -> list[str]:
    """The climate, the year and the season of a tile, as far as they are known."""
    styles = CLIMATES.get(row.get("city") or group), row.get("year"), row.get("season")
    return [style for style in styles if style]


def _rows(folder: Path) -> list[dict[str, str]]:
    """The rows of a group's index; where it has none, the names of its images, with site and season."""
    if (folder / "index.csv").is_file():
        with open(folder / "index.csv", newline="") as file:
            return list(csv.DictReader(file))
    rows = []
    for name in sorted(path.stem for path in (folder / "image").glob("*.tif")):
        site, _, season = name.rpartition("_")
        rows.append({"name": name, "site": site, "season": season} if season in SEASONS else {"name": name})
    return rows


def _read(path: Path, resampling: Resampling) -> np.ndarray:
    """A raster's (bands, height, width) at PIXEL_M."""
    with rasterio.open(path) as source:
        return resized(source, source.transform.a / PIXEL_M, resampling)


def _read_fine(path: Path) -> np.ndarray:
    """(height, width) class indices at PIXEL_M by majority."""
    with rasterio.open(path) as source:
        return legend.majority_downsample(legend.to_index(source.read(1)), PIXEL_M / source.transform.a)


def _pack_tiles(source: Path, target: Path, name: str, report: Reporter) -> dict[str, Any]:
    """Write a group's arrays; returns its entry in `packed.json`."""
    folder, rows = source / name, _rows(source / name)
    arrays: dict[str, list[np.ndarray]] = {"image": [], "label": [], "fine": [], "lines": []}
    for number, row in enumerate(rows):
        file = f"{row['name']}.tif"
        image = _read(folder / "image" / file, Resampling.average).transpose(1, 2, 0)[..., :3]
        arrays["image"].append(image)
        arrays["lines"].append(draw_line_segments(image))
        arrays["label"].append(legend.to_index(_read(folder / "label" / file, Resampling.nearest)[0]))
        if (folder / "label_fine").is_dir():
            arrays["fine"].append(_read_fine(folder / "label_fine" / file))
        if number % 50 == 0:
            report.progress(number / len(rows), f"packing {name}")
    for kind, tiles in arrays.items():
        if tiles:
            np.save(target / f"{name}_{kind}.npy", np.stack(tiles))
    return {
        # the years and seasons of a site show the same ground: the split is the site's
        "split": ["val" if held_out(site_of(row)) else "train" for row in rows],
        "names": [row["name"] for row in rows],
        "styles": [styles_of(row, name) for row in rows],
        "emphasis": EMPHASIS.get(name, 1.0),
    }


def pack(source: Path, target: Path, report: Reporter) -> Path:
    """Pack those of DATA's groups of tiles that are there; returns the packed folder.

    Raises BackendError where DATA holds none of them.
    """
    groups = [name for name in TILE_GROUPS if (source / name / "image").is_dir()]
    if not groups:
        raise BackendError(
            f"{source} is no training data folder: it holds none of {', '.join(TILE_GROUPS)} with an image folder."
        )
    target.mkdir(parents=True, exist_ok=True)
    index = {"pixel_m": PIXEL_M, "tiles": {name: _pack_tiles(source, target, name, report) for name in groups}}
    (target / PACKED_INDEX).write_text(json.dumps(index))
    return target
