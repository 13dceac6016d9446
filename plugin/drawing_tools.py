"""Map tools that draw on the canvas: a rectangle by dragging, a polygon by clicking its vertices."""

from __future__ import annotations

from qgis.core import QgsGeometry, QgsPointXY, QgsRectangle, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsMapToolExtent, QgsRubberBand
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QKeyEvent

STROKE, FILL = QColor(255, 120, 0, 230), QColor(255, 120, 0, 40)
POLYGON = QgsWkbTypes.GeometryType.PolygonGeometry  # type: ignore[attr-defined]


def rubber_band(canvas: QgsMapCanvas) -> QgsRubberBand:
    """A polygon rubber band in the plugin's colours."""
    band = QgsRubberBand(canvas, POLYGON)
    band.setStrokeColor(STROKE)
    band.setFillColor(FILL)
    band.setWidth(2)
    return band


class RectangleTool(QgsMapToolExtent):
    """QGIS's extent tool. `drawn` carries the rectangle as a polygon in the canvas's CRS; Escape emits `cancelled`."""

    drawn = pyqtSignal(QgsGeometry)
    cancelled = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.extentChanged.connect(self._emit_rectangle)

    def _emit_rectangle(self, box: QgsRectangle) -> None:
        self.clearRubberBand()
        if box.width() > 0 and box.height() > 0:
            self.drawn.emit(QgsGeometry.fromRect(box))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        if event.key() == Qt.Key.Key_Escape:
            self.clearRubberBand()
            self.cancelled.emit()


class PolygonTool(QgsMapTool):
    """Draws a polygon; `drawn` carries it in the canvas's CRS.

    A left click adds a vertex and Backspace removes the last one; a right click, a double click or Enter completes the
    polygon; Escape emits `cancelled`.
    """

    drawn = pyqtSignal(QgsGeometry)
    cancelled = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._vertices: list[QgsPointXY] = []
        self._band = rubber_band(canvas)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102
        if event.button() == Qt.MouseButton.RightButton:
            self._finish()
        elif not self._vertices or self.toMapCoordinates(event.pos()) != self._vertices[-1]:
            self._vertices.append(self.toMapCoordinates(event.pos()))
            self._show(self._vertices[-1])

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102
        if self._vertices:
            self._show(self.toMapCoordinates(event.pos()))

    def canvasDoubleClickEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102
        self._finish()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        if event.key() == Qt.Key.Key_Backspace and self._vertices:
            self._vertices.pop()
            self._show(self._vertices[-1] if self._vertices else None)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._finish()
        elif event.key() == Qt.Key.Key_Escape:
            self._clear()
            self.cancelled.emit()
        else:
            return
        event.accept()

    def deactivate(self) -> None:  # noqa: D102
        self._clear()
        super().deactivate()

    def _show(self, pointer: QgsPointXY | None) -> None:
        self._band.reset(POLYGON)
        for vertex in [*self._vertices, *([pointer] if pointer else [])]:
            self._band.addPoint(vertex)

    def _finish(self) -> None:
        """Emit the polygon; with fewer than three vertices or without an area, drawing continues."""
        polygon = QgsGeometry.fromPolygonXY([self._vertices]) if len(self._vertices) > 2 else QgsGeometry()
        if polygon.isNull() or polygon.area() == 0:
            return
        self._clear()
        self.drawn.emit(polygon.makeValid())

    def _clear(self) -> None:
        self._vertices = []
        self._band.reset(POLYGON)
