"""Rasters on disk: windowed reads, and Cloud Optimized GeoTIFFs that are written block by block.

Blocks are collected beside the output; the GeoTIFF appears under its name once it is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.crs import CRS
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.windows import Window

from backend.geo import block_store, legend
from backend.protocol import BackendError, partial_path, sidecars, unfinished_path

Kind = Literal["classes", "rgb"]
Log = Callable[[str], object]
"""Takes a sentence for the job's log."""
Legend = Mapping[int, tuple[str, str]]
"""Value to name and colour, six hexadecimal digits."""
os.environ.setdefault("GDAL_CACHEMAX", "128")  # MB; GDAL's own choice grows with the machine's memory


@contextmanager
def raster_errors(path: str | Path, role: str) -> Iterator[None]:
    """Turns rasterio's errors inside into a BackendError that names the raster; for reads where several are open."""
    try:
        yield
    except RasterioError as error:
        if isinstance(error, RasterioIOError) and not str(path).startswith("/vsi") and not Path(path).exists():
            raise BackendError(f"The {role} {path} does not exist.") from error
        reason = error.__cause__ or error  # rasterio's own says 'Read failed. See previous exception for details.'
        raise BackendError(f"The {role} {path} cannot be read: it is damaged or not a raster ({reason}).") from error


@contextmanager
def open_raster(path: str | Path, role: str = "raster") -> Iterator[rasterio.DatasetReader]:
    """Open a raster for reading; BackendError where it is missing or damaged, also while it is being read."""
    with raster_errors(path, role), rasterio.open(path) as source:
        yield source


def check_crs(source: rasterio.DatasetReader, role: str, path: str | Path = "") -> None:
    """BackendError where a raster has no CRS, or a local one without a place on Earth.

    Ground control points are a place; `path` is the raster's where it was opened by another name.
    """
    crs = source.crs or source.gcps[1]
    if crs is None or not (crs.is_geographic or crs.is_projected):
        raise BackendError(f"The {role} {path or source.name} has no CRS, so its place is unknown. Assign one first.")
    has_place = source.transform != Affine.identity() or source.gcps[0]
    if not has_place:
        raise BackendError(
            f"The {role} {path or source.name} has a CRS but neither a transform nor ground control points, so its "
            "place is unknown. Georeference it first."
        )


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


def _inside_indices(start: int, count: int, size: int, mirrored: bool) -> np.ndarray:
    """(count,) indices in 0..size-1 for the pixels from `start` on; those outside are clamped or mirrored."""
    index = np.arange(start, start + count)
    if mirrored:
        index %= 2 * size
        return np.minimum(index, 2 * size - 1 - index)
    return np.clip(index, 0, size - 1)


def read_window(
    source: rasterio.DatasetReader, row: int, col: int, height: int, width: int, mirrored: bool = False
) -> np.ndarray:
    """(bands, height, width) of a window that may reach beyond the raster.

    Outside, the nearest edge pixels are repeated or, with `mirrored`, the raster is reflected at its edges.
    """
    rows = _inside_indices(row, height, source.height, mirrored)
    cols = _inside_indices(col, width, source.width, mirrored)
    top, left = rows.min(), cols.min()
    data = source.read(window=Window(left, top, cols.max() - left + 1, rows.max() - top + 1))
    return data[:, (rows - top)[:, None], (cols - left)[None, :]]


def _attribute_table(path: Path, entries: Legend) -> None:
    """Write a legend as a raster attribute table into GDAL's sidecar file, where GeoTIFFs have theirs."""
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
    for index, (code, (name, colour)) in enumerate(entries.items()):
        row = ET.SubElement(table, "Row", index=str(index))
        for value in (code, name, *bytes.fromhex(colour)):
            ET.SubElement(row, "F").text = str(value)
    ET.ElementTree(root).write(path, encoding="unicode")


