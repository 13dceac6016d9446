"""Two canvases beside each other, one layer each, that pan and zoom as one."""

from __future__ import annotations

from qgis.core import QgsMapLayer, QgsPointXY, QgsRectangle
from qgis.gui import QgsMapCanvas, QgsMapToolPan, QgsVertexMarker
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QDialog, QLabel, QSplitter, QVBoxLayout, QWidget

from ..translation import tr


class View(QWidget):
    """A layer's name above a canvas that shows it alone, and a mark where the mouse is in the other one."""

    def __init__(self, model: QgsMapCanvas, layer: QgsMapLayer) -> None:
        super().__init__()
        name = QLabel(f"<b>{layer.name()}</b>")
        self.canvas = QgsMapCanvas()
        self.canvas.setCanvasColor(model.canvasColor())
        self.canvas.setDestinationCrs(model.mapSettings().destinationCrs())
        self.canvas.setParallelRenderingEnabled(True)
        self.canvas.setCachingEnabled(True)
        self.canvas.setLayers([layer])
        self.tool = QgsMapToolPan(self.canvas)
        self.canvas.setMapTool(self.tool)
        self.mark = QgsVertexMarker(self.canvas)
        self.mark.setIconType(QgsVertexMarker.IconType.ICON_CROSS)
        self.mark.setColor(QColor(255, 0, 0))
        self.mark.setIconSize(16)
        self.mark.setPenWidth(3)
        self.mark.hide()
        layout = QVBoxLayout(self)
        layout.addWidget(name)
        layout.addWidget(self.canvas, 1)

    def point_at(self, place: QgsPointXY) -> None:
        """Mark a place of the map."""
        self.mark.setCenter(place)
        self.mark.show()

    def centre_on(self, centre: QgsPointXY, units_per_px: float) -> None:
        """Show a place at a size of pixels, in map units."""
        width, height = self.canvas.width() * units_per_px, self.canvas.height() * units_per_px
        self.canvas.setExtent(QgsRectangle.fromCenterAndSize(centre, width, height))
        self.canvas.refresh()


class SideBySide(QDialog):
    """The window of two linked views; it begins with what the main canvas shows."""

    def __init__(self, model: QgsMapCanvas, layers: list[QgsMapLayer], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(tr("Landforge: side by side"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(1100, 600)
        self.views = [View(model, layer) for layer in layers]
        splitter = QSplitter()
        for view in self.views:
            splitter.addWidget(view)
        hint = QLabel(tr("Drag to pan, turn the wheel to zoom: both maps follow. The red cross marks the same place."))
        layout = QVBoxLayout(self)
        layout.addWidget(splitter, 1)
        layout.addWidget(hint)
        self._model, self._linking = model, False
        for view, other in (self.views, self.views[::-1]):
            view.canvas.extentsChanged.connect(lambda view=view, other=other: self._link(view, other))
            view.canvas.xyCoordinates.connect(other.point_at)
            view.canvas.xyCoordinates.connect(lambda _, view=view: view.mark.hide())
        for layer in layers:
            layer.willBeDeleted.connect(self.close)

    def showEvent(self, event: object) -> None:  # noqa: D102
        super().showEvent(event)
        self.views[0].centre_on(self._model.center(), self._model.mapUnitsPerPixel())

    def _link(self, view: View, other: View) -> None:
        """Have the other view show what this one does; sizes may differ, so the centre and the scale count."""
        if self._linking:
            return
        self._linking = True
        try:
            other.centre_on(view.canvas.center(), view.canvas.mapUnitsPerPixel())
        finally:
            self._linking = False
