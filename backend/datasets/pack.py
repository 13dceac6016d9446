"""Data sets of `builddataset` packed once into plain arrays, so that a training machine needs no GDAL.

The packed folder holds `tiles_image.npy`, `tiles_label.npy` and `tiles_lines.npy` at 1 m, or `tiles_landcover.npy` at
10 m, see `layout`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling

from backend.datasets import layout
from backend.datasets.layout import LANDCOVER_PIXEL_M, PIXEL_M, SAME_GSD_TOLERANCE, DataKind, write_stack
from backend.datasets.line_segments import draw_line_segments
from backend.geo import legend
from backend.geo.raster import open_raster
from backend.protocol import BackendError, Reporter

RESAMPLING_TOLERANCE = 0.03  # GSDs that differ by no more than this share are not resampled
MIN_VALID = 0.9  # share of a tile's pixels: masked ones are black, and an image generator would learn that


class _DatasetTiles:
    """The training and validation tiles of a data set, read as arrays of one size."""

    def __init__(self, folder: Path, report: Reporter) -> None:
        self.folder, self.report = folder, report
        with layout.damage_errors(folder):
            self.index, rows = layout.read_manifest(folder)
            self.rows = [row for row in rows if row["split"] in ("train", "val")]
            self.pixel_m, self.tile_px = float(self.index["pixel_m"]), int(self.index["tile_px"])

    def drop_masked(self) -> None:
        """Leave out the tiles with too many masked or unlabelled pixels."""
        with layout.damage_errors(self.folder):
            rows = [row for row in self.rows if float(row["valid"]) >= MIN_VALID]
        if len(rows) < len(self.rows):
            self.report.log(
                f"{self.folder.name}: {len(self.rows) - len(rows)} of {len(self.rows)} tiles are left out, less than "
                f"{MIN_VALID:.0%} of them is labelled."
            )
        self.rows = rows

    def index_entry(self) -> dict[str, Any]:
        """The entry of the tiles in `packed.json`: splits, names and, where any tile has them, styles."""
        with layout.damage_errors(self.folder):
            styles = [list(layout.styles_of(row)) for row in self.rows]
        entry = {"split": [row["split"] for row in self.rows], "names": [row["name"] for row in self.rows]}
        return {**entry, "styles": styles} if any(styles) else entry

    def images(self) -> Iterator[np.ndarray]:
        """(size, size, 3) uint8 RGB at 1 m."""
        factor = self._scale_to(PIXEL_M)

        def read(row: dict[str, str]) -> np.ndarray:
            pixels = self._read(row["image"], lambda source: resized(source, factor, Resampling.average))
            return pixels[:3].transpose(1, 2, 0)

        return self._each_row("image", read)

    def labels(self) -> Iterator[np.ndarray]:
        """(size, size) uint8 class indices at 1 m."""
        return self._each_row("label", lambda row: self._classes(row, self._scale_to(PIXEL_M)))

    def landcover(self) -> Iterator[np.ndarray]:
        """(size, size) uint8 class indices at 10 m, those of finer pixels by majority."""
        factor = 1 / self._scale_to(LANDCOVER_PIXEL_M)
        return self._each_row("label", lambda row: legend.majority_downsample(self._classes(row, 1.0), factor))

    def _each_row(self, column: str, read: Callable[[dict[str, str]], np.ndarray]) -> Iterator[np.ndarray]:
        for number, row in enumerate(self.rows):
            yield read(row)
            self.report.progress((number + 1) / len(self.rows), f"{column} {number + 1} of {len(self.rows)}")

    def _read(self, file: str, read: Callable[[rasterio.DatasetReader], np.ndarray]) -> np.ndarray:
        """Read a tile's file; BackendError where its size or its GSD is not the data set's."""
        with open_raster(self.folder / file, "tile") as source:
            size, pixel_m = source.shape, source.transform.a
            if size != (self.tile_px, self.tile_px) or abs(pixel_m / self.pixel_m - 1) > SAME_GSD_TOLERANCE:
                raise BackendError(
                    f"The tile {self.folder / file} has {size[1]} x {size[0]} pixels of {pixel_m:g} m, those of its "
                    f"data set {self.tile_px} x {self.tile_px} of {self.pixel_m:g} m. Build the data set again."
                )
            return read(source)

    def _classes(self, row: dict[str, str], factor: float) -> np.ndarray:
        """The class indices of a label, by nearest with `factor` pixels for each of its own."""
        codes = self._read(row["label"], lambda source: resized(source, factor, Resampling.nearest)[0])
        foreign = np.setdiff1d(np.unique(codes), [*legend.CODES, legend.NODATA])
        if len(foreign):
            raise BackendError(
                f"The label {self.folder / row['label']} has the code {foreign[0]}, which is not in WorldCover's "
                "legend (10, 20, ... 100). Reclassify the labels to it and build the data set again."
            )
        return legend.to_index(codes.astype(np.uint8))

    def _scale_to(self, pixel_m: float) -> float:
        """How many pixels of `pixel_m` replace one of the data set's, along each side."""
        factor = self.pixel_m / pixel_m
        return 1.0 if abs(factor - 1) <= RESAMPLING_TOLERANCE else factor


