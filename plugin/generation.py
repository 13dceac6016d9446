"""One run of an algorithm in the background, as the Processing dialog would do it: history, results, cancel."""

from __future__ import annotations

import time
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
)
from qgis.gui import QgsGui
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from .translation import tr


class Ear(QgsProcessingFeedback):
    """What the algorithm says, from its own thread, as signals."""

    said = pyqtSignal(str)
    previewed = pyqtSignal(dict)

    def __init__(self) -> None:
        super().__init__(False)
        self.error = ""

    def setProgressText(self, text: str) -> None:  # noqa: D102
        self.said.emit(text)

    def preview(self, outputs: dict[str, str]) -> None:
        """Rasters that show what is finished so far, by the outputs' paths; the algorithm calls it, where it is."""
        self.previewed.emit(outputs)

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: D102
        self.error = error
        super().reportError(error, fatalError)


class Generation(QObject):
    """Runs an algorithm by its id; `ended` has whether it succeeded, what to say, and the layers that it made."""

    progressed = pyqtSignal(float)
    said = pyqtSignal(str)
    previewed = pyqtSignal(dict)
    ended = pyqtSignal(bool, str, list)

    def __init__(self, algorithm: str, parameters: dict[str, Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"landforge:{algorithm}")
        self.parameters = parameters
        self.ear, self.context = Ear(), _context()
        self.context.setFeedback(self.ear)
        self.ear.said.connect(self._hear)
        self.ear.previewed.connect(self.previewed)
        self.ear.progressChanged.connect(self.progressed)
        self._windows_since = 0.0
        self.window_seconds = 0.0
        """How long it took from the first window to the end; 0 where it never came to one."""

    def start(self) -> bool:
        """Begin, in the background; where the parameters make no sense, say so by `ended` and return False."""
        usable, problem = self.algorithm.checkParameterValues(self.parameters, self.context)
        if not usable:
            self.ended.emit(False, problem, [])
            return False
        self.task = QgsProcessingAlgRunnerTask(self.algorithm, self.parameters, self.context, self.ear)
        self.task.executed.connect(self._executed)
        QgsApplication.taskManager().addTask(self.task)
        QTimer.singleShot(0, lambda: remember(self.algorithm, self.parameters))
        return True

    def cancel(self) -> None:
        """End it; `ended` follows within two seconds."""
        self.ear.cancel()

    def _hear(self, text: str) -> None:
        if text.startswith("window") and not self._windows_since:
            self._windows_since = time.monotonic()
        self.said.emit(text)

    def _executed(self, ok: bool, results: dict[str, Any]) -> None:
        if self._windows_since:
            self.window_seconds = time.monotonic() - self._windows_since
        if not ok:
            self.ended.emit(False, self.ear.error or tr("It failed; QGIS's log messages say why."), [])
            return
        from processing.gui.Postprocessing import handleAlgorithmResults  # a plugin of QGIS, loaded by now

        handleAlgorithmResults(self.algorithm, self.context, self.ear, parameters=self.parameters)
        found = [_layer(path) for path in results.values()]
        layers = [layer for layer in found if layer is not None]
        QTimer.singleShot(0, lambda: self.ended.emit(True, "", layers))  # the window draws in between


def _layer(path: Any) -> QgsMapLayer | None:
    """The project's layer of a path."""
    return next((found for found in QgsProject.instance().mapLayers().values() if found.source() == str(path)), None)


def command(algorithm: str, parameters: dict[str, Any]) -> str:
    """The call in Python that runs an algorithm with these parameters."""
    found = QgsApplication.processingRegistry().algorithmById(f"landforge:{algorithm}")
    return found.asPythonCommand(parameters, _context())


def _context() -> QgsProcessingContext:
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    return context


def remember(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any]) -> None:
    """Put a run into Processing's history, in whichever way this QGIS keeps it."""
    context = _context()
    call = algorithm.asPythonCommand(parameters, context)
    if not hasattr(QgsGui, "historyProviderRegistry"):  # before 3.24
        from processing.core.ProcessingLog import ProcessingLog

        ProcessingLog.addToLog(call)
        return
    entry = {"python_command": call, "algorithm_id": algorithm.id(), "parameters": algorithm.asMap(parameters, context)}
    line, usable = algorithm.asQgisProcessCommand(parameters, context)
    QgsGui.historyProviderRegistry().addEntry("processing", {**entry, **({"process_command": line} if usable else {})})
