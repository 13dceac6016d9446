"""Mosaics: rasters on top of each other, read on one grid, block by block.

The public bucket, STAC items and layers are all read in this way. Each block is warped from the rasters that touch it,
so that memory does not grow with the extent and only the bytes under the extent are downloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from odc.geo.geom import Geometry
from rasterio.enums import ColorInterp, Resampling
from rasterio.transform import rowcol
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform

from backend.geo import legend
from backend.geo.raster import Kind
from backend.protocol import BackendError, Reporter
from backend.sources import Missing, gdal_access, open_address

BLOCK_PX = 2048  # a multiple of the output's tiles, so that each is written once
OPEN_FILES = 32
TOLERANCE_PX = 0.001  # the largest error of the approximated projection


@dataclass(frozen=True)
class Piece:
    """One raster of a mosaic: its path, unsigned URL or VRT, and its footprint in the grid's CRS, if that is known.

    `name` is shown instead of a VRT's text.
    """

    address: str
    footprint: Geometry | None = None
    nodata: float | None = None
    name: str = ""


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
    """Pieces on top of each other, the first one uppermost; use as a context manager.

    `classes`: nearest neighbour; values outside the WorldCover legend are nodata. `rgb`: the first three bands,
    averaged where the grid is coarser than the piece, else bilinear. `sign` returns the URL to read a piece with; it is
    called for every access, because signatures expire.
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
        """An open piece, or its overview `level`; kept open for the next read."""
        key = self._sign(piece.address), level
        if key not in self._opened:
            if len(self._opened) >= OPEN_FILES:
                self.__exit__()
            with gdal_access(piece.address):
                self._opened[key] = open_address(*key)
        return self._opened[key]

    def forget_missing(self) -> None:
        """Remove the pieces that do not exist; BackendError for any error of a server but 404."""
        for piece in list(self.pieces):
            try:
                self.open(piece)
            except Missing:
                self.pieces.remove(piece)

    def pixel_m(self, box: GeoBox) -> float:
        """The ground size in metres, to the centimetre, of the top piece's pixels."""
        return max(round(pixel_m(self.open(self.pieces[0]), box), 2), 0.01)

    def _best_overview(self, piece: Piece, box: GeoBox) -> tuple[rasterio.DatasetReader, Resampling]:
        """The piece, at the coarsest overview that is still finer than a grid, and the resampling to use."""
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
        source, resampling = self._best_overview(piece, box)
        with (
            gdal_access(piece.address),
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
            ) as warped,
        ):
            alpha = warped.colorinterp.index(ColorInterp.alpha) + 1
            bands = [1] if self.kind == "classes" else [1, 2, 3]
            data = warped.read([*bands, alpha])
        valid = data[-1] > 0
        if self.kind == "classes":
            valid &= np.isin(data[0], legend.CODES)
        return data[:-1], valid

    def read(self, box: GeoBox) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (bands, height, width) on a grid, 0 without data, and (height, width) bool where there is data."""
        data = np.zeros((1 if self.kind == "classes" else 3, *box.shape), np.uint8)
        valid = np.zeros(box.shape, bool)
        near = box.pad(8).extent  # footprints are accurate to some metres
        for piece in self.pieces:
            if valid.all():
                break
            if piece.footprint is None or piece.footprint.intersects(near):
                part, part_valid = self._read(piece, box)
                new = part_valid & ~valid
                data[:, new] = part[:, new]
                valid |= part_valid
        return data, valid

    def blocks(self, box: GeoBox, report: Reporter) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        """Row, column, data and valid mask of each block of a grid, row by row.

        Raises BackendError after the last block where none had data.
        """
        height, width = box.shape
        offsets = [(row, col) for row in range(0, height, BLOCK_PX) for col in range(0, width, BLOCK_PX)]
        any_valid = False
        for count, (row, col) in enumerate(offsets, 1):
            block = box[row : min(row + BLOCK_PX, height), col : min(col + BLOCK_PX, width)]
            data, valid = self.read(block)
            any_valid |= bool(valid.any())
            yield row, col, data, valid
            report.progress(count / len(offsets), f"Block {count} of {len(offsets)}")
        if not any_valid:
            others = f" and {len(self.pieces) - 1} more" if len(self.pieces) > 1 else ""
            top = self.pieces[0].name or self.pieces[0].address
            raise BackendError(
                f"Nothing to clip: no valid pixel inside the extent in {top}{others}. "
                "Check that the extent lies where the data is."
            )
