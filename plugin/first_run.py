"""The card on the panel that sets the backend up: what will be downloaded and where, progress, cancel."""

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
    """Shown while the backend cannot run. `ready` says that it now can: it could all along, or was just set up."""

    ready = pyqtSignal()
    missing = pyqtSignal()
    failed = pyqtSignal()

    def __init__(self, dialog: Callable[[], EnvironmentDialog], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dialog, self._task = dialog, None
        self._watched: EnvironmentDialog | None = None
        self.is_ready = False
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setObjectName("landforgeSetUpCard")
        title = QLabel(f"<b>{tr('One step before the first scene')}</b>")
        self.text, self.line = QLabel(), QLabel()
        for label in (self.text, self.line):
            label.setWordWrap(True)
        self.line.setMinimumHeight(2 * self.line.fontMetrics().lineSpacing())  # what is below stays where it is
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.progress = QProgressBar()
        self.start_button = QPushButton(tr("Set up"))
        self.cancel_button = QPushButton(tr("Cancel"))
        self.more_button = QPushButton(tr("Other choices…"))
        self.more_button.setToolTip(tr("A GPU, packages from a folder, or a Python of your own"))
        self.start_button.clicked.connect(lambda: self.dialog().start())
        self.cancel_button.clicked.connect(lambda: self.dialog().cancel())
        self.more_button.clicked.connect(self._show_dialog)
        buttons = QHBoxLayout()
        for button in (self.start_button, self.cancel_button, self.more_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        for widget in (title, self.text, self.progress, self.line):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        self._running(False)
        self.hide()

    def dialog(self) -> EnvironmentDialog:
        """The dialog that does the work, watched from the first time it is asked for."""
        dialog = self._dialog()
        if dialog is not self._watched:
            self._watched = dialog
            dialog.begun.connect(lambda: self._running(True))
            dialog.progressed.connect(self._progressed)
            dialog.ended.connect(self._ended)
            dialog.finished.connect(self.check)
        return dialog

    def check(self) -> None:
        """Find out in the background whether the backend can run: it may have to be asked, which takes a second."""
        if self._task is not None:
            return
        profile, named = settings.profile(), settings.get(settings.INTERPRETER)
        self._task = QgsTask.fromFunction(
            tr("Landforge: looking at the backend"),
            lambda _: environment.problem(profile, named),
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
        room = "" if plan.enough else tr(" That is not enough room.")
        self.text.setText(f"{problem.replace(environment.REMEDY, '').strip()}\n\n{plan.text}{room}")
        self.start_button.setEnabled(plan.enough)
        self.missing.emit()

    def _show_dialog(self) -> None:
        self.dialog().show()
        self.dialog().raise_()

    def _running(self, running: bool) -> None:
        for widget in (self.progress, self.cancel_button, self.line):
            widget.setVisible(running)
        self.start_button.setVisible(not running)
        if running:
            self.line.clear()

    def _progressed(self, fraction: float, line: str) -> None:
        self.progress.setValue(round(100 * fraction))
        self.line.setText(line)

    def _ended(self, fault: str) -> None:
        self._running(False)
        self.line.setText(fault)
        self.line.setVisible(bool(fault))
        if fault:
            self.failed.emit()
        self.check()
