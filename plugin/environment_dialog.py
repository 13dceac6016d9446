"""The dialog that sets up the backend: download size and folder, options, progress and cancel."""

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
    """Makes the environment in the background; `line_added` carries each line of output."""

    line_added = pyqtSignal(str)

    def __init__(self, compute: str, wheels: str) -> None:
        super().__init__(tr("Landforge: setting up the backend"), QgsTask.Flag.CanCancel)
        self.compute, self.wheels = compute, wheels
        self.profile, self.proxy = settings.profile(), settings.configured_proxy()  # read in the main thread
        self.error = ""

    def run(self) -> bool:  # noqa: D102
        try:
            environment.create(
                self.profile,
                self.compute,
                self.proxy,
                self.wheels,
                on_progress=self._report,
                is_cancelled=self.isCanceled,
            )
        except process.Cancelled:
            return False
        except BackendError as error:
            self.error = str(error)
            return False
        except Exception as error:  # QGIS would swallow it without a message
            self.error = f"Setting up failed unexpectedly ({type(error).__name__}: {error})."
            return False
        return True

    def _report(self, fraction: float, line: str) -> None:
        self.setProgress(100 * fraction)
        self.line_added.emit(line)

    def finished(self, result: bool) -> None:  # noqa: D102
        if self.error:
            QgsMessageLog.logMessage(self.error, "Landforge", Qgis.MessageLevel.Critical)


class EnvironmentDialog(QDialog):
    """Shows the backend's state and sets it up. Closing the dialog leaves a running set-up to QGIS's task manager.

    A set-up emits `started`, `progressed` (fraction, line of output) and `ended` (error message, or empty).
    """

    started = pyqtSignal()
    progressed = pyqtSignal(float, str)
    ended = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Landforge: set up the backend"))
        self.resize(640, 520)
        self.task: EnvironmentTask | None = None
        self.state, self.plan = _wrapped_label(), _wrapped_label()
        self.compute = QComboBox()
        for choice in environment.COMPUTE:
            if choice == "cpu" or sys.platform != "darwin":
                self.compute.addItem(_compute_label(choice), choice)
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
        self.interpreter.fileChanged.connect(self._store_interpreter)
        self.scheduler.textChanged.connect(lambda text: settings.put(settings.SCHEDULER, text.strip()))
        self.start_button.clicked.connect(self.start)
        self.cancel_button.clicked.connect(self.cancel)
        self.buttons.rejected.connect(self.close)
        self.refresh()

    def _lay_out(self) -> None:
        managed = QGroupBox(tr("An environment made for Landforge, in your QGIS profile"))
        form = QFormLayout(managed)
        form.addRow(tr("Compute on"), self.compute)
        form.addRow(tr("Packages from a folder (offline)"), self.wheels)
        form.addRow(self.plan)
        own = QGroupBox(tr("Or a Python of your own that has the packages"))
        QFormLayout(own).addRow(tr("Interpreter"), self.interpreter)
        cluster = QGroupBox(tr("A cluster of your own that computes, instead of this machine"))
        QFormLayout(cluster).addRow(tr("Dask scheduler (optional)"), self.scheduler)
        layout = QVBoxLayout(self)
        for widget in (self.state, managed, own, cluster, self.progress, self.log, self.buttons):
            layout.addWidget(widget)

    def refresh(self) -> None:
        """Show whether the backend can run and what a set-up would take."""
        profile, interpreter = settings.profile(), settings.get(settings.INTERPRETER)
        problem = environment.problem(profile, interpreter)
        ready = tr("The backend is ready: {python}").format(python=environment.interpreter(profile, interpreter))
        self.state.setText(problem or " ".join([ready, environment.notice(profile, interpreter)]))
        plan = environment.plan(profile, self.compute.currentData(), self.wheels.filePath())
        self.plan.setText(plan.text if plan.fits else f"{plan.text} {tr('That is not enough room.')}")
        running = self.task is not None
        self.start_button.setEnabled(not running and plan.fits)
        self.cancel_button.setEnabled(running)
        self.progress.setVisible(running)
        for widget in (self.compute, self.wheels, self.interpreter):
            widget.setEnabled(not running)

    def _store_interpreter(self, path: str) -> None:
        settings.put(settings.INTERPRETER, path)
        self.refresh()

    def start(self) -> None:
        """Start a set-up in the background."""
        compute, wheels = self.compute.currentData(), self.wheels.filePath()
        settings.put(settings.COMPUTE, compute)
        settings.put(settings.WHEELS, wheels)
        self.log.clear()
        self.task = EnvironmentTask(compute, wheels)
        self.task.line_added.connect(self.log.appendPlainText)
        self.task.line_added.connect(
            lambda line: self.progressed.emit(self.task.progress() / 100 if self.task else 1, line)
        )
        self.task.progressChanged.connect(lambda percent: self.progress.setValue(round(percent)))
        self.task.taskCompleted.connect(self._ended)
        self.task.taskTerminated.connect(self._ended)
        self.refresh()
        QgsApplication.taskManager().addTask(self.task)
        self.started.emit()

    def cancel(self) -> None:
        """Cancel a running set-up; the next one uses what was downloaded."""
        if self.task is not None:
            self.task.cancel()

    def _ended(self) -> None:
        task, self.task = self.task, None
        if task is None:
            return
        error = task.error or (tr("Cancelled. Setting up again goes on from here.") if task.isCanceled() else "")
        if error:
            self.log.appendPlainText(error)
        self.refresh()
        self.ended.emit(error)


def _compute_label(compute: str) -> str:
    return {"cpu": tr("CPU (small)"), "cuda": tr("NVIDIA GPU (CUDA, large)")}[compute]


def scheduler_tip() -> str:
    """The tooltip of the Dask scheduler's address."""
    return tr(
        "Generating and segmenting run on the Dask cluster at this address where an algorithm names no other. "
        "Name only a cluster that you trust: it runs the code that it is sent, and what it sends back is the result."
    )


def _wrapped_label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    return label
