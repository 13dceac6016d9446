"""The data set of the study from the training data of the bundled weights: what those have not seen is tested on.

DATA's `naip/` and `rural/` become tiles of 153 m at 1 m. Years of one site show the same ground: one of them is used.
The sites that `weights.training_data` holds out are the test; some others choose the epoch.
"""

import csv
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rasterio
from affine import Affine
from rasterio.enums import Resampling

from backend.datasets import writer
from backend.datasets.pack import resized
from backend.datasets.spatial_split import Footprint, Split
from backend.geo import legend
from backend.protocol import Reporter, partial_path
from weights import training_data

GROUPS = ("naip", "rural")
SINGLE = "naip"
TILE_PX = 153
VAL_PERCENT = 12
ATTRIBUTION = "NAIP: USDA, public domain"


def is_training_data(data: Path) -> bool:
    """Whether a folder is laid out as the training data of the bundled weights."""
    return all((data / group / "index.csv").is_file() for group in GROUPS)


def split_of(site: str) -> Split:
    """The split of a site's tiles, on every machine the same."""
    if training_data.held_out(site):
        return "test"
    return "val" if zlib.crc32(f"{site} val".encode()) % 100 < VAL_PERCENT else "train"


def chosen(rows: list[dict[str, str]], share: float = 1.0) -> list[tuple[dict[str, str], Split]]:
    """The rows of an index that are used, with their splits; of the sites that are not tested on a share alone."""
    years: dict[str, list[str]] = {}
    for row in rows:
        years.setdefault(training_data.site_of(row), []).append(row["name"])
    found = []
    for row in rows:
        site = training_data.site_of(row)
        names = sorted(years[site])
        split = split_of(site)
        used = split == "test" or zlib.crc32(f"{site} used".encode()) % 100 < 100 * share
        if used and row["name"] == names[zlib.crc32(site.encode()) % len(names)]:
            found.append((row, split))
    return found


def _cut(data: Path, group: str, row: dict[str, str], split: Split, folder: Path) -> Iterator[writer.Entry]:
    """Write the tiles of a pair of rasters, side by side from its first pixel."""
    name, factor = row["name"], training_data.TILE_GROUPS[group]
    with rasterio.open(data / group / "label" / f"{name}.tif") as source:
        label, corner, crs = resized(source, factor, Resampling.nearest)[0], source.transform, source.crs
    with rasterio.open(data / group / "image" / f"{name}.tif") as source:
        image = resized(source, factor, Resampling.average)[:3]
    for top in range(0, label.shape[0] - TILE_PX + 1, TILE_PX):
        for left in range(0, label.shape[1] - TILE_PX + 1, TILE_PX):
            part = (..., slice(top, top + TILE_PX), slice(left, left + TILE_PX))
            place = (crs, Affine(1, 0, corner.c + left, 0, -1, corner.f - top), {"LANDFORGE_SYNTHETIC": "NO"})
            bounds = (corner.c + left, corner.f - top - TILE_PX, corner.c + left + TILE_PX, corner.f - top)
            tile = Footprint(f"{group}_{name}_{top}_{left}", str(crs), bounds, split)
            each = writer.entry(tile, legend.to_index(label[part]), styles=training_data.styles_of(row, group))
            writer.write_tile(folder / each.files["image"], image[part], *place)
            writer.write_tile(folder / each.files["label"], label[part][None], *place)
            yield each


def build(data: Path, output: Path, report: Reporter, share: float = 1.0) -> None:
    """Write the data set; it appears whole or not at all.

    `share` of the sites of single tiles that are not tested on are used: such a tile costs ControlNet several times
    what one among neighbours does.
    """
    partial, entries = partial_path(output), []
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was interrupted
    for group in GROUPS:
        with open(data / group / "index.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        rows = chosen(rows, share if group == SINGLE else 1.0)
        for number, (row, split) in enumerate(rows):
            entries += _cut(data, group, row, split, partial)
            report.progress(number / len(rows), f"cutting {group}")
    writer.write(partial, entries, index(data))
    output.parent.mkdir(parents=True, exist_ok=True)
    partial.replace(output)
    report.log("tiles: " + ", ".join(f"{count} {split}" for split, count in writer.counts(entries).items()))


def index(data: Path) -> dict[str, Any]:
    """What `dataset.json` says beside what all data sets say."""
    sources = [
        {"image": str(data / one / "image"), "label": str(data / one / "label"), "synthetic": False} for one in GROUPS
    ]
    return {
        "tile_px": TILE_PX,
        "stride_px": TILE_PX,
        "min_valid": 0.0,
        "pixel_m": 1.0,
        "seed": 0,
        "synthetic": False,
        "attribution": [ATTRIBUTION],
        "sources": sources,
        "offset_m": None,
    }
