"""The raster layers of a project that can be compared, and which of them are synthetic."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import QgsProject, QgsRasterLayer

from ..layers import SYNTHETIC
from ..raster_files import raster_tags


def comparable_layers(project: QgsProject) -> list[QgsRasterLayer]:
    """The project's valid raster layers except difference maps, in the order of the layer tree."""
    layers = [node.layer() for node in project.layerTreeRoot().findLayers()]
    rasters = [layer for layer in layers if isinstance(layer, QgsRasterLayer) and layer.isValid()]
    return [layer for layer in rasters if not _tag(layer, "reference")]


def is_synthetic(layer: QgsRasterLayer) -> bool:
    """Whether a layer is synthetic by its tags or, where it has none, by its name."""
    tag = _tag(layer, "synthetic")
    return tag == "YES" if tag else SYNTHETIC in layer.name()


def _tag(layer: QgsRasterLayer, key: str) -> str:
    """One of Landforge's tags, from the layer's custom properties or from its file; empty where it has none."""
    if layer.customProperty(f"landforge/{key}"):
        return str(layer.customProperty(f"landforge/{key}"))
    return raster_tags(layer).get(f"LANDFORGE_{key.upper()}", "")


def default_pair(layers: Sequence[QgsRasterLayer]) -> tuple[QgsRasterLayer | None, QgsRasterLayer | None]:
    """A real and a synthetic layer to compare at first: of the same kind and overlapping where possible."""
    real = [layer for layer in layers if not is_synthetic(layer)]
    synthetic = [layer for layer in layers if is_synthetic(layer)]
    for first in real:
        for second in synthetic:
            if (first.bandCount() > 1) == (second.bandCount() > 1) and _overlap(first, second):
                return first, second
    rest = [*real[1:], *synthetic[1:]]
    return next(iter(real or rest), None), next(iter(synthetic or rest), None)


def _overlap(first: QgsRasterLayer, second: QgsRasterLayer) -> bool:
    return bool(first.wgs84Extent().intersects(second.wgs84Extent()))
