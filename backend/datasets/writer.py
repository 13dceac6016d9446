"""What a data set folder holds on disk, as it is written: tiles, their manifest and the same as STAC items."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import rasterio
import shapely
from affine import Affine
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds

from backend.datasets import layout
from backend.datasets.captions import described
from backend.datasets.spatial_split import SPLITS, Footprint
from backend.geo import legend
from backend.protocol import BackendError

PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"


@dataclass(frozen=True)
class Entry:
    """A tile as the manifest tells it: its place, its share of valid pixels, of these the classes' shares (COUNT).

    `styles` are the words for its look.
    """

    tile: Footprint
    valid: float
    shares: tuple[float, ...]
    description: str
    has_image: bool = True
    styles: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, str]:
        """Its files by what they are, relative to the data set's folder."""
        return {name: f"{name}/{self.tile.name}.tif" for name in (("image", "label") if self.has_image else ("label",))}


def entry(tile: Footprint, indices: np.ndarray, has_image: bool = True, styles: Sequence[str] = ()) -> Entry:
    """The entry of a tile whose label has these class indices, (height, width) uint8; IGNORE is not valid."""
    known = indices[indices != legend.IGNORE]
    counts = np.bincount(known, minlength=legend.COUNT)
    shares = (counts / max(len(known), 1)).tolist()
    return Entry(tile, len(known) / indices.size, tuple(shares), described(indices), has_image, tuple(styles))


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """A full or missing disk as a BackendError."""
    try:
        yield
    except (OSError, RasterioError) as error:
        raise BackendError(f"Cannot write to {folder}: {error}. Check the space on its disk.") from error


def write_tile(path: Path, data: np.ndarray, crs: Any, transform: Affine, tags: Mapping[str, str]) -> None:
    """Write (bands, height, width) uint8 as a GeoTIFF; one band is a label and gets the palette."""
    profile = {"driver": "GTiff", "dtype": "uint8", "compress": "deflate", "count": len(data)}
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        size = {"height": data.shape[1], "width": data.shape[2]}
        with rasterio.open(path, "w", crs=crs, transform=transform, **size, **profile) as target:
            if len(data) == 1:
                target.nodata = legend.NODATA
                target.write_colormap(1, {code: (*legend.rgb(code), 255) for code in legend.LEGEND})
            target.update_tags(**tags)
            target.write(data)


def counts(entries: Sequence[Entry]) -> dict[str, int]:
    """How many tiles each split has."""
    return {split: sum(each.tile.split == split for each in entries) for split in SPLITS}


def write(folder: Path, entries: Sequence[Entry], index: Mapping[str, Any]) -> None:
    """Write `manifest.csv`, `items.json` and, last, `dataset.json`: the index with what all data sets say."""
    common = {
        "landforge": "dataset",
        "counts": counts(entries),
        "legend": {str(code): name for code, (name, _) in legend.LEGEND.items()},
    }
    with disk_errors(folder):
        _write_manifest(folder / layout.MANIFEST, entries)
        items = _items(entries, bool(index["synthetic"]))
        (folder / layout.ITEMS).write_text(json.dumps(items), encoding="utf-8")
        text = json.dumps({**common, **index}, indent=1) + "\n"
        (folder / layout.INDEX).write_text(text, encoding="utf-8")


def _write_manifest(path: Path, entries: Sequence[Entry]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(layout.COLUMNS)
        for each in entries:
            files = [each.files.get("image", ""), each.files["label"]]
            shares = [round(value, 4) for value in (each.valid, *each.shares)]
            tile = each.tile
            place = [tile.split, tile.crs, *tile.bounds]
            writer.writerow([tile.name, *files, *place, *shares, each.description, ", ".join(each.styles)])


def read(folder: Path) -> tuple[dict[str, Any], list[Entry]]:
    """The index and the entries of a data set folder; errors as `dataset.damage` says them."""
    index, rows = layout.read_manifest(folder)
    found = []
    for row in rows:
        left, bottom, right, top = (float(row[key]) for key in layout.BOUNDS)
        if row["split"] not in SPLITS:
            raise ValueError(f"there is no split {row['split']!r}")
        tile = Footprint(row["name"], row["crs"], (left, bottom, right, top), row["split"])
        shares = tuple(float(row[name]) for name in layout.SHARES)
        styles = layout.styles_of(row)
        found.append(Entry(tile, float(row["valid"]), shares, row["description"], bool(row["image"]), styles))
    return index, found


def _items(entries: Sequence[Entry], synthetic: bool) -> dict[str, Any]:
    """A STAC item collection with paths relative to the folder."""
    built = datetime.now(timezone.utc)
    items = [_item(each, built, synthetic) for each in entries]
    return pystac.ItemCollection(items).to_dict(transform_hrefs=False)


def _item(each: Entry, built: datetime, synthetic: bool) -> pystac.Item:
    tile = each.tile
    crs = rasterio.crs.CRS.from_user_input(tile.crs)
    bounds = transform_bounds(crs, "EPSG:4326", *tile.bounds)
    known = {str(code): round(share, 4) for code, share in zip(legend.CODES, each.shares) if share}
    more = {"proj:wkt2": tile.crs} if crs.to_epsg() is None else {"proj:code": f"EPSG:{crs.to_epsg()}"}
    item = pystac.Item(
        id=tile.name,
        geometry=shapely.geometry.mapping(shapely.box(*bounds)),
        bbox=list(bounds),
        datetime=built,  # of the data set: tiles do not say when their ground was seen
        properties={
            "description": each.description,
            "proj:bbox": list(tile.bounds),
            **more,
            "landforge:split": tile.split,
            "landforge:synthetic": synthetic,
            "landforge:valid": round(each.valid, 4),
            "landforge:shares": known,
            "landforge:styles": list(each.styles),
        },
        stac_extensions=[PROJECTION],
    )
    for name, path in each.files.items():
        item.add_asset(name, pystac.Asset(path, media_type=pystac.MediaType.GEOTIFF))
    return item
