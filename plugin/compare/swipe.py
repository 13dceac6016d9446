"""A swipe across the canvas: the real layer on one side of a handle, the synthetic one on the other."""

from __future__ import annotations

from qgis.core import QgsMapLayer, QgsPointXY
from qgis.gui import QgsMapCanvas, QgsMapCanvasItem, QgsMapMouseEvent, QgsMapTool
from qgis.PyQt.QtCore import QEvent, QObject, QPointF, QRectF, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QKeyEvent, QPainter, QPen, QTextOption
from qgis.PyQt.QtWidgets import QStyleOptionGraphicsItem, QWidget

from ..translation import tr
from .sheet import Sheet

STEP, LARGE_STEP = 0.01, 0.1
BACKWARD = (Qt.Key.Key_Left, Qt.Key.Key_Up)
FORWARD = (Qt.Key.Key_Right, Qt.Key.Key_Down)
INK, PAPER = QColor(40, 40, 40), QColor(255, 255, 255)
KNOB_PX, MARGIN_PX = 11, 8


class SwipeItem(QgsMapCanvasItem):
    """Both layers' pictures over the whole canvas, each clipped at the handle, and their names."""

    def __init__(self, canvas: QgsMapCanvas, first: Sheet, second: Sheet) -> None:
        super().__init__(canvas)
        self.canvas, self.sheets = canvas, (first, second)
        self.share, self.upright = 0.5, True
        self.setZValue(50)

    def updatePosition(self) -> None:  # noqa: D102
        self.prepareGeometryChange()
        self.setPos(0, 0)

    def boundingRect(self) -> QRectF:  # noqa: D102
        return QRectF(self.canvas.rect())

    def move(self, share: float) -> None:
        """Put the handle at a share of the width, or of the height."""
        self.share = min(max(share, 0.0), 1.0)
        self.update()

    def sides(self) -> tuple[QRectF, QRectF]:
        """What of the canvas each layer fills."""
        first, second = self.boundingRect(), self.boundingRect()
        if self.upright:
            first.setWidth(first.width() * self.share)
            second.setLeft(first.right())
        else:
            first.setHeight(first.height() * self.share)
            second.setTop(first.bottom())
        return first, second

    def paint(  # noqa: D102
        self, painter: QPainter, option: QStyleOptionGraphicsItem | None = None, widget: QWidget | None = None
    ) -> None:
        for sheet, side in zip(self.sheets, self.sides()):
            painter.save()
            painter.setClipRect(side)
            painter.fillRect(side, self.canvas.canvasColor())
            if not sheet.image.isNull():
                painter.drawImage(self._place(sheet), sheet.image)
            painter.restore()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_names(painter)
        self._draw_handle(painter)

    def _place(self, sheet: Sheet) -> QRectF:
        """Where a picture lies now: while a newer one is drawn, the old one moves and grows with the map."""
        if self.canvas.rotation():
            return self.boundingRect()
        corners = (sheet.extent.xMinimum(), sheet.extent.yMaximum()), (sheet.extent.xMaximum(), sheet.extent.yMinimum())
        return QRectF(*(self.toCanvasCoordinates(QgsPointXY(*corner)) for corner in corners))

    def _draw_handle(self, painter: QPainter) -> None:
        first = self.sides()[0]
        start, end = first.topRight() if self.upright else first.bottomLeft(), first.bottomRight()
        for colour, width in ((INK, 4), (PAPER, 2)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(start, end)
        middle = (start + end) / 2
        painter.setPen(QPen(INK, 1.5))
        painter.setBrush(PAPER)
        painter.drawEllipse(middle, KNOB_PX, KNOB_PX)
        along = QPointF(1, 0) if self.upright else QPointF(0, 1)
        across = QPointF(along.y(), along.x())
        for way in (-1, 1):
            tip = middle + along * 7 * way
            painter.drawPolyline(tip - along * 4 * way + across * 4, tip, tip - along * 4 * way - across * 4)

    def _draw_names(self, painter: QPainter) -> None:
        for sheet, side, second in zip(self.sheets, self.sides(), (False, True)):
            painter.save()
            painter.setClipRect(side)
            room = side.adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
            where = Qt.AlignmentFlag.AlignRight if second and self.upright else Qt.AlignmentFlag.AlignLeft
            placed = QTextOption(where)
            placed.setWrapMode(QTextOption.WrapMode.NoWrap)
            name = painter.fontMetrics().elidedText(sheet.layer.name(), Qt.TextElideMode.ElideRight, int(room.width()))
            box = painter.boundingRect(room, name, placed).adjusted(-5, -3, 5, 3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(255, 255, 255, 215))
            painter.drawRoundedRect(box, 4, 4)
            painter.setPen(INK)
            painter.drawText(room, name, placed)
            painter.restore()


class SwipeTool(QgsMapTool):
    """Drag anywhere, or use the arrow keys (with Shift in large steps); T turns the handle, Escape ends."""

    ended = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas, first: QgsMapLayer, second: QgsMapLayer) -> None:
        super().__init__(canvas)
        self.sheets = Sheet(canvas, first), Sheet(canvas, second)
        self.item: SwipeItem | None = None

    def activate(self) -> None:  # noqa: D102
        super().activate()
        canvas = self.canvas()
        self.item = SwipeItem(canvas, *self.sheets)
        for sheet in self.sheets:
            sheet.drawn.connect(self.item.update)
            sheet.layer.repaintRequested.connect(sheet.draw)
        canvas.extentsChanged.connect(self.draw)
        canvas.destinationCrsChanged.connect(self.draw)
        canvas.installEventFilter(self)  # before the canvas pans by the arrow keys
        self._shape_cursor()
        canvas.setFocus()
        self.draw()

    def deactivate(self) -> None:  # noqa: D102
        canvas = self.canvas()
        if self.item is not None and canvas is not None:
            canvas.removeEventFilter(self)
            canvas.extentsChanged.disconnect(self.draw)
            canvas.destinationCrsChanged.disconnect(self.draw)
            for sheet in self.sheets:
                sheet.stop()
                sheet.layer.repaintRequested.disconnect(sheet.draw)
            canvas.scene().removeItem(self.item)
            self.item = None
            self.ended.emit()
        super().deactivate()

    def draw(self) -> None:
        """Draw both layers anew."""
        for sheet in self.sheets:
            sheet.draw()

    def canvasPressEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102
        self._follow(event)

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102
        self._follow(event)

    def _follow(self, event: QgsMapMouseEvent) -> None:
        if self.item is not None and event.buttons() & Qt.MouseButton.LeftButton:
            place, size = event.pos(), self.canvas().size()
            share = place.x() / size.width() if self.item.upright else place.y() / size.height()
            self.item.move(share)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102
        return event.type() == QEvent.Type.KeyPress and self._key(event)

    def _key(self, event: QKeyEvent) -> bool:
        """Whether a key was the swipe's."""
        step = LARGE_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else STEP
        if self.item is None:
            return False
        if event.key() in (*BACKWARD, *FORWARD):
            self.item.move(self.item.share + (step if event.key() in FORWARD else -step))
        elif event.key() == Qt.Key.Key_T:
            self.item.upright = not self.item.upright
            self._shape_cursor()
            self.item.update()
        elif event.key() == Qt.Key.Key_Escape:
            self.canvas().unsetMapTool(self)
        else:
            return False
        return True

    def _shape_cursor(self) -> None:
        upright = self.item is None or self.item.upright
        self.setCursor(Qt.CursorShape.SplitHCursor if upright else Qt.CursorShape.SplitVCursor)


def keys_help() -> str:
    """What the swipe's keys do."""
    return tr("Drag the handle, or move it with the arrow keys (Shift: in large steps). T turns it, Escape ends.")
