"""Preview of a running generation: its finished blocks as layers on the canvas, removed when it ends."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsMapLayer, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QObject, QTimer

from . import layers

REDRAW_INTERVAL_MS = 400


class Preview(QObject):
    """Layers that are not listed in the layer tree, redrawn as their rasters grow."""

    def __init__(self, canvas: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.canvas = canvas
        self.layers: dict[str, tuple[str, str]] = {}
        """Raster path and layer id by output name."""
        self._changed_outputs: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setInterval(REDRAW_INTERVAL_MS)
        self._timer.timeout.connect(self._redraw)

    def show(self, outputs: dict[str, str]) -> None:
        """Show the preview rasters, paths by output name, or redraw them where they are shown already."""
        for output, raster in outputs.items():
            shown_raster, _ = self.layers.get(output, ("", ""))
            if shown_raster != raster:
                self._remove(output)
                self._add(output, raster)
            self._changed_outputs.add(output)
        if not self._timer.isActive():
            self._timer.start()

    def clear(self) -> None:
        """Remove all preview layers."""
        self._timer.stop()
        self._changed_outputs.clear()
        if self.layers:
            # A canvas without layers does not refresh by itself.
            QTimer.singleShot(REDRAW_INTERVAL_MS, self.canvas.refresh)
        for output in list(self.layers):
            self._remove(output)

    def _add(self, output: str, raster: str) -> None:
        options = QgsRasterLayer.LayerOptions(loadDefaultStyle=False)  # which would read the whole raster
        layer = QgsRasterLayer(raster, f"{layers.SYNTHETIC} preview", "gdal", options)
        if not layer.isValid():
            return
        layer.setFlags(layer.flags() | QgsMapLayer.LayerFlag.Private)
        layers.set_renderer(layer, layers.worldcover_legend() if layer.bandCount() == 1 else None)
        project = QgsProject.instance()
        project.addMapLayer(layer, False)
        index = 0 if layer.bandCount() > 1 else len(self.layers)  # images above land cover
        project.layerTreeRoot().insertLayer(index, layer).setExpanded(False)
        self.layers[output] = (raster, layer.id())

    def _remove(self, output: str) -> None:
        _, layer_id = self.layers.pop(output, ("", ""))
        if QgsProject.instance().mapLayer(layer_id):
            QgsProject.instance().removeMapLayer(layer_id)

    def _redraw(self) -> None:
        """Redraw the layers whose rasters have changed, unless the canvas is still drawing."""
        if not self._changed_outputs:
            self._timer.stop()
        elif not self.canvas.isDrawing():
            for output in self._changed_outputs:
                layer = QgsProject.instance().mapLayer(self.layers.get(output, ("", ""))[1])
                if layer:
                    layer.dataProvider().reloadData()
                    layer.triggerRepaint()
            self._changed_outputs.clear()
