"""Rasters on disk: windowed reads, and whole Cloud Optimized GeoTIFFs or none.

A raster is written tile by tile beside its final name and renamed when complete.
"""

from __future__ import annotations

import os
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import rasterio
import rasterio.shutil
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.windows import Window

from backend import classes
from backend.protocol import BackendError, partial_path

Kind = Literal["classes", "rgb"]
BLOCK_PX = 512
os.environ.setdefault("GDAL_CACHEMAX", "256")  # MB; GDAL's own choice grows with the machine's memory


@contextmanager
def open_raster(path: str | Path, what: str = "raster") -> Iterator[rasterio.DatasetReader]:
    """Open a raster for reading; a missing or corrupt one, also one found so while reading, is a BackendError."""
    try:
        with rasterio.open(path) as source:
            yield source
    except RasterioError as error:
        if isinstance(error, RasterioIOError) and not str(path).startswith("/vsi") and not Path(path).exists():
            raise BackendError(f"The {what} {path} does not exist.") from error
        raise BackendError(f"The {what} {path} cannot be read: it is damaged or not a raster ({error}).") from error


def check_crs(source: rasterio.DatasetReader, what: str) -> None:
    """BackendError where a raster has no CRS, or a local one that says nothing about the Earth."""
    if source.crs is None or not (source.crs.is_geographic or source.crs.is_projected):
        raise BackendError(f"The {what} {source.name} has no CRS, so its place is unknown. Assign one first.")


