"""Rasters laid over each other on one grid, read by window, block after block.

One path for the public bucket, STAC items and layers: each block is warped out of the rasters that
touch it, so memory does not grow with the extent, and only the bytes under the extent are moved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from odc.geo.geom import Geometry
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.transform import rowcol
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform

from backend import classes
from backend.protocol import BackendError, Reporter
from backend.raster import Kind, check_crs, open_raster
from backend.sources import RETRIES, patience_s

BLOCK_PX = 2048  # a multiple of the output's tiles, so that each is written once
OPEN_FILES = 32
TOLERANCE_PX = 0.001  # how far the approximated projection may lie beside the exact one


@dataclass(frozen=True)
class Piece:
    """One raster of a mosaic: its path or unsigned address, and where it lies on the grid's CRS if that is known."""

    address: str
    footprint: Geometry | None = None
    nodata: float | None = None


def is_remote(address: str) -> bool:
    """Whether an address leads to a server."""
    return address.startswith(("http://", "https://"))


def _environment(address: str) -> rasterio.Env:
    """GDAL's settings: few requests, a stalled server given up, passing faults tried again."""
    options: dict[str, object] = dict(
        GDAL_HTTP_CONNECTTIMEOUT=patience_s(),
        GDAL_HTTP_LOW_SPEED_TIME=patience_s(),
        GDAL_HTTP_LOW_SPEED_LIMIT=1,
        GDAL_HTTP_MAX_RETRY=RETRIES,
        GDAL_HTTP_RETRY_DELAY=0.5,
        GDAL_HTTP_MULTIPLEX=True,
        GDAL_HTTP_MERGE_CONSECUTIVE_RANGES=True,
        GDAL_INGESTED_BYTES_AT_OPEN=32768,
        CPL_VSIL_CURL_NON_CACHED="/vsicurl/",  # a failed answer is not remembered for the next job
    )
    if is_remote(address):
        options["GDAL_DISABLE_READDIR_ON_OPEN"] = "EMPTY_DIR"  # look for no sidecar files beside it
    return rasterio.Env(**options)


class Missing(BackendError):
    """There is no such raster."""


def _fault(address: str, error: RasterioError) -> BackendError:
    """What a failed read means, in plain words."""
    text = f"{error} {error.__cause__ or ''}"
    if not is_remote(address) and not Path(address).exists():
        return Missing(f"{address} does not exist.")
    status = re.search(r"HTTP response code: (\d+)", text)
    if status and status[1] == "404":
        return Missing(f"The server has no {address} (404). Check the source's address.")
    if status:
        return BackendError(f"The server answered {status[1]} for {address}. Try again later.")
    if "too slow" in text or "timed out" in text or "Timeout" in text:
        return BackendError(
            f"The server of {address} did not answer for {patience_s()} s. Check the connection, or try again later."
        )
    if "CURL error" in text:
        reason = text.split("CURL error: ")[1].strip()
        return BackendError(f"The server of {address} cannot be reached ({reason}). Check the connection and proxy.")
    if is_remote(address) and "not recognized" not in text:  # GDAL does not say why bytes stopped to come
        return BackendError(f"Reading {address} broke off: the server failed, or the file is damaged. Try again later.")
    kind = "the server sent something else" if is_remote(address) else "not a raster"
    return BackendError(f"{address} cannot be read: it is damaged, or {kind} ({text.strip()}).")


@contextmanager
def reading(address: str) -> Iterator[None]:
    """GDAL set up for an address; what goes wrong inside is a BackendError."""
    try:
        with _environment(address):
            yield
    except RasterioError as error:
        raise _fault(address, error) from error


def _open(address: str, level: int | None = None) -> rasterio.DatasetReader:
    # A server may send anything: only GeoTIFF is tried there, and nothing that leads to further files.
    options = {"driver": "GTiff"} if is_remote(address) else {}
    return rasterio.open(address, **options, **({} if level is None else {"overview_level": level}))


def check_layer(path: str, kind: Kind) -> dict[str, str]:
    """The tags of a layer that can be clipped; BackendError for one without CRS or with the wrong bands."""
    if not path:
        raise BackendError("The source is a layer, but no layer was given. Choose one in LAYER.")
    with _environment(path), open_raster(path, "layer") as source:
        check_crs(source, "layer")
        if kind == "classes" and source.count != 1:
            raise BackendError(
                f"The layer {path} has {source.count} bands. WorldCover codes need a raster of exactly one band."
            )
        if kind == "rgb" and (source.count < 3 or set(source.dtypes) != {"uint8"}):
            raise BackendError(
                f"The layer {path} has {source.count} band(s) of {source.dtypes[0]}. An image needs at least three "
                "8-bit bands (red, green, blue); convert it first."
            )
        return source.tags()


