"""Cut aligned image and label rasters, or labels alone, into tiles, split by geography, with a manifest."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pystac
import rasterio
import shapely
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from backend import classes, dataset, protocol
from backend.evaluation.composition import described
from backend.pairs import Pair, open_pairs
from backend.protocol import BackendError
from backend.raster import check_writable
from backend.splits import SPLITS, Footprint, split_by_ground

PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"


def _check_job(job: protocol.BuildDataset) -> None:
    if not job.label or (job.image and len(job.image) != len(job.label)):
        raise BackendError(
            f"There are {len(job.image)} images and {len(job.label)} labels. Give one label for each image, in order, "
            "or labels alone."
        )
    if job.tile_px < 32 or job.stride_px < 0:
        raise BackendError("Tiles must be at least 32 pixels wide and the stride must not be negative.")
    held_out = job.val_share + job.test_share
    if not (0 < job.min_valid <= 1 and min(job.val_share, job.test_share) >= 0 and held_out < 1):
        raise BackendError(
            "The least valid share must lie between 0 and 1, and val and test together must leave a share to train on."
        )
    output = Path(job.output)
    if output.is_file() or (output.is_dir() and any(output.iterdir())):
        raise BackendError(f"The output {output} is not empty. Choose a new folder.")


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RasterioError) as error:
        raise BackendError(f"Cannot write to {folder}: {error}. Check the space on its disk.") from error


def _write_tile(path: Path, data: np.ndarray, pair: Pair, window: Window) -> None:
    """Write (bands, height, width) uint8 as a GeoTIFF; one band is a label and gets the palette."""
    place = {"crs": pair.label.crs, "transform": pair.label.window_transform(window)}
    profile = {"driver": "GTiff", "dtype": "uint8", "compress": "deflate", "count": len(data), **place}
    with _disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with rasterio.open(path, "w", height=data.shape[1], width=data.shape[2], **profile) as target:
            if len(data) == 1:
                target.nodata = classes.NODATA
                target.write_colormap(1, {code: (*classes.rgb(code), 255) for code in classes.LEGEND})
            target.update_tags(LANDFORGE_SYNTHETIC="YES" if pair.synthetic else "NO")
            target.write(data)


class _Cutter:
    """Cuts pairs into tiles, and remembers why places were passed over."""

    def __init__(self, job: protocol.BuildDataset, folder: Path) -> None:
        self.job, self.folder = job, folder
        self.tiles: list[Footprint] = []
        self.shares: dict[str, list[float]] = {}
        self.descriptions: dict[str, str] = {}
        self.any_image = self.any_label = self.any_known = False
        self.most_valid = 0.0

    def cut(self, pair: Pair, name: str, row: int, col: int) -> None:
        """Write the tile at a place where enough of it is valid."""
        window = Window(col, row, self.job.tile_px, self.job.tile_px)
        raw = pair.label.read(1, window=window)
        codes = np.where((raw >= 0) & (raw <= 255), raw, classes.NODATA).astype(np.uint8)
        index = classes.to_index(codes)
        seen, known = pair.seen(window), index != classes.IGNORE
        valid = seen & known
        self.any_image |= bool(seen.any())
        self.any_label |= bool((raw != classes.NODATA).any())
        self.any_known |= bool(known.any())
        self.most_valid = max(self.most_valid, float(valid.mean()))
        if valid.mean() < self.job.min_valid:
            return
        if pair.image is not None:
            pixels = pair.image.read((1, 2, 3), window=window)
            _write_tile(self.folder / "image" / f"{name}.tif", pixels, pair, window)
        _write_tile(self.folder / "label" / f"{name}.tif", np.where(valid, codes, classes.NODATA)[None], pair, window)
        counts = np.bincount(index[valid], minlength=classes.COUNT)
        self.tiles.append(Footprint(name, str(pair.label.crs), pair.label.window_bounds(window)))
        self.shares[name] = [float(valid.mean()), *(counts / counts.sum()).tolist()]
        self.descriptions[name] = described(np.where(valid, index, classes.IGNORE))

    def check(self) -> None:
        """BackendError that says why there is no tile, where there is none."""
        if self.tiles:
            return
        if not self.any_image:
            raise BackendError("The images hold no data: all of their pixels are masked.")
        if not self.any_label:
            where = " where the images lie" if self.job.image else ""
            raise BackendError(f"The labels hold no data{where}: all of their pixels are nodata.")
        if not self.any_known:
            raise BackendError(
                "No label has a code of the WorldCover legend (10, 20, ... 100). Reclassify the labels to it first."
            )
        raise BackendError(
            f"No tile is valid enough: the best has {self.most_valid:.0%} valid pixels, but {self.job.min_valid:.0%} "
            "are asked for. Lower the least valid share or use smaller tiles."
        )

    def split(self) -> list[Footprint]:
        """The tiles with their splits; those that share ground with a held-out one are removed."""
        job = self.job
        kept = split_by_ground(self.tiles, job.val_share, job.test_share, job.seed)
        for name in self.shares.keys() - {tile.name for tile in kept}:
            (self.folder / "image" / f"{name}.tif").unlink(missing_ok=True)
            (self.folder / "label" / f"{name}.tif").unlink()
        if not any(tile.split == "train" for tile in kept):
            raise BackendError(
                "The tiles overlap so much that none is left to train on apart from the held-out ones. Use a larger "
                "stride, smaller tiles or more ground."
            )
        return kept

    def write_manifest(self, tiles: list[Footprint]) -> None:
        """Write `manifest.csv`."""
        with open(self.folder / dataset.MANIFEST, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(dataset.COLUMNS)
            for tile in tiles:
                files = [f"image/{tile.name}.tif" if self.job.image else "", f"label/{tile.name}.tif"]
                shares = [round(value, 4) for value in self.shares[tile.name]]
                place = [tile.name, *files, tile.split, tile.crs, *tile.bounds]
                writer.writerow([*place, *shares, self.descriptions[tile.name]])

    def write_items(self, tiles: list[Footprint], synthetic: bool) -> None:
        """Write `items.json`, a STAC item collection with paths relative to the folder."""
        built = datetime.now(timezone.utc)
        items = [self._item(tile, built, synthetic) for tile in tiles]
        (self.folder / dataset.ITEMS).write_text(
            json.dumps(pystac.ItemCollection(items).to_dict(transform_hrefs=False)), encoding="utf-8"
        )

    def _item(self, tile: Footprint, built: datetime, synthetic: bool) -> pystac.Item:
        crs = rasterio.crs.CRS.from_user_input(tile.crs)
        bounds = transform_bounds(crs, "EPSG:4326", *tile.bounds)
        valid, *shares = self.shares[tile.name]
        known = {str(code): round(share, 4) for code, share in zip(classes.CODES, shares) if share}
        more = {"proj:wkt2": tile.crs} if crs.to_epsg() is None else {"proj:code": f"EPSG:{crs.to_epsg()}"}
        item = pystac.Item(
            id=tile.name,
            geometry=shapely.geometry.mapping(shapely.box(*bounds)),
            bbox=list(bounds),
            datetime=built,  # of the data set: tiles do not say when their ground was seen
            properties={
                "description": self.descriptions[tile.name],
                "proj:bbox": list(tile.bounds),
                **more,
                "landforge:split": tile.split,
                "landforge:synthetic": synthetic,
                "landforge:valid": round(valid, 4),
                "landforge:shares": known,
            },
            stac_extensions=[PROJECTION],
        )
        for name in ("image", "label") if self.job.image else ("label",):
            item.add_asset(name, pystac.Asset(f"{name}/{tile.name}.tif", media_type=pystac.MediaType.GEOTIFF))
        return item


def _build(job: protocol.BuildDataset, folder: Path, report: protocol.Reporter) -> None:
    cutter, stride_px = _Cutter(job, folder), job.stride_px or job.tile_px
    with open_pairs(job.image, job.label, job.tile_px) as pairs:
        places = [
            (number, *place) for number, pair in enumerate(pairs) for place in pair.places(job.tile_px, stride_px)
        ]
        for done, (number, row, col) in enumerate(places):
            cutter.cut(pairs[number], f"{number:03d}_{row:06d}_{col:06d}", row, col)
            report.progress((done + 1) / len(places), f"tile {done + 1} of {len(places)}")
        pixel_m, synthetic = pairs[0].pixel_m, [pair.synthetic for pair in pairs]
        attribution = sorted({text for pair in pairs for text in pair.attribution})
    cutter.check()
    tiles = cutter.split()
    counts = {split: sum(tile.split == split for tile in tiles) for split in SPLITS}
    images = job.image or ("",) * len(job.label)
    sources = [{"image": i, "label": j, "synthetic": s} for i, j, s in zip(images, job.label, synthetic)]
    index = {
        "landforge": "dataset",
        "tile_px": job.tile_px,
        "stride_px": stride_px,
        "min_valid": job.min_valid,
        "pixel_m": pixel_m,
        "seed": job.seed,
        "counts": counts,
        "synthetic": any(synthetic),
        "attribution": attribution,
        "sources": sources,
        "legend": {str(code): name for code, (name, _) in classes.LEGEND.items()},
    }
    with _disk_errors(folder):
        cutter.write_manifest(tiles)
        cutter.write_items(tiles, any(synthetic))
        (folder / dataset.INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    report.log("tiles: " + ", ".join(f"{count} {split}" for split, count in counts.items()))


def run(job: protocol.BuildDataset, report: protocol.Reporter) -> dict[str, str]:
    """Write the data set folder, whole or not at all.

    Tiles lie every `stride_px` (0: side by side) from each image's first pixel; what is left at its right and lower
    edge is too small for a tile and not used. Images with more than three bands give their first three.
    """
    _check_job(job)
    output = Path(job.output).absolute()
    folder = protocol.partial_path(output)
    shutil.rmtree(folder, ignore_errors=True)
    check_writable(folder / dataset.INDEX)
    try:
        _build(job, folder, report)
        with _disk_errors(output.parent):
            if output.is_dir():
                output.rmdir()
            os.replace(folder, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"output": job.output}
