"""Which raster layers there are to compare, and which of them are synthetic."""

from __future__ import annotations

from collections.abc import Sequence

from osgeo import gdal
from qgis.core import QgsProject, QgsRasterLayer

from ..layers import SYNTHETIC


def rasters(project: QgsProject) -> list[QgsRasterLayer]:
    """The project's raster layers that can be compared, in the order of the layer tree; differences cannot."""
    found = [node.layer() for node in project.layerTreeRoot().findLayers()]
    usable = [layer for layer in found if isinstance(layer, QgsRasterLayer) and layer.isValid()]
    return [layer for layer in usable if not _told(layer, "reference")]


def is_synthetic(layer: QgsRasterLayer) -> bool:
    """Whether a layer's own tags, or its name where it has none, say that it is synthetic."""
    told = _told(layer, "synthetic")
    return told == "YES" if told else SYNTHETIC in layer.name()


def _told(layer: QgsRasterLayer, key: str) -> str:
    """One of Landforge's tags, which `layers.style` has put on the layer, or which its file has; empty without."""
    if layer.customProperty(f"landforge/{key}"):
        return str(layer.customProperty(f"landforge/{key}"))
    source = gdal.Open(layer.source()) if layer.providerType() == "gdal" else None
    return (source.GetMetadataItem(f"LANDFORGE_{key.upper()}") or "") if source else ""


def pair(layers: Sequence[QgsRasterLayer]) -> tuple[QgsRasterLayer | None, QgsRasterLayer | None]:
    """A real and a synthetic layer to begin with: alike in their bands and over the same ground where possible."""
    real = [layer for layer in layers if not is_synthetic(layer)]
    made = [layer for layer in layers if is_synthetic(layer)]
    for one in real:
        for other in made:
            if (one.bandCount() > 1) == (other.bandCount() > 1) and _meet(one, other):
                return one, other
    rest = [*real[1:], *made[1:]]
    return (real or rest or [None])[0], (made or rest or [None])[0]


def _meet(one: QgsRasterLayer, other: QgsRasterLayer) -> bool:
    return bool(one.wgs84Extent().intersects(other.wgs84Extent()))
