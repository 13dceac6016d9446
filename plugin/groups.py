"""Layer groups: one for each extent, named by its place and by the models and seeds of what it holds."""

from __future__ import annotations

import json
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFillSymbol,
    QgsLayerTree,
    QgsLayerTreeGroup,
    QgsLayerTreeNode,
    QgsMapLayer,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)

from .grids import DEGREES

EXTENT, NAME = "landforge/extent", "landforge/name"
NEAR = 0.01
"""Two extents are one where their edges differ by less than this share of their size."""
OUTLINE = {"style": "no", "outline_color": "#ff7800", "outline_width": "0.6", "outline_style": "dash"}


def gather(layer: QgsMapLayer, root: QgsLayerTree) -> QgsLayerTreeGroup | None:
    """Move a layer's node into the group of its extent, which is made where there is none: images above land cover."""
    node = root.findLayer(layer.id())
    if node is None:
        return None
    group = find(layer, root) or _group_at(node, layer)
    moved = node.clone()
    is_image = isinstance(layer, QgsRasterLayer) and layer.bandCount() > 1
    group.insertChildNode(0 if is_image else _below_images(group), moved)
    moved.setExpanded(not is_image)  # a legend is worth its place, three bands are not
    node.parent().removeChildNode(node)
    _name(group)
    return group


def find(layer: QgsMapLayer, root: QgsLayerTreeGroup) -> QgsLayerTreeGroup | None:
    """The group of a layer's extent."""
    for group in root.findGroups(True):
        if group.customProperty(EXTENT) and _same(json.loads(group.customProperty(EXTENT)), _extent(layer)):
            return group
    return None


def _extent(layer: QgsMapLayer) -> list[str | float]:
    box = layer.extent()
    return [layer.crs().authid(), box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]


def _same(one: list, other: list) -> bool:
    near = NEAR * max(one[3] - one[1], one[4] - one[2])
    return one[0] == other[0] and all(abs(a - b) <= near for a, b in zip(one[1:], other[1:]))


def _group_at(node: QgsLayerTreeNode, layer: QgsMapLayer) -> QgsLayerTreeGroup:
    """A new group where a node is; beside the group of another extent, where it is in one."""
    parent, index = node.parent(), node.parent().children().index(node)
    if parent.customProperty(EXTENT):
        parent, index = parent.parent(), parent.parent().children().index(parent)
    group = parent.insertGroup(index, "")
    group.setCustomProperty(EXTENT, json.dumps(_extent(layer)))
    return group


def _below_images(group: QgsLayerTreeGroup) -> int:
    """The place of the next land cover: under the images, over older maps and the outline."""
    kinds = [isinstance(n.layer(), QgsRasterLayer) and n.layer().bandCount() > 1 for n in group.findLayers()]
    return len(kinds) - kinds[::-1].index(True) if True in kinds else 0


def _name(group: QgsLayerTreeGroup) -> None:
    """Name a group by its place and its synthetic layers, unless the user has given it another name."""
    if group.name() and group.name() != group.customProperty(NAME):
        return
    layers = [node.layer() for node in group.findLayers() if node.layer()]
    made = [layer for layer in layers if layer.customProperty("landforge/synthetic") == "YES"]
    models = {Path(layer.customProperty("landforge/model", "")).name: None for layer in made}
    if len(models) > 1:  # the bundled land cover's goes without saying
        models.pop("landcover", None)
    seeds = sorted({layer.customProperty("landforge/seed") for layer in made} - {None, ""}, key=lambda seed: int(seed))
    parts = [place(layers[0]), ", ".join(models), f"seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}" if seeds else ""]
    name = " · ".join(part for part in parts if part)
    group.setName(name)
    group.setCustomProperty(NAME, name)


def place(layer: QgsMapLayer) -> str:
    """A short label of a layer's place: the degrees of its centre."""
    degrees = QgsCoordinateReferenceSystem(DEGREES)
    try:
        centre = QgsCoordinateTransform(layer.crs(), degrees, QgsProject.instance()).transform(layer.extent().center())
    except QgsCsException:
        return ""
    return label(centre)


def label(centre: QgsPointXY) -> str:
    """A place in degrees as text: `42.443° N 76.502° W`."""
    north, east = centre.y(), centre.x()
    return f"{abs(north):.3f}° {'N' if north >= 0 else 'S'} {abs(east):.3f}° {'E' if east >= 0 else 'W'}"


def outline(path: str, result: QgsMapLayer, project: QgsProject) -> QgsVectorLayer | None:
    """Show a run's footprint, a polygon file, at the foot of its result's group; once a group."""
    group = find(result, project.layerTreeRoot())
    if group is None or any(isinstance(node.layer(), QgsVectorLayer) for node in group.findLayers()):
        return None
    layer = QgsVectorLayer(path, "Extent", "ogr")
    if not layer.isValid():
        return None
    layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(OUTLINE)))
    project.addMapLayer(layer, False)
    group.addLayer(layer)
    return layer
