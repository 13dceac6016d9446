"""Algorithm parameters as the fields of the algorithm's job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterNumber,
    QgsRasterLayer,
    QgsReferencedRectangle,
)

from ..backend import protocol
from ..plugin import settings
from . import extents, polygons
from .parameters import default
from .raster_input import SUFFIXES, RasterInput
from .values import Parameters, evaluated, is_optional
from .vector_input import KINDS, VectorInput


def normalized(algorithm: Any, parameters: Parameters, context: QgsProcessingContext) -> Parameters:
    """A copy of the parameters with the values that QGIS itself would refuse turned into those that it takes.

    An expression becomes its value, and a list for a text becomes a text. A folder in a list of rasters becomes the
    rasters in it, by name, so that a model or a command can take a folder. A number for a choice, as JSON has it,
    becomes its text. Raises QgsProcessingException for an expression without a value and for a folder without rasters.
    """
    parameters = evaluated(algorithm, parameters, context)
    for definition in algorithm.parameterDefinitions():
        key = definition.name()
        value = parameters.get(key)
        if definition.type() == "enum" and isinstance(value, (int, float)) and not isinstance(value, bool):
            parameters[key] = f"{value:g}"
        elif definition.type() == "string" and isinstance(value, list):
            parameters[key] = ", ".join(f"{item:g}" if isinstance(item, (int, float)) else str(item) for item in value)
        elif definition.type() == "field" and isinstance(value, list):
            parameters[key] = value[0] if value else None
        elif definition.type() == "multilayer" and definition.layerType() == QgsProcessing.SourceType.TypeRaster:  # type: ignore[attr-defined]
            values = [value] if isinstance(value, str) else value
            if isinstance(values, (list, tuple)) and any(map(_is_folder, values)):
                parameters[key] = [raster for item in values for raster in _expanded(item)]
    return parameters


def _is_folder(item: Any) -> bool:
    return isinstance(item, str) and bool(item) and Path(item).is_dir()


def _expanded(item: Any) -> list[Any]:
    """The paths of the rasters in a folder; any other item alone."""
    if not _is_folder(item):
        return [item]
    rasters = sorted(str(path) for path in Path(item).iterdir() if path.suffix.lower() in SUFFIXES)
    if not rasters:
        raise QgsProcessingException(f"The folder {item} holds no raster ({', '.join(SUFFIXES)}). Choose another.")
    return rasters


def read(algorithm: Any, parameters: Parameters, context: QgsProcessingContext) -> dict[str, Any]:
    """The fields of the algorithm's job, without its outputs, from normalized parameters.

    An empty optional parameter leaves its field out. A layer is a RasterInput or VectorInput until `export_layers`.
    Raises QgsProcessingException or BackendError with a message for the user.
    """
    fields: dict[str, Any] = {}
    for definition in algorithm.parameterDefinitions():
        key = definition.name()
        empty = parameters.get(key) in (None, "")
        if not definition.isDestination() and not (empty and is_optional(definition)):
            fields[key.lower()] = _field_value(algorithm, definition, parameters, context)
    for name in map(str.lower, KINDS):
        if name in fields and f"{name}_width" in fields:
            fields[name].check_field(fields[f"{name}_width"])
    if algorithm.parameterDefinition("GRID_CRS"):
        _set_extent_and_region(fields, extents.read_crs(algorithm, parameters, "GRID_CRS", context), context)
    if algorithm.parameterDefinition("SCHEDULER"):
        fields["scheduler"] = fields.get("scheduler", "").strip() or settings.get(settings.SCHEDULER)
    algorithm.adjust_fields(fields)
    if algorithm.parameterDefinition("STRETCH"):
        _stretch_as_drawn(fields)
    return fields


def _stretch_as_drawn(fields: dict[str, Any]) -> None:
    """Where BANDS and STRETCH are empty, set those with which all image layers are drawn."""
    images = fields.get("image") or fields.get("layer") or ()
    drawn = {(image.bands, image.stretch) for image in (images if isinstance(images, tuple) else (images,))}
    if len(drawn) == 1 and not fields.get("bands") and not fields.get("stretch"):
        fields["bands"], fields["stretch"] = drawn.pop()


def for_qgis(algorithm: Any, parameters: Parameters, fields: dict[str, Any]) -> Parameters:
    """The parameters for QGIS's own check, which does not take every value of an extent that `read` takes."""
    parameters = dict(parameters)
    extent = fields.get("extent")
    if extent is not None and algorithm.parameterDefinition("EXTENT"):
        crs = QgsCoordinateReferenceSystem(extent.crs)
        parameters["EXTENT"] = QgsReferencedRectangle(extents.rectangle(extent), crs)
    return parameters


def _set_extent_and_region(
    fields: dict[str, Any], requested_crs: QgsCoordinateReferenceSystem, context: QgsProcessingContext
) -> None:
    """Set `extent`, from the polygons where it is empty, `grid_crs`, and `area`, the polygons over the grid as WKT."""
    source = fields.pop("area", None)
    if "extent" not in fields:
        if source is None:
            raise QgsProcessingException("EXTENT and AREA are both empty. Draw an extent, or choose polygons to fill.")
        fields["extent"] = polygons.total_extent(source)
    extent = fields["extent"]
    fields["grid_crs"] = extents.grid_crs(requested_crs, extent, context)
    if source is not None:
        fields["area"] = polygons.region_wkt(source, extent, fields["grid_crs"], context.transformContext())


