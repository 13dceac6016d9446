"""Mosaics: rasters on top of each other, read on one grid, block by block.

The public bucket, STAC items and layers are all read in this way. Each block is warped from the rasters that touch it,
so that memory does not grow with the extent and only the bytes under the extent are downloaded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
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
from backend.sources import Missing, NoRaster, aerial, gdal_access, is_refusal, open_address

BLOCK_PX = 2048  # a multiple of the output's tiles, so that each is written once
OPEN_FILES = 32
TOLERANCE_PX = 0.001  # the largest error of the approximated projection
MOST_PX = 5000 * 5000  # of an aerial image in memory


@dataclass(frozen=True)
class Piece:
    """One raster of a mosaic: its path, unsigned URL or VRT, and its footprint in the grid's CRS, if that is known.

    `name` is that of a layer or in a catalogue, `year` the catalogue's. An `is_aerial` one is an image as
    `backend.sources.aerial` describes.
    """

    address: str
    footprint: Geometry | None = None
    nodata: float | None = None
    name: str = ""
    year: int | None = None
    is_aerial: bool = False

    @property
    def shown(self) -> str:
        """What a message calls it: its address, or the name of a layer that is read through a VRT."""
        return self.name if self.address.startswith("<") else self.address


def pixel_m(source: rasterio.DatasetReader, box: GeoBox) -> float:
    """The ground size in metres of a raster's pixels at the centre of a grid."""
    x, y = box.extent.centroid.coords[0]
    step_m = 10.0
    xs, ys = transform(str(box.crs), source.crs, [x + step_m, x, x], [y, y, y + step_m])[:2]
    rows, cols = rowcol(source.transform, xs, ys, op=np.asarray)
    (row_x, row_y), (col_x, col_y) = np.diff(rows), np.diff(cols)
    pixels = abs(row_x * col_y - row_y * col_x)
    return step_m / pixels**0.5


def _surroundings(box: GeoBox, wanted: np.ndarray) -> Geometry:
    """The rectangle around some pixels of a grid, with a margin: footprints are accurate to some metres."""
    rows, cols = (np.flatnonzero(wanted.any(axis=axis)) for axis in (1, 0))
    return box[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1].pad(8).extent


class Mosaic:
    """Pieces on top of each other, the first one uppermost; use as a context manager.

    `classes`: nearest neighbour; values outside the WorldCover legend are nodata. `rgb`: the first three bands,
    averaged where the grid is coarser than the piece, else bilinear. `sign` returns the URL to read a piece with; it is
    called for every access, because signatures expire. `pixels` counts, by address, what each piece has given so far.
    A piece of another year than the first one's that the server does not have is left out; `left_out` says why.
    """

    def __init__(self, pieces: list[Piece], kind: Kind, sign: Callable[[str], str] = str) -> None:
        self.pieces, self.kind, self._sign = pieces, kind, sign
        self._opened: dict[tuple[str, int | None], rasterio.DatasetReader] = {}
        self._zones: dict[str, aerial.Zones] = {}
        self.pixels: defaultdict[str, int] = defaultdict(int)
        self.left_out: dict[str, str] = {}

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
            with gdal_access(piece.shown):
                self._opened[key] = open_address(*key)
            if piece.is_aerial:
                aerial.check_image(self._opened[key], piece.name)
        return self._opened[key]

    def forget_missing(self, report: Reporter) -> None:
        """Remove the pieces that do not exist.

        A server that answers 403 or 410, or sends something else than a GeoTIFF, is taken at its word where another
        piece can be opened; the log then names the pieces left out. Raises BackendError where none can, and for any
        other error of a server (5xx, a timeout), behind which there may be data.
        """
        refused: dict[str, NoRaster] = {}
        for piece in list(self.pieces):
            try:
                self.open(piece)
            except Missing:
                self.pieces.remove(piece)
            except NoRaster as error:
                if not is_refusal(self._sign(piece.address), error):
                    raise
                self.pieces.remove(piece)
                refused[piece.address] = error
        if refused and not self.pieces:
            raise next(iter(refused.values()))
        for reason in dict.fromkeys(error.reason for error in refused.values()):
            names = [address.rsplit("/", 1)[-1] for address, error in refused.items() if error.reason == reason]
            report.log(f"Left out as not there, because the server {reason}: {', '.join(names)}.")

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

    def _zones_of(self, piece: Piece) -> aerial.Zones:
        if piece.address not in self._zones:
            self._zones[piece.address] = aerial.collar_zones(self.open(piece))
        return self._zones[piece.address]

    def _read_aerial(self, piece: Piece, box: GeoBox, last: bool) -> tuple[np.ndarray, np.ndarray]:
        """`_read` of an aerial image; `last`: also what other pieces go over."""
        source, resampling = self._best_overview(piece, box)
        window = aerial.window_of(source, box)
        if window.width * window.height > MOST_PX and box.height > 1:
            half = box.height // 2
            parts = [self._read_aerial(piece, part, last) for part in (box[:half], box[half:])]
            return np.concatenate([data for data, _ in parts], axis=1), np.concatenate([valid for _, valid in parts])
        image = aerial.opaque(source, self.open(piece), lambda: self._zones_of(piece), window, last)
        return self._warp(piece, image, box, resampling)

    def _read(self, piece: Piece, box: GeoBox) -> tuple[np.ndarray, np.ndarray]:
        """(bands, height, width) of one piece on a grid, and (height, width) bool where it has data."""
        source, resampling = self._best_overview(piece, box)
        return self._warp(piece, nullcontext(source), box, resampling)

    def _warp(
        self,
        piece: Piece,
        opened: AbstractContextManager[rasterio.DatasetReader],
        box: GeoBox,
        resampling: Resampling,
    ) -> tuple[np.ndarray, np.ndarray]:
        with (
            gdal_access(piece.shown),
            opened as source,
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
        # Dark edges of aerial images come last, under all other pieces.
        for piece, last in [*((piece, False) for piece in self.pieces), *((piece, True) for piece in self.pieces)]:
            if valid.all():
                break
            if piece.address in self.left_out or (last and piece.address not in self._zones):
                continue
            if piece.footprint is None or piece.footprint.intersects(_surroundings(box, ~valid)):
                try:
                    part, part_valid = (
                        self._read_aerial(piece, box, last) if piece.is_aerial else self._read(piece, box)
                    )
                except (Missing, NoRaster) as error:
                    fills = piece.year != self.pieces[0].year
                    if not fills or not is_refusal(self._sign(piece.address), error):
                        raise
                    self.left_out[piece.address] = str(error)
                    continue
                new = part_valid & ~valid
                data[:, new] = part[:, new]
                valid |= part_valid
                self.pixels[piece.address] += int(new.sum())
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
            top = self.pieces[0].shown
            raise BackendError(
                f"Nothing to clip: no valid pixel inside the extent in {top}{others}. "
                "Check that the extent lies where the data is."
            )
