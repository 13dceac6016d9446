"""The card on the Generate panel that sets up the backend: download size and folder, progress, cancel."""

from __future__ import annotations

from typing import Callable

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from . import settings
from .bridge import environment
from .environment_dialog import EnvironmentDialog
from .translation import tr


class SetUpCard(QFrame):
    """Shown while the backend cannot run.

    After each `check`, `ready` or `missing` is emitted; `failed` follows a set-up that failed or was cancelled.
    """

    ready = pyqtSignal()
    missing = pyqtSignal()
    failed = pyqtSignal()

    def __init__(self, dialog: Callable[[], EnvironmentDialog], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._get_dialog = dialog
        self._task: QgsTask | None = None
        self._connected_dialog: EnvironmentDialog | None = None
        self.is_ready = False
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setObjectName("landforgeSetUpCard")
        title = QLabel(f"<b>{tr('One step before the first scene')}</b>")
        self.text, self.status = QLabel(), QLabel()
        for label in (self.text, self.status):
            label.setWordWrap(True)
        self.status.setMinimumHeight(2 * self.status.fontMetrics().lineSpacing())  # so that the buttons do not move
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.progress = QProgressBar()
        self.start_button = QPushButton(tr("Set up"))
        self.cancel_button = QPushButton(tr("Cancel"))
        self.options_button = QPushButton(tr("Other choices…"))
        self.options_button.setToolTip(tr("A GPU, packages from a folder, or a Python of your own"))
        self.start_button.clicked.connect(lambda: self.dialog().start())
        self.cancel_button.clicked.connect(lambda: self.dialog().cancel())
        self.options_button.clicked.connect(self._show_dialog)
        buttons = QHBoxLayout()
        for button in (self.start_button, self.cancel_button, self.options_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        for widget in (title, self.text, self.progress, self.status):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        self._set_running(False)
        self.hide()

    def dialog(self) -> EnvironmentDialog:
        """The dialog that sets up the backend; the first call connects its signals to the card."""
        dialog = self._get_dialog()
        if dialog is not self._connected_dialog:
            self._connected_dialog = dialog
            dialog.started.connect(lambda: self._set_running(True))
            dialog.progressed.connect(self._progressed)
            dialog.ended.connect(self._ended)
            dialog.finished.connect(self.check)
        return dialog

    def check(self) -> None:
        """Check in the background whether the backend can run; this may start its interpreter, which takes a second."""
        if self._task is not None:
            return
        profile, interpreter = settings.profile(), settings.get(settings.INTERPRETER)
        self._task = QgsTask.fromFunction(
            tr("Landforge: looking at the backend"),
            lambda _: environment.problem(profile, interpreter),
            on_finished=self._checked,
        )
        QgsApplication.taskManager().addTask(self._task)

    def _checked(self, error: Exception | None, problem: str | None = None) -> None:
        self._task = None
        problem = str(error) if error else problem
        self.is_ready = not problem
        self.setVisible(bool(problem))
        if not problem:
            self.ready.emit()
            return
        plan = environment.plan(
            settings.profile(), settings.get(settings.COMPUTE, "cpu"), settings.get(settings.WHEELS)
        )
        warning = "" if plan.fits else tr(" That is not enough room.")
        self.text.setText(f"{problem.replace(environment.REMEDY, '').strip()}\n\n{plan.text}{warning}")
        self.start_button.setEnabled(plan.fits)
        self.missing.emit()

    def _show_dialog(self) -> None:
        self.dialog().show()
        self.dialog().raise_()

    def _set_running(self, running: bool) -> None:
        for widget in (self.progress, self.cancel_button, self.status):
            widget.setVisible(running)
        self.start_button.setVisible(not running)
        if running:
            self.status.clear()

    def _progressed(self, fraction: float, text: str) -> None:
        self.progress.setValue(round(100 * fraction))
        self.status.setText(text)

    def _ended(self, error: str) -> None:
        self._set_running(False)
        self.status.setText(error)
        self.status.setVisible(bool(error))
        if error:
            self.failed.emit()
        self.check()
