"""The data set of the study from the training data of the bundled weights, tested on their held-out sites.

The rasters in `naip/` and `rural/` become tiles of 153 m at 1 m. Years of one site show the same ground, so only one of
them is used. The sites that `weights.image_data` holds out are the test split; some others are the val split.
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
from weights import image_data

GROUPS = ("naip", "rural")
SINGLE_TILES = "naip"  # the group whose rasters hold a single tile each
TILE_PX = 153
VAL_PERCENT = 12  # of the sites that are not held out
ATTRIBUTION = "NAIP: USDA, public domain"


def is_training_data(data: Path) -> bool:
    """Whether a folder is laid out as the training data of the bundled weights."""
    return all((data / group / "index.csv").is_file() for group in GROUPS)


def split_of(site: str) -> Split:
    """The split of a site's tiles; it depends on the site's name only."""
    if image_data.held_out(site):
        return "test"
    return "val" if zlib.crc32(f"{site} val".encode()) % 100 < VAL_PERCENT else "train"


def select_rows(rows: list[dict[str, str]], share: float = 1.0) -> list[tuple[dict[str, str], Split]]:
    """One row of an index for each used site, with its split: all test sites, and a share of the others."""
    years: dict[str, list[str]] = {}
    for row in rows:
        years.setdefault(image_data.site_of(row), []).append(row["name"])
    selected = []
    for row in rows:
        site = image_data.site_of(row)
        names = sorted(years[site])
        split = split_of(site)
        used = split == "test" or zlib.crc32(f"{site} used".encode()) % 100 < 100 * share
        if used and row["name"] == names[zlib.crc32(site.encode()) % len(names)]:
            selected.append((row, split))
    return selected


def _write_tiles(data: Path, group: str, row: dict[str, str], split: Split, folder: Path) -> Iterator[writer.Entry]:
    """Write the tiles of an image and its label, side by side from the first pixel; yields their entries."""
    name = row["name"]
    with rasterio.open(data / group / "label" / f"{name}.tif") as source:
        factor = source.transform.a / image_data.PIXEL_M
        label, corner, crs = resized(source, factor, Resampling.nearest)[0], source.transform, source.crs
    with rasterio.open(data / group / "image" / f"{name}.tif") as source:
        image = resized(source, factor, Resampling.average)[:3]
    for top in range(0, label.shape[0] - TILE_PX + 1, TILE_PX):
        for left in range(0, label.shape[1] - TILE_PX + 1, TILE_PX):
            window = (..., slice(top, top + TILE_PX), slice(left, left + TILE_PX))
            georeference = (crs, Affine(1, 0, corner.c + left, 0, -1, corner.f - top), {"LANDFORGE_SYNTHETIC": "NO"})
            bounds = (corner.c + left, corner.f - top - TILE_PX, corner.c + left + TILE_PX, corner.f - top)
            tile = Footprint(f"{group}_{name}_{top}_{left}", str(crs), bounds, split)
            entry = writer.entry(tile, legend.to_index(label[window]), styles=image_data.styles_of(row, group))
            writer.write_tile(folder / entry.files["image"], image[window], *georeference)
            writer.write_tile(folder / entry.files["label"], label[window][None], *georeference)
            yield entry


def build(data: Path, output: Path, report: Reporter, share: float = 1.0) -> None:
    """Write the data set; its folder appears when it is complete.

    `share` of the training and val sites of SINGLE_TILES are used: ControlNet generates a single tile at several times
    the cost of one among neighbours.
    """
    partial, entries = partial_path(output), []
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was interrupted
    for group in GROUPS:
        with open(data / group / "index.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        selected = select_rows(rows, share if group == SINGLE_TILES else 1.0)
        for number, (row, split) in enumerate(selected):
            entries += _write_tiles(data, group, row, split, partial)
            report.progress(number / len(selected), f"cutting {group}")
    writer.write(partial, entries, index(data))
    output.parent.mkdir(parents=True, exist_ok=True)
    partial.replace(output)
    counts = writer.counts(entry.tile.split for entry in entries)
    report.log("tiles: " + ", ".join(f"{count} {split}" for split, count in counts.items()))


def index(data: Path) -> dict[str, Any]:
    """The entries of `dataset.json` that differ between data sets."""
    sources = [
        {"image": str(data / group / "image"), "label": str(data / group / "label"), "synthetic": False}
        for group in GROUPS
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
