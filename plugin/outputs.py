"""File names of results, output parameters of algorithms, and the GeoPackage of a region beside the results."""

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

from .region import Region

SCENE_OUTPUTS = {"OUTPUT_LANDCOVER": "landcover", "OUTPUT_IMAGE": "image"}


def file_prefix(centre: QgsPointXY, seed: int) -> str:
    """The start of file names, from a centre in degrees and a seed: `42.443N_76.502W_seed7`."""
    north, east = centre.y(), centre.x()
    return f"{abs(north):.3f}{'N' if north >= 0 else 'S'}_{abs(east):.3f}{'E' if east >= 0 else 'W'}_seed{seed}"


def unused_path(folder: str, name: str) -> Path:
    """A path in a folder, which is made; a number is added where the name is taken. No folder: a temporary file."""
    if not folder:
        return Path(QgsProcessingUtils.generateTempFilename(name))
    Path(folder).mkdir(parents=True, exist_ok=True)
    first = path = Path(folder) / name
    number = 1
    while path.exists():
        number += 1
        path = first.with_name(f"{first.stem}_{number}{first.suffix}")
    return path


def raster_parameters(folder: str, kinds: dict[str, str], prefix: str) -> dict[str, QgsProcessingOutputLayerDefinition]:
    """Raster output parameters by key, which QGIS loads into the project; `kinds` gives the file name's end by key."""
    project = QgsProject.instance()
    paths = {key: str(unused_path(folder, f"{prefix}_{kind}.tif")) for key, kind in kinds.items()}
    return {key: QgsProcessingOutputLayerDefinition(path, project) for key, path in paths.items()}


def write_footprint(folder: str, region: Region, prefix: str, attributes: dict[str, Any]) -> str:
    """Write a region as a GeoPackage with these attributes; returns its path.

    Raises OSError where it cannot be written.
    """
    kinds = {name: "integer" if isinstance(value, int) else "string" for name, value in attributes.items()}
    # A memory layer's address names field types alike under Qt 5 and 6; QgsField does not.
    field_list = "&".join(f"field={name}:{kind}" for name, kind in kinds.items())
    fields = QgsVectorLayer(f"MultiPolygon?{field_list}", "extent", "memory").fields()
    target = unused_path(folder, f"{prefix}_extent.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.layerName = "extent"
    geometry = QgsGeometry(region.geometry)
    geometry.convertToMultiType()
    context = QgsProject.instance().transformContext()
    writer = QgsVectorFileWriter.create(
        str(target), fields, QgsWkbTypes.Type.MultiPolygon, region.crs, context, options
    )
    feature = QgsFeature(fields)
    feature.setGeometry(geometry)
    feature.setAttributes(list(attributes.values()))
    if not writer.addFeature(feature):
        raise OSError(f"{target}: {writer.errorMessage()}")
    del writer  # closes the file
    return str(target)