def _field_value(algorithm: Any, definition: Any, parameters: Parameters, context: QgsProcessingContext) -> Any:
    """The value of one parameter as its job's field has it; layers as RasterInput or VectorInput, polygons as a
    feature source."""
    key, kind = definition.name(), definition.type()
    arguments = (parameters, key, context)
    if kind == "extent":
        return extents.read_extent(algorithm, *arguments)
    if kind == "source" and key in KINDS:
        return VectorInput(algorithm, *arguments)
    if kind == "source":
        return polygons.polygon_source(algorithm, *arguments)
    if kind == "raster":
        return _raster_input(algorithm, key, algorithm.parameterAsRasterLayer(*arguments), parameters, context)
    if kind == "multilayer" and definition.layerType() == QgsProcessing.SourceType.TypeFile:  # type: ignore[attr-defined]
        value = parameters.get(key)
        items = value if isinstance(value, list) else [value]
        return tuple(_file_or_raster(algorithm, key, item, context) for item in items)
    if kind == "multilayer":
        layers = algorithm.parameterAsLayerList(*arguments)
        if isinstance(parameters[key], list) and len(layers) < len(parameters[key]):
            layers.append(None)  # QGIS leaves out what it cannot open; _raster_input refuses it
        return tuple(_raster_input(algorithm, key, layer, parameters, context) for layer in layers)
    if kind == "number":
        integer = definition.dataType() == QgsProcessingParameterNumber.Type.Integer
        return algorithm.parameterAsInt(*arguments) if integer else algorithm.parameterAsDouble(*arguments)
    if kind == "boolean":
        return algorithm.parameterAsBoolean(*arguments)
    if kind == "enum" and definition.allowMultiple():
        return _choices(algorithm, definition, parameters.get(key))
    if kind == "enum":
        value, options = parameters.get(key), definition.options()
        if isinstance(value, str) and value not in options:
            raise QgsProcessingException(f"{key} is {value!r}, but must be one of {', '.join(options)}.")
        return type(default(algorithm.JOB, key))(algorithm.parameterAsEnumString(*arguments))
    return algorithm.parameterAsString(*arguments)


def _choices(algorithm: Any, definition: Any, value: Any) -> tuple[str, ...]:
    """The texts chosen in a multiple choice; QgsProcessingException for an unknown one.

    QGIS itself would silently take the default where it does not know one of them.
    """
    items = value.split(",") if isinstance(value, str) else value or default(algorithm.JOB, definition.name())
    choices = tuple(str(item).strip() for item in items)
    for choice in choices:
        if choice not in definition.options():
            options = ", ".join(definition.options())
            raise QgsProcessingException(f"{definition.name()} is {choice!r}, but must be of {options}.")
    return choices


def data_folder(path: str) -> str:
    """The absolute path of a data set's or model's folder, from its own path or that of a file in it (a manifest).

    A raster's path stays that of the file. A text that is no path, such as a bundled model's name, is returned as is.
    """
    absolute = Path(path).absolute()
    if absolute.is_file() and absolute.suffix.lower() not in SUFFIXES:
        return str(absolute.parent)
    return str(absolute) if absolute.exists() else path


def _file_or_raster(algorithm: Any, key: str, item: Any, context: QgsProcessingContext) -> str | RasterInput:
    """A path of a list of files or folders; a layer of the project, by its object, id or name, is a RasterInput."""
    if isinstance(item, str) and not Path(item).exists() and context.project():
        layers = context.project().mapLayers()
        named = [layer for layer in layers.values() if layer.name() == item]
        item = layers.get(item) or next(iter(named), item)
    if not isinstance(item, QgsMapLayer):
        return data_folder(str(item))
    layer = item if isinstance(item, QgsRasterLayer) else None
    return _raster_input(algorithm, key, layer, {key: item.name()}, context)


def _raster_input(
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


def adjust_source(fields: dict[str, Any]) -> None:
    """Drop `layer` where it is not the source of a clip; QgsProcessingException where it is and is missing."""
    if fields["source"] != "layer":
        fields.pop("layer", None)
    elif "layer" not in fields:
        raise QgsProcessingException("SOURCE is 'layer', but LAYER is empty. Choose the layer to clip.")


def parse_shares(fields: dict[str, Any]) -> None:
    """Parse the text of `shares` into percentages by class code; BackendError where that fails."""
    if "shares" in fields:
        fields["shares"] = protocol.parse_shares(fields["shares"])


def parse_mix(fields: dict[str, Any]) -> None:
    """Parse the text of `mix` into numbers; BackendError where that fails."""
    if "mix" in fields:
        fields["mix"] = protocol.parse_numbers(fields["mix"])


def parse_numbers(fields: dict[str, Any], *names: str) -> None:
    """Parse the texts of the named fields into numbers; BackendError where that fails."""
    for name in names:
        fields[name] = protocol.parse_numbers(fields[name], f"list of {name}")


def export_layers(
    fields: dict[str, Any], folder: Path, web_map_pixel_m: float, feedback: QgsProcessingFeedback
) -> dict[str, Any]:
    """The fields with every layer as a path; a layer that is no local file is exported into the folder."""

    def with_path(value: Any, name: str) -> Any:
        if isinstance(value, tuple):
            return tuple(with_path(item, f"{name}{number}") for number, item in enumerate(value))
        if not isinstance(value, (RasterInput, VectorInput)):
            return value
        if value.path:
            return value.path
        if isinstance(value, VectorInput):
            place = fields.get("extent") or fields["landcover"].extent
            return value.export(folder, place, fields.get("grid_crs", ""), fields.get(f"{name}_width", ""), feedback)
        extent, pixel_m = fields.get("extent"), fields.get("pixel_m") or web_map_pixel_m
        if extent is not None:
            extents.check_area(extent, fields["max_area_km2"], value.transforms)
        return value.export(folder / f"{name}.tif", extent, fields.get("grid_crs", ""), pixel_m, feedback)

    return {name: with_path(value, name) for name, value in fields.items()}
