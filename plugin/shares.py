"""The mix of classes asked for: a slider for each class in its official colour."""

from __future__ import annotations

from qgis.gui import QgsCollapsibleGroupBox
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QGridLayout, QLabel, QSlider, QSpinBox, QWidget

from ..backend.protocol import LEGEND
from .translation import tr


class ClassShares(QgsCollapsibleGroupBox):
    """Percentages by WorldCover code that never sum to more than 100; what is left the model divides."""

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
            self._add(grid, row, code, tr(name), colour)
        self.left = QLabel()
        grid.addWidget(self.left, len(LEGEND), 0, 1, 4)
        self.setCollapsed(True)
        self._tell()

    def _add(self, grid: QGridLayout, row: int, code: int, name: str, colour: str) -> None:
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
        """What is asked for, percentages by code; empty where nothing is."""
        return {code: slider.value() for code, slider in self.sliders.items() if slider.value()}

    def text(self) -> str:
        """The same as the algorithms take it: `10:60, 50:20`."""
        return ", ".join(f"{code}:{share}" for code, share in self.shares().items())

    def set_shares(self, shares: dict[int, float]) -> None:
        """Ask for a mix."""
        for slider in self.sliders.values():
            slider.setValue(0)
        for code, share in shares.items():
            self.sliders[code].setValue(round(share))

    def _limit(self, code: int, value: int) -> None:
        """A slider goes no further than what the others leave of 100."""
        most = 100 - sum(share for other, share in self.shares().items() if other != code)
        if value > most:
            self.sliders[code].setValue(most)
            return
        self._tell()
        self.changed.emit()

    def _tell(self) -> None:
        asked = sum(self.shares().values())
        left = tr("{0} % are left to the model.").format(100 - asked)
        self.left.setText(left if asked else tr("The model decides."))
