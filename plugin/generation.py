"""Runs an algorithm in the background like the Processing dialog does: with history, results and cancel."""

from __future__ import annotations

import time
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProject,
)
from qgis.gui import QgsGui
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from .feedback import SignalFeedback
from .translation import tr


class GenerationRun(QObject):
    """One run of an algorithm.

    `ended` carries whether it succeeded, an error message or an empty string, and the layers that it added.
    """

    progressed = pyqtSignal(float)
    text_changed = pyqtSignal(str)
    previewed = pyqtSignal(dict)
    ended = pyqtSignal(bool, str, list)

    def __init__(self, algorithm: str, parameters: dict[str, Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"landforge:{algorithm}")
        self.parameters = parameters
        self.feedback, self.context = SignalFeedback(), _processing_context()
        self.context.setFeedback(self.feedback)
        self.feedback.text_changed.connect(self._note_first_window)
        self.feedback.text_changed.connect(self.text_changed)
        self.feedback.previewed.connect(self.previewed)
        self.feedback.progressChanged.connect(self.progressed)
        self._first_window_time = 0.0
        self.window_seconds = 0.0
        """The time from the first window to the end; 0 where no window was computed."""

    def start(self) -> bool:
        """Start in the background; where the parameters are invalid, emit `ended` with the reason and return False."""
        usable, problem = self.algorithm.checkParameterValues(self.parameters, self.context)
        if not usable:
            self.ended.emit(False, problem, [])
            return False
        self.task = QgsProcessingAlgRunnerTask(self.algorithm, self.parameters, self.context, self.feedback)
        self.task.executed.connect(self._executed)
        QgsApplication.taskManager().addTask(self.task)
        QTimer.singleShot(0, lambda: add_to_history(self.algorithm, self.parameters))
        return True

    def cancel(self) -> None:
        """Cancel the run; `ended` follows within two seconds."""
        self.feedback.cancel()

    def _note_first_window(self, text: str) -> None:
        if text.startswith("window") and not self._first_window_time:
            self._first_window_time = time.monotonic()

    def _executed(self, ok: bool, results: dict[str, Any]) -> None:
        if self._first_window_time:
            self.window_seconds = time.monotonic() - self._first_window_time
        if not ok:
            error = self.feedback.errors[-1] if self.feedback.errors else ""
            self.ended.emit(False, error or tr("It failed; QGIS's log messages say why."), [])
            return
        # Processing is a plugin of QGIS that is loaded later than this module.
        from processing.gui.Postprocessing import handleAlgorithmResults

        handleAlgorithmResults(self.algorithm, self.context, self.feedback, parameters=self.parameters)
        layers = [layer for layer in map(_layer_of, results.values()) if layer is not None]
        QTimer.singleShot(0, lambda: self.ended.emit(True, "", layers))  # lets the window draw in between


def _layer_of(path: Any) -> QgsMapLayer | None:
    """The project's layer with this source."""
    return next((layer for layer in QgsProject.instance().mapLayers().values() if layer.source() == str(path)), None)


def python_command(algorithm_id: str, parameters: dict[str, Any]) -> str:
    """The Python command that runs an algorithm with these parameters."""
    algorithm = QgsApplication.processingRegistry().algorithmById(f"landforge:{algorithm_id}")
    return algorithm.asPythonCommand(parameters, _processing_context())


def _processing_context() -> QgsProcessingContext:
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    return context


def add_to_history(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any]) -> None:
    """Add a run to Processing's history, which QGIS keeps elsewhere since 3.24."""
    context = _processing_context()
    command = algorithm.asPythonCommand(parameters, context)
    if not hasattr(QgsGui, "historyProviderRegistry"):  # before 3.24
        from processing.core.ProcessingLog import ProcessingLog

        ProcessingLog.addToLog(command)
        return
    entry = {
        "python_command": command,
        "algorithm_id": algorithm.id(),
        "parameters": algorithm.asMap(parameters, context),
    }
    process_command, usable = algorithm.asQgisProcessCommand(parameters, context)
    if usable:
        entry["process_command"] = process_command
    QgsGui.historyProviderRegistry().addEntry("processing", entry)
