"""What the blind test asks before it begins: which layers are real, which synthetic, how many tiles, how long."""

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

from ..compare.rasters import is_synthetic, rasters
from ..translation import tr

LEFT_OUT, REAL, SYNTHETIC = range(3)
MOST_SEED = 2**31 - 1


class SetUpPage(QWidget):
    """The choices; `started` says that they are made."""

    started = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.rasters: list[QgsRasterLayer] = []
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels([tr("Layer"), tr("It is")])
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setColumnWidth(1, 140)
        self.table.verticalHeader().hide()
        self.table.setTabKeyNavigation(False)  # Tab leads on, out of the table
        self.count, self.size_px = _whole(20, 1, 500), _whole(256, 16, 1024)
        self.shown_s, self.pixel_m = QDoubleSpinBox(), QDoubleSpinBox()
        self.shown_s.setRange(0.1, 600)
        self.shown_s.setValue(3)
        self.shown_s.setSuffix(" s")
        self.pixel_m.setRange(0, 1000)
        self.pixel_m.setSuffix(" m")
        self.pixel_m.setSpecialValueText(tr("the coarsest layer's"))
        self.seed = _whole(random.randint(0, MOST_SEED), 0, MOST_SEED)  # noqa: S311 (no secret)
        self.seed.setToolTip(tr("The same seed, layers and settings show the same tiles in the same order."))
        self.start_button, self.said, self.progress = QPushButton(tr("&Start")), QLabel(), QProgressBar()
        self.said.setWordWrap(True)
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
        for widget in (self.said, self.progress, self.start_button):
            layout.addWidget(widget)

    def refresh(self) -> None:
        """List the project's raster layers, images first chosen, and be ready for a start."""
        self.rasters = rasters(QgsProject.instance())
        chosen = first_choice(self.rasters)
        self.table.setRowCount(len(self.rasters))
        before: QWidget = self.table
        for row, (layer, kind) in enumerate(zip(self.rasters, chosen)):
            self.table.setItem(row, 0, QTableWidgetItem(layer.name()))
            box = QComboBox()
            box.addItems([tr("left out"), tr("real"), tr("synthetic")])
            box.setCurrentIndex(kind)
            box.currentIndexChanged.connect(self._check)
            self.table.setCellWidget(row, 1, box)
            QWidget.setTabOrder(before, box)
            before = box
        self.said.clear()
        self.ready()

    def ready(self) -> None:
        """Take choices again."""
        self.progress.hide()
        self.setEnabled(True)
        self._check()

    def drawing(self) -> None:
        """Show how far the drawing of the tiles is."""
        self.progress.setRange(0, self.count.value())
        self.progress.setValue(0)
        self.progress.show()
        self.setEnabled(False)

    def chosen(self, kind: int) -> list[QgsRasterLayer]:
        """The layers that are REAL, or SYNTHETIC."""
        boxes: list[Any] = [self.table.cellWidget(row, 1) for row in range(self.table.rowCount())]
        return [layer for layer, box in zip(self.rasters, boxes) if box.currentIndex() == kind]

    def _check(self) -> None:
        enough = bool(self.chosen(REAL) and self.chosen(SYNTHETIC))
        self.start_button.setEnabled(enough)
        self.start_button.setToolTip("" if enough else tr("Choose at least one real and one synthetic layer."))


def first_choice(found: Sequence[QgsRasterLayer]) -> list[int]:
    """What each layer is at first: all images, or all land cover where there are not both kinds of images."""
    synthetic = [is_synthetic(layer) for layer in found]
    for wanted in (True, False):
        fits = [(layer.bandCount() > 1) == wanted for layer in found]
        if {is_it for is_it, fit in zip(synthetic, fits) if fit} == {True, False}:
            return [(SYNTHETIC if is_it else REAL) if fit else LEFT_OUT for is_it, fit in zip(synthetic, fits)]
    return [LEFT_OUT] * len(found)


def _whole(value: int, low: int, high: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    return box
