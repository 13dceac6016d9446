"""The page that shows one tile at a time, for a fixed time, with two answer buttons."""

from __future__ import annotations

import time

from qgis.PyQt.QtCore import QSize, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent, QPixmap
from qgis.PyQt.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ..translation import tr
from .trial import Tile, Trial

MIN_SIZE_PX = 512
REAL_KEYS, SYNTHETIC_KEYS = (Qt.Key.Key_R, Qt.Key.Key_Left), (Qt.Key.Key_S, Qt.Key.Key_Right)


class TilePage(QWidget):
    """Shows a trial's tiles without naming their layers; `finished` follows the last answer."""

    finished = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.trial: Trial | None = None
        self.picture, self.count = QLabel(), QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setMinimumSize(MIN_SIZE_PX, MIN_SIZE_PX)
        self.picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.picture.setStyleSheet("background: #808080; color: white; font-size: 28px")
        self.real_button, self.synthetic_button = QPushButton(tr("Real (R)")), QPushButton(tr("Synthetic (S)"))
        self.stop_button = QPushButton(tr("Sto&p the test"))
        for button, synthetic in ((self.real_button, False), (self.synthetic_button, True)):
            button.setMinimumHeight(48)
            button.clicked.connect(lambda _, synthetic=synthetic: self._answer(synthetic))
        for button in (self.real_button, self.synthetic_button, self.stop_button):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # so that the page itself gets the keys
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.timeout.connect(self._hide_tile)
        self._lay_out()

    def _lay_out(self) -> None:
        buttons, footer = QHBoxLayout(), QHBoxLayout()
        buttons.addWidget(self.real_button)
        buttons.addWidget(self.synthetic_button)
        footer.addWidget(self.count, 1)
        footer.addWidget(self.stop_button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.picture, 1)
        layout.addLayout(buttons)
        layout.addLayout(footer)

    def start(self, trial: Trial) -> None:
        """Show the first tile."""
        self.trial = trial
        self.setFocus()
        self._show_tile()

    def stop(self) -> None:
        """Stop the test and clear the image."""
        self.timer.stop()
        self.trial = None
        self.picture.clear()

    def _show_tile(self) -> None:
        trial = self.trial
        tile = trial.tile if trial is not None else None
        if trial is None or tile is None:
            self.timer.stop()
            self.finished.emit()
            return
        self.picture.setPixmap(enlarge(tile, self.picture.size()))
        self.count.setText(tr("Tile {number} of {count}").format(number=len(trial.answers) + 1, count=len(trial.tiles)))
        self._shown_at = time.monotonic()
        self.timer.start(round(1000 * trial.shown_s))

    def _hide_tile(self) -> None:
        self.picture.setText(tr("Real or synthetic?"))

    def _answer(self, synthetic: bool) -> None:
        if self.trial is not None:
            self.trial.answer(synthetic, time.monotonic() - self._shown_at)
            self._show_tile()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        if event.key() in (*REAL_KEYS, *SYNTHETIC_KEYS) and not event.isAutoRepeat():
            self._answer(event.key() in SYNTHETIC_KEYS)
        else:
            super().keyPressEvent(event)


def enlarge(tile: Tile, available: QSize) -> QPixmap:
    """The tile's image, enlarged by the largest integer factor that fits into the available size."""
    factor = max(min(available.width(), available.height()) // tile.image.width(), 1)
    pixmap = QPixmap.fromImage(tile.image)
    return pixmap.scaled(tile.image.width() * factor, tile.image.height() * factor)
