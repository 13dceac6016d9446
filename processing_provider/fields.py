"""From the parameters of an algorithm to the fields of its job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterNumber,
    QgsRasterLayer,
)

from ..backend import protocol
from ..plugin import settings
from . import areas, extents
from .parameters import default
from .raster_input import SUFFIXES, RasterInput

Parameters = dict[str, Any]


def read(algorithm: Any, parameters: Parameters, context: QgsProcessingContext) -> dict[str, Any]:
    """The job's fields but its outputs; a parameter left empty leaves its field at its default.

    A layer is a RasterInput until `exported`. Raises QgsProcessingException and BackendError in words for the user.
    """
    fields: dict[str, Any] = {}
    parameters = unfolded(algorithm, parameters)
    for definition in algorithm.parameterDefinitions():
        key = definition.name()
        optional = bool(definition.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional)
        given = parameters.get(key) not in (None, "")
        if not definition.isDestination() and (given or not optional):
            fields[key.lower()] = _value(algorithm, definition, parameters, context)
    if algorithm.parameterDefinition("GRID_CRS"):
        _settle_place(fields, algorithm.parameterAsCrs(parameters, "GRID_CRS", context), context)
    if algorithm.parameterDefinition("SCHEDULER"):
        fields["scheduler"] = fields.get("scheduler", "").strip() or settings.get(settings.SCHEDULER)
    algorithm.settle(fields)
    return fields


def unfolded(algorithm: Any, parameters: Parameters) -> Parameters:
    """The parameters with the rasters of a folder, by name, in the place of a folder among several rasters.

    So a model or a command can take a folder where the dialog takes a list. QgsProcessingException for an empty one.
    """
    found = dict(parameters)
    for definition in algorithm.parameterDefinitions():
        value = parameters.get(definition.name())
        given = [value] if isinstance(value, str) else value
        several = definition.type() == "multilayer" and definition.layerType() == QgsProcessing.SourceType.TypeRaster
        if several and isinstance(given, (list, tuple)) and any(map(_is_folder, given)):
            found[definition.name()] = [path for one in given for path in _rasters_of(one)]
    return found


def _is_folder(one: Any) -> bool:
    return isinstance(one, str) and bool(one) and Path(one).is_dir()


def _rasters_of(one: Any) -> list[Any]:
    if not _is_folder(one):
        return [one]
    rasters = sorted(str(path) for path in Path(one).iterdir() if path.suffix.lower() in SUFFIXES)
    if not rasters:
        raise QgsProcessingException(f"The folder {one} holds no raster ({', '.join(SUFFIXES)}). Choose another.")
    return rasters


def _settle_place(fields: dict[str, Any], wanted: QgsCoordinateReferenceSystem, context: QgsProcessingContext) -> None:
    """The extent, which polygons may give, then the grid's CRS, then what of the polygons its grid can hold."""
    polygons = fields.pop("area", None)
    if "extent" not in fields:
        if polygons is None:
            raise QgsProcessingException("EXTENT and AREA are both empty. Draw an extent, or choose polygons to fill.")
        fields["extent"] = areas.bounds(polygons)
    place = fields["extent"]
    fields["grid_crs"] = extents.grid_crs(wanted, place, context)
    if polygons is not None:
        fields["area"] = areas.wkt(polygons, place, fields["grid_crs"], context.transformContext())


def _value(
    algorithm: Any, definition: QgsProcessingParameterDefinition, parameters: Parameters, context: QgsProcessingContext
) -> Any:
    key, kind = definition.name(), definition.type()
    asked = (parameters, key, context)
    if kind == "extent":
        return extents.extent(algorithm, *asked)
    if kind == "source":
        return areas.source(algorithm, *asked)
    if kind == "raster":
        return _raster(algorithm, key, algorithm.parameterAsRasterLayer(*asked), parameters, context)
    if kind == "multilayer" and definition.layerType() == QgsProcessing.SourceType.TypeFile:
        return tuple(folder(path) for path in algorithm.parameterAsFileList(*asked))
    if kind == "multilayer":
        found = algorithm.parameterAsLayerList(*asked)
        if isinstance(parameters[key], (list, tuple)) and len(found) < len(parameters[key]):
            found.append(None)
        return tuple(_raster(algorithm, key, layer, parameters, context) for layer in found)
    if kind == "number":
        whole = definition.dataType() == QgsProcessingParameterNumber.Type.Integer
        return algorithm.parameterAsInt(*asked) if whole else algorithm.parameterAsDouble(*asked)
    if kind == "enum" and definition.allowMultiple():
        return _several(algorithm, definition, parameters.get(key))
    if kind == "enum":
        raw, options = parameters.get(key), definition.options()
        if isinstance(raw, (str, int)) and str(raw) not in options:
            raise QgsProcessingException(f"{key} is {raw!r}, but must be one of {', '.join(options)}.")
        return type(default(algorithm.JOB, key))(algorithm.parameterAsEnumString(*asked))
    return algorithm.parameterAsString(*asked)


