"""Polygon layers as job fields: the region to fill as WKT in the extent's CRS, or the extents to clip."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsFeatureRequest,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsWkbTypes,
)

from ..backend.protocol import Extent
from .extents import crs_text, extent_of_box, grid_bounds, rectangle, shifted, turns

WKT_DECIMALS = 9  # a tenth of a millimetre where coordinates are in degrees
POLYGON, MIXED = QgsWkbTypes.GeometryType.PolygonGeometry, QgsWkbTypes.GeometryType.UnknownGeometry  # type: ignore[attr-defined]
# Before a reprojection, edges get a vertex at least every 1/100 of the grid's longer side, so that they keep their
# course in the other CRS.
VERTICES_PER_SIDE = 100


def polygon_source(
    algorithm: Any, parameters: dict[str, Any], key: str, context: QgsProcessingContext
) -> QgsProcessingFeatureSource:
    """The features of a polygon parameter.

    Raises QgsProcessingException for a layer that cannot be opened, has no polygons or has no CRS.
    """
    source = algorithm.parameterAsSource(parameters, key, context)
    if source is None:
        raise QgsProcessingException(
            f"{key} cannot be opened: {parameters.get(key)} does not exist, is damaged or is not a vector layer."
        )
    if QgsWkbTypes.geometryType(source.wkbType()) not in (POLYGON, MIXED) or source.featureCount() == 0:
        raise _no_polygons(source)
    if not source.sourceCrs().isValid():
        raise QgsProcessingException(
            f"The layer {source.sourceName()!r} has no CRS, so its place is unknown. Set it first (Layer, Set CRS)."
        )
    return source


def _no_polygons(source: QgsProcessingFeatureSource) -> QgsProcessingException:
    return QgsProcessingException(
        f"The layer {source.sourceName()!r} has no polygons to fill. Choose a layer that has some; with 'Selected "
        "features only', select some of them."
    )


def total_extent(source: QgsProcessingFeatureSource) -> Extent:
    """The bounds of all polygons together, in the layer's CRS; QgsProcessingException where there is none."""
    union = _union(source, QgsFeatureRequest())
    if union.isEmpty():
        raise _no_polygons(source)
    return _extent(union, source)


def feature_extents(source: QgsProcessingFeatureSource) -> tuple[Extent, ...]:
    """The bounds of every polygon, in the layer's CRS; QgsProcessingException where there is none."""
    geometries = _geometries(source, QgsFeatureRequest())
    if not geometries:
        raise _no_polygons(source)
    return tuple(_extent(geometry, source) for geometry in geometries)


def _extent(geometry: QgsGeometry, source: QgsProcessingFeatureSource) -> Extent:
    return extent_of_box(geometry.boundingBox(), source.sourceCrs())


def region_wkt(
    source: QgsProcessingFeatureSource, extent: Extent, grid_crs: str, transforms: QgsCoordinateTransformContext
) -> str:
    """The union of the polygons as WKT in the extent's CRS, clipped to a little more than the grid over the extent.

    Raises QgsProcessingException where no polygon touches the extent.
    """
    crs, target = source.sourceCrs(), QgsCoordinateReferenceSystem(extent.crs)
    box = grid_bounds(extent, grid_crs, crs_text(crs), transforms)
    box.scale(1.1)  # in this CRS the grid's edges are curves, which QGIS samples at a few points
    # Clip before reprojecting: polygons may reach to where the extent's CRS has no coordinates.
    parts = []
    for turn in turns(crs, source.sourceExtent()):
        turned = shifted(box, turn)
        part = _polygonal(_union(source, QgsFeatureRequest(turned)).intersection(QgsGeometry.fromRect(turned)))
        part.translate(-turn, 0)
        parts.append(part)
    region = _polygonal(QgsGeometry.unaryUnion(parts)) if len(parts) > 1 else parts[0]
    if crs != target:
        region = region.densifyByDistance(max(box.width(), box.height()) / VERTICES_PER_SIDE)
        region = _polygonal(_reprojected(region, QgsCoordinateTransform(crs, target, transforms)))
    if not region.intersects(rectangle(extent)):
        raise QgsProcessingException(
            f"No polygon of the layer {source.sourceName()!r} touches the extent. Draw the extent over the polygons, "
            "or leave it empty to take their bounds."
        )
    return region.asWkt(WKT_DECIMALS)


def _reprojected(geometry: QgsGeometry, transform: QgsCoordinateTransform) -> QgsGeometry:
    """The geometry after the transform, which is applied in place."""
    try:
        geometry.transform(transform)
    except QgsCsException as error:
        names = f"{transform.sourceCrs().userFriendlyIdentifier()} to "
        names += transform.destinationCrs().userFriendlyIdentifier()
        raise QgsProcessingException(
            f"The polygons cannot be projected from {names}: check that their coordinates and CRS belong together."
        ) from error
    return geometry


def _union(source: QgsProcessingFeatureSource, request: QgsFeatureRequest) -> QgsGeometry:
    """The union of the requested polygons; an empty geometry where there is none."""
    geometries = _geometries(source, request)
    union = QgsGeometry.unaryUnion(geometries) if geometries else QgsGeometry()
    if geometries and union.isNull():
        raise QgsProcessingException(
            f"The polygons of the layer {source.sourceName()!r} cannot be united ({union.lastError()}). Mend them "
            "first, with 'Fix geometries'."
        )
    return union


def _geometries(source: QgsProcessingFeatureSource, request: QgsFeatureRequest) -> list[QgsGeometry]:
    """The polygons of the requested features; features without any are left out."""
    # QGIS's own validity check would stop at the first invalid polygon; _polygonal repairs it.
    unchecked = QgsProcessingFeatureSource.Flag.FlagSkipGeometryValidityChecks  # type: ignore[attr-defined]
    geometries = [_polygonal(feature.geometry()) for feature in source.getFeatures(request, unchecked)]
    return [geometry for geometry in geometries if not geometry.isEmpty()]


def _polygonal(geometry: QgsGeometry) -> QgsGeometry:
    """The polygon parts of a geometry, valid and in two dimensions; a null geometry where it has none."""
    valid = QgsGeometry() if geometry.isEmpty() else geometry.makeValid()
    valid.convertGeometryCollectionToSubclass(POLYGON)
    if valid.isEmpty() or valid.type() != POLYGON:
        return QgsGeometry()
    valid.get().dropZValue()
    valid.get().dropMValue()
    return valid
