"""Context menu of synthetic rasters in the layer tree: regenerate, extend, use the settings again."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from qgis.core import QgsCoordinateTransform, QgsMapLayer, QgsProject, QgsRasterLayer
from qgis.gui import QgsMapTool
from qgis.PyQt.QtCore import QObject

from . import layers, outputs
from .action import QAction
from .generate_panel import GeneratePanel
from .raster_files import raster_tags
from .region import Region
from .translation import tr

MENU = "Landforge"
EXTEND_ZOOM = 2.5
"""The size of the map view relative to the layer when the user draws an extension."""
RASTER_SUFFIXES = (".tif", ".tiff")


class LayerMenu(QObject):
    """Three actions on every synthetic raster of the project."""

    def __init__(self, iface: Any, panel: GeneratePanel) -> None:
        super().__init__(panel)
        self.iface, self.panel = iface, panel
        self._extended_layer: QgsRasterLayer | None = None
        self.regenerate_action = self._action(tr("Regenerate with a new seed"), self.regenerate)
        self.extend_action = self._action(tr("Extend this extent…"), self.extend)
        self.settings_action = self._action(tr("Use its settings in the panel"), self.use_settings)
        QgsProject.instance().layersAdded.connect(self._add_to_layers)
        self._add_to_layers(list(QgsProject.instance().mapLayers().values()))
        panel.region_picker.changed.connect(self._extend_to_region)
        iface.mapCanvas().mapToolSet.connect(self._cancel_extension)

    def _action(self, text: str, slot: Any) -> QAction:
        action = QAction(text, self)
        action.triggered.connect(lambda: self._call_with_layer(slot))
        self.iface.addCustomActionForLayerType(action, MENU, QgsMapLayer.LayerType.RasterLayer, False)  # type: ignore[attr-defined]
        return action

    def _call_with_layer(self, slot: Any) -> None:
        layer = self.iface.activeLayer()
        if isinstance(layer, QgsRasterLayer) and generation_settings(layer):
            self.panel.show()
            self.panel.raise_()
            slot(layer)

    def _add_to_layers(self, added: list[QgsMapLayer]) -> None:
        for layer in added:
            if isinstance(layer, QgsRasterLayer) and generation_settings(layer):
                for action in (self.regenerate_action, self.extend_action, self.settings_action):
                    self.iface.addCustomActionForLayer(action, layer)

    def regenerate(self, layer: QgsRasterLayer) -> None:
        """Generate the layer's extent with another seed."""
        seed = random.randrange(1, 10**6)  # noqa: S311 (no secret)
        self._run(layer, {"SEED": seed}, seed)

    def extend(self, layer: QgsRasterLayer) -> None:
        """Let the user draw a rectangle next to the layer; the generation starts once it is drawn."""
        canvas, view = self.iface.mapCanvas(), layer.extent()
        view.scale(EXTEND_ZOOM)
        transform = QgsCoordinateTransform(layer.crs(), canvas.mapSettings().destinationCrs(), QgsProject.instance())
        canvas.setExtent(transform.transformBoundingBox(view))
        canvas.refresh()
        self.panel.message.setText(
            tr("Drag a rectangle beside {0}, or over its edge: it goes on there, pixel by pixel.").format(layer.name())
        )
        self.panel.region_picker.draw(self.panel.region_picker.rectangle_button)
        self._extended_layer = layer

    def _cancel_extension(self, tool: QgsMapTool | None, _: QgsMapTool | None = None) -> None:
        """Forget the layer to extend once another map tool is active."""
        picker = self.panel.region_picker
        if tool is not picker.tools[picker.rectangle_button]:
            self._extended_layer = None

    def _extend_to_region(self) -> None:
        layer, self._extended_layer = self._extended_layer, None
        region: Region | None = self.panel.region_picker.region
        if layer is not None and region is not None and layer.id() in QgsProject.instance().mapLayers():
            self._run(layer, {"EXTENT": region.extent_parameter()}, _seed(layer), region)

    def _run(self, layer: QgsRasterLayer, changes: dict[str, Any], seed: int, region: Region | None = None) -> None:
        """Run `regeneratearea` on a layer, with changed parameters, in the panel."""
        is_scene = "landcover_sha256" in generation_settings(layer)
        image_outputs = {"OUTPUT": "image", "OUTPUT_LANDCOVER": "landcover"} if is_scene else {"OUTPUT": "image"}
        kinds = image_outputs if layer.bandCount() > 1 else {"OUTPUT": "landcover"}
        folder, prefix = self.panel.form.folder.filePath(), f"{Path(layer.source()).stem}_seed{seed}"
        attributes = {"seed": seed, "generator": "again"}
        footprint = outputs.write_footprint(folder, region, prefix, attributes) if region else ""
        parameters = {"RASTER": layer.id(), **changes, **outputs.raster_parameters(folder, kinds, prefix)}
        self.panel.run("regeneratearea", parameters, footprint)

    def use_settings(self, layer: QgsRasterLayer) -> None:
        """Set the panel to the layer's seed, generator, steps, shares and extent."""
        self.panel.form.load_settings(layer, generation_settings(layer))
        self.panel.region_picker.take_layer(layer)

    def close_down(self) -> None:
        """Remove the actions."""
        QgsProject.instance().layersAdded.disconnect(self._add_to_layers)
        self.iface.mapCanvas().mapToolSet.disconnect(self._cancel_extension)
        for action in (self.regenerate_action, self.extend_action, self.settings_action):
            self.iface.removeCustomActionForLayerType(action)


def _seed(layer: QgsRasterLayer) -> int:
    return int(layer.customProperty("landforge/seed", 0))


def generation_settings(layer: QgsRasterLayer) -> dict[str, Any]:
    """The settings that a synthetic raster was generated with; empty for any other layer.

    They are read from the file where the layer has no properties, since it was not loaded by Landforge.
    """
    text = layer.customProperty("landforge/settings")
    if not text and layer.providerType() == "gdal" and layer.source().lower().endswith(RASTER_SUFFIXES):
        tags = raster_tags(layer)
        layers.set_tag_properties(layer, tags)
        text = tags.get("LANDFORGE_SETTINGS")
    try:
        values = json.loads(text) if text and layer.customProperty("landforge/synthetic") == "YES" else {}
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
