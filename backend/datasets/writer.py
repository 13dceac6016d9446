"""Writing a data set folder: tiles, their manifest, the same as STAC items, and the index."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from backend.datasets.captions import caption
from backend.datasets.spatial_split import SPLITS, Footprint
from backend.geo import legend
from backend.protocol import BackendError

PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"


@dataclass(frozen=True)
class Entry:
    """A tile's entry in the manifest: place, share of valid pixels, shares of the classes among these (COUNT).

    `description` is a sentence on the land cover, see `captions`.
    """

    tile: Footprint
    valid: float
    shares: tuple[float, ...]
    description: str
    has_image: bool = True
    styles: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, str]:
        """The paths of its `image` and `label`, relative to the data set's folder."""
        kinds = ("image", "label") if self.has_image else ("label",)
        return {kind: f"{kind}/{self.tile.name}.tif" for kind in kinds}


def entry(tile: Footprint, indices: np.ndarray, has_image: bool = True, styles: Sequence[str] = ()) -> Entry:
    """The entry of a tile whose label has these class indices, (height, width) uint8; IGNORE is not valid."""
    known = indices[indices != legend.IGNORE]
    counts = np.bincount(known, minlength=legend.COUNT)
    shares = (counts / max(len(known), 1)).tolist()
    return Entry(tile, len(known) / indices.size, tuple(shares), caption(indices), has_image, tuple(styles))


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn the errors of a full or missing disk into a BackendError."""
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


def counts(splits: Iterable[str]) -> dict[str, int]:
    """How many tiles each split has; `splits` are those of the tiles."""
    tile_splits = list(splits)
    return {split: tile_splits.count(split) for split in SPLITS}


def write(folder: Path, entries: Sequence[Entry], index: Mapping[str, Any]) -> None:
    """Write `manifest.csv`, `items.json` and, last, `dataset.json`: the index with the entries that all data sets have.

    BackendError where the disk is full.
    """
    common = {
        "landforge": "dataset",
        "counts": counts(entry.tile.split for entry in entries),
        "legend": {str(code): name for code, (name, _) in legend.LEGEND.items()},
    }
    built = datetime.now(timezone.utc)
    items = [_item(entry, built, bool(index["synthetic"])) for entry in entries]
    with disk_errors(folder):
        write_files(folder, [_row(entry) for entry in entries], items, {**common, **index})


def write_files(
    folder: Path, rows: Iterable[Mapping[str, Any]], items: Sequence[Mapping[str, Any]], index: Mapping[str, Any]
) -> None:
    """Write the manifest's rows, the STAC items (no file without any) and, last, the index; OSError on a full disk."""
    with open(folder / layout.MANIFEST, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, layout.COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    if items:
        collection = {"type": "FeatureCollection", "features": items}
        (folder / layout.ITEMS).write_text(json.dumps(collection), encoding="utf-8")
    (folder / layout.INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _row(entry: Entry) -> dict[str, Any]:
    tile = entry.tile
    shares = [round(value, 4) for value in (entry.valid, *entry.shares)]
    values = [tile.name, entry.files.get("image", ""), entry.files["label"], tile.split, tile.crs, *tile.bounds]
    return dict(zip(layout.COLUMNS, [*values, *shares, entry.description, ", ".join(entry.styles)]))


def read(folder: Path) -> tuple[dict[str, Any], list[Entry]]:
    """The index and the entries of a data set folder; call it within `layout.damage_errors`."""
    index, rows = layout.read_manifest(folder)
    entries = []
    for row in rows:
        left, bottom, right, top = (float(row[key]) for key in layout.BOUNDS)
        if row["split"] not in SPLITS:
            raise ValueError(f"there is no split {row['split']!r}")
        tile = Footprint(row["name"], row["crs"], (left, bottom, right, top), row["split"])
        shares = tuple(float(row[name]) for name in layout.SHARES)
        styles = layout.styles_of(row)
        entries.append(Entry(tile, float(row["valid"]), shares, row["description"], bool(row["image"]), styles))
    return index, entries


def _item(entry: Entry, built: datetime, synthetic: bool) -> dict[str, Any]:
    """A STAC item with paths relative to the folder."""
    tile = entry.tile
    crs = rasterio.crs.CRS.from_user_input(tile.crs)
    bounds = transform_bounds(crs, "EPSG:4326", *tile.bounds)
    shares = {str(code): round(share, 4) for code, share in zip(legend.CODES, entry.shares) if share}
    crs_property = {"proj:wkt2": tile.crs} if crs.to_epsg() is None else {"proj:code": f"EPSG:{crs.to_epsg()}"}
    item = pystac.Item(
        id=tile.name,
        geometry=shapely.geometry.mapping(shapely.box(*bounds)),
        bbox=list(bounds),
        datetime=built,  # of the data set: when a tile's image was taken is not known
        properties={
            "description": entry.description,
            "proj:bbox": list(tile.bounds),
            **crs_property,
            "landforge:split": tile.split,
            "landforge:synthetic": synthetic,
            "landforge:valid": round(entry.valid, 4),
            "landforge:shares": shares,
            "landforge:styles": list(entry.styles),
        },
        stac_extensions=[PROJECTION],
    )
    for name, path in entry.files.items():
        item.add_asset(name, pystac.Asset(path, media_type=pystac.MediaType.GEOTIFF))
    return item.to_dict(transform_hrefs=False)
