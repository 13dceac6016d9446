"""Two linked canvases side by side, with one layer each."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import QgsMapLayer, QgsPointXY, QgsRectangle
from qgis.gui import QgsMapCanvas, QgsMapToolPan, QgsVertexMarker
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QShowEvent
from qgis.PyQt.QtWidgets import QDialog, QLabel, QSplitter, QVBoxLayout, QWidget

from ..translation import tr


class LayerView(QWidget):
    """A canvas with one layer, its name, and a marker at the mouse position of the other view."""

    def __init__(self, main_canvas: QgsMapCanvas, layer: QgsMapLayer) -> None:
        super().__init__()
        name = QLabel(f"<b>{layer.name()}</b>")
        self.canvas = QgsMapCanvas()
        self.canvas.setCanvasColor(main_canvas.canvasColor())
        self.canvas.setDestinationCrs(main_canvas.mapSettings().destinationCrs())
        self.canvas.setParallelRenderingEnabled(True)
        self.canvas.setCachingEnabled(True)
        self.canvas.setLayers([layer])
        self.tool = QgsMapToolPan(self.canvas)
        self.canvas.setMapTool(self.tool)
        self.marker = QgsVertexMarker(self.canvas)
        self.marker.setIconType(QgsVertexMarker.IconType.ICON_CROSS)
        self.marker.setColor(QColor(255, 0, 0))
        self.marker.setIconSize(16)
        self.marker.setPenWidth(3)
        self.marker.hide()
        layout = QVBoxLayout(self)
        layout.addWidget(name)
        layout.addWidget(self.canvas, 1)

    def mark(self, point: QgsPointXY) -> None:
        """Show the marker at a point in map coordinates."""
        self.marker.setCenter(point)
        self.marker.show()

    def centre_on(self, centre: QgsPointXY, units_per_px: float) -> None:
        """Show the surroundings of a point in map coordinates, at a scale in map units per pixel."""
        width, height = self.canvas.width() * units_per_px, self.canvas.height() * units_per_px
        self.canvas.setExtent(QgsRectangle.fromCenterAndSize(centre, width, height))
        self.canvas.refresh()


class SideBySide(QDialog):
    """The window of two linked views; they start at the centre and scale of the main canvas."""

    def __init__(self, main_canvas: QgsMapCanvas, layers: Sequence[QgsMapLayer], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(tr("Landforge: side by side"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(1100, 600)
        self.views = [LayerView(main_canvas, layer) for layer in layers]
        splitter = QSplitter()
        for view in self.views:
            splitter.addWidget(view)
        hint = QLabel(tr("Drag to pan, turn the wheel to zoom: both maps follow. The red cross marks the same place."))
        layout = QVBoxLayout(self)
        layout.addWidget(splitter, 1)
        layout.addWidget(hint)
        self._main_canvas, self._linking = main_canvas, False
        for view, other in (self.views, self.views[::-1]):
            view.canvas.extentsChanged.connect(lambda view=view, other=other: self._link(view, other))
            view.canvas.xyCoordinates.connect(other.mark)
            view.canvas.xyCoordinates.connect(lambda _, view=view: view.marker.hide())
        for layer in layers:
            layer.willBeDeleted.connect(self.close)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: D102
        super().showEvent(event)
        self.views[0].centre_on(self._main_canvas.center(), self._main_canvas.mapUnitsPerPixel())

    def _link(self, view: LayerView, other: LayerView) -> None:
        """Move the other view to the same centre and scale; their sizes may differ."""
        if self._linking:
            return
        self._linking = True
        try:
            other.centre_on(view.canvas.center(), view.canvas.mapUnitsPerPixel())
        finally:
            self._linking = False