def pixel_m(source: rasterio.DatasetReader, box: GeoBox) -> float:
    """The ground size in metres of a raster's pixels at the centre of a grid."""
    x, y = box.extent.centroid.coords[0]
    step_m = 10.0
    xs, ys = transform(str(box.crs), source.crs, [x + step_m, x, x], [y, y, y + step_m])[:2]
    rows, cols = rowcol(source.transform, xs, ys, op=np.asarray)
    (row_x, row_y), (col_x, col_y) = np.diff(rows), np.diff(cols)
    pixels = abs(row_x * col_y - row_y * col_x)
    return step_m / pixels**0.5


class Mosaic:
    """Pieces laid over each other, the first on top; use as a context manager.

    `classes`: nearest neighbour; values outside the WorldCover legend are nodata. `rgb`: the first three
    bands; averaged where the grid is coarser than the piece, else bilinear. `sign` turns an address into
    the one to read by, each time anew, because signatures expire.
    """

    def __init__(self, pieces: list[Piece], kind: Kind, sign: Callable[[str], str] = str) -> None:
        self.pieces, self.kind, self._sign = pieces, kind, sign
        self._opened: dict[tuple[str, int | None], rasterio.DatasetReader] = {}

    def __enter__(self) -> Mosaic:
        return self

    def __exit__(self, *_: object) -> None:
        for source in self._opened.values():
            source.close()
        self._opened.clear()

    def open(self, piece: Piece, level: int | None = None) -> rasterio.DatasetReader:
        """A piece, opened once while it is in use; `level` is the overview to read instead of the pixels."""
        key = self._sign(piece.address), level
        if key not in self._opened:
            if len(self._opened) >= OPEN_FILES:
                self.__exit__()
            with reading(piece.address):
                self._opened[key] = _open(*key)
        return self._opened[key]

    def forget_missing(self) -> None:
        """Drop the pieces that do not exist; a server that answers anything but 404 is a BackendError."""
        for piece in list(self.pieces):
            try:
                self.open(piece)
            except Missing:
                self.pieces.remove(piece)

    def pixel_m(self, box: GeoBox) -> float:
        """The ground size in metres, to the centimetre, of the top piece's pixels."""
        return max(round(pixel_m(self.open(self.pieces[0]), box), 2), 0.01)

    def _suited(self, piece: Piece, box: GeoBox) -> tuple[rasterio.DatasetReader, Resampling]:
        """The piece at the overview to read for a grid, and how to resample it."""
        source = self.open(piece)
        if self.kind == "classes":
            return source, Resampling.nearest
        ratio = box.resolution.x / pixel_m(source, box)
        level = sum(factor <= ratio for factor in source.overviews(1)) - 1
        if level >= 0:
            source = self.open(piece, level)
        return source, Resampling.average if ratio > 1.1 else Resampling.bilinear

    def _read(self, piece: Piece, box: GeoBox) -> tuple[np.ndarray, np.ndarray]:
        """(bands, height, width) of one piece on a grid, and (height, width) bool where it has data."""
        source, resampling = self._suited(piece, box)
        with (
            reading(piece.address),
            WarpedVRT(
                source,
                crs=str(box.crs),
                transform=box.affine,
                height=box.height,
                width=box.width,
                resampling=resampling,
                tolerance=TOLERANCE_PX,
                src_nodata=source.nodata if piece.nodata is None else piece.nodata,
                add_alpha=ColorInterp.alpha not in source.colorinterp,
                UNIFIED_SRC_NODATA="YES",  # no data is where all bands say so
            ) as warped,
        ):
            alpha = warped.colorinterp.index(ColorInterp.alpha) + 1
            bands = [1] if self.kind == "classes" else [1, 2, 3]
            data = warped.read([*bands, alpha])
        valid = data[-1] > 0
        if self.kind == "classes":
            valid &= np.isin(data[0], classes.CODES)
        return data[:-1], valid

    def read(self, box: GeoBox) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (bands, height, width) on a grid, 0 without data, and (height, width) bool where there is data."""
        data = np.zeros((1 if self.kind == "classes" else 3, *box.shape), np.uint8)
        valid = np.zeros(box.shape, bool)
        near = box.pad(8).extent  # footprints are good to some metres
        for piece in self.pieces:
            if valid.all():
                break
            if piece.footprint is None or piece.footprint.intersects(near):
                part, seen = self._read(piece, box)
                fresh = seen & ~valid
                data[:, fresh] = part[:, fresh]
                valid |= seen
        return data, valid

    def blocks(self, box: GeoBox, report: Reporter) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        """Row, column, data and validity of each block of a grid, row after row.

        Raises BackendError, after the last, where no block had data.
        """
        height, width = box.shape
        offsets = [(row, col) for row in range(0, height, BLOCK_PX) for col in range(0, width, BLOCK_PX)]
        found = False
        for count, (row, col) in enumerate(offsets, 1):
            block = box[row : min(row + BLOCK_PX, height), col : min(col + BLOCK_PX, width)]
            data, valid = self.read(block)
            found |= bool(valid.any())
            yield row, col, data, valid
            report.progress(count / len(offsets), f"Block {count} of {len(offsets)}")
        if not found:
            raise BackendError(
                f"Nothing to clip: {self.pieces[0].address} and what lies beside it hold no valid pixel inside the "
                "extent. Check that the extent lies where the data is."
            )
