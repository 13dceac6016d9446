"""Runs the algorithm for the difference of two land cover layers in the background."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsApplication,
    QgsProcessing,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from .. import layers
from ..feedback import SignalFeedback
from ..translation import tr

ALGORITHM = "landforge:landcoverdifference"


class DifferenceRun(QObject):
    """One run: `progressed` in percent, then `succeeded` with the report's path, or `failed` with an error message."""

    progressed = pyqtSignal(int)
    succeeded = pyqtSignal(str)
    failed = pyqtSignal(str)

    def __init__(self, reference: QgsRasterLayer, compared: QgsRasterLayer) -> None:
        super().__init__()
        self._name = f"{tr('Difference of land cover')} · {reference.name()} / {compared.name()}"
        self._context, self._feedback = QgsProcessingContext(), SignalFeedback()
        self._context.setProject(QgsProject.instance())
        self._parameters = {"REFERENCE": reference.id(), "COMPARED": compared.id()}
        outputs = ("OUTPUT", "OUTPUT_TABLE", "OUTPUT_REPORT")
        self._parameters.update(dict.fromkeys(outputs, QgsProcessing.TEMPORARY_OUTPUT))
        self._task: QgsProcessingAlgRunnerTask | None = None

    def start(self) -> None:
        """Check the parameters and start; emits `failed` where they are invalid."""
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)
        usable, problem = algorithm.canExecute()
        if usable:
            usable, problem = algorithm.checkParameterValues(self._parameters, self._context)
        if not usable:
            self.failed.emit(problem)
            return
        self._feedback.progressChanged.connect(lambda percent: self.progressed.emit(round(percent)))
        self._task = QgsProcessingAlgRunnerTask(algorithm, self._parameters, self._context, self._feedback)
        self._task.executed.connect(self._finish)
        QgsApplication.taskManager().addTask(self._task)

    def cancel(self) -> None:
        """Cancel the run; `failed` follows."""
        self._feedback.cancel()

    def _finish(self, successful: bool, results: dict[str, Any]) -> None:
        if not successful:
            self.failed.emit("\n".join(self._feedback.errors) or tr("The difference could not be made; see the log."))
            return
        layer = QgsRasterLayer(results["OUTPUT"], self._name)
        layers.style(layer, self._name)
        QgsProject.instance().addMapLayer(layer)
        self.succeeded.emit(results["OUTPUT_REPORT"])
