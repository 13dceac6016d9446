"""Two land cover maps of the same ground: a raster of class pairs with its legend, and the confusion table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from pyproj import CRS, Geod
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from backend.geo import class_raster, grid, legend
from backend.geo.raster import RasterWriter, raster_errors
from backend.protocol import Reporter
from backend.sources.mosaic import TOLERANCE_PX

FIRST = 111
"""The value of the first pair of classes: above WorldCover's codes, so that the result cannot be mistaken for them."""
NODATA = 0
TINT = 0.8  # how far towards white a class's colour is where both maps agree on it
BLOCK_ROWS, BLOCK_COLS = 512, 4096  # low, so that in degrees all pixels of a block have about one area
M2_PER_HA = 10_000.0
COLUMNS = ("reference_ha", "compared_ha", "agree_ha", "agree_of_reference", "agree_of_compared")


def pair_values(reference: np.ndarray, compared: np.ndarray) -> np.ndarray:
    """uint8 class indices of both maps to one uint8 value a pair of classes; NODATA where either is IGNORE."""
    known = (reference != legend.IGNORE) & (compared != legend.IGNORE)
    values = FIRST + reference.astype(np.uint16) * legend.COUNT + compared
    return np.where(known, values, NODATA).astype(np.uint8)


def pair_counts(values: np.ndarray) -> np.ndarray:
    """(COUNT, COUNT) int64: pixels by the class of the reference (row) and of the compared map (column)."""
    counts = np.bincount(values.ravel(), minlength=256)[FIRST : FIRST + legend.COUNT**2]
    return counts.reshape(legend.COUNT, legend.COUNT)


def pair_legend(present: np.ndarray) -> dict[int, tuple[str, str]]:
    """Value to name and colour of the pairs that are present, a (COUNT, COUNT) bool.

    Agreement first, in tints of the class's colour; disagreement in the colour of the compared map's class.
    """
    pairs = sorted(np.argwhere(present).tolist(), key=lambda pair: (pair[0] != pair[1], pair))
    return {FIRST + i * legend.COUNT + j: (_pair_name(i, j), _pair_colour(i, j)) for i, j in pairs}


def _pair_name(i: int, j: int) -> str:
    return f"agree: {legend.NAMES[i]}" if i == j else f"{legend.NAMES[i]} → {legend.NAMES[j]}"


def _pair_colour(i: int, j: int) -> str:
    rgb = legend.rgb(int(legend.CODES[j]))
    return bytes(round(255 * TINT + value * (1 - TINT)) if i == j else value for value in rgb).hex().upper()


def write_pairs(
    writer: RasterWriter,
    reference: rasterio.DatasetReader,
    compared: rasterio.DatasetReader,
    paths: tuple[str, str],
    report: Reporter,
) -> np.ndarray:
    """Write the pair values of two class rasters on the first's grid; returns (COUNT, COUNT) hectares of each pair.

    The compared map is resampled by nearest neighbour. `paths` are theirs, for errors.
    """
    hectares, windows = np.zeros((legend.COUNT, legend.COUNT)), list(_windows(writer.box))
    height, width = writer.box.shape
    with WarpedVRT(
        compared,
        crs=reference.crs,
        transform=reference.transform,
        height=height,
        width=width,
        resampling=Resampling.nearest,
        tolerance=TOLERANCE_PX,
    ) as warped:
        for count, window in enumerate(windows, 1):
            with raster_errors(paths[0], "reference"):
                ours = class_raster.read_indices(reference, window)
            with raster_errors(paths[1], "compared map"):
                theirs = class_raster.read_indices(warped, window)
            values = pair_values(ours, theirs)
            rows, cols = window.toslices()
            writer.write(values, window.row_off, window.col_off)
            hectares += pair_counts(values) * _pixel_ha(writer.box[rows, cols])
            report.progress(count / len(windows), f"Block {count} of {len(windows)}")
    return hectares


def _windows(box: GeoBox) -> Iterator[Window]:
    height, width = box.shape
    for row in range(0, height, BLOCK_ROWS):
        for col in range(0, width, BLOCK_COLS):
            yield Window(col, row, min(BLOCK_COLS, width - col), min(BLOCK_ROWS, height - row))


def _pixel_ha(block: GeoBox) -> float:
    """The mean area of a block's pixels in hectares: planar where the CRS is in metres, else on the ellipsoid."""
    if grid.is_metric(CRS.from_user_input(str(block.crs))):
        return abs(block.affine.determinant) / M2_PER_HA
    area_m2, _ = Geod(ellps="WGS84").geometry_area_perimeter(block.footprint("EPSG:4326", buffer=0).geom)
    return abs(area_m2) / M2_PER_HA / (block.shape[0] * block.shape[1])


@dataclass(frozen=True)
class Difference:
    """(COUNT, COUNT) float64 hectares by the class of the reference (row) and of the compared map (column)."""

    reference: str
    compared: str
    hectares: np.ndarray

    @property
    def total(self) -> float:
        """The hectares where both maps are known."""
        return float(self.hectares.sum())

    @property
    def agreement(self) -> float:
        """The share of the area on which both agree."""
        return float(np.trace(self.hectares)) / self.total

    @property
    def quantity(self) -> float:
        """The share that disagrees because the maps have other amounts of the classes (Pontius & Millones 2011)."""
        return float(np.abs(self.hectares.sum(axis=0) - self.hectares.sum(axis=1)).sum()) / 2 / self.total

    @property
    def allocation(self) -> float:
        """The share that disagrees because the same amounts are in other places (Pontius & Millones 2011)."""
        return max(1 - self.agreement - self.quantity, 0.0)

    @property
    def present(self) -> np.ndarray:
        """The indices of the classes that occur in either map."""
        return np.flatnonzero(self.hectares.sum(axis=0) + self.hectares.sum(axis=1))

    def by_class(self, index: int) -> tuple[float, float, float, float, float]:
        """The COLUMNS of a class: hectares of the reference, the compared map and both, and the shares that agree.

        A share is NaN where the map does not have the class.
        """
        ours, theirs = float(self.hectares[index].sum()), float(self.hectares[:, index].sum())
        both = float(self.hectares[index, index])
        return ours, theirs, both, both / ours if ours else np.nan, both / theirs if theirs else np.nan

    def sentence(self) -> str:
        """The result in words."""
        return (
            f"The maps agree on {self.agreement:.1%} of {self.total:,.1f} ha. Other amounts of the classes account for "
            f"{self.quantity:.1%}, the same amounts in other places for {self.allocation:.1%}."
        )
