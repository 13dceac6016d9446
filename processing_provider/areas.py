"""Polygons to fill: the features of any vector layer as one shape in the extent's CRS."""

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
from .extents import crs_text, grid_box, place_box

DIGITS = 9  # after the point: a tenth of a millimetre where coordinates are degrees
POLYGON, MIXED = QgsWkbTypes.GeometryType.PolygonGeometry, QgsWkbTypes.GeometryType.UnknownGeometry
# An edge of the polygons has at least this many parts along the grid, so that it stays in place in another CRS.
PARTS = 100


def source(
    algorithm: Any, parameters: dict[str, Any], key: str, context: QgsProcessingContext
) -> QgsProcessingFeatureSource:
    """The features of a parameter; QgsProcessingException where they are no polygons or have no place."""
    found = algorithm.parameterAsSource(parameters, key, context)
    if found is None:
        raise QgsProcessingException(
            f"{key} cannot be opened: {parameters.get(key)} does not exist, is damaged or is not a vector layer."
        )
    if QgsWkbTypes.geometryType(found.wkbType()) not in (POLYGON, MIXED) or found.featureCount() == 0:
        raise _nothing_to_fill(found)
    if not found.sourceCrs().isValid():
        raise QgsProcessingException(
            f"The layer {found.sourceName()!r} has no CRS, so its place is unknown. Set it first (Layer, Set CRS)."
        )
    return found


def _nothing_to_fill(polygons: QgsProcessingFeatureSource) -> QgsProcessingException:
    return QgsProcessingException(
        f"The layer {polygons.sourceName()!r} has no polygons to fill. Choose a layer that has some; with 'Selected "
        "features only', select some of them."
    )


def bounds(polygons: QgsProcessingFeatureSource) -> Extent:
    """The bounds of all the polygons, in their own CRS; QgsProcessingException where there is none."""
    shape = _union(polygons, QgsFeatureRequest())
    if shape.isEmpty():
        raise _nothing_to_fill(polygons)
    return _extent(shape, polygons)


def extents(polygons: QgsProcessingFeatureSource) -> tuple[Extent, ...]:
    """The bounds of each polygon, in their own CRS; QgsProcessingException where there is none."""
    shapes = _shapes(polygons, QgsFeatureRequest())
    if not shapes:
        raise _nothing_to_fill(polygons)
    return tuple(_extent(shape, polygons) for shape in shapes)


def _extent(shape: QgsGeometry, polygons: QgsProcessingFeatureSource) -> Extent:
    box = shape.boundingBox()
    return Extent(box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum(), crs=crs_text(polygons.sourceCrs()))


def wkt(
    polygons: QgsProcessingFeatureSource, place: Extent, grid_crs: str, transforms: QgsCoordinateTransformContext
) -> str:
    """The polygons as far as the grid over an extent may reach, as WKT in the extent's CRS.

    Raises QgsProcessingException where none touches the extent.
    """
    crs, target = polygons.sourceCrs(), QgsCoordinateReferenceSystem(place.crs)
    box = grid_box(place, grid_crs, crs_text(crs), transforms)
    box.scale(1.1)  # in this CRS the grid's edges are curves of which QGIS takes a few points
    # Cut first: polygons may reach to where the extent's CRS has no coordinates.
    shape = _polygonal(_union(polygons, QgsFeatureRequest(box)).intersection(QgsGeometry.fromRect(box)))
    if crs != target:
        shape = shape.densifyByDistance(max(box.width(), box.height()) / PARTS)
        shape = _polygonal(_moved(shape, QgsCoordinateTransform(crs, target, transforms)))
    if not shape.intersects(place_box(place)):
        raise QgsProcessingException(
            f"No polygon of the layer {polygons.sourceName()!r} touches the extent. Draw the extent over the polygons, "
            "or leave it empty to take their bounds."
        )
    return shape.asWkt(DIGITS)


def _moved(shape: QgsGeometry, transform: QgsCoordinateTransform) -> QgsGeometry:
    try:
        shape.transform(transform)
    except QgsCsException as error:
        names = f"{transform.sourceCrs().userFriendlyIdentifier()} to "
        names += transform.destinationCrs().userFriendlyIdentifier()
        raise QgsProcessingException(
            f"The polygons cannot be projected from {names}: check that their coordinates and CRS belong together."
        ) from error
    return shape


def _union(polygons: QgsProcessingFeatureSource, request: QgsFeatureRequest) -> QgsGeometry:
    """One shape of the features asked for; empty where there is none."""
    shapes = _shapes(polygons, request)
    union = QgsGeometry.unaryUnion(shapes) if shapes else QgsGeometry()
    if shapes and union.isNull():
        raise QgsProcessingException(
            f"The polygons of the layer {polygons.sourceName()!r} cannot be united ({union.lastError()}). Mend them "
            "first, with 'Fix geometries'."
        )
    return union


def _shapes(polygons: QgsProcessingFeatureSource, request: QgsFeatureRequest) -> list[QgsGeometry]:
    """The features asked for that have polygons."""
    # QGIS's own check would end at the first invalid polygon, that is mended here.
    unchecked = QgsProcessingFeatureSource.Flag.FlagSkipGeometryValidityChecks
    shapes = [_polygonal(feature.geometry()) for feature in polygons.getFeatures(request, unchecked)]
    return [shape for shape in shapes if not shape.isEmpty()]


def _polygonal(shape: QgsGeometry) -> QgsGeometry:
    """The polygons of a shape, valid and without heights; a null geometry where it has none."""
    valid = QgsGeometry() if shape.isEmpty() else shape.makeValid()
    valid.convertGeometryCollectionToSubclass(POLYGON)
    if valid.isEmpty() or valid.type() != POLYGON:
        return QgsGeometry()
    valid.get().dropZValue()
    valid.get().dropMValue()
    return valid