def _several(algorithm: Any, definition: QgsProcessingParameterDefinition, raw: Any) -> tuple[str, ...]:
    """The choices of a list; QGIS itself would take the default for the whole where it does not know one."""
    given = raw.split(",") if isinstance(raw, str) else raw or default(algorithm.JOB, definition.name())
    found = tuple(str(one).strip() for one in given)
    for one in found:
        if one not in definition.options():
            known = ", ".join(definition.options())
            raise QgsProcessingException(f"{definition.name()} is {one!r}, but must be of {known}.")
    return found


def folder(path: str) -> str:
    """A folder, for which a file in it may stand, such as a data set's manifest.

    Rasters stand for themselves; a bundled model's name stays as it is.
    """
    given = Path(path).absolute()
    if given.is_file() and given.suffix.lower() not in SUFFIXES:
        return str(given.parent)
    return str(given) if given.exists() else path


def _raster(
    algorithm: Any, key: str, layer: QgsRasterLayer | None, parameters: Parameters, context: QgsProcessingContext
) -> RasterInput:
    if layer is None:
        raise QgsProcessingException(
            f"{key} cannot be opened: {parameters.get(key)} does not exist, is damaged or is not a raster."
        )
    raster = RasterInput(layer, context.transformContext())
    if raster.is_picture and key in algorithm.CLASS_KEYS:
        raise QgsProcessingException(
            f"The layer {raster.name!r} is a picture of a map, without class codes. Choose one that carries the "
            "codes, for instance a WCS or a file."
        )
    return raster


def settle_source(fields: dict[str, Any]) -> None:
    """Of a clip's fields: the layer where it is the source, and only there."""
    if fields["source"] != "layer":
        fields.pop("layer", None)
    elif "layer" not in fields:
        raise QgsProcessingException("SOURCE is 'layer', but LAYER is empty. Choose the layer to clip.")


def settle_shares(fields: dict[str, Any]) -> None:
    """Of a generation's fields: the class shares as typed, as numbers; BackendError where they are none."""
    if "shares" in fields:
        fields["shares"] = protocol.parse_shares(fields["shares"])


def settle_mix(fields: dict[str, Any]) -> None:
    """Of a training's fields: the mix of the data sets as typed, as numbers; BackendError where it is none."""
    if "mix" in fields:
        fields["mix"] = protocol.parse_numbers(fields["mix"])


def settle_numbers(fields: dict[str, Any], *names: str) -> None:
    """Of a study's fields: those that were typed as numbers parted by commas; BackendError where one is none."""
    for name in names:
        fields[name] = protocol.parse_numbers(fields[name], f"list of {name}")


def check_outputs(algorithm: Any, parameters: Parameters, fields: dict[str, Any]) -> None:
    """QgsProcessingException for an output that is no GeoTIFF, or that is also an input or another output."""
    taken = {value.path for value in fields.values() if isinstance(value, RasterInput)}
    for definition in algorithm.destinationParameterDefinitions():
        value = parameters.get(definition.name())
        if isinstance(value, QgsProcessingOutputLayerDefinition):
            value = value.sink.staticValue()
        if not isinstance(value, str) or not value or value == QgsProcessing.TEMPORARY_OUTPUT:
            continue
        path = str(Path(value).absolute())
        if definition.type() == "rasterDestination" and not path.lower().endswith((".tif", ".tiff")):
            raise QgsProcessingException(f"{definition.name()} is written as GeoTIFF: {value} must end in .tif.")
        if path in taken:
            raise QgsProcessingException(f"{value} is also an input or another output. Choose another output.")
        taken.add(path)


def destinations(algorithm: Any, parameters: Parameters, context: QgsProcessingContext) -> dict[str, str]:
    """Key to path, as QGIS names it, of what is wanted. Ask once: each asking makes another temporary name."""
    names = {"rasterDestination": algorithm.parameterAsOutputLayer, "fileDestination": algorithm.parameterAsFileOutput}
    found = {}
    for definition in algorithm.destinationParameterDefinitions():
        optional = definition.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional
        if optional and parameters.get(definition.name()) in (None, ""):
            continue
        name = names.get(definition.type(), algorithm.parameterAsString)
        found[definition.name()] = name(parameters, definition.name(), context)
    return found


def exported(
    fields: dict[str, Any], folder: Path, map_pixel_m: float, feedback: QgsProcessingFeedback
) -> dict[str, Any]:
    """The fields with every layer as a path; what is not a local file is written into the folder."""

    def path(value: Any, name: str) -> Any:
        if isinstance(value, tuple):
            return tuple(path(one, f"{name}{number}") for number, one in enumerate(value))
        if not isinstance(value, RasterInput):
            return value
        if value.path:
            return value.path
        place, pixel_m = fields.get("extent"), fields.get("pixel_m") or map_pixel_m
        if place is not None:
            extents.check_area(place, fields["max_area_km2"], value.transforms)
        return value.export(folder / f"{name}.tif", place, fields.get("grid_crs", ""), pixel_m, feedback)

    return {name: path(value, name) for name, value in fields.items()}
