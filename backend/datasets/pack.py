"""Data sets of `builddataset` packed once into plain arrays, so that a training machine needs no GDAL.

A packed folder holds `tiles_image.npy` (N, size, size, 3) uint8 RGB and `tiles_label.npy` (N, size, size) uint8 class
indices (IGNORE where unknown), both at 1 m, or `tiles_landcover.npy` (N, size, size) uint8 class indices at 10 m; and
`packed.json` with the split, name and styles of each tile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from rasterio.enums import Resampling

from backend.datasets import reader
from backend.datasets.packed import INDEX, LANDCOVER_PIXEL_M, PIXEL_M, write_stack
from backend.geo import legend
from backend.geo.raster import open_raster
from backend.protocol import BackendError, Reporter

What = Literal["tiles", "landcover"]
GSD_TOLERANCE = 0.03
LEAST_LABELLED = 0.9  # where an image is masked it is black, which is no look of the ground


class _Tiles:
    """The training and validation tiles of a data set, read as arrays of one size."""

    def __init__(self, folder: Path, report: Reporter) -> None:
        self.folder, self.report = folder, report
        with reader.damage(folder):
            self.index, rows = reader.manifest(folder)
            self.rows = [row for row in rows if row["split"] in ("train", "val")]
            self.pixel_m, self.tile_px = float(self.index["pixel_m"]), int(self.index["tile_px"])
            self.styles = [list(reader.styles_of(row)) for row in self.rows]

    def entry(self) -> dict[str, Any]:
        """What `packed.json` says of the tiles."""
        found = {"split": [row["split"] for row in self.rows], "names": [row["name"] for row in self.rows]}
        return {**found, "styles": self.styles} if any(self.styles) else found

    def _open(self, file: str, read: Callable[[rasterio.DatasetReader], np.ndarray]) -> np.ndarray:
        with open_raster(self.folder / file, "tile") as source:
            size, pixel_m = source.shape, source.transform.a
            if size != (self.tile_px, self.tile_px) or abs(pixel_m / self.pixel_m - 1) > GSD_TOLERANCE:
                raise BackendError(
                    f"The tile {self.folder / file} has {size[1]} x {size[0]} pixels of {pixel_m:g} m, those of its "
                    f"data set {self.tile_px} x {self.tile_px} of {self.pixel_m:g} m. Build the data set again."
                )
            return read(source)

    def _stack(self, column: str, make: Callable[[dict[str, str]], np.ndarray]) -> Iterator[np.ndarray]:
        for number, row in enumerate(self.rows):
            yield make(row)
            self.report.progress((number + 1) / len(self.rows), f"{column} {number + 1} of {len(self.rows)}")

    def _codes(self, row: dict[str, str], factor: float) -> np.ndarray:
        """The class indices of a label, by nearest at `factor` pixels for each of its own."""
        codes = self._open(row["label"], lambda source: resized(source, factor, Resampling.nearest)[0])
        foreign = np.setdiff1d(np.unique(codes), [*legend.CODES, legend.NODATA])
        if len(foreign):
            raise BackendError(
                f"The label {self.folder / row['label']} has the code {foreign[0]}, which is not in WorldCover's "
                "legend (10, 20, ... 100). Reclassify the labels to it and build the data set again."
            )
        return legend.to_index(codes.astype(np.uint8))

    def images(self) -> Iterator[np.ndarray]:
        """(size, size, 3) uint8 RGB at 1 m."""
        factor = self._factor(PIXEL_M)

        def read(row: dict[str, str]) -> np.ndarray:
            pixels = self._open(row["image"], lambda source: resized(source, factor, Resampling.average))
            return pixels[:3].transpose(1, 2, 0)

        return self._stack("image", read)

    def labels(self) -> Iterator[np.ndarray]:
        """(size, size) uint8 class indices at 1 m."""
        return self._stack("label", lambda row: self._codes(row, self._factor(PIXEL_M)))

    def landcover(self) -> Iterator[np.ndarray]:
        """(size, size) uint8 class indices at 10 m, those of finer pixels by majority."""
        votes = 1 / self._factor(LANDCOVER_PIXEL_M)
        return self._stack("label", lambda row: legend.majority_downsample(self._codes(row, 1.0), votes))

    def _factor(self, pixel_m: float) -> float:
        factor = self.pixel_m / pixel_m
        return 1.0 if abs(factor - 1) <= GSD_TOLERANCE else factor

    def keep_labelled(self) -> None:
        """Leave out the tiles of which too much is masked or unlabelled."""
        with reader.damage(self.folder):
            kept = [row for row in self.rows if float(row["valid"]) >= LEAST_LABELLED]
        if len(kept) < len(self.rows):
            self.report.log(
                f"{self.folder.name}: {len(self.rows) - len(kept)} of {len(self.rows)} tiles are left out, less than "
                f"{LEAST_LABELLED:.0%} of them is labelled."
            )
        self.rows = kept


def resized(source: rasterio.DatasetReader, factor: float, resampling: Resampling) -> np.ndarray:
    """A raster's (bands, height, width) with `factor` pixels for each of its own; its last fraction is left out."""
    size = (int(source.height * factor + 1e-6), int(source.width * factor + 1e-6))
    window = rasterio.windows.Window(0, 0, size[1] / factor, size[0] / factor)
    return source.read(window=window, out_shape=(source.count, *size), resampling=resampling)


def pack_dataset(folder: Path, target: Path, what: What, report: Reporter) -> Path:
    """Pack a data set of `builddataset`: its images and labels at 1 m, or its labels alone as land cover at 10 m.

    Returns the packed folder. Raises BackendError where the data set is damaged, of several tile sizes or GSDs,
    outside the legend, without the images that are asked for, or coarser than land cover.
    """
    tiles = _Tiles(folder, report)
    if what == "tiles" and not all(row["image"] for row in tiles.rows):
        raise reader.without_images(folder)
    if what == "landcover" and tiles.pixel_m > LANDCOVER_PIXEL_M * (1 + GSD_TOLERANCE):
        raise BackendError(
            f"The labels of {folder} have pixels of {tiles.pixel_m:g} m, but land cover is learned at 10 m. Build the "
            "data set from labels of 10 m or finer."
        )
    if what == "tiles":
        tiles.keep_labelled()
    if not tiles.rows:
        raise BackendError(f"The data set {folder} holds no tiles to train on. Build it from more ground.")
    target.mkdir(parents=True, exist_ok=True)
    if what == "tiles":
        write_stack(target / "tiles_image.npy", len(tiles.rows), tiles.images())
        write_stack(target / "tiles_label.npy", len(tiles.rows), tiles.labels())
    else:
        write_stack(target / "tiles_landcover.npy", len(tiles.rows), tiles.landcover())
    index = {
        "pixel_m": PIXEL_M if what == "tiles" else LANDCOVER_PIXEL_M,
        "source_pixel_m": tiles.pixel_m,
        "synthetic": bool(tiles.index.get("synthetic", False)),
        "attribution": tiles.index.get("attribution", []),
        what: {"tiles": tiles.entry()},
    }
    (target / INDEX).write_text(json.dumps(index), encoding="utf-8")
    return target
