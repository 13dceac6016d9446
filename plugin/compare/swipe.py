"""A swipe on the canvas: the first layer on one side of a handle, the second one on the other."""

from __future__ import annotations

from qgis.core import QgsMapLayer, QgsPointXY
from qgis.gui import QgsMapCanvas, QgsMapCanvasItem, QgsMapMouseEvent, QgsMapTool
from qgis.PyQt.QtCore import QEvent, QObject, QPointF, QRectF, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QKeyEvent, QPainter, QPen, QTextOption
from qgis.PyQt.QtWidgets import QStyleOptionGraphicsItem, QWidget

from ..translation import tr
from .layer_renderer import LayerRenderer

STEP, LARGE_STEP = 0.01, 0.1
BACKWARD = (Qt.Key.Key_Left, Qt.Key.Key_Up)
FORWARD = (Qt.Key.Key_Right, Qt.Key.Key_Down)
DARK, LIGHT = QColor(40, 40, 40), QColor(255, 255, 255)
KNOB_PX, MARGIN_PX = 11, 8


class SwipeItem(QgsMapCanvasItem):
    """The images of both layers over the whole canvas, clipped at the handle, with the layers' names."""

    def __init__(self, canvas: QgsMapCanvas, first: LayerRenderer, second: LayerRenderer) -> None:
        super().__init__(canvas)
        self.canvas, self.renderers = canvas, (first, second)
        self.position, self.is_vertical = 0.5, True
        """The handle's position as a share of the canvas's width, or of its height where it is horizontal."""
        self.setZValue(50)

    def updatePosition(self) -> None:  # noqa: D102
        self.prepareGeometryChange()
        self.setPos(0, 0)

    def boundingRect(self) -> QRectF:  # noqa: D102
        return QRectF(self.canvas.rect())

    def move(self, position: float) -> None:
        """Move the handle to a position, limited to 0 to 1."""
        self.position = min(max(position, 0.0), 1.0)
        self.update()

    def sides(self) -> tuple[QRectF, QRectF]:
        """The part of the canvas that each layer fills."""
        first, second = self.boundingRect(), self.boundingRect()
        if self.is_vertical:
            first.setWidth(first.width() * self.position)
            second.setLeft(first.right())
        else:
            first.setHeight(first.height() * self.position)
            second.setTop(first.bottom())
        return first, second

    def paint(  # noqa: D102
        self, painter: QPainter, option: QStyleOptionGraphicsItem | None = None, widget: QWidget | None = None
    ) -> None:
        for renderer, side in zip(self.renderers, self.sides()):
            painter.save()
            painter.setClipRect(side)
            painter.fillRect(side, self.canvas.canvasColor())
            if not renderer.image.isNull():
                painter.drawImage(self._image_rectangle(renderer), renderer.image)
            painter.restore()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_names(painter)
        self._draw_handle(painter)

    def _image_rectangle(self, renderer: LayerRenderer) -> QRectF:
        """An image's rectangle on the canvas: an old image moves with the map until the new one is complete."""
        if self.canvas.rotation():
            return self.boundingRect()
        extent = renderer.extent
        corners = (extent.xMinimum(), extent.yMaximum()), (extent.xMaximum(), extent.yMinimum())
        return QRectF(*(self.toCanvasCoordinates(QgsPointXY(*corner)) for corner in corners))

    def _draw_handle(self, painter: QPainter) -> None:
        first = self.sides()[0]
        start, end = first.topRight() if self.is_vertical else first.bottomLeft(), first.bottomRight()
        for colour, width in ((DARK, 4), (LIGHT, 2)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(start, end)
        middle = (start + end) / 2
        painter.setPen(QPen(DARK, 1.5))
        painter.setBrush(LIGHT)
        painter.drawEllipse(middle, KNOB_PX, KNOB_PX)
        along = QPointF(1, 0) if self.is_vertical else QPointF(0, 1)
        across = QPointF(along.y(), along.x())
        for sign in (-1, 1):
            tip = middle + along * 7 * sign
            painter.drawPolyline(tip - along * 4 * sign + across * 4, tip, tip - along * 4 * sign - across * 4)

    def _draw_names(self, painter: QPainter) -> None:
        for renderer, side, is_second in zip(self.renderers, self.sides(), (False, True)):
            painter.save()
            painter.setClipRect(side)
            label_area = side.adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
            alignment = Qt.AlignmentFlag.AlignRight if is_second and self.is_vertical else Qt.AlignmentFlag.AlignLeft
            option = QTextOption(alignment)
            option.setWrapMode(QTextOption.WrapMode.NoWrap)
            name = painter.fontMetrics().elidedText(
                renderer.layer.name(), Qt.TextElideMode.ElideRight, int(label_area.width())
            )
            box = painter.boundingRect(label_area, name, option).adjusted(-5, -3, 5, 3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(255, 255, 255, 215))
            painter.drawRoundedRect(box, 4, 4)
            painter.setPen(DARK)
            painter.drawText(label_area, name, option)
            painter.restore()


class SwipeTool(QgsMapTool):
    """Moves the handle by dragging anywhere or by the arrow keys (Shift: large steps); T rotates it, Escape ends."""

    ended = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas, first: QgsMapLayer, second: QgsMapLayer) -> None:
        super().__init__(canvas)
        self.renderers = LayerRenderer(canvas, first), LayerRenderer(canvas, second)
        self.item: SwipeItem | None = None

    def activate(self) -> None:  # noqa: D102
        super().activate()
        canvas = self.canvas()
        self.item = SwipeItem(canvas, *self.renderers)
        for renderer in self.renderers:
            renderer.rendered.connect(self.item.update)
            renderer.layer.repaintRequested.connect(renderer.render)
        canvas.extentsChanged.connect(self.render)
        canvas.destinationCrsChanged.connect(self.render)
        canvas.installEventFilter(self)  # before the canvas pans by the arrow keys
        self._update_cursor()
        canvas.setFocus()
        self.render()

    def deactivate(self) -> None:  # noqa: D102
        canvas = self.canvas()
        if self.item is not None and canvas is not None:
            canvas.removeEventFilter(self)
            canvas.extentsChanged.disconnect(self.render)
            canvas.destinationCrsChanged.disconnect(self.render)
            for renderer in self.renderers:
                renderer.stop()
                renderer.layer.repaintRequested.disconnect(renderer.render)
            canvas.scene().removeItem(self.item)
            self.item = None
            self.ended.emit()
        super().deactivate()

    def render(self) -> None:
        """Render both layers anew."""
        for renderer in self.renderers:
            renderer.render()

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102
        self._drag(event)

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102
        self._drag(event)

    def _drag(self, event: QgsMapMouseEvent) -> None:
        if self.item is not None and event.buttons() & Qt.MouseButton.LeftButton:
            point, size = event.pos(), self.canvas().size()
            position = point.x() / size.width() if self.item.is_vertical else point.y() / size.height()
            self.item.move(position)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102
        return isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and self._handle_key(event)

    def _handle_key(self, event: QKeyEvent) -> bool:
        """Handle a key of the swipe; False for any other key."""
        step = LARGE_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else STEP
        if self.item is None:
            return False
        if event.key() in (*BACKWARD, *FORWARD):
            self.item.move(self.item.position + (step if event.key() in FORWARD else -step))
        elif event.key() == Qt.Key.Key_T:
            self.item.is_vertical = not self.item.is_vertical
            self._update_cursor()
            self.item.update()
        elif event.key() == Qt.Key.Key_Escape:
            self.canvas().unsetMapTool(self)
        else:
            return False
        return True

    def _update_cursor(self) -> None:
        is_vertical = self.item is None or self.item.is_vertical
        self.setCursor(Qt.CursorShape.SplitHCursor if is_vertical else Qt.CursorShape.SplitVCursor)


def keys_help() -> str:
    """The panel's text on the swipe's mouse and keys."""
    return tr("Drag the handle, or move it with the arrow keys (Shift: in large steps). T turns it, Escape ends.")
