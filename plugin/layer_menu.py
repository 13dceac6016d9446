"""What the layer tree's context menu offers for a synthetic raster: another seed, more of it, its settings again."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from osgeo import gdal
from qgis.core import QgsCoordinateTransform, QgsMapLayer, QgsProject, QgsRasterLayer
from qgis.gui import QgsMapTool
from qgis.PyQt.QtCore import QObject

from . import layers, outputs
from .action import QAction
from .dock import GeneratePanel
from .place import Place
from .translation import tr

MENU = "Landforge"
ROOM_AROUND = 2.5
"""How much more of the ground than a layer's own the map shows for drawing what extends it."""
SUFFIXES = (".tif", ".tiff")


class LayerMenu(QObject):
    """Three actions on every synthetic raster of the project, whichever way it came there."""

    def __init__(self, iface: Any, panel: GeneratePanel) -> None:
        super().__init__(panel)
        self.iface, self.panel = iface, panel
        self._extended: QgsRasterLayer | None = None
        self.again = self._action(tr("Regenerate with a new seed"), self.regenerate)
        self.more = self._action(tr("Extend this extent…"), self.extend)
        self.same = self._action(tr("Use its settings in the panel"), self.recall)
        QgsProject.instance().layersAdded.connect(self._offer)
        self._offer(list(QgsProject.instance().mapLayers().values()))
        panel.places.changed.connect(self._extend_to_drawn)
        iface.mapCanvas().mapToolSet.connect(self._give_up)

    def _action(self, text: str, slot: Any) -> QAction:
        action = QAction(text, self)
        action.triggered.connect(lambda: self._with_layer(slot))
        self.iface.addCustomActionForLayerType(action, MENU, QgsMapLayer.LayerType.RasterLayer, False)
        return action

    def _with_layer(self, slot: Any) -> None:
        layer = self.iface.activeLayer()
        if isinstance(layer, QgsRasterLayer) and made_by(layer):
            self.panel.show()
            self.panel.raise_()
            slot(layer)

    def _offer(self, added: list[QgsMapLayer]) -> None:
        for layer in added:
            if isinstance(layer, QgsRasterLayer) and made_by(layer):
                for action in (self.again, self.more, self.same):
                    self.iface.addCustomActionForLayer(action, layer)

    def regenerate(self, layer: QgsRasterLayer) -> None:
        """Another picture of the same ground."""
        seed = random.randrange(1, 10**6)  # noqa: S311 (no secret)
        self._run(layer, layer.extent().center(), {"SEED": seed}, seed)

    def extend(self, layer: QgsRasterLayer) -> None:
        """Have the ground beside it drawn; the rest follows when it is."""
        canvas, ground = self.iface.mapCanvas(), layer.extent()
        ground.scale(ROOM_AROUND)
        transform = QgsCoordinateTransform(layer.crs(), canvas.mapSettings().destinationCrs(), QgsProject.instance())
        canvas.setExtent(transform.transformBoundingBox(ground))
        canvas.refresh()
        self.panel.message.setText(
            tr("Drag a rectangle beside {0}, or over its edge: it goes on there, pixel by pixel.").format(layer.name())
        )
        self.panel.places.draw(self.panel.places.rectangle)
        self._extended = layer

    def _give_up(self, tool: QgsMapTool | None, _: QgsMapTool | None = None) -> None:
        """Forget what was to be extended once the tool for it is put down."""
        if tool is not self.panel.places.tools[self.panel.places.rectangle]:
            self._extended = None

    def _extend_to_drawn(self) -> None:
        layer, self._extended = self._extended, None
        place: Place | None = self.panel.places.place
        if layer is not None and place is not None and layer.id() in QgsProject.instance().mapLayers():
            self._run(layer, place.box.center(), {"EXTENT": place.extent()}, _seed(layer), place)

    def _run(
        self, layer: QgsRasterLayer, centre: Any, asked: dict[str, Any], seed: int, place: Place | None = None
    ) -> None:
        is_scene = "landcover_sha256" in made_by(layer)
        image = {"OUTPUT": "image", "OUTPUT_LANDCOVER": "landcover"} if is_scene else {"OUTPUT": "image"}
        kinds = image if layer.bandCount() > 1 else {"OUTPUT": "landcover"}
        folder, begin = self.panel.form.folder.filePath(), f"{Path(layer.source()).stem}_seed{seed}"
        footprint = outputs.footprint(folder, place, begin, {"seed": seed, "generator": "again"}) if place else ""
        parameters = {"RASTER": layer.id(), **asked, **outputs.rasters(folder, kinds, begin)}
        self.panel.run("regeneratearea", parameters, footprint)

    def recall(self, layer: QgsRasterLayer) -> None:
        """Put seed, generator, steps, shares and extent into the panel."""
        self.panel.form.recall(layer, made_by(layer))
        self.panel.places.take_layer(layer)

    def close_down(self) -> None:
        """Take the actions back."""
        QgsProject.instance().layersAdded.disconnect(self._offer)
        self.iface.mapCanvas().mapToolSet.disconnect(self._give_up)
        for action in (self.again, self.more, self.same):
            self.iface.removeCustomActionForLayerType(action)


def _seed(layer: QgsRasterLayer) -> int:
    return int(layer.customProperty("landforge/seed", 0))


def made_by(layer: QgsRasterLayer) -> dict[str, Any]:
    """The settings that a synthetic raster was made with; empty of any other layer.

    They are read from the file where the layer does not know them: one that was not loaded by Landforge.
    """
    told = layer.customProperty("landforge/settings")
    if not told and layer.providerType() == "gdal" and layer.source().lower().endswith(SUFFIXES):
        source = gdal.Open(layer.source())
        tags = source.GetMetadata() if source else {}
        layers.tell(layer, tags)
        told = tags.get("LANDFORGE_SETTINGS")
    try:
        found = json.loads(told) if told and layer.customProperty("landforge/synthetic") == "YES" else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
