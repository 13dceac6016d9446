"""VectorInput: a vector layer as a path that the backend can read, its own or that of an exported GeoPackage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSink,
    QgsFields,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)

from ..backend.protocol import CLASS_FIELDS, FEATURE_MARGIN_M, VECTOR_SUFFIXES, Extent
from .extents import crs_text, grid_bounds, is_beyond_180, shifted, turns

LINE, POLYGON, MIXED = (
    QgsWkbTypes.GeometryType.LineGeometry,  # type: ignore[attr-defined]
    QgsWkbTypes.GeometryType.PolygonGeometry,  # type: ignore[attr-defined]
    QgsWkbTypes.GeometryType.UnknownGeometry,  # type: ignore[attr-defined]
)
KINDS = {"ROADS": (LINE, POLYGON), "BUILDINGS": (POLYGON,), "WATER": (POLYGON, LINE)}
"""The geometries that each parameter takes."""
UNREADABLE = "|!;"  # in a path: characters that the backend takes for separators


def layer_path(layer: QgsVectorLayer) -> str:
    """`path`, or `path|layername=name`, of a layer that is a local file just as the backend reads it; else empty.

    A layer with a filter, unsaved edits, a CRS that was set in QGIS, fields that QGIS adds, or longitudes beyond 180
    is not.
    """
    provider = layer.dataProvider()
    if layer.providerType() != "ogr" or provider.crs() != layer.crs() or layer.subsetString() or layer.isModified():
        return ""
    if len(layer.fields()) != len(provider.fields()) or is_beyond_180(layer.crs(), layer.extent()):
        return ""
    parts = {key: value for key, value in QgsProviderRegistry.instance().decodeUri("ogr", layer.source()).items()}
    path, name = parts.pop("path", None) or "", parts.pop("layerName", None) or ""
    absolute = Path(path).absolute()
    if any(parts.values()) or absolute.suffix.lower() not in VECTOR_SUFFIXES or not absolute.is_file():
        return ""
    if any(character in f"{absolute}{name}" for character in UNREADABLE):
        return ""
    return f"{absolute}|layername={name}" if name else str(absolute)


class VectorInput:
    """A vector layer as a job's input: `path` of a local file, or empty for a layer that must be exported.

    `file` is the layer's file in either case, empty where it has none.

    Create it in the layer's thread, the main one; `export` may be called in any thread. Raises QgsProcessingException
    for what cannot be opened, for other geometries than the parameter's, and for a layer without CRS.
    """

    def __init__(self, algorithm: Any, parameters: dict[str, Any], key: str, context: QgsProcessingContext) -> None:
        source = algorithm.parameterAsSource(parameters, key, context)
        if source is None:
            raise QgsProcessingException(
                f"{key} cannot be opened: {parameters.get(key)} does not exist, is damaged or is not a vector layer."
            )
        self.name, self._key, self._source = source.sourceName(), key, source
        self.transforms = context.transformContext()
        if QgsWkbTypes.geometryType(source.wkbType()) not in (*KINDS[key], MIXED):
            wanted = "lines or polygons" if LINE in KINDS[key] else "polygons"
            raise QgsProcessingException(
                f"{key} must be {wanted}, but the layer {self.name!r} is "
                f"{QgsWkbTypes.displayString(source.wkbType())}. Choose another layer."
            )
        if not source.sourceCrs().isValid():
            raise QgsProcessingException(
                f"The layer {self.name!r} has no CRS, so its place is unknown. Set it first (Layer, Set CRS)."
            )
        layer = _whole_layer(parameters[key], context)
        self.path = layer_path(layer) if layer else ""
        source_layer = layer or algorithm.parameterAsVectorLayer(parameters, key, context)
        parts = QgsProviderRegistry.instance().decodeUri("ogr", source_layer.source()) if source_layer else {}
        self.file = str(parts.get("path") or "")

    def check_field(self, name: str) -> None:
        """QgsProcessingException, with the fields that there are, where the layer has none of this name."""
        names = self._source.fields().names()
        if name not in names:
            raise QgsProcessingException(
                f"{self._key}_WIDTH: the layer {self.name!r} has no field {name!r}. Its fields are: {', '.join(names)}."
            )

    def export(
        self, folder: Path, extent: Extent, grid_crs: str, width_field: str, feedback: QgsProcessingFeedback
    ) -> str:
        """Write the features around the grid over an extent to a GeoPackage; returns `path|layername=name`.

        Curves become lines. Of the fields only those are kept that widths are read from. Raises QgsProcessingException
        where that fails.
        """
        crs, name = self._source.sourceCrs(), self.name.replace("|", "_") or self._key.lower()
        box = grid_bounds(extent, grid_crs, crs_text(crs), self.transforms, FEATURE_MARGIN_M)
        fields = QgsFields()
        for field in self._source.fields():
            if field.name() in (width_field, *CLASS_FIELDS[self._key]):
                fields.append(field)
        target = folder / f"{self._key.lower()}.gpkg"
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.driverName, options.layerName = "GPKG", name
        writer = QgsVectorFileWriter.create(
            str(target),
            fields,
            QgsWkbTypes.Type.Unknown,
            crs,
            self.transforms,
            options,  # type: ignore[attr-defined]
        )
        count = 0
        for feature, turn in self._features(box, fields.names()):
            if feedback.isCanceled():
                raise QgsProcessingException("Cancelled.")
            copy, geometry = QgsFeature(fields), _linear(feature.geometry())
            geometry.translate(-turn, 0)
            copy.setGeometry(geometry)
            copy.setAttributes([feature.attribute(field) for field in fields.names()])
            if not writer.addFeature(copy, QgsFeatureSink.Flag.FastInsert):  # type: ignore[attr-defined]
                break
            count += 1
        problem = writer.errorMessage() if writer.hasError() else ""
        del writer  # writes what is left and closes the file
        if problem or not target.is_file():
            raise QgsProcessingException(f"QGIS could not export the layer {self.name!r}: {problem}")
        feedback.pushInfo(f"Exporting the layer {self.name!r}: {count:,} features.")
        return f"{target}|layername={name}"

    def _features(self, box: QgsRectangle, names: list[str]) -> Iterator[tuple[QgsFeature, float]]:
        """The features in a box, with only the named fields, and by how many degrees each lies too far east."""
        # QGIS's own check would stop at the first invalid polygon; the backend repairs it
        unchecked = QgsProcessingFeatureSource.Flag.FlagSkipGeometryValidityChecks  # type: ignore[attr-defined]
        for turn in turns(self._source.sourceCrs(), self._source.sourceExtent()):
            request = QgsFeatureRequest(shifted(box, turn)).setSubsetOfAttributes(names, self._source.fields())
            for feature in self._source.getFeatures(request, unchecked):
                yield feature, turn


def _whole_layer(value: Any, context: QgsProcessingContext) -> QgsVectorLayer | None:
    """The layer of a parameter's value; None where only some of its features are chosen, or it is no plain value."""
    if isinstance(value, QgsProcessingFeatureSourceDefinition):
        filtered = bool(getattr(value, "filterExpression", ""))  # since QGIS 3.32
        some = value.selectedFeaturesOnly or value.featureLimit >= 0 or filtered
        value = None if some else value.source.staticValue()
    if isinstance(value, str):
        value = QgsProcessingUtils.mapLayerFromString(value, context)
    return value if isinstance(value, QgsVectorLayer) else None


def _linear(geometry: QgsGeometry) -> QgsGeometry:
    """A geometry in two dimensions without curves."""
    if geometry.isNull():
        return geometry
    linear = QgsGeometry(geometry.constGet().segmentize())
    linear.get().dropZValue()
    linear.get().dropMValue()
    return linear
