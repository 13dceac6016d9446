"""The result of a blind test: its figures and the tiles that were answered wrongly."""

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
from .trial import CONFIDENCE_LEVEL, Tile, Trial, wilson_interval

THUMBNAIL_PX = 112


class ResultPage(QWidget):
    """The figures. `tile_selected` carries the tile that was clicked; `new_test_requested` follows the button."""

    tile_selected = pyqtSignal(object)
    new_test_requested = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.trial: Trial | None = None
        self.summary, self.message, self.wrong_tiles = QLabel(), QLabel(), QListWidget()
        for label in (self.summary, self.message):
            label.setWordWrap(True)
        self.wrong_tiles.setViewMode(QListView.ViewMode.IconMode)
        self.wrong_tiles.setResizeMode(QListView.ResizeMode.Adjust)
        self.wrong_tiles.setMovement(QListView.Movement.Static)
        self.wrong_tiles.setIconSize(QSize(THUMBNAIL_PX, THUMBNAIL_PX))
        self.wrong_tiles.setSpacing(8)
        self.wrong_tiles.itemClicked.connect(self._select)
        self.wrong_tiles.itemActivated.connect(self._select)
        self.export_button, self.new_test_button = QPushButton(tr("&Export as CSV…")), QPushButton(tr("&Another test"))
        self.export_button.clicked.connect(self._export_to_chosen_file)
        self.new_test_button.clicked.connect(self.new_test_requested)
        buttons, layout = QHBoxLayout(), QVBoxLayout(self)
        for button in (self.export_button, self.new_test_button):
            buttons.addWidget(button)
        self.heading = QLabel()
        for widget in (self.summary, self.heading):
            layout.addWidget(widget)
        layout.addWidget(self.wrong_tiles, 1)
        layout.addWidget(self.message)
        layout.addLayout(buttons)

    def show_trial(self, trial: Trial) -> None:
        """Show a trial's figures and wrong answers."""
        self.trial = trial
        self.summary.setText(summary(trial))
        self.message.clear()
        self.wrong_tiles.clear()
        wrong_answers = trial.wrong_answers()
        self.heading.setText(tr("What fooled you (click to see it on the map):") if wrong_answers else "")
        for answer in wrong_answers:
            text = tr("synthetic, taken for real") if answer.tile.synthetic else tr("real, taken for synthetic")
            item = QListWidgetItem(QIcon(_thumbnail(answer.tile)), text)
            item.setToolTip(answer.tile.layer_name)
            item.setData(Qt.ItemDataRole.UserRole, answer.tile)
            self.wrong_tiles.addItem(item)

    def _select(self, item: QListWidgetItem) -> None:
        tile: Tile = item.data(Qt.ItemDataRole.UserRole)
        self.tile_selected.emit(tile)

    def _export_to_chosen_file(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, tr("Export the answers"), "", "CSV (*.csv)")
        if path:
            self.export(path if path.lower().endswith(".csv") else f"{path}.csv")

    def export(self, path: str) -> None:
        """Write the answers as CSV, and show the path or the error."""
        if self.trial is None:
            return
        try:
            self.trial.write_csv(path)
            self.message.setText(tr("Written: {path}").format(path=path))
        except OSError as error:
            text = tr("Cannot write {path}: {why}. Choose another file.")
            self.message.setText(text.format(path=path, why=error.strerror or error))


def _thumbnail(tile: Tile) -> QPixmap:
    keep = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(tile.image).scaled(THUMBNAIL_PX, THUMBNAIL_PX, *keep)


def summary(trial: Trial) -> str:
    """A trial's figures in sentences, as rich text."""
    count, correct = len(trial.answers), trial.correct_count
    low, high = wilson_interval(correct, count)
    figures = tr("{share} right: {right} of {asked} ({level} interval: {low} to {high}).").format(
        share=f"{correct / max(count, 1):.0%}",
        right=correct,
        asked=count,
        level=f"{CONFIDENCE_LEVEL:.0%}",
        low=f"{low:.0%}",
        high=f"{high:.0%}",
    )
    if low <= 0.5 <= high:
        verdict = tr("Guessing would give 50%, which lies in the interval: the test does not show that you can tell.")
    elif low > 0.5:
        verdict = tr("Guessing would give 50%: you can tell them apart.")
    else:
        verdict = tr("Guessing would give 50%: you see a difference, but take one for the other.")
    template = tr("Recognised: {real} of {reals} real tiles, {made} of {mades} synthetic ones.")
    (real, all_real), (synthetic, all_synthetic) = trial.recognised(False), trial.recognised(True)
    counts = template.format(real=real, reals=all_real, made=synthetic, mades=all_synthetic)
    return f"<h3>{figures}</h3><p>{verdict}</p><p>{counts}</p>"
