"""Extent parameters with their CRS, and the CRS and bounds of the grid that the backend makes of an extent."""

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
    QgsReferencedGeometry,
    QgsReferencedRectangle,
)

from ..backend.protocol import Extent
from ..plugin import grids
from .typed_crs import typed_crs

AUTHORITIES = ("EPSG", "ESRI", "OGC", "IAU_2015")
MARGIN_M = 20.0  # the grid snaps outward by up to 10 m
_NUMBER = r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*"
_EXTENT_TEXT = re.compile(rf"{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}(?:\[(.*)\]\s*)?", re.DOTALL)


def crs_text(crs: QgsCoordinateReferenceSystem) -> str:
    """A CRS as text that any PROJ reads: the authority's code where it has one, else WKT; empty where invalid."""
    if not crs.isValid():
        return ""
    authority = crs.authid().partition(":")[0]
    preferred = QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED  # type: ignore[attr-defined]
    return crs.authid() if authority in AUTHORITIES else crs.toWkt(preferred)


def read_extent(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], key: str, context: QgsProcessingContext
) -> Extent:
    """The extent of a parameter, in its own CRS or else the project's; longitudes are shifted to -180 to 180.

    Raises QgsProcessingException for what is no extent and for a CRS in brackets that is none, BackendError for an
    extent that is empty, inverted, without CRS or across the antimeridian.
    """
    value = parameters.get(key)
    match = _EXTENT_TEXT.fullmatch(value) if isinstance(value, str) else None
    if match:
        # QGIS itself would swap inverted bounds, and take the project's CRS for one that it does not know
        xmin, xmax, ymin, ymax = (float(number) for number in match.groups()[:4])
        crs = algorithm.parameterAsExtentCrs(parameters, key, context) if match[5] is None else typed_crs(match[5], key)
        Extent(xmin, ymin, xmax, ymax, crs_text(crs))  # refuses inverted bounds
        return extent_of_box(QgsRectangle(xmin, ymin, xmax, ymax), crs)
    if isinstance(value, (QgsReferencedRectangle, QgsReferencedGeometry)):
        crs = value.crs()
    else:
        crs = algorithm.parameterAsExtentCrs(parameters, key, context)
    if isinstance(value, QgsGeometry):  # also a referenced one, which QGIS does not take
        box = value.boundingBox()
    else:
        box = algorithm.parameterAsExtent(parameters, key, context)
    if box.isNull():
        raise QgsProcessingException(
            f"{key} is not an extent: {value!r}. Draw one, choose a layer, or type xmin,xmax,ymin,ymax [EPSG:code]."
        )
    return extent_of_box(box, crs)


def extent_of_box(box: QgsRectangle, crs: QgsCoordinateReferenceSystem) -> Extent:
    """A box in a CRS as an extent; longitudes are shifted to -180 to 180.

    Raises BackendError for a box that is empty, without CRS or across the antimeridian.
    """
    box = grids.within_180(box, crs)
    return Extent(box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum(), crs=crs_text(crs))


def read_crs(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], key: str, context: QgsProcessingContext
) -> QgsCoordinateReferenceSystem:
    """The CRS of a parameter, invalid where it is empty; QgsProcessingException for what is no CRS."""
    value = parameters.get(key)
    crs = algorithm.parameterAsCrs(parameters, key, context)
    is_empty = value in (None, "") or isinstance(value, QgsCoordinateReferenceSystem)
    return crs if crs.isValid() or is_empty else typed_crs(str(value), key)


def grid_crs(requested: QgsCoordinateReferenceSystem, extent: Extent, context: QgsProcessingContext) -> str:
    """The requested CRS; else the project's, where it is metric and valid at the extent; else empty.

    Raises QgsProcessingException for a requested CRS that is not projected in metres.
    """
    if requested.isValid():
        if not grids.is_metric(requested):
            raise QgsProcessingException(
                f"{requested.userFriendlyIdentifier()} is not projected in metres, so it cannot carry the grid. "
                "Choose another CRS or leave it empty."
            )
        return crs_text(requested)
    project = context.project().crs() if context.project() else QgsCoordinateReferenceSystem()
    if not grids.is_metric(project):
        return ""
    centre = reprojected(rectangle(extent), extent.crs, grids.WGS84, context.transformContext()).center()
    return crs_text(project) if grids.is_suitable(project, centre) else ""


