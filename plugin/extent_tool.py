"""Drawing on the canvas: a rectangle by dragging, a polygon by clicking its corners."""

from __future__ import annotations

from qgis.core import QgsGeometry, QgsPointXY, QgsRectangle, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsMapToolExtent, QgsRubberBand
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QKeyEvent

EDGE, FILL = QColor(255, 120, 0, 230), QColor(255, 120, 0, 40)
POLYGON = QgsWkbTypes.GeometryType.PolygonGeometry


def band(canvas: QgsMapCanvas) -> QgsRubberBand:
    """A polygon over the map, in the plugin's colour."""
    found = QgsRubberBand(canvas, POLYGON)
    found.setStrokeColor(EDGE)
    found.setFillColor(FILL)
    found.setWidth(2)
    return found


class RectangleTool(QgsMapToolExtent):
    """QGIS's own extent tool; `drawn` has the rectangle as a polygon in the canvas's CRS."""

    drawn = pyqtSignal(QgsGeometry)
    given_up = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.extentChanged.connect(self._end)

    def _end(self, box: QgsRectangle) -> None:
        self.clearRubberBand()
        if box.width() > 0 and box.height() > 0:
            self.drawn.emit(QgsGeometry.fromRect(box))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        if event.key() == Qt.Key.Key_Escape:
            self.clearRubberBand()
            self.given_up.emit()


class PolygonTool(QgsMapTool):
    """Left clicks set corners, Backspace takes the last one back; a right or double click or Enter ends, Escape not."""

    drawn = pyqtSignal(QgsGeometry)
    given_up = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._corners: list[QgsPointXY] = []
        self._band = band(canvas)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102
        if event.button() == Qt.MouseButton.RightButton:
            self._finish()
        elif not self._corners or self.toMapCoordinates(event.pos()) != self._corners[-1]:
            self._corners.append(self.toMapCoordinates(event.pos()))
            self._show(self._corners[-1])

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102
        if self._corners:
            self._show(self.toMapCoordinates(event.pos()))

    def canvasDoubleClickEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102
        self._finish()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        if event.key() == Qt.Key.Key_Backspace and self._corners:
            self._corners.pop()
            self._show(self._corners[-1] if self._corners else None)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._finish()
        elif event.key() == Qt.Key.Key_Escape:
            self._clear()
            self.given_up.emit()
        else:
            return
        event.accept()

    def deactivate(self) -> None:  # noqa: D102
        self._clear()
        super().deactivate()

    def _show(self, pointer: QgsPointXY | None) -> None:
        self._band.reset(POLYGON)
        for corner in [*self._corners, *([pointer] if pointer else [])]:
            self._band.addPoint(corner)

    def _finish(self) -> None:
        """Hand the polygon over; with fewer than three corners there is none, and drawing goes on."""
        shape = QgsGeometry.fromPolygonXY([self._corners]) if len(self._corners) > 2 else QgsGeometry()
        if shape.isNull() or shape.area() == 0:
            return
        self._clear()
        self.drawn.emit(shape.makeValid())

    def _clear(self) -> None:
        self._corners = []
        self._band.reset(POLYGON)
