"""The window of the blind test: settings, tiles, result."""

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
from .settings_page import REAL, SYNTHETIC, SettingsPage
from .tile_page import TilePage
from .tile_sampler import TileSampler
from .trial import Tile, Trial


class BlindTestDialog(QDialog):
    """Shows the settings, then the tiles, then the result."""

    def __init__(self, iface: Any) -> None:
        super().__init__(iface.mainWindow(), Qt.WindowType.Window)
        self.setWindowTitle(tr("Landforge: real or synthetic?"))
        self.resize(640, 720)
        self.canvas = iface.mapCanvas()
        self.sampler: TileSampler | None = None
        self.settings_page, self.tile_page, self.result_page = SettingsPage(), TilePage(), ResultPage()
        self.pages = QStackedWidget()
        for page in (self.settings_page, self.tile_page, self.result_page):
            self.pages.addWidget(page)
        QVBoxLayout(self).addWidget(self.pages)
        self.settings_page.started.connect(self._sample_tiles)
        self.tile_page.finished.connect(self._show_result)
        self.tile_page.stop_button.clicked.connect(self.restart)
        self.result_page.new_test_requested.connect(self.restart)
        self.result_page.tile_selected.connect(self.zoom_to)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: D102
        super().showEvent(event)
        if self.pages.currentWidget() is self.settings_page and self.sampler is None:
            self.settings_page.refresh()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: D102
        super().hideEvent(event)
        if self.pages.currentWidget() is not self.result_page and not event.spontaneous():
            self.restart()

    def restart(self) -> None:
        """Stop sampling and the test, and return to the settings."""
        if self.sampler is not None:
            self.sampler.stop()
            self.sampler = None
        self.tile_page.stop()
        self.settings_page.refresh()
        self.pages.setCurrentWidget(self.settings_page)

    def _sample_tiles(self) -> None:
        page = self.settings_page
        page.message.clear()
        page.show_progress()
        self.sampler = TileSampler(
            page.layers_of_kind(REAL),
            page.layers_of_kind(SYNTHETIC),
            page.count.value(),
            page.size_px.value(),
            page.pixel_m.value(),
            page.seed.value(),
        )
        self.sampler.progressed.connect(page.progress.setValue)
        self.sampler.finished.connect(self._start_test)
        self.sampler.failed.connect(self._show_error)
        self.sampler.start()

    def _show_error(self, problem: str) -> None:
        self.sampler = None
        self.settings_page.enable()
        self.settings_page.message.setText(problem)

    def _start_test(self, tiles: list[Tile]) -> None:
        self.sampler = None
        self.settings_page.enable()
        self.pages.setCurrentWidget(self.tile_page)
        self.tile_page.start(Trial(tiles, self.settings_page.shown_s.value(), self.settings_page.seed.value()))

    def _show_result(self) -> None:
        if self.tile_page.trial is not None:
            self.result_page.show_trial(self.tile_page.trial)
            self.pages.setCurrentWidget(self.result_page)

    def zoom_to(self, tile: Tile) -> None:
        """Show a tile's bounds on the main canvas, with its layer visible."""
        project = QgsProject.instance()
        node = project.layerTreeRoot().findLayer(tile.layer_id)
        if node is not None:
            node.setItemVisibilityCheckedParentRecursive(True)
        crs, canvas_crs = QgsCoordinateReferenceSystem(tile.crs), self.canvas.mapSettings().destinationCrs()
        bounds = QgsRectangle(*tile.bounds)
        self.canvas.setExtent(QgsCoordinateTransform(crs, canvas_crs, project).transformBoundingBox(bounds))
        self.canvas.refresh()
        self.canvas.flashGeometries([QgsGeometry.fromRect(bounds)], crs)
