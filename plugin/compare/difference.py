"""The difference of two land cover layers, run as the algorithm that it is, in the background."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsApplication,
    QgsProcessing,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from .. import layers
from ..translation import tr

ALGORITHM = "landforge:landcoverdifference"


class Ear(QgsProcessingFeedback):
    """Feedback that remembers what went wrong; it is told from the task's thread."""

    def __init__(self) -> None:
        super().__init__(False)
        self.errors: list[str] = []

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: D102
        self.errors.append(error)


class DifferenceRun(QObject):
    """One run: `progressed` in percent, then `succeeded` with the page's path, or `failed` with what to do about it."""

    progressed = pyqtSignal(int)
    succeeded = pyqtSignal(str)
    failed = pyqtSignal(str)

    def __init__(self, reference: QgsRasterLayer, compared: QgsRasterLayer) -> None:
        super().__init__()
        self._name = f"{tr('Difference of land cover')} · {reference.name()} / {compared.name()}"
        self._context, self._ear = QgsProcessingContext(), Ear()
        self._context.setProject(QgsProject.instance())
        self._parameters = {"REFERENCE": reference.id(), "COMPARED": compared.id()}
        outputs = ("OUTPUT", "OUTPUT_TABLE", "OUTPUT_REPORT")
        self._parameters.update(dict.fromkeys(outputs, QgsProcessing.TEMPORARY_OUTPUT))
        self._task: QgsProcessingAlgRunnerTask | None = None

    def start(self) -> None:
        """Check the layers and begin; what is wrong is told by `failed`."""
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)
        usable, problem = algorithm.canExecute()
        if usable:
            usable, problem = algorithm.checkParameterValues(self._parameters, self._context)
        if not usable:
            self.failed.emit(problem)
            return
        self._ear.progressChanged.connect(lambda percent: self.progressed.emit(round(percent)))
        self._task = QgsProcessingAlgRunnerTask(algorithm, self._parameters, self._context, self._ear)
        self._task.executed.connect(self._ended)
        QgsApplication.taskManager().addTask(self._task)

    def cancel(self) -> None:
        """End it; `failed` follows."""
        self._ear.cancel()

    def _ended(self, successful: bool, results: dict[str, Any]) -> None:
        if not successful:
            self.failed.emit("\n".join(self._ear.errors) or tr("The difference could not be made; see the log."))
            return
        layer = QgsRasterLayer(results["OUTPUT"], self._name)
        layers.style(layer, self._name)
        QgsProject.instance().addMapLayer(layer)
        self.succeeded.emit(results["OUTPUT_REPORT"])
