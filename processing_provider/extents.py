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
)

from ..backend.protocol import Extent
from ..plugin import grids

AUTHORITIES = ("EPSG", "ESRI", "OGC", "IAU_2015")
MARGIN_M = 20.0  # the grid snaps outward by up to 10 m
_NUMBER = r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*"
_EXTENT_TEXT = re.compile(rf"{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}(?:\[(.*)\]\s*)?")


def crs_text(crs: QgsCoordinateReferenceSystem) -> str:
    """A CRS as text that any PROJ reads: the authority's code where it has one, else WKT; empty where invalid."""
    if not crs.isValid():
        return ""
    authority = crs.authid().partition(":")[0]
    preferred = QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED  # type: ignore[attr-defined]
    return crs.authid() if authority in AUTHORITIES else crs.toWkt(preferred)


def parse_bounds(value: Any) -> list[float] | None:
    """xmin, ymin, xmax, ymax of the text `xmin,xmax,ymin,ymax [CRS]`; None for any other value.

    Bounds keep their order, so that inverted ones can be refused: QGIS itself would swap them.
    """
    match = _EXTENT_TEXT.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return None
    xmin, xmax, ymin, ymax = (float(number) for number in match.groups()[:4])
    return [xmin, ymin, xmax, ymax]


def read_extent(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], key: str, context: QgsProcessingContext
) -> Extent:
    """The extent of a parameter, in its own CRS or else the project's."""
    value = parameters.get(key)
    crs = algorithm.parameterAsExtentCrs(parameters, key, context)
    bounds = parse_bounds(value)
    if bounds is None:
        box = algorithm.parameterAsExtent(parameters, key, context)
        if box.isNull():
            raise QgsProcessingException(
                f"{key} is not an extent: {value!r}. Draw one, choose a layer, or type xmin,xmax,ymin,ymax [EPSG:code]."
            )
        bounds = [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]
    return Extent(*bounds, crs=crs_text(crs))


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


def grid_bounds(
    extent: Extent, grid_crs: str, target: str, transforms: QgsCoordinateTransformContext, margin_m: float = 0.0
) -> QgsRectangle:
    """The bounds, in the target CRS, of the backend's grid over an extent, with a margin and more for its snapping.

    `grid_crs` is the grid's CRS; empty for the UTM zone of the extent's centre.
    """
    box = rectangle(extent)
    grid_crs = grid_crs or grids.utm_zone(reprojected(box, extent.crs, grids.WGS84, transforms).center())
    box = reprojected(box, extent.crs, grid_crs, transforms)
    return reprojected(box.buffered(MARGIN_M + margin_m), grid_crs, target, transforms)
