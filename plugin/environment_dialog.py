"""The dialog that sets up the backend: what will be downloaded and where, the choices, progress and cancel."""

from __future__ import annotations

import sys

from qgis.core import Qgis, QgsApplication, QgsMessageLog, QgsTask
from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGroupBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from ..backend.protocol import BackendError
from . import settings
from .bridge import environment, process
from .translation import tr


class EnvironmentTask(QgsTask):
    """Makes the environment in the background; `said` carries its lines to the window."""

    said = pyqtSignal(str)

    def __init__(self, compute: str, wheels: str) -> None:
        super().__init__(tr("Landforge: setting up the backend"), QgsTask.Flag.CanCancel)
        self.compute, self.wheels = compute, wheels
        self.profile, self.proxy = settings.profile(), settings.proxy()  # QGIS's settings belong to the main thread
        self.failure = ""

    def run(self) -> bool:  # noqa: D102
        try:
            environment.create(
                self.profile,
                self.compute,
                self.proxy,
                self.wheels,
                on_progress=self._relay,
                is_cancelled=self.isCanceled,
            )
        except process.Cancelled:
            return False
        except BackendError as error:
            self.failure = str(error)
            return False
        except Exception as error:  # a bug: without this, QGIS would swallow it
            self.failure = f"Setting up failed unexpectedly ({type(error).__name__}: {error})."
            return False
        return True

    def _relay(self, fraction: float, message: str) -> None:
        self.setProgress(100 * fraction)
        self.said.emit(message)

    def finished(self, result: bool) -> None:  # noqa: D102
        if self.failure:
            QgsMessageLog.logMessage(self.failure, "Landforge", Qgis.MessageLevel.Critical)


class EnvironmentDialog(QDialog):
    """Says how the backend is, and sets it up. Closing it leaves a set-up running, as a task of QGIS.

    `begun`, `progressed` (a fraction and a line) and `ended` (what went wrong, or nothing) tell others of a set-up.
    """

    begun = pyqtSignal()
    progressed = pyqtSignal(float, str)
    ended = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Landforge: set up the backend"))
        self.resize(640, 520)
        self.task: EnvironmentTask | None = None
        self.state, self.plan = _wrapped(), _wrapped()
        self.compute = QComboBox()
        for choice in environment.COMPUTE:
            if choice == "cpu" or sys.platform != "darwin":
                self.compute.addItem(_label(choice), choice)
        self.compute.setCurrentIndex(max(self.compute.findData(settings.get(settings.COMPUTE, "cpu")), 0))
        self.wheels = QgsFileWidget()
        self.wheels.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.wheels.setFilePath(settings.get(settings.WHEELS))
        self.interpreter = QgsFileWidget()
        self.interpreter.setFilePath(settings.get(settings.INTERPRETER))
        self.scheduler = QLineEdit(settings.get(settings.SCHEDULER))
        self.scheduler.setPlaceholderText(tr("tcp://host:8786; empty: this machine"))
        self.scheduler.setToolTip(scheduler_tip())
        self.progress, self.log = QProgressBar(), QPlainTextEdit()
        self.log.setReadOnly(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.start_button = self.buttons.addButton(tr("Set up"), QDialogButtonBox.ButtonRole.ActionRole)
        self.cancel_button = self.buttons.addButton(tr("Cancel"), QDialogButtonBox.ButtonRole.ActionRole)
        self._lay_out()
        self.compute.currentIndexChanged.connect(self.refresh)
        self.wheels.fileChanged.connect(self.refresh)
        self.interpreter.fileChanged.connect(self._keep_interpreter)
        self.scheduler.textChanged.connect(lambda text: settings.put(settings.SCHEDULER, text.strip()))
        self.start_button.clicked.connect(self.start)
        self.cancel_button.clicked.connect(self.cancel)
        self.buttons.rejected.connect(self.close)
        self.refresh()

    def _lay_out(self) -> None:
        made = QGroupBox(tr("An environment made for Landforge, in your QGIS profile"))
        form = QFormLayout(made)
        form.addRow(tr("Compute on"), self.compute)
        form.addRow(tr("Packages from a folder (offline)"), self.wheels)
        form.addRow(self.plan)
        own = QGroupBox(tr("Or a Python of your own that has the packages"))
        QFormLayout(own).addRow(tr("Interpreter"), self.interpreter)
        cluster = QGroupBox(tr("A cluster of your own that computes, instead of this machine"))
        QFormLayout(cluster).addRow(tr("Dask scheduler (optional)"), self.scheduler)
        layout = QVBoxLayout(self)
        for widget in (self.state, made, own, cluster, self.progress, self.log, self.buttons):
            layout.addWidget(widget)

    def refresh(self) -> None:
        """Say how things stand and what setting up would do."""
        profile, named = settings.profile(), settings.get(settings.INTERPRETER)
        problem = environment.problem(profile, named)
        ready = tr("The backend is ready: {python}").format(python=environment.interpreter(profile, named))
        self.state.setText(problem or " ".join([ready, environment.notice(profile, named)]))
        plan = environment.plan(profile, self.compute.currentData(), self.wheels.filePath())
        self.plan.setText(plan.text if plan.enough else f"{plan.text} {tr('That is not enough room.')}")
        running = self.task is not None
        self.start_button.setEnabled(not running and plan.enough)
        self.cancel_button.setEnabled(running)
        self.progress.setVisible(running)
        for widget in (self.compute, self.wheels, self.interpreter):
            widget.setEnabled(not running)

    def _keep_interpreter(self, path: str) -> None:
        settings.put(settings.INTERPRETER, path)
        self.refresh()

    def start(self) -> None:
        """Set up, in the background."""
        compute, wheels = self.compute.currentData(), self.wheels.filePath()
        settings.put(settings.COMPUTE, compute)
        settings.put(settings.WHEELS, wheels)
        self.log.clear()
        self.task = EnvironmentTask(compute, wheels)
        self.task.said.connect(self.log.appendPlainText)
        self.task.said.connect(lambda line: self.progressed.emit(self.task.progress() / 100 if self.task else 1, line))
        self.task.progressChanged.connect(lambda percent: self.progress.setValue(round(percent)))
        self.task.taskCompleted.connect(self._ended)
        self.task.taskTerminated.connect(self._ended)
        self.refresh()
        QgsApplication.taskManager().addTask(self.task)
        self.begun.emit()

    def cancel(self) -> None:
        """End a set-up that is running; what is done serves the next one."""
        if self.task is not None:
            self.task.cancel()

    def _ended(self) -> None:
        task, self.task = self.task, None
        if task is None:
            return
        fault = task.failure or (tr("Cancelled. Setting up again goes on from here.") if task.isCanceled() else "")
        if fault:
            self.log.appendPlainText(fault)
        self.refresh()
        self.ended.emit(fault)


def _label(compute: str) -> str:
    return {"cpu": tr("CPU (small)"), "cuda": tr("NVIDIA GPU (CUDA, large)")}[compute]


def scheduler_tip() -> str:
    """What the scheduler's address means."""
    return tr(
        "Generating and segmenting run on the Dask cluster at this address where an algorithm names no other. "
        "Name only a cluster that you trust: it runs the code that it is sent, and what it sends back is the result."
    )


def _wrapped() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    return label
