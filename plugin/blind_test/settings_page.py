"""The settings of a blind test: real and synthetic layers, number of tiles, time per tile."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from qgis.core import QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..compare.layer_pairs import comparable_layers, is_synthetic
from ..translation import tr

EXCLUDED, REAL, SYNTHETIC = range(3)
"""The kinds of a layer, by their index in its combo box."""
MAX_SEED = 2**31 - 1


class SettingsPage(QWidget):
    """The settings; `started` follows the Start button."""

    started = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.layers: list[QgsRasterLayer] = []
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels([tr("Layer"), tr("It is")])
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setColumnWidth(1, 140)
        self.table.verticalHeader().hide()
        self.table.setTabKeyNavigation(False)  # Tab moves on to the next control
        self.count, self.size_px = _integer_box(20, 1, 500), _integer_box(256, 16, 1024)
        self.shown_s, self.pixel_m = QDoubleSpinBox(), QDoubleSpinBox()
        self.shown_s.setRange(0.1, 600)
        self.shown_s.setValue(3)
        self.shown_s.setSuffix(" s")
        self.pixel_m.setRange(0, 1000)
        self.pixel_m.setSuffix(" m")
        self.pixel_m.setSpecialValueText(tr("the coarsest layer's"))
        self.seed = _integer_box(random.randint(0, MAX_SEED), 0, MAX_SEED)  # noqa: S311 (no secret)
        self.seed.setToolTip(tr("The same seed, layers and settings show the same tiles in the same order."))
        self.start_button, self.message, self.progress = QPushButton(tr("&Start")), QLabel(), QProgressBar()
        self.message.setWordWrap(True)
        self.start_button.clicked.connect(self.started)
        self._lay_out()

    def _lay_out(self) -> None:
        intro = QLabel(
            tr(
                "Tiles are drawn at random, real or synthetic with equal chance, and shown one at a time for a fixed "
                "time. Say of each which it is. At the end you see how often you were right, and what fooled you."
            )
        )
        intro.setWordWrap(True)
        form = QFormLayout()
        form.addRow(tr("&Tiles"), self.count)
        form.addRow(tr("&Each is shown for"), self.shown_s)
        form.addRow(tr("Tile si&ze (px)"), self.size_px)
        form.addRow(tr("&Pixel size"), self.pixel_m)
        form.addRow(tr("See&d"), self.seed)
        layout = QVBoxLayout(self)
        layout.addWidget(intro)
        layout.addWidget(self.table, 1)
        layout.addLayout(form)
        for widget in (self.message, self.progress, self.start_button):
            layout.addWidget(widget)

    def refresh(self) -> None:
        """List the project's raster layers with their default kinds, and enable the settings."""
        self.layers = comparable_layers(QgsProject.instance())
        kinds = default_kinds(self.layers)
        self.table.setRowCount(len(self.layers))
        previous: QWidget = self.table
        for row, (layer, kind) in enumerate(zip(self.layers, kinds)):
            self.table.setItem(row, 0, QTableWidgetItem(layer.name()))
            box = QComboBox()
            box.addItems([tr("left out"), tr("real"), tr("synthetic")])
            box.setCurrentIndex(kind)
            box.currentIndexChanged.connect(self._update_start_button)
            self.table.setCellWidget(row, 1, box)
            QWidget.setTabOrder(previous, box)
            previous = box
        self.message.clear()
        self.enable()

    def enable(self) -> None:
        """Hide the progress and let the user change the settings."""
        self.progress.hide()
        self.setEnabled(True)
        self._update_start_button()

    def show_progress(self) -> None:
        """Disable the settings and show the progress of sampling the tiles."""
        self.progress.setRange(0, self.count.value())
        self.progress.setValue(0)
        self.progress.show()
        self.setEnabled(False)

    def layers_of_kind(self, kind: int) -> list[QgsRasterLayer]:
        """The layers of a kind: EXCLUDED, REAL or SYNTHETIC."""
        boxes: list[Any] = [self.table.cellWidget(row, 1) for row in range(self.table.rowCount())]
        return [layer for layer, box in zip(self.layers, boxes) if box.currentIndex() == kind]

    def _update_start_button(self) -> None:
        enough = bool(self.layers_of_kind(REAL) and self.layers_of_kind(SYNTHETIC))
        self.start_button.setEnabled(enough)
        self.start_button.setToolTip("" if enough else tr("Choose at least one real and one synthetic layer."))


def default_kinds(layers: Sequence[QgsRasterLayer]) -> list[int]:
    """The default kind of each layer.

    Includes all images, where there are real and synthetic ones; otherwise all land cover under the same condition.
    """
    synthetic = [is_synthetic(layer) for layer in layers]
    for images in (True, False):
        included = [(layer.bandCount() > 1) == images for layer in layers]
        if {kind for kind, is_included in zip(synthetic, included) if is_included} == {True, False}:
            return [
                (SYNTHETIC if kind else REAL) if is_included else EXCLUDED
                for kind, is_included in zip(synthetic, included)
            ]
    return [EXCLUDED] * len(layers)


def _integer_box(value: int, minimum: int, maximum: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(minimum, maximum)
    box.setValue(value)
    return box