def resized(source: rasterio.DatasetReader, factor: float, resampling: Resampling) -> np.ndarray:
    """A raster's (bands, height, width) with `factor` pixels for each of its own; its last fraction is left out."""
    size = (int(source.height * factor + 1e-6), int(source.width * factor + 1e-6))
    window = rasterio.windows.Window(0, 0, size[1] / factor, size[0] / factor)
    return source.read(window=window, out_shape=(source.count, *size), resampling=resampling)


def pack_dataset(folder: Path, target: Path, kind: DataKind, report: Reporter) -> Path:
    """Pack a data set of `builddataset`: its images and labels at 1 m, or its labels alone as land cover at 10 m.

    Images have their straight edges beside them. Returns the packed folder. Raises BackendError where the data set is
    damaged, of several tile sizes or GSDs, outside the legend, without images where these are packed, or coarser than
    land cover.
    """
    tiles = _DatasetTiles(folder, report)
    if kind == "tiles" and not all(row["image"] for row in tiles.rows):
        raise layout.no_images_error(folder)
    if kind == "landcover" and tiles.pixel_m > LANDCOVER_PIXEL_M * (1 + RESAMPLING_TOLERANCE):
        raise BackendError(
            f"The labels of {folder} have pixels of {tiles.pixel_m:g} m, but land cover is learned at 10 m. Build the "
            "data set from labels of 10 m or finer."
        )
    if kind == "tiles":
        tiles.drop_masked()
    if not tiles.rows:
        raise BackendError(f"The data set {folder} holds no tiles to train on. Build it from more ground.")
    target.mkdir(parents=True, exist_ok=True)
    if kind == "tiles":
        write_stack(target / "tiles_image.npy", len(tiles.rows), tiles.images())
        write_stack(target / "tiles_label.npy", len(tiles.rows), tiles.labels())
        images = np.load(target / "tiles_image.npy", mmap_mode="r")
        write_stack(target / "tiles_lines.npy", len(images), map(draw_line_segments, images))
    else:
        write_stack(target / "tiles_landcover.npy", len(tiles.rows), tiles.landcover())
    index = {
        "pixel_m": PIXEL_M if kind == "tiles" else LANDCOVER_PIXEL_M,
        "source_pixel_m": tiles.pixel_m,
        "synthetic": bool(tiles.index.get("synthetic", False)),
        "attribution": tiles.index.get("attribution", []),
        kind: {"tiles": tiles.index_entry()},
    }
    (target / layout.PACKED_INDEX).write_text(json.dumps(index), encoding="utf-8")
    return target