def _vrt(
    box: GeoBox, kind: Kind, tags: dict[str, str], masked: bool, entries: Legend, growing: bool = False
) -> ET.ElementTree:
    """A VRT that describes a block store's files as a raster; in a growing one unwritten pixels are nodata."""
    height, width = box.shape
    root = ET.Element("VRTDataset", rasterXSize=str(width), rasterYSize=str(height))
    ET.SubElement(root, "SRS").text = CRS.from_user_input(str(box.crs)).to_wkt()
    ET.SubElement(root, "GeoTransform").text = ", ".join(repr(float(v)) for v in box.affine.to_gdal())
    metadata = ET.SubElement(root, "Metadata")
    for key, value in {"AREA_OR_POINT": "Area", **tags}.items():
        ET.SubElement(metadata, "MDI", key=key).text = value
    colours = ["Palette"] if kind == "classes" else ["Red", "Green", "Blue"]
    for index, colour in enumerate(colours):
        band = _raw_band(root, width, block_store.PIXELS, index, len(colours))
        ET.SubElement(band, "ColorInterp").text = colour
        if kind == "classes":
            _describe_classes(band, entries)
        elif growing:
            _set_statistics(band)
        if growing and not masked and kind == "rgb":
            ET.SubElement(band, "NoDataValue").text = "0"
    if masked:
        _raw_band(ET.SubElement(root, "MaskBand"), width, block_store.MASK)
    return ET.ElementTree(root)


def _raw_band(parent: ET.Element, width: int, file: str, index: int = 0, bands: int = 1) -> ET.Element:
    """One of the interleaved bands of a file beside the VRT."""
    band = ET.SubElement(parent, "VRTRasterBand", dataType="Byte", subClass="VRTRawRasterBand")
    ET.SubElement(band, "SourceFilename", relativeToVRT="1").text = file
    for name, value in [("ImageOffset", index), ("PixelOffset", bands), ("LineOffset", bands * width)]:
        ET.SubElement(band, name).text = str(value)
    return band


def _set_statistics(band: ET.Element) -> None:
    """Set arbitrary statistics, so that a viewer does not read all of a growing raster to compute its own."""
    metadata = ET.SubElement(band, "Metadata")
    for key, value in {"MINIMUM": 0, "MAXIMUM": 255, "MEAN": 127, "STDDEV": 64}.items():
        ET.SubElement(metadata, "MDI", key=f"STATISTICS_{key}").text = str(value)


def _describe_classes(band: ET.Element, entries: Legend) -> None:
    """Set a band's description, nodata and palette."""
    ET.SubElement(band, "Description").text = "land cover"
    ET.SubElement(band, "NoDataValue").text = str(legend.NODATA)
    table = ET.SubElement(band, "ColorTable")
    colours = {code: (*bytes.fromhex(colour), 255) for code, (_, colour) in entries.items()}
    for code in range(256):
        red, green, blue, alpha = colours.get(code, (0, 0, 0, 0 if code == legend.NODATA else 255))
        ET.SubElement(table, "Entry", c1=str(red), c2=str(green), c3=str(blue), c4=str(alpha))


