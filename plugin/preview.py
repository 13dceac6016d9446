"""A generation as it grows: its finished blocks as layers on the canvas, gone when it ends."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsMapLayer, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QObject, QTimer

from . import layers

PAUSE_MS = 400
"""The least time between two redraws."""


class Preview(QObject):
    """Layers that are not listed in the layer tree, redrawn as their rasters grow."""

    def __init__(self, canvas: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.canvas = canvas
        self.layers: dict[str, tuple[str, str]] = {}
        self._grown: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._redraw)

    def show(self, outputs: dict[str, str]) -> None:
        """Rasters of what is finished, by output: show them, or show them anew."""
        for output, raster in outputs.items():
            known, _ = self.layers.get(output, ("", ""))
            if known != raster:
                self._drop(output)
                self._add(output, raster)
            self._grown.add(output)
        if not self._timer.isActive():
            self._timer.start()

    def clear(self) -> None:
        """Take all of them away."""
        self._timer.stop()
        self._grown.clear()
        if self.layers:
            QTimer.singleShot(PAUSE_MS, self.canvas.refresh)  # a canvas that is left without layers does not of itself
        for output in list(self.layers):
            self._drop(output)

    def _add(self, output: str, raster: str) -> None:
        options = QgsRasterLayer.LayerOptions(loadDefaultStyle=False)  # for which QGIS would read all of it
        layer = QgsRasterLayer(raster, f"{layers.SYNTHETIC} preview", "gdal", options)
        if not layer.isValid():
            return
        layer.setFlags(layer.flags() | QgsMapLayer.LayerFlag.Private)
        layers.show(layer, layers.official_legend() if layer.bandCount() == 1 else None)
        project = QgsProject.instance()
        project.addMapLayer(layer, False)
        above = 0 if layer.bandCount() > 1 else len(self.layers)  # images over land cover
        project.layerTreeRoot().insertLayer(above, layer).setExpanded(False)
        self.layers[output] = (raster, layer.id())

    def _drop(self, output: str) -> None:
        _, layer = self.layers.pop(output, ("", ""))
        if QgsProject.instance().mapLayer(layer):
            QgsProject.instance().removeMapLayer(layer)

    def _redraw(self) -> None:
        """Draw what has grown, once the canvas has drawn what there was."""
        if not self._grown:
            self._timer.stop()
        elif not self.canvas.isDrawing():
            for output in self._grown:
                layer = QgsProject.instance().mapLayer(self.layers.get(output, ("", ""))[1])
                if layer:
                    layer.dataProvider().reloadData()
                    layer.triggerRepaint()
            self._grown.clear()
