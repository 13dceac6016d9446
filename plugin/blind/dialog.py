"""The window of the blind test: choices, tiles, result."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsProject,
    QgsRectangle,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QHideEvent, QShowEvent
from qgis.PyQt.QtWidgets import QDialog, QStackedWidget, QVBoxLayout

from ..translation import tr
from .result_page import ResultPage
from .set_up_page import REAL, SYNTHETIC, SetUpPage
from .tile_page import TilePage
from .tiles import Draw
from .trial import Tile, Trial


class BlindTest(QDialog):
    """Leads from the choices through the tiles to the result."""

    def __init__(self, iface: Any) -> None:
        super().__init__(iface.mainWindow(), Qt.WindowType.Window)
        self.setWindowTitle(tr("Landforge: real or synthetic?"))
        self.resize(640, 720)
        self.canvas = iface.mapCanvas()
        self.draw: Draw | None = None
        self.set_up, self.test, self.result = SetUpPage(), TilePage(), ResultPage()
        self.pages = QStackedWidget()
        for page in (self.set_up, self.test, self.result):
            self.pages.addWidget(page)
        QVBoxLayout(self).addWidget(self.pages)
        self.set_up.started.connect(self._draw_tiles)
        self.test.finished.connect(self._show_result)
        self.test.stop_button.clicked.connect(self.restart)
        self.result.again.connect(self.restart)
        self.result.chosen.connect(self.zoom_to)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: D102
        super().showEvent(event)
        if self.pages.currentWidget() is self.set_up and self.draw is None:
            self.set_up.refresh()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: D102
        super().hideEvent(event)
        if self.pages.currentWidget() is not self.result and not event.spontaneous():
            self.restart()

    def restart(self) -> None:
        """Back to the choices, whatever was going on."""
        if self.draw is not None:
            self.draw.stop()
            self.draw = None
        self.test.stop()
        self.set_up.refresh()
        self.pages.setCurrentWidget(self.set_up)

    def _draw_tiles(self) -> None:
        page = self.set_up
        page.said.clear()
        page.drawing()
        self.draw = Draw(
            page.chosen(REAL),
            page.chosen(SYNTHETIC),
            page.count.value(),
            page.size_px.value(),
            page.pixel_m.value(),
            page.seed.value(),
        )
        self.draw.drawn.connect(page.progress.setValue)
        self.draw.finished.connect(self._begin)
        self.draw.failed.connect(self._fail)
        self.draw.start()

    def _fail(self, problem: str) -> None:
        self.draw = None
        self.set_up.ready()
        self.set_up.said.setText(problem)

    def _begin(self, tiles: list[Tile]) -> None:
        self.draw = None
        self.set_up.ready()
        self.pages.setCurrentWidget(self.test)
        self.test.start(Trial(tiles, self.set_up.shown_s.value(), self.set_up.seed.value()))

    def _show_result(self) -> None:
        if self.test.trial is not None:
            self.result.show_trial(self.test.trial)
            self.pages.setCurrentWidget(self.result)

    def zoom_to(self, tile: Tile) -> None:
        """Show where a tile was cut from, on the main canvas, with its layer visible."""
        project = QgsProject.instance()
        node = project.layerTreeRoot().findLayer(tile.layer_id)
        if node is not None:
            node.setItemVisibilityCheckedParentRecursive(True)
        crs, shown = QgsCoordinateReferenceSystem(tile.crs), self.canvas.mapSettings().destinationCrs()
        place = QgsRectangle(*tile.bounds)
        self.canvas.setExtent(QgsCoordinateTransform(crs, shown, project).transformBoundingBox(place))
        self.canvas.refresh()
        self.canvas.flashGeometries([QgsGeometry.fromRect(place)], crs)