class RasterWriter:
    """A raster that is written block by block and appears under its name only when it is complete.

    `classes`: one uint8 band of WorldCover codes, nodata 0, official palette, overviews by mode. The attribute table
    has the names of `legend_name` (of `legend.LEGENDS`); another `legend` may be set until the raster is closed.
    `rgb`: three uint8 bands, overviews by average; pixels where `valid` is false are masked.
    Use as a context manager. An exception inside leaves nothing behind or, with `resume`, the finished blocks in a
    folder beside the output: a later writer of the same raster continues from them, however this process ended.
    `resume` is a text that says what the pixels depend on beside box and tags. `done` are the (row, col) offsets of
    the blocks that are written already. Raises BackendError where the output cannot be written, the disk is full, or
    another run is writing the same output.
    """

    def __init__(
        self,
        path: str | Path,
        box: GeoBox,
        kind: Kind,
        tags: dict[str, str],
        resume: str | None = None,
        legend_name: str = "worldcover",
    ) -> None:
        self.path, self.box, self.kind = Path(path), box, kind
        self.legend: Legend = {
            code: (name, legend.LEGEND[code][1]) for code, name in legend.names_of(legend_name).items()
        }
        self._tags, self._resumable = tags, resume is not None
        height, width = map(int, box.shape)
        bands = 1 if kind == "classes" else 3
        folder = unfinished_path(self.path.absolute())
        if not self._resumable:
            partial = partial_path(self.path.absolute())  # a name that `check_writable` itself uses
            folder = partial.with_name(f"{partial.name}.blocks")
        # Uncompressed while growing, then a compressed copy: at most this much at once.
        check_writable(path, 2.0 * bands * height * width - block_store.disk_bytes(folder))
        content = [resume, kind, height, width, *box.affine, str(box.crs), tags]
        identity = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        with self._disk_errors():
            self._store = block_store.BlockStore(folder, (bands, height, width), identity if self._resumable else None)
        self.done = self._store.done
        self._preview: Path | None = None

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except block_store.StoreHeldError as error:
            raise BackendError(f"Another run is writing {self.path}. Wait for it or choose another output.") from error
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
        """Write a block, (bands, height, width) or, for classes, (height, width) uint8; it is clipped to the raster.

        When it returns, the block is on disk. An image has `valid`, (height, width), with every block or with none.
        """
        data = data[None] if data.ndim == 2 else data
        height, width = self.box.shape
        rows = slice(max(-row, 0), max(min(data.shape[1], height - row), 0))
        cols = slice(max(-col, 0), max(min(data.shape[2], width - col), 0))
        mask = valid[rows, cols] if valid is not None and self.kind == "rgb" else None
        with self._disk_errors():
            self._store.write((row, col), data[:, rows, cols], row + rows.start, col + cols.start, mask)

    def preview(self) -> Path:
        """The path of a VRT of the finished blocks. It stays up to date, and is removed when the writer closes."""
        masked = self._store.masked
        path = self._store.folder / f"preview{'-masked' * masked}.vrt"
        if path != self._preview:
            with self._disk_errors():
                growing = _vrt(self.box, self.kind, self._tags, masked, self.legend, growing=True)
                growing.write(path, encoding="unicode")
            self._preview = path
        return path

    def __enter__(self) -> RasterWriter:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        keep = self._resumable
        try:
            if kind is None:
                self._finish()
                keep = False
        finally:
            if keep:
                self._store.close()
            else:
                self._store.remove()

    def _finish(self) -> None:
        with self._disk_errors():
            description, complete = self._store.folder / "raster.vrt", self._store.folder / "whole.tif"
            vrt = _vrt(self.box, self.kind, self._tags, self._store.masked, self.legend)
            vrt.write(description, encoding="unicode")
            options = dict(COMPRESS="DEFLATE", PREDICTOR="NO", BIGTIFF="IF_SAFER", NUM_THREADS="ALL_CPUS")
            resampling = "MODE" if self.kind == "classes" else "AVERAGE"
            if self.kind == "rgb":
                options |= dict(PREDICTOR="YES", LEVEL="1")  # higher levels take longer and save nothing on images
            rasterio.shutil.copy(description, complete, driver="COG", OVERVIEW_RESAMPLING=resampling, **options)
            block_store.sync(complete)  # before the blocks are deleted
            self._replace(complete)
            if self.kind == "classes":
                _attribute_table(self.path.with_name(self.path.name + ".aux.xml"), self.legend)

    def _replace(self, complete: Path) -> None:
        """Put a file at the output's path, and away with what lies beside an old one: it describes other pixels.

        Where that fails, the old output stays as it was.
        """
        beside = {path: self._store.folder / f"old-{path.name}" for path in sidecars(self.path)}
        try:
            for path, aside in beside.items():
                os.replace(path, aside)
            os.replace(complete, self.path)
        except OSError:
            for path, aside in beside.items():
                if aside.exists():
                    os.replace(aside, path)
            raise
