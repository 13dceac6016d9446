"""Extents: a rectangle with its CRS, checked when it is made."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .errors import BackendError

DEFAULT_MAX_AREA_KM2 = 2500.0


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
