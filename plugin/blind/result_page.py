"""What a blind test came to, and the tiles that fooled the viewer."""

from __future__ import annotations

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QIcon, QPixmap
from qgis.PyQt.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListView,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..translation import tr
from .trial import LEVEL, Tile, Trial, wilson

THUMBNAIL_PX = 112


class ResultPage(QWidget):
    """The figures; `chosen` carries the tile that was clicked, `again` asks for another test."""

    chosen = pyqtSignal(object)
    again = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.trial: Trial | None = None
        self.summary, self.said, self.wrong = QLabel(), QLabel(), QListWidget()
        for label in (self.summary, self.said):
            label.setWordWrap(True)
        self.wrong.setViewMode(QListView.ViewMode.IconMode)
        self.wrong.setResizeMode(QListView.ResizeMode.Adjust)
        self.wrong.setMovement(QListView.Movement.Static)
        self.wrong.setIconSize(QSize(THUMBNAIL_PX, THUMBNAIL_PX))
        self.wrong.setSpacing(8)
        self.wrong.itemClicked.connect(self._choose)
        self.wrong.itemActivated.connect(self._choose)
        self.export_button, self.again_button = QPushButton(tr("&Export as CSV…")), QPushButton(tr("&Another test"))
        self.export_button.clicked.connect(self._ask_and_export)
        self.again_button.clicked.connect(self.again)
        buttons, layout = QHBoxLayout(), QVBoxLayout(self)
        for button in (self.export_button, self.again_button):
            buttons.addWidget(button)
        self.heading = QLabel()
        for widget in (self.summary, self.heading):
            layout.addWidget(widget)
        layout.addWidget(self.wrong, 1)
        layout.addWidget(self.said)
        layout.addLayout(buttons)

    def show_trial(self, trial: Trial) -> None:
        """Show what a trial came to."""
        self.trial = trial
        self.summary.setText(summary(trial))
        self.said.clear()
        self.wrong.clear()
        fooled = trial.fooled()
        self.heading.setText(tr("What fooled you (click to see it on the map):") if fooled else "")
        for answer in fooled:
            text = tr("synthetic, taken for real") if answer.tile.synthetic else tr("real, taken for synthetic")
            item = QListWidgetItem(QIcon(_thumbnail(answer.tile)), text)
            item.setToolTip(answer.tile.layer_name)
            item.setData(Qt.ItemDataRole.UserRole, answer.tile)
            self.wrong.addItem(item)

    def _choose(self, item: QListWidgetItem) -> None:
        tile: Tile = item.data(Qt.ItemDataRole.UserRole)
        self.chosen.emit(tile)

    def _ask_and_export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, tr("Export the answers"), "", "CSV (*.csv)")
        if path:
            self.export(path if path.lower().endswith(".csv") else f"{path}.csv")

    def export(self, path: str) -> None:
        """Write the answers, and say where, or why not."""
        if self.trial is None:
            return
        try:
            self.trial.write_csv(path)
            self.said.setText(tr("Written: {path}").format(path=path))
        except OSError as error:
            text = tr("Cannot write {path}: {why}. Choose another file.")
            self.said.setText(text.format(path=path, why=error.strerror or error))


def _thumbnail(tile: Tile) -> QPixmap:
    keep = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(tile.image).scaled(THUMBNAIL_PX, THUMBNAIL_PX, *keep)


def summary(trial: Trial) -> str:
    """The figures in words, as rich text."""
    asked = len(trial.answers)
    low, high = wilson(trial.right, asked)
    figures = tr("{share} right: {right} of {asked} ({level} interval: {low} to {high}).").format(
        share=f"{trial.right / max(asked, 1):.0%}",
        right=trial.right,
        asked=asked,
        level=f"{LEVEL:.0%}",
        low=f"{low:.0%}",
        high=f"{high:.0%}",
    )
    if low <= 0.5 <= high:
        verdict = tr("Guessing would give 50%, which lies in the interval: the test does not show that you can tell.")
    elif low > 0.5:
        verdict = tr("Guessing would give 50%: you can tell them apart.")
    else:
        verdict = tr("Guessing would give 50%: you see a difference, but take one for the other.")
    told = tr("Recognised: {real} of {reals} real tiles, {made} of {mades} synthetic ones.")
    (real, reals), (made, mades) = trial.told(False), trial.told(True)
    counts = told.format(real=real, reals=reals, made=made, mades=mades)
    return f"<h3>{figures}</h3><p>{verdict}</p><p>{counts}</p>"
