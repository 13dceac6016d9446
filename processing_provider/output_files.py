"""The outputs' paths of a run, and the refusal of outputs that cannot be written or would replace an input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingOutputLayerDefinition,
)

from ..backend import protocol
from .raster_input import RasterInput
from .values import Parameters, is_optional
from .vector_input import VectorInput


def check_outputs(algorithm: Any, parameters: Parameters, fields: dict[str, Any]) -> None:
    """Refuse a raster output that is no GeoTIFF, an address, and a file that is an input or another output.

    Raises QgsProcessingException. A file counts by its place on the disk, whatever its path is.
    """
    used = [path for value in fields.values() for path in _input_files(value)]
    for definition in algorithm.destinationParameterDefinitions():
        value = parameters.get(definition.name())
        if isinstance(value, QgsProcessingOutputLayerDefinition):
            value = value.sink.staticValue()
        if not isinstance(value, str) or not value or value == QgsProcessing.TEMPORARY_OUTPUT:
            continue
        if "://" in value:
            raise QgsProcessingException(f"{definition.name()} is an address, {value}. Write the path of a local file.")
        if definition.type() == "rasterDestination" and not value.lower().endswith((".tif", ".tiff")):
            raise QgsProcessingException(f"{definition.name()} is written as GeoTIFF: {value} must end in .tif.")
        if any(protocol.same_file(value, path) for path in used):
            raise QgsProcessingException(f"{value} is also an input or another output. Choose another output.")
        used.append(value)


def _input_files(value: Any) -> Iterator[str]:
    if isinstance(value, tuple):
        for item in value:
            yield from _input_files(item)
    elif isinstance(value, RasterInput):
        yield from value.files()
    elif isinstance(value, VectorInput) and value.file:
        yield value.file


def output_paths(algorithm: Any, parameters: Parameters, context: QgsProcessingContext) -> dict[str, str]:
    """The outputs' paths by key, without optional outputs that are left empty.

    Call it once a run: every call makes new names for temporary outputs.
    """
    readers = {
        "rasterDestination": algorithm.parameterAsOutputLayer,
        "fileDestination": algorithm.parameterAsFileOutput,
    }
    paths = {}
    for definition in algorithm.destinationParameterDefinitions():
        if is_optional(definition) and parameters.get(definition.name()) in (None, ""):
            continue
        reader = readers.get(definition.type(), algorithm.parameterAsString)
        paths[definition.name()] = reader(parameters, definition.name(), context)
    return paths
