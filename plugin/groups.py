"""Layer tree groups: one for each extent, named by its centre and by the models and seeds of its layers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

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

from .grids import WGS84

EXTENT, NAME = "landforge/extent", "landforge/name"
"""Custom properties of a group: its extent as JSON, and the name that it was given automatically."""
TOLERANCE = 0.01
"""Two extents are the same where their edges differ by no more than this share of their size."""
OUTLINE_STYLE = {"style": "no", "outline_color": "#ff7800", "outline_width": "0.6", "outline_style": "dash"}


def move_to_group(layer: QgsMapLayer, root: QgsLayerTree) -> QgsLayerTreeGroup | None:
    """Move a layer into the group of its extent, images above land cover; makes the group where there is none.

    Returns the group; None where the layer is not in the layer tree.
    """
    node = root.findLayer(layer.id())
    if node is None:
        return None
    group = group_of_extent(layer, root) or _new_group(node, layer)
    clone = node.clone()
    is_image = _is_image(layer)
    group.insertChildNode(0 if is_image else _index_below_images(group), clone)
    clone.setExpanded(not is_image)  # show the legend of land cover, but not the three bands of an image
    cast(QgsLayerTreeGroup, node.parent()).removeChildNode(node)
    _update_name(group)
    return group


def group_of_extent(layer: QgsMapLayer, root: QgsLayerTreeGroup) -> QgsLayerTreeGroup | None:
    """The group of a layer's extent; None where there is none."""
    for group in root.findGroups(True):
        if group.customProperty(EXTENT) and _is_same_extent(json.loads(group.customProperty(EXTENT)), _extent(layer)):
            return group
    return None


def _extent(layer: QgsMapLayer) -> list[Any]:
    """CRS, xmin, ymin, xmax, ymax of a layer."""
    box = layer.extent()
    return [layer.crs().authid(), box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]


def _is_same_extent(first: list[Any], second: list[Any]) -> bool:
    tolerance = TOLERANCE * max(first[3] - first[1], first[4] - first[2])
    return first[0] == second[0] and all(abs(a - b) <= tolerance for a, b in zip(first[1:], second[1:]))


def _new_group(node: QgsLayerTreeNode, layer: QgsMapLayer) -> QgsLayerTreeGroup:
    """Insert a group at a node's position; next to the group of another extent where the node is inside one."""
    if node.parent().customProperty(EXTENT):
        node = node.parent()
    parent = cast(QgsLayerTreeGroup, node.parent())
    group = parent.insertGroup(parent.children().index(node), "")
    group.setCustomProperty(EXTENT, json.dumps(_extent(layer)))
    return group


def _is_image(layer: QgsMapLayer) -> bool:
    return isinstance(layer, QgsRasterLayer) and layer.bandCount() > 1


def _index_below_images(group: QgsLayerTreeGroup) -> int:
    """The index for a new land cover layer: below the images, above older land cover and the outline."""
    is_image = [_is_image(node.layer()) for node in group.findLayers()]
    return len(is_image) - is_image[::-1].index(True) if True in is_image else 0


def _update_name(group: QgsLayerTreeGroup) -> None:
    """Name a group by its centre and its synthetic layers, unless the user has renamed it."""
    if group.name() and group.name() != group.customProperty(NAME):
        return
    layers = [node.layer() for node in group.findLayers() if node.layer()]
    synthetic = [layer for layer in layers if layer.customProperty("landforge/synthetic") == "YES"]
    models = {Path(layer.customProperty("landforge/model", "")).name: None for layer in synthetic}
    if len(models) > 1:  # the bundled land cover model is not worth naming beside an image's
        models.pop("landcover", None)
    seeds = sorted({layer.customProperty("landforge/seed") for layer in synthetic} - {None, ""}, key=int)
    seed_list = f"seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}" if seeds else ""
    name = " · ".join(part for part in (centre_label(layers[0]), ", ".join(models), seed_list) if part)
    group.setName(name)
    group.setCustomProperty(NAME, name)


def centre_label(layer: QgsMapLayer) -> str:
    """A layer's centre as text in degrees; empty where it cannot be transformed."""
    wgs84 = QgsCoordinateReferenceSystem(WGS84)
    try:
        centre = QgsCoordinateTransform(layer.crs(), wgs84, QgsProject.instance()).transform(layer.extent().center())
    except QgsCsException:
        return ""
    return degrees_label(centre)


def degrees_label(point: QgsPointXY) -> str:
    """A point in degrees as text: `42.443° N 76.502° W`."""
    north, east = point.y(), point.x()
    return f"{abs(north):.3f}° {'N' if north >= 0 else 'S'} {abs(east):.3f}° {'E' if east >= 0 else 'W'}"


def add_footprint(path: str, result: QgsMapLayer, project: QgsProject) -> QgsVectorLayer | None:
    """Add a polygon file as an outline at the bottom of a result's group.

    Returns the layer; None where the result has no group, the group has a vector layer, or the file is invalid.
    """
    group = group_of_extent(result, project.layerTreeRoot())
    if group is None or any(isinstance(node.layer(), QgsVectorLayer) for node in group.findLayers()):
        return None
    layer = QgsVectorLayer(path, "Extent", "ogr")
    if not layer.isValid():
        return None
    layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(OUTLINE_STYLE)))
    project.addMapLayer(layer, False)
    group.addLayer(layer)
    return layer