def rectangle(extent: Extent) -> QgsRectangle:
    """The extent's bounds as QGIS's rectangle."""
    return QgsRectangle(extent.xmin, extent.ymin, extent.xmax, extent.ymax)


def reprojected(box: QgsRectangle, source: str, target: str, transforms: QgsCoordinateTransformContext) -> QgsRectangle:
    """The bounds of a rectangle in another CRS; QgsProcessingException where it cannot be projected."""
    source_crs, target_crs = QgsCoordinateReferenceSystem(source), QgsCoordinateReferenceSystem(target)
    try:
        return QgsCoordinateTransform(source_crs, target_crs, transforms).transformBoundingBox(box)
    except QgsCsException as error:
        names = f"{source_crs.userFriendlyIdentifier()} to {target_crs.userFriendlyIdentifier()}"
        raise QgsProcessingException(
            f"The extent cannot be projected from {names}: check that its coordinates and CRS belong together."
        ) from error


def check_area(extent: Extent, max_area_km2: float, transforms: QgsCoordinateTransformContext) -> None:
    """Raise QgsProcessingException for an extent more than 10 % over the limit, before a layer is exported for it.

    The backend applies the exact limit to the grid.
    """
    ellipsoid, crs = QgsDistanceArea(), QgsCoordinateReferenceSystem(extent.crs)
    ellipsoid.setSourceCrs(crs, transforms)
    ellipsoid.setEllipsoid(crs.ellipsoidAcronym())
    area_km2 = ellipsoid.measureArea(QgsGeometry.fromRect(rectangle(extent))) / 1e6
    if area_km2 > 1.1 * max_area_km2:
        raise QgsProcessingException(
            f"The extent covers about {area_km2:,.0f} km2, more than the limit of {max_area_km2:,.0f} km2. Draw a "
            "smaller extent or raise the limit (advanced parameter MAX_AREA_KM2)."
        )


def turns(crs: QgsCoordinateReferenceSystem, bounds: QgsRectangle) -> tuple[float, ...]:
    """The shifts in degrees after which an extent may reach into a layer: only 0 where no longitude is beyond 180."""
    return (0.0, 360.0, -360.0) if is_beyond_180(crs, bounds) else (0.0,)


def is_beyond_180(crs: QgsCoordinateReferenceSystem, bounds: QgsRectangle) -> bool:
    """Whether bounds are in degrees with longitudes beyond -180 to 180."""
    return grids.in_degrees(crs) and (bounds.xMinimum() < -180 or bounds.xMaximum() > 180)


def shifted(box: QgsRectangle, degrees: float) -> QgsRectangle:
    """A box moved eastward."""
    return QgsRectangle(box.xMinimum() + degrees, box.yMinimum(), box.xMaximum() + degrees, box.yMaximum())


def grid_bounds(
    extent: Extent, grid_crs: str, target: str, transforms: QgsCoordinateTransformContext, margin_m: float = 0.0
) -> QgsRectangle:
    """The bounds, in the target CRS, of the backend's grid over an extent, with a margin and more for its snapping.

    `grid_crs` is the grid's CRS; empty for the UTM zone of the extent's centre.
    """
    box = rectangle(extent)
    grid_crs = grid_crs or grids.utm_zone(reprojected(box, extent.crs, grids.WGS84, transforms).center())
    grid_box = reprojected(box, extent.crs, grid_crs, transforms)
    bounds = reprojected(grid_box.buffered(MARGIN_M + margin_m), grid_crs, target, transforms)
    # a margin that crosses the antimeridian would reach around the Earth
    crosses = grids.in_degrees(QgsCoordinateReferenceSystem(target)) and bounds.width() > 180
    return reprojected(box, extent.crs, target, transforms) if crosses else bounds