def check_writable(path: str | Path, size_bytes: float = 0) -> None:
    """BackendError where an output's folder is missing, not writable, or on a disk that is too full."""
    folder = Path(path).absolute().parent
    if Path(path).is_dir():
        raise BackendError(f"Cannot write to {path}: it is a folder. Give the output a file's name.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = partial_path(Path(path).absolute())
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BackendError(f"Cannot write to {folder}: {error.strerror or error}. Choose another output.") from error
    free = shutil.disk_usage(folder).free
    if size_bytes > free:
        raise BackendError(
            f"The output needs about {size_bytes / 1e6:,.0f} MB, but the disk of {folder} has {free / 1e6:,.0f} MB "
            "left. Free some space or choose another disk."
        )


def _within(start: int, count: int, size: int, mirrored: bool) -> np.ndarray:
    """The indices 0..size-1 that stand for start, start + 1, ..., some of which lie outside."""
    index = np.arange(start, start + count)
    if mirrored:
        index %= 2 * size
        return np.minimum(index, 2 * size - 1 - index)
    return np.clip(index, 0, size - 1)


def read_window(
    source: rasterio.DatasetReader, row: int, col: int, height: int, width: int, mirrored: bool = False
) -> np.ndarray:
    """(bands, height, width) at an offset that may lie outside.

    There the nearest edge pixels are repeated, or, `mirrored`, the raster is reflected at its edges.
    """
    rows, cols = _within(row, height, source.height, mirrored), _within(col, width, source.width, mirrored)
    top, left = rows.min(), cols.min()
    data = source.read(window=Window(left, top, cols.max() - left + 1, rows.max() - top + 1))
    return data[:, (rows - top)[:, None], (cols - left)[None, :]]


def _attribute_table(path: Path) -> None:
    """Write the legend as a raster attribute table, in GDAL's sidecar, which is where GeoTIFFs keep theirs."""
    root = ET.Element("PAMDataset")
    band = ET.SubElement(root, "PAMRasterBand", band="1")
    table = ET.SubElement(band, "GDALRasterAttributeTable", tableType="thematic")
    # (name, GDAL type: 0 integer 2 text, GDAL usage: 5 value, 2 name, 6 7 8 red green blue)
    columns = [("Value", 0, 5), ("Class", 2, 2), ("Red", 0, 6), ("Green", 0, 7), ("Blue", 0, 8)]
    for index, (name, kind, usage) in enumerate(columns):
        column = ET.SubElement(table, "FieldDefn", index=str(index))
        ET.SubElement(column, "Name").text = name
        ET.SubElement(column, "Type").text = str(kind)
        ET.SubElement(column, "Usage").text = str(usage)
    for index, (code, (name, _)) in enumerate(classes.LEGEND.items()):
        row = ET.SubElement(table, "Row", index=str(index))
        for value in (code, name, *classes.rgb(code)):
            ET.SubElement(row, "F").text = str(value)
    ET.ElementTree(root).write(path, encoding="unicode")


class RasterWriter:
    """A raster that is written block by block and appears under its name only when it is whole.

    `classes`: one uint8 band of WorldCover codes, nodata 0, official palette and names, overviews by mode.
    `rgb`: three uint8 bands, overviews by average; pixels where `valid` is false are masked.
    Use as a context manager; an exception inside leaves nothing behind. Raises BackendError where the
    output cannot be written or the disk is full.
    """

    def __init__(self, path: str | Path, box: GeoBox, kind: Kind, tags: dict[str, str]) -> None:
        self.path, self.box, self.kind = Path(path), box, kind
        height, width = box.shape
        bands = 1 if kind == "classes" else 3
        # Uncompressed while growing, then a compressed copy: at most this much at once.
        check_writable(path, 2.0 * bands * height * width)
        self._partial = partial_path(self.path.absolute())
        self._growing = self._partial.with_suffix(".blocks.tif")
        with self._disk_errors(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            self._target = rasterio.open(
                self._growing,
                "w",
                driver="GTiff",
                height=height,
                width=width,
                count=bands,
                dtype="uint8",
                crs=str(box.crs),
                transform=box.affine,
                nodata=classes.NODATA if kind == "classes" else None,
                tiled=True,
                blockxsize=BLOCK_PX,
                blockysize=BLOCK_PX,
                sparse_ok=True,
                BIGTIFF="IF_SAFER",
                photometric="rgb" if kind == "rgb" else "minisblack",
            )
            if kind == "classes":  # the palette belongs to the header, so it comes before the pixels
                colours = {code: (*classes.rgb(code), 255) for code in classes.LEGEND}
                self._target.write_colormap(1, {classes.NODATA: (0, 0, 0, 0), **colours})
                self._target.set_band_description(1, "land cover")
            self._target.update_tags(AREA_OR_POINT="Area", **tags)

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RasterioError) as error:
            raise BackendError(
                f"Cannot write {self.path}: {error}. Check the folder and the space on its disk."
            ) from error

    def size(self) -> str:
        """The raster's size in words, for the log."""
        height, width = self.box.shape
        most = height * width * (1 if self.kind == "classes" else 3) / 1e6
        return f"{width:,} x {height:,} pixels, at most {most:,.1f} MB"

    def write(self, data: np.ndarray, row: int, col: int, valid: np.ndarray | None = None) -> None:
        """Write (bands, height, width) or, for classes, (height, width) at an offset; clips to the raster."""
        data = data[None] if data.ndim == 2 else data
        height, width = self.box.shape
        top, left = max(-row, 0), max(-col, 0)
        bottom, right = min(data.shape[1], height - row), min(data.shape[2], width - col)
        if bottom <= top or right <= left:
            return
        window = Window(col + left, row + top, right - left, bottom - top)
        with self._disk_errors():
            self._target.write(np.ascontiguousarray(data[:, top:bottom, left:right]), window=window)
            if valid is not None and self.kind == "rgb":
                mask = valid[top:bottom, left:right].astype(np.uint8) * 255
                self._target.write_mask(mask, window=window)

    def __enter__(self) -> RasterWriter:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
            else:
                self._target.close()
        finally:
            for left in self.path.absolute().parent.glob(f".{self.path.stem}.part*"):
                left.unlink(missing_ok=True)

    def _finish(self) -> None:
        with self._disk_errors():
            self._target.close()
            options = dict(COMPRESS="DEFLATE", PREDICTOR="NO", BIGTIFF="IF_SAFER", NUM_THREADS="ALL_CPUS")
            resampling = "MODE" if self.kind == "classes" else "AVERAGE"
            if self.kind == "rgb":
                options |= dict(PREDICTOR="YES")
            rasterio.shutil.copy(self._growing, self._partial, driver="COG", OVERVIEW_RESAMPLING=resampling, **options)
            sidecar = self.path.with_name(self.path.name + ".aux.xml")
            sidecar.unlink(missing_ok=True)
            os.replace(self._partial, self.path)
            if self.kind == "classes":
                _attribute_table(sidecar)
