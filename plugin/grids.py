"""The output grid of an extent, by the same rules as the backend's, to show its size before a job is run."""

from __future__ import annotations

from dataclasses import dataclass

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsPointXY,
    QgsRectangle,
    QgsUnitTypes,
)

from ..backend.protocol import shifted_longitudes, snapped_bounds

WGS84 = "EPSG:4326"
UTM_SOUTH, UTM_NORTH = -80.0, 84.0
"""The latitudes that UTM covers, in degrees."""


def is_metric(crs: QgsCoordinateReferenceSystem) -> bool:
    """Whether a CRS is projected in metres; Web Mercator is excluded, since its metres are not those of the ground."""
    in_metres = crs.mapUnits() == QgsUnitTypes.DistanceUnit.DistanceMeters  # type: ignore[attr-defined]
    return crs.isValid() and not crs.isGeographic() and in_metres and crs.authid() != "EPSG:3857"


def is_suitable(crs: QgsCoordinateReferenceSystem, centre: QgsPointXY) -> bool:
    """Whether a CRS can carry the grid: it is in metres, and its area of use has the centre (degrees, WGS 84)."""
    area_of_use = crs.bounds()  # empty for a user-defined CRS
    return is_metric(crs) and (area_of_use.isEmpty() or area_of_use.contains(centre))


def utm_zone(centre: QgsPointXY) -> str:
    """The CRS of the UTM zone of a point in degrees, as `EPSG:32617`."""
    zone = min(max(int((centre.x() + 180) // 6), 0), 59) + 1
    return f"EPSG:{(32600 if centre.y() >= 0 else 32700) + zone}"


def within_180(box: QgsRectangle, crs: QgsCoordinateReferenceSystem) -> QgsRectangle:
    """A box in degrees with its longitudes shifted to -180 to 180; any other box as it is.

    Raises BackendError for a box in degrees that crosses the antimeridian.
    """
    if not in_degrees(crs):
        return box
    west, east = shifted_longitudes(box.xMinimum(), box.xMaximum())
    return QgsRectangle(west, box.yMinimum(), east, box.yMaximum())


def in_degrees(crs: QgsCoordinateReferenceSystem) -> bool:
    """Whether a CRS has longitudes and latitudes in degrees."""
    return crs.isGeographic() and crs.mapUnits() == QgsUnitTypes.DistanceUnit.DistanceDegrees  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Grid:
    """A rectangle in a CRS in metres, snapped to multiples of 10 m, and its centre in degrees (WGS 84)."""

    crs: QgsCoordinateReferenceSystem
    box: QgsRectangle
    centre: QgsPointXY

    @property
    def area_km2(self) -> float:
        """The area in square kilometres."""
        return self.box.width() * self.box.height() / 1e6

    def size_px(self, pixel_m: float) -> tuple[int, int]:
        """Width and height in pixels of a size in metres."""
        return round(self.box.width() / pixel_m), round(self.box.height() / pixel_m)


def grid_of_extent(
    box: QgsRectangle,
    crs: QgsCoordinateReferenceSystem,
    project_crs: QgsCoordinateReferenceSystem,
    transforms: QgsCoordinateTransformContext,
) -> Grid:
    """The grid of an extent in any CRS: in the project's CRS where that is suitable, else in UTM.

    Raises QgsCsException where the extent cannot be transformed, ValueError where UTM does not cover its centre, and
    BackendError where it crosses the antimeridian.
    """
    box = within_180(box, crs)
    wgs84 = QgsCoordinateReferenceSystem(WGS84)
    centre = QgsCoordinateTransform(crs, wgs84, transforms).transformBoundingBox(box).center()
    if not UTM_SOUTH <= centre.y() <= UTM_NORTH or not -180 <= centre.x() <= 180:
        raise ValueError("outside of the area that UTM covers")
    target = project_crs if is_suitable(project_crs, centre) else QgsCoordinateReferenceSystem(utm_zone(centre))
    bounds = QgsCoordinateTransform(crs, target, transforms).transformBoundingBox(box)
    return Grid(target, _snap_outward(bounds), centre)


def _snap_outward(box: QgsRectangle) -> QgsRectangle:
    """The box rounded outward as the backend rounds a grid's bounds."""
    return QgsRectangle(*snapped_bounds((box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())))
