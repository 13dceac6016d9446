"""The grid that an extent becomes, as the backend's `grid` makes it, told before a job is run."""

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

from ..backend.protocol import snapped_bounds

DEGREES = "EPSG:4326"
UTM_SOUTH, UTM_NORTH = -80.0, 84.0


def is_metric(crs: QgsCoordinateReferenceSystem) -> bool:
    """Whether a CRS is projected in metres; Web Mercator's are not metres on the ground."""
    metres = crs.mapUnits() == QgsUnitTypes.DistanceUnit.DistanceMeters
    return crs.isValid() and not crs.isGeographic() and metres and crs.authid() != "EPSG:3857"


def suits(crs: QgsCoordinateReferenceSystem, centre: QgsPointXY) -> bool:
    """Whether a project's CRS can carry the grid at a place in degrees: it counts metres and is meant for there."""
    meant_for = crs.bounds()  # empty for a CRS of the user's own
    return is_metric(crs) and (meant_for.isEmpty() or meant_for.contains(centre))


def utm(centre: QgsPointXY) -> str:
    """The UTM zone of a place in degrees."""
    zone = min(max(int((centre.x() + 180) // 6), 0), 59) + 1
    return f"EPSG:{(32600 if centre.y() >= 0 else 32700) + zone}"


@dataclass(frozen=True)
class Grid:
    """A rectangle on the ground, in metres and snapped to 10 m, with its centre in degrees."""

    crs: QgsCoordinateReferenceSystem
    box: QgsRectangle
    centre: QgsPointXY

    @property
    def area_km2(self) -> float:
        """What it covers."""
        return self.box.width() * self.box.height() / 1e6

    def size_px(self, pixel_m: float) -> tuple[int, int]:
        """Width and height in pixels."""
        return round(self.box.width() / pixel_m), round(self.box.height() / pixel_m)


def of(
    box: QgsRectangle,
    crs: QgsCoordinateReferenceSystem,
    project_crs: QgsCoordinateReferenceSystem,
    transforms: QgsCoordinateTransformContext,
) -> Grid:
    """The grid of an extent in any CRS; QgsCsException or ValueError where it has no place on the Earth."""
    degrees = QgsCoordinateReferenceSystem(DEGREES)
    centre = QgsCoordinateTransform(crs, degrees, transforms).transformBoundingBox(box).center()
    if not UTM_SOUTH <= centre.y() <= UTM_NORTH or not -180 <= centre.x() <= 180:
        raise ValueError("outside of what UTM reaches")
    target = project_crs if suits(project_crs, centre) else QgsCoordinateReferenceSystem(utm(centre))
    moved = QgsCoordinateTransform(crs, target, transforms).transformBoundingBox(box)
    return Grid(target, _snapped(moved), centre)


def _snapped(box: QgsRectangle) -> QgsRectangle:
    """The box rounded outward as the backend rounds a grid's bounds."""
    return QgsRectangle(*snapped_bounds((box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())))
