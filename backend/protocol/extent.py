"""Extents: a rectangle with its CRS, checked on creation, and the snapping of bounds to a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .errors import BackendError

DEFAULT_MAX_AREA_KM2 = 2500.0
SNAP_M = 10
"""The bounds of every grid are multiples of this, in metres from the origin of the CRS."""

ANTIMERIDIAN = (
    "The extent crosses the antimeridian (180 degrees). Draw one extent on either side of it; a raster that crosses "
    "it must be cut there first."
)


@dataclass(frozen=True)
class Extent:
    """A rectangle in its own CRS; `crs` is anything PROJ reads (`EPSG:32618`, WKT)."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float
    crs: str

    def __post_init__(self) -> None:
        if not str(self.crs).strip():
            raise BackendError("The extent has no CRS. Give it one, for instance '0,1,0,1 [EPSG:4326]'.")
        if not all(math.isfinite(v) for v in (self.xmin, self.ymin, self.xmax, self.ymax)):
            raise BackendError("The extent has coordinates that are not finite numbers.")
        if self.xmin == self.xmax or self.ymin == self.ymax:
            raise BackendError("The extent is empty: its width or height is zero. Draw a larger one.")
        if self.xmin > self.xmax or self.ymin > self.ymax:
            raise BackendError(
                "The extent is inverted: its minimum lies beyond its maximum. Where it crosses the "
                "antimeridian, draw one extent on either side of it."
            )


def shifted_longitudes(west: float, east: float, turn: float = 360.0) -> tuple[float, float]:
    """West and east, shifted by whole turns so that west is in [-180, 180) degrees; BackendError across 180 degrees.

    `turn` is a full circle in the unit of the longitudes: 360 for degrees. Rounding errors of a billionth of a turn
    are cut off. Raises BackendError, too, for longitudes beyond 540 degrees, which are other coordinates.
    """
    half, tolerance = turn / 2, turn * 1e-9
    if west < -1.5 * turn or east > 1.5 * turn:
        raise BackendError(
            f"The extent lies outside the Earth: its longitudes are {west:,.15g} to {east:,.15g}. Check that its "
            "coordinates and CRS belong together."
        )
    shift = -turn * math.floor((west + half + tolerance) / turn)
    west, east = max(west + shift, -half), east + shift
    if east > half + tolerance:
        raise BackendError(ANTIMERIDIAN)
    return west, min(east, half)


def outward_multiples(bounds: tuple[float, float, float, float], step: float) -> tuple[int, int, int, int]:
    """xmin, ymin, xmax, ymax in whole steps, rounded outward.

    A bound less than a millionth of a step beyond a multiple counts as that multiple, so that rounding errors of a
    projection do not add a row of pixels.
    """
    tolerance = 1e-6
    left, bottom = (math.floor(value / step + tolerance) for value in bounds[:2])
    right, top = (math.ceil(value / step - tolerance) for value in bounds[2:])
    return left, bottom, right, top


def snapped_bounds(bounds: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """xmin, ymin, xmax, ymax in metres, rounded outward to multiples of SNAP_M."""
    left, bottom, right, top = outward_multiples(bounds, SNAP_M)
    return left * SNAP_M, bottom * SNAP_M, right * SNAP_M, top * SNAP_M
