"""The requested class shares: a slider for each land cover class, with its official colour."""

from __future__ import annotations

from qgis.gui import QgsCollapsibleGroupBox
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QGridLayout, QLabel, QSlider, QSpinBox, QWidget

from ..backend.protocol import LEGEND
from .translation import tr


class ClassShares(QgsCollapsibleGroupBox):
    """Percentages by WorldCover code that sum to at most 100; the model chooses the rest."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(tr("Class shares"))
        self.setObjectName("landforgeShares")
        self.setToolTip(
            tr(
                "The mix of classes to ask for, in each window of 1.28 km. The model comes near to it, not exactly; "
                "what is left over it divides as it has learned. All at 0: the model decides."
            )
        )
        self.sliders: dict[int, QSlider] = {}
        grid = QGridLayout(self)
        for row, (code, (name, colour)) in enumerate(LEGEND.items()):
            self._add_row(grid, row, code, tr(name), colour)
        self.remainder = QLabel()
        grid.addWidget(self.remainder, len(LEGEND), 0, 1, 4)
        self.setCollapsed(True)
        self._show_remainder()

    def _add_row(self, grid: QGridLayout, row: int, code: int, name: str, colour: str) -> None:
        swatch, slider, number = QLabel(), QSlider(Qt.Orientation.Horizontal), QSpinBox()
        swatch.setFixedSize(14, 14)
        swatch.setStyleSheet(f"background: #{colour}; border: 1px solid palette(mid);")
        for control in (slider, number):
            control.setRange(0, 100)
            control.setAccessibleName(name)
        number.setSuffix(" %")
        number.setFrame(False)
        slider.valueChanged.connect(number.setValue)
        number.valueChanged.connect(slider.setValue)
        slider.valueChanged.connect(lambda value, code=code: self._limit(code, value))
        label = QLabel(name)
        label.setBuddy(slider)
        for column, widget in enumerate((swatch, label, slider, number)):
            grid.addWidget(widget, row, column)
        self.sliders[code] = slider

    def shares(self) -> dict[int, int]:
        """The requested percentages by code, without zeros."""
        return {code: slider.value() for code, slider in self.sliders.items() if slider.value()}

    def text(self) -> str:
        """The shares as a value of the parameter SHARES: `10:60, 50:20`."""
        return ", ".join(f"{code}:{share}" for code, share in self.shares().items())

    def set_shares(self, shares: dict[int, float]) -> None:
        """Set the percentages by code; classes without one to 0."""
        for slider in self.sliders.values():
            slider.setValue(0)
        for code, share in shares.items():
            self.sliders[code].setValue(round(share))

    def _limit(self, code: int, value: int) -> None:
        """Keep a slider at or below 100 less the sum of the others."""
        limit = 100 - sum(share for other, share in self.shares().items() if other != code)
        if value > limit:
            self.sliders[code].setValue(limit)
            return
        self._show_remainder()
        self.changed.emit()

    def _show_remainder(self) -> None:
        total = sum(self.shares().values())
        text = tr("{0} % are left to the model.").format(100 - total)
        self.remainder.setText(text if total else tr("The model decides."))
