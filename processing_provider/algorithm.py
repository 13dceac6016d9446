"""BackendAlgorithm: the one place that turns parameters into a job, runs it and hands its results to QGIS."""

from __future__ import annotations

import tempfile
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import qgis.utils
from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterDefinition,
    QgsProcessingUtils,
)
from qgis.PyQt.QtGui import QIcon

from ..backend import protocol
from ..plugin import layers, settings
from ..plugin.bridge import environment, process
from ..plugin.translation import tr
from . import fields
from .fields import Parameters
from .raster_input import RasterInput

ICONS = Path(__file__).parent.parent / "icons"


class BackendAlgorithm(QgsProcessingAlgorithm):
    """An algorithm whose parameters are, in capitals, the fields of one job of the backend."""

    JOB: ClassVar[type[Any]]
    TITLE: ClassVar[str]
    GROUP: ClassVar[str]
    TAGS: ClassVar[tuple[str, ...]] = ()
    HELP: ClassVar[str]
    # The keys of layers that must carry class codes.
    CLASS_KEYS: ClassVar[tuple[str, ...]] = ("LANDCOVER", "LABEL")
    # The pixel size, in metres, at which a layer without pixels of its own (a web map) is read.
    MAP_PIXEL_M: ClassVar[float] = 1.0

    def parameters(self) -> list[QgsProcessingParameterDefinition]:
        """The parameters, in the dialog's order."""
        raise NotImplementedError

    def name(self) -> str:  # noqa: D102
        return self.JOB.__name__.lower()

    def displayName(self) -> str:  # noqa: D102
        return tr(self.TITLE)

    def group(self) -> str:  # noqa: D102
        return tr(self.GROUP)

    def groupId(self) -> str:  # noqa: D102
        return self.GROUP.lower()

    def tags(self) -> list[str]:  # noqa: D102
        return list(self.TAGS)

    def icon(self) -> QIcon:  # noqa: D102
        return QIcon(str(ICONS / f"{self.groupId()}.svg"))

    def shortDescription(self) -> str:  # noqa: D102
        return tr(self.HELP).partition(". ")[0].rstrip(".") + "."

    def shortHelpString(self) -> str:
        """The help beside the dialog; qgis_process lists the parameters itself, as plain text."""
        if qgis.utils.iface is None:
            return tr(self.HELP)
        told = (
            (escape(text, quote=False) for text in (p.description(), p.help())) for p in self.parameterDefinitions()
        )
        names = (p.name() for p in self.parameterDefinitions())
        lines = (f"<p><b>{label}</b> ({name}): {text}</p>" for name, (label, text) in zip(names, told))
        return f"<p>{escape(tr(self.HELP), quote=False)}</p><h3>{tr('Parameters')}</h3>{''.join(lines)}"

    def createInstance(self) -> BackendAlgorithm:  # noqa: D102
        return type(self)()

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: D102
        for parameter in self.parameters():
            parameter.setDescription(tr(parameter.description()))
            parameter.setHelp(tr(parameter.help()))
            self.addParameter(parameter)

    def canExecute(self) -> tuple[bool, str]:  # noqa: D102
        problem = environment.problem(settings.profile(), settings.get(settings.INTERPRETER))
        return not problem, problem

    def checkParameterValues(self, parameters: Parameters, context: QgsProcessingContext) -> tuple[bool, str]:
        """Whether the parameters make sense, said in words of our own where QGIS would only name the parameter."""
        try:
            fields.check_outputs(self, parameters, fields.read(self, parameters, context))
            parameters = fields.unfolded(self, parameters)
        except (QgsProcessingException, protocol.BackendError) as error:
            return False, str(error)
        return super().checkParameterValues(parameters, context)

    def prepareAlgorithm(  # noqa: D102
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        # Layers belong to the main thread, where this runs. QGIS would lose the words of what is raised here.
        try:
            self._inputs, self._fault = fields.read(self, parameters, context), None
        except (QgsProcessingException, protocol.BackendError) as error:
            self._inputs, self._fault = {}, QgsProcessingException(str(error))
        return True

    def processAlgorithm(  # noqa: D102
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        usable, problem = self.canExecute()
        if self._fault or not usable:
            raise self._fault or QgsProcessingException(problem)
        destinations = fields.destinations(self, parameters, context)
        absolute = {key.lower(): str(Path(path).absolute()) for key, path in destinations.items()}
        with tempfile.TemporaryDirectory(prefix="landforge-") as folder:
            inputs = fields.exported(self._inputs, Path(folder), self.MAP_PIXEL_M, feedback)
            outputs = self._run(self.JOB(**inputs, **absolute), feedback)
        labels = [definition.description() for definition in self.destinationParameterDefinitions()]
        layers.style_on_completion(context, destinations, labels)
        return {**{key.upper(): value for key, value in outputs.items()}, **destinations}

    def settle(self, given: dict[str, Any]) -> None:
        """Check or amend the job's fields where one depends on another; raises QgsProcessingException."""

    def _run(self, job: Any, feedback: QgsProcessingFeedback) -> dict[str, str]:
        """Run a job in the backend's Python: warm in the window, cold under qgis_process."""
        said = ""

        def relay(event: protocol.Event) -> None:
            nonlocal said
            if event.kind == "progress":
                feedback.setProgress(100 * event.fraction)
                if event.message and event.message != said:
                    said = event.message
                    feedback.setProgressText(said)
            elif event.kind == "log":
                feedback.pushInfo(event.message)
            elif event.kind == "preview" and hasattr(feedback, "preview"):  # the panel's
                feedback.preview(event.outputs)

        python = environment.interpreter(settings.profile(), settings.get(settings.INTERPRETER))
        warm, logs = qgis.utils.iface is not None, settings.log_folder()
        try:
            return process.run_job(job, python, relay, feedback.isCanceled, warm, logs, settings.variables())
        except process.Cancelled as cancelled:
            said = self._kept(job) or "Cancelled: no output was written." + self._hint(job)
            raise QgsProcessingException(said) from cancelled
        except protocol.BackendError as error:
            raise QgsProcessingException(str(error) + self._hint(job)) from error

    def _kept(self, job: Any) -> str:
        """What is said of a cancelled training, whose folder stays; empty of another job."""
        folder = Path(getattr(job, "output", ""))
        if not (folder / protocol.CHECKPOINTS).is_dir():
            return ""
        return (
            f"Cancelled: what was trained up to the last checkpoint is kept in {folder}. Running again with the same "
            "settings and output goes on from there."
        )

    def _hint(self, job: Any) -> str:
        """What to do about what a job has finished and left beside its outputs; empty where it left nothing.

        No run goes on from that of a temporary output or of an exported layer: their names are new in every run.
        """
        temporary = Path(QgsProcessingUtils.tempFolder())
        outputs = [Path(value) for name, value in vars(job).items() if name.startswith("output")]
        kept = [path for path in outputs if protocol.unfinished_path(path).is_dir() and temporary not in path.parents]
        if not kept or any(isinstance(given, RasterInput) and not given.path for given in self._inputs.values()):
            return ""
        folders = " and ".join(str(protocol.unfinished_path(path)) for path in kept)
        return (
            f"\nWhat is finished is kept beside the output, in {folders}. Running again with the same settings and "
            "output goes on from there."
        )
