"""Where results go, what they are called, and the footprint beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsProject,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)

from .place import Place

KINDS = {"OUTPUT_LANDCOVER": "landcover", "OUTPUT_IMAGE": "image"}


def stem(centre: QgsPointXY, seed: int) -> str:
    """What the files of a place and a seed begin with: `42.443N_76.502W_seed7`."""
    north, east = centre.y(), centre.x()
    return f"{abs(north):.3f}{'N' if north >= 0 else 'S'}_{abs(east):.3f}{'E' if east >= 0 else 'W'}_seed{seed}"


def path(folder: str, name: str) -> Path:
    """A file of that name in a folder, which gets a number where it is taken; in a temporary one without a folder."""
    if not folder:
        return Path(QgsProcessingUtils.generateTempFilename(name))
    Path(folder).mkdir(parents=True, exist_ok=True)
    first = found = Path(folder) / name
    number = 1
    while found.exists():
        number += 1
        found = first.with_name(f"{first.stem}_{number}{first.suffix}")
    return found


def rasters(folder: str, kinds: dict[str, str], begin: str) -> dict[str, QgsProcessingOutputLayerDefinition]:
    """Output parameters by key, `kinds` saying what each holds; QGIS loads them into the project."""
    project = QgsProject.instance()
    names = {key: str(path(folder, f"{begin}_{kind}.tif")) for key, kind in kinds.items()}
    return {key: QgsProcessingOutputLayerDefinition(name, project) for key, name in names.items()}


def footprint(folder: str, place: Place, begin: str, attributes: dict[str, Any]) -> str:
    """Write a place as a GeoPackage beside the rasters; its path. Raises OSError where it cannot be written."""
    kinds = {name: "integer" if isinstance(value, int) else "string" for name, value in attributes.items()}
    described = "&".join(f"field={name}:{kind}" for name, kind in kinds.items())  # Qt 5 and 6 name types differently
    fields = QgsVectorLayer(f"MultiPolygon?{described}", "extent", "memory").fields()
    target = path(folder, f"{begin}_extent.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.layerName = "extent"
    shape = QgsGeometry(place.shape)
    shape.convertToMultiType()
    kind = QgsWkbTypes.Type.MultiPolygon
    context = QgsProject.instance().transformContext()
    writer = QgsVectorFileWriter.create(str(target), fields, kind, place.crs, context, options)
    feature = QgsFeature(fields)
    feature.setGeometry(shape)
    feature.setAttributes(list(attributes.values()))
    if not writer.addFeature(feature):
        raise OSError(f"{target}: {writer.errorMessage()}")
    del writer  # closes the file
    return str(target)
