"""Extents as the analyst gave them, with their CRS; and the CRS of the grid."""

from __future__ import annotations

import re
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsDistanceArea,
    QgsGeometry,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsRectangle,
)

from ..backend.protocol import Extent
from ..plugin import grids

AUTHORITIES = ("EPSG", "ESRI", "OGC", "IAU_2015")
MARGIN_M = 20.0  # the grid snaps outward by up to 10 m
_NUMBER = r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*"
_TYPED = re.compile(rf"{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}(?:\[(.*)\]\s*)?")


def crs_text(crs: QgsCoordinateReferenceSystem) -> str:
    """A CRS as PROJ reads it anywhere: its code where an authority gave it one, else WKT; empty where invalid."""
    if not crs.isValid():
        return ""
    authority = crs.authid().partition(":")[0]
    preferred = QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED
    return crs.authid() if authority in AUTHORITIES else crs.toWkt(preferred)


def typed_extent(value: Any) -> list[float] | None:
    """xmin, ymin, xmax, ymax of an extent given as text, as typed: QGIS itself would swap inverted bounds."""
    found = _TYPED.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return None
    xmin, xmax, ymin, ymax = (float(number) for number in found.groups()[:4])
    return [xmin, ymin, xmax, ymax]


def extent(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], key: str, context: QgsProcessingContext
) -> Extent:
    """The extent with its CRS, which is the project's where none was given."""
    value = parameters.get(key)
    crs = algorithm.parameterAsExtentCrs(parameters, key, context)
    bounds = typed_extent(value)
    if bounds is None:
        box = algorithm.parameterAsExtent(parameters, key, context)
        if box.isNull():
            raise QgsProcessingException(
                f"{key} is not an extent: {value!r}. Draw one, choose a layer, or type xmin,xmax,ymin,ymax [EPSG:code]."
            )
        bounds = [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]
    return Extent(*bounds, crs=crs_text(crs))


def grid_crs(wanted: QgsCoordinateReferenceSystem, place: Extent, context: QgsProcessingContext) -> str:
    """The CRS asked for, else the project's where it counts metres and is meant for the place, else nothing."""
    if wanted.isValid():
        if not grids.is_metric(wanted):
            raise QgsProcessingException(
                f"{wanted.userFriendlyIdentifier()} is not projected in metres, so it cannot carry the grid. "
                "Choose another CRS or leave it empty."
            )
        return crs_text(wanted)
    project = context.project().crs() if context.project() else QgsCoordinateReferenceSystem()
    if not grids.is_metric(project):
        return ""
    centre = moved(place_box(place), place.crs, grids.WGS84, context.transformContext()).center()
    return crs_text(project) if grids.is_suitable(project, centre) else ""


def place_box(place: Extent) -> QgsRectangle:
    """An extent's bounds for QGIS."""
    return QgsRectangle(place.xmin, place.ymin, place.xmax, place.ymax)


def moved(box: QgsRectangle, source: str, target: str, transforms: QgsCoordinateTransformContext) -> QgsRectangle:
    """The bounds of a rectangle in another CRS; QgsProcessingException where that fails."""
    crs = [QgsCoordinateReferenceSystem(text) for text in (source, target)]
    try:
        return QgsCoordinateTransform(*crs, transforms).transformBoundingBox(box)
    except QgsCsException as error:
        names = " to ".join(one.userFriendlyIdentifier() for one in crs)
        raise QgsProcessingException(
            f"The extent cannot be projected from {names}: check that its coordinates and CRS belong together."
        ) from error


def check_area(place: Extent, max_area_km2: float, transforms: QgsCoordinateTransformContext) -> None:
    """QgsProcessingException for a place too large to export a layer for; the backend counts exactly."""
    ground, crs = QgsDistanceArea(), QgsCoordinateReferenceSystem(place.crs)
    ground.setSourceCrs(crs, transforms)
    ground.setEllipsoid(crs.ellipsoidAcronym())
    area_km2 = ground.measureArea(QgsGeometry.fromRect(place_box(place))) / 1e6
    if area_km2 > 1.1 * max_area_km2:
        raise QgsProcessingException(
            f"The extent covers about {area_km2:,.0f} km2, more than the limit of {max_area_km2:,.0f} km2. Draw a "
            "smaller extent or raise the limit (advanced parameter MAX_AREA_KM2)."
        )


def grid_box(place: Extent, wanted_crs: str, target: str, transforms: QgsCoordinateTransformContext) -> QgsRectangle:
    """The bounds, in a target CRS, of all that the job's grid over an extent may read (see backend.grid)."""
    grid = wanted_crs or grids.utm_zone(moved(place_box(place), place.crs, grids.WGS84, transforms).center())
    box = moved(place_box(place), place.crs, grid, transforms)
    return moved(box.buffered(MARGIN_M), grid, target, transforms)
