"""The Compare panel: which two layers, and the three ways to compare them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsMapLayer, QgsMapLayerProxyModel, QgsProject
from qgis.gui import QgsDockWidget, QgsMapLayerComboBox
from qgis.PyQt.QtCore import QTimer, QUrl
from qgis.PyQt.QtGui import QDesktopServices, QTextOption
from qgis.PyQt.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from ..translation import tr
from . import rasters, swipe
from .difference import DifferenceRun
from .side_by_side import SideBySide
from .swipe import SwipeTool


class ComparePanel(QgsDockWidget):
    """Takes a real and a synthetic layer; swipes, sets them side by side, or makes their difference."""

    def __init__(self, iface: Any) -> None:
        super().__init__(tr("Landforge: compare"), iface.mainWindow())
        self.setObjectName("landforgeCompare")
        self.canvas, self.window = iface.mapCanvas(), iface.mainWindow()
        self.real, self.synthetic = _layer_box(), _layer_box()
        self.swipe_button = _button(tr("Sw&ipe"), tr("A handle across the map: real on one side, synthetic beyond it."))
        self.swipe_button.setCheckable(True)
        self.side_button = _button(tr("Side &by side"), tr("Two maps in a window that pan and zoom as one."))
        self.difference_button = _button(
            tr("Di&fference"), tr("Of two land cover layers: where they agree, and the confusion table in hectares.")
        )
        self.said, self.progress, self.table = QLabel(), QProgressBar(), QTextBrowser()
        self.said.setWordWrap(True)
        self.table.setWordWrapMode(QTextOption.WrapMode.WordWrap)
        self.table.setPlaceholderText(tr("The table of a difference comes here."))
        self.cancel_button, self.page_button = QPushButton(tr("Cancel")), QPushButton(tr("Open as a web page"))
        self.tool: SwipeTool | None = None
        self.run: DifferenceRun | None = None
        self.view: SideBySide | None = None
        self._page = ""
        self._chosen = False
        self._lay_out()
        self._connect()
        self._show_running(False)
        self.page_button.hide()

    def _lay_out(self) -> None:
        content = QWidget()
        form = QFormLayout()
        form.addRow(tr("Real"), self.real)
        form.addRow(tr("Synthetic"), self.synthetic)
        layout, ways, running = QVBoxLayout(content), QHBoxLayout(), QHBoxLayout()
        for button in (self.swipe_button, self.side_button, self.difference_button):
            ways.addWidget(button)
        running.addWidget(self.progress, 1)
        running.addWidget(self.cancel_button)
        for part in (form, ways, running):
            layout.addLayout(part)
        layout.addWidget(self.said)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.page_button)
        self.setWidget(content)

    def _connect(self) -> None:
        self.swipe_button.toggled.connect(self._swipe)
        self.side_button.clicked.connect(self.side_by_side)
        self.difference_button.clicked.connect(self.difference)
        self.cancel_button.clicked.connect(self._cancel)
        self.page_button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(self._page)))
        for box in (self.real, self.synthetic):
            box.layerChanged.connect(self._layers_changed)
            box.activated.connect(self._choose)
        QgsProject.instance().layersWillBeRemoved.connect(self._stop_for)
        QgsProject.instance().layersAdded.connect(self._layers_added)

    def _choose(self) -> None:
        """From now on the pair is the user's: it stays, whatever layers come."""
        self._chosen = True

    def _layers_added(self) -> None:
        if not self._chosen and self.tool is None and self.run is None:
            QTimer.singleShot(0, self.guess)  # once they are in the layer tree

    def guess(self) -> None:
        """Choose a real and a synthetic layer, where the project has them."""
        for box, layer in zip((self.real, self.synthetic), rasters.pair(rasters.rasters(QgsProject.instance()))):
            box.setLayer(layer)

    def layers(self) -> list[QgsMapLayer]:
        """The two layers; empty, and the panel says so, where they are not chosen."""
        chosen = [self.real.currentLayer(), self.synthetic.currentLayer()]
        if None in chosen or chosen[0] == chosen[1]:
            self.said.setText(tr("Choose two different raster layers above."))
            return []
        return chosen

    def _layers_changed(self) -> None:
        self.swipe_button.setChecked(False)
        self.said.clear()

    def _stop_for(self, removed: list[str]) -> None:
        """A layer that goes takes its swipe with it."""
        if self.tool is not None and {sheet.layer.id() for sheet in self.tool.sheets} & set(removed):
            self.swipe_button.setChecked(False)

    def _swipe(self, wanted: bool) -> None:
        if not wanted:
            if self.tool is not None:
                self.canvas.unsetMapTool(self.tool)
            return
        chosen = self.layers()
        if not chosen:
            self.swipe_button.setChecked(False)
            return
        before = self.canvas.mapTool()
        self.tool = SwipeTool(self.canvas, *chosen)
        self.tool.ended.connect(lambda: self._swipe_ended(before))
        self.said.setText(swipe.keys_help())
        self.canvas.setMapTool(self.tool)

    def _swipe_ended(self, before: Any) -> None:
        """Whether by the button, by Escape or by another tool."""
        self.tool = None
        self.swipe_button.setChecked(False)
        self.said.clear()
        if before is not None and self.canvas.mapTool() is None:
            self.canvas.setMapTool(before)

    def side_by_side(self) -> None:
        """Open the window of linked maps."""
        chosen = self.layers()
        if chosen:
            self.view = SideBySide(self.canvas, chosen, self.window)
            self.view.destroyed.connect(self._view_gone)
            self.view.show()

    def _view_gone(self) -> None:
        self.view = None

    def difference(self) -> None:
        """Run the difference of the two layers in the background."""
        chosen = self.layers()
        if not chosen or self.run is not None:
            return
        self.run = DifferenceRun(*chosen)
        self.run.progressed.connect(self.progress.setValue)
        self.run.succeeded.connect(self._show_table)
        self.run.failed.connect(self._fail)
        self._show_running(True)
        self.said.setText(tr("Comparing…"))
        self.run.start()

    def _cancel(self) -> None:
        if self.run is not None:
            self.run.cancel()

    def _show_running(self, running: bool) -> None:
        self.progress.setValue(0)
        self.progress.setVisible(running)
        self.cancel_button.setVisible(running)
        self.difference_button.setEnabled(not running)

    def _show_table(self, page: str) -> None:
        self._page, self.run = page, None
        self.table.setHtml(Path(page).read_text(encoding="utf-8"))
        self.page_button.show()
        self._show_running(False)
        self.said.clear()

    def _fail(self, problem: str) -> None:
        self.run = None
        self._show_running(False)
        self.said.setText(problem)

    def close_all(self) -> None:
        """Take back what the panel has put elsewhere, before it goes."""
        QgsProject.instance().layersWillBeRemoved.disconnect(self._stop_for)
        QgsProject.instance().layersAdded.disconnect(self._layers_added)
        self.swipe_button.setChecked(False)
        self._cancel()
        if self.view is not None:
            self.view.close()


def _layer_box() -> QgsMapLayerComboBox:
    box = QgsMapLayerComboBox()
    box.setFilters(QgsMapLayerProxyModel.Filter.RasterLayer)
    return box


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
