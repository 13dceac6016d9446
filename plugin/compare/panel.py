"""The Compare panel: a choice of two layers and three ways to compare them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsMapLayerProxyModel, QgsProject, QgsRasterLayer
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
from . import swipe
from .difference import DifferenceRun
from .layer_pairs import comparable_layers, default_pair
from .side_by_side import SideBySide
from .swipe import SwipeTool


class ComparePanel(QgsDockWidget):
    """Compares a real and a synthetic layer by a swipe, side by side, or by their difference."""

    def __init__(self, iface: Any) -> None:
        super().__init__(tr("Landforge: compare"), iface.mainWindow())
        self.setObjectName("landforgeCompare")
        self.canvas, self.main_window = iface.mapCanvas(), iface.mainWindow()
        self.real, self.synthetic = _layer_box(), _layer_box()
        self.swipe_button = _button(tr("Sw&ipe"), tr("A handle across the map: real on one side, synthetic beyond it."))
        self.swipe_button.setCheckable(True)
        self.side_button = _button(tr("Side &by side"), tr("Two maps in a window that pan and zoom as one."))
        self.difference_button = _button(
            tr("Di&fference"), tr("Of two land cover layers: where they agree, and the confusion table in hectares.")
        )
        self.message, self.progress, self.table = QLabel(), QProgressBar(), QTextBrowser()
        self.message.setWordWrap(True)
        self.table.setWordWrapMode(QTextOption.WrapMode.WordWrap)
        self.table.setPlaceholderText(tr("The table of a difference comes here."))
        self.cancel_button, self.report_button = QPushButton(tr("Cancel")), QPushButton(tr("Open as a web page"))
        self.swipe_tool: SwipeTool | None = None
        self.difference_run: DifferenceRun | None = None
        self.side_by_side: SideBySide | None = None
        self._report_path = ""
        self._is_chosen_by_user = False
        self._lay_out()
        self._connect()
        self._show_running(False)
        self.report_button.hide()

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
        layout.addWidget(self.message)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.report_button)
        self.setWidget(content)

    def _connect(self) -> None:
        self.swipe_button.toggled.connect(self._set_swiping)
        self.side_button.clicked.connect(self.open_side_by_side)
        self.difference_button.clicked.connect(self.start_difference)
        self.cancel_button.clicked.connect(self._cancel_difference)
        self.report_button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(self._report_path)))
        for box in (self.real, self.synthetic):
            box.layerChanged.connect(self._layers_changed)
            box.activated.connect(self._keep_choice)
        QgsProject.instance().layersWillBeRemoved.connect(self._layers_removed)
        QgsProject.instance().layersAdded.connect(self._layers_added)

    def _keep_choice(self) -> None:
        """Keep the user's choice when layers are added."""
        self._is_chosen_by_user = True

    def _layers_added(self) -> None:
        if not self._is_chosen_by_user and self.swipe_tool is None and self.difference_run is None:
            QTimer.singleShot(0, self.preselect_layers)  # once they are in the layer tree

    def preselect_layers(self) -> None:
        """Select a real and a synthetic layer where the project has them."""
        for box, layer in zip((self.real, self.synthetic), default_pair(comparable_layers(QgsProject.instance()))):
            box.setLayer(layer)

    def chosen_layers(self) -> list[QgsRasterLayer]:
        """The two layers; an empty list, with a message in the panel, where they are not two different layers."""
        chosen = [box.currentLayer() for box in (self.real, self.synthetic)]
        layers = [layer for layer in chosen if isinstance(layer, QgsRasterLayer)]
        if len(layers) < 2 or layers[0] == layers[1]:
            self.message.setText(tr("Choose two different raster layers above."))
            return []
        return layers

    def _layers_changed(self) -> None:
        self.swipe_button.setChecked(False)
        self.message.clear()

    def _layers_removed(self, removed: list[str]) -> None:
        """End the swipe of a layer that is removed."""
        if self.swipe_tool is not None and {renderer.layer.id() for renderer in self.swipe_tool.renderers} & set(
            removed
        ):
            self.swipe_button.setChecked(False)

    def _set_swiping(self, active: bool) -> None:
        if not active:
            if self.swipe_tool is not None:
                self.canvas.unsetMapTool(self.swipe_tool)
            return
        chosen = self.chosen_layers()
        if not chosen:
            self.swipe_button.setChecked(False)
            return
        previous_tool = self.canvas.mapTool()
        self.swipe_tool = SwipeTool(self.canvas, *chosen)
        self.swipe_tool.ended.connect(lambda: self._swipe_ended(previous_tool))
        self.message.setText(swipe.keys_help())
        self.canvas.setMapTool(self.swipe_tool)

    def _swipe_ended(self, previous_tool: Any) -> None:
        """The swipe was ended by the button, by Escape or by another tool."""
        self.swipe_tool = None
        self.swipe_button.setChecked(False)
        self.message.clear()
        if previous_tool is not None and self.canvas.mapTool() is None:
            self.canvas.setMapTool(previous_tool)

    def open_side_by_side(self) -> None:
        """Open the window of two linked maps."""
        chosen = self.chosen_layers()
        if chosen:
            self.side_by_side = SideBySide(self.canvas, chosen, self.main_window)
            self.side_by_side.destroyed.connect(self._side_by_side_closed)
            self.side_by_side.show()

    def _side_by_side_closed(self) -> None:
        self.side_by_side = None

    def start_difference(self) -> None:
        """Compute the difference of the two layers in the background."""
        chosen = self.chosen_layers()
        if not chosen or self.difference_run is not None:
            return
        self.difference_run = DifferenceRun(*chosen)
        self.difference_run.progressed.connect(self.progress.setValue)
        self.difference_run.succeeded.connect(self._show_report)
        self.difference_run.failed.connect(self._show_error)
        self._show_running(True)
        self.message.setText(tr("Comparing…"))
        self.difference_run.start()

    def _cancel_difference(self) -> None:
        if self.difference_run is not None:
            self.difference_run.cancel()

    def _show_running(self, running: bool) -> None:
        self.progress.setValue(0)
        self.progress.setVisible(running)
        self.cancel_button.setVisible(running)
        self.difference_button.setEnabled(not running)

    def _show_report(self, path: str) -> None:
        self._report_path, self.difference_run = path, None
        self.table.setHtml(Path(path).read_text(encoding="utf-8"))
        self.report_button.show()
        self._show_running(False)
        self.message.clear()

    def _show_error(self, problem: str) -> None:
        self.difference_run = None
        self._show_running(False)
        self.message.setText(problem)

    def close_all(self) -> None:
        """End the swipe, the side-by-side window and a running difference."""
        QgsProject.instance().layersWillBeRemoved.disconnect(self._layers_removed)
        QgsProject.instance().layersAdded.disconnect(self._layers_added)
        self.swipe_button.setChecked(False)
        self._cancel_difference()
        if self.side_by_side is not None:
            self.side_by_side.close()


def _layer_box() -> QgsMapLayerComboBox:
    box = QgsMapLayerComboBox()
    box.setFilters(QgsMapLayerProxyModel.Filter.RasterLayer)
    return box


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
