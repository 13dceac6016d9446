"""BackendAlgorithm: turns parameters into a backend job, runs the job and returns its outputs to QGIS."""

from __future__ import annotations

import tempfile
from html import escape
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

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
from . import fields, output_files
from .raster_input import RasterInput
from .values import Parameters
from .vector_input import VectorInput

ICONS = Path(__file__).parent.parent / "icons"


class Checked(NamedTuple):
    """Parameters that were checked: as they came, as plain values, and as the job's fields."""

    parameters: Parameters
    context: QgsProcessingContext
    values: Parameters
    inputs: dict[str, Any]


class BackendAlgorithm(QgsProcessingAlgorithm):
    """An algorithm that runs one backend job. Its parameter keys are the job's field names in upper case."""

    JOB: ClassVar[type[Any]]
    TITLE: ClassVar[str]
    GROUP: ClassVar[str]
    TAGS: ClassVar[tuple[str, ...]] = ()
    HELP: ClassVar[str]
    # The keys of layers that must carry class codes.
    CLASS_KEYS: ClassVar[tuple[str, ...]] = ("LANDCOVER", "LABEL")
    # The pixel size in metres at which a web map, which has no pixels of its own, is read.
    WEB_MAP_PIXEL_M: ClassVar[float] = 1.0

    # The last successful check, for the run that follows it.
    _checked: Checked | None = None

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
        """The help beside the dialog: HTML with all parameters.

        Under qgis_process, which lists the parameters itself, plain text without them.
        """
        if qgis.utils.iface is None:
            return tr(self.HELP)
        lines = (
            f"<p><b>{escape(definition.description(), quote=False)}</b> ({definition.name()}): "
            f"{escape(definition.help(), quote=False)}</p>"
            for definition in self.parameterDefinitions()
        )
        return f"<p>{escape(tr(self.HELP), quote=False)}</p><h3>{tr('Parameters')}</h3>{''.join(lines)}"

    def createInstance(self) -> BackendAlgorithm:
        """A new instance, which takes over the fields that this one has read in its check.

        QGIS checks the parameters of one instance and runs another that it creates from the first.
        """
        instance = type(self)()
        instance._checked, self._checked = self._checked, None
        return instance

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: D102
        for parameter in self.parameters():
            parameter.setDescription(tr(parameter.description()))
            parameter.setHelp(tr(parameter.help()))
            self.addParameter(parameter)

    def canExecute(self) -> tuple[bool, str]:  # noqa: D102
        problem = environment.problem(settings.profile(), settings.get(settings.INTERPRETER))
        return not problem, problem

    def checkParameterValues(self, parameters: Parameters, context: QgsProcessingContext) -> tuple[bool, str]:
        """Whether the parameters are valid, and if not, why; QGIS's own messages name only the parameter."""
        self._checked = None
        try:
            values = fields.normalized(self, parameters, context)
            inputs = fields.read(self, values, context)
            output_files.check_outputs(self, values, inputs)
        except (QgsProcessingException, protocol.BackendError) as error:
            return False, str(error)
        valid, message = super().checkParameterValues(fields.for_qgis(self, values, inputs), context)
        self._checked = Checked(parameters, context, values, inputs) if valid else None
        return valid, message

    def prepareAlgorithm(  # noqa: D102
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        # Layers must be read in the main thread, which calls this. QGIS drops the message of an exception that is
        # raised here, so processAlgorithm raises it. A model and a script run an algorithm without a check.
        checked, problem = self._checked, ""
        if checked is None or checked.parameters != parameters or checked.context is not context:
            problem = self.checkParameterValues(parameters, context)[1]
        checked, self._checked = self._checked, None
        self._error = None if checked else QgsProcessingException(problem)
        self._values, self._inputs = (checked.values, checked.inputs) if checked else ({}, {})
        return True

    def processAlgorithm(  # noqa: D102
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        if self._error:
            raise self._error
        usable, problem = self.canExecute()
        if not usable:
            raise QgsProcessingException(problem)
        outputs = output_files.output_paths(self, self._values, context)
        paths = {key.lower(): str(Path(path).absolute()) for key, path in outputs.items()}
        with tempfile.TemporaryDirectory(prefix="landforge-") as folder:
            inputs = fields.export_layers(self._inputs, Path(folder), self.WEB_MAP_PIXEL_M, feedback)
            results = self._run(self.JOB(**inputs, **paths), feedback)
        labels = [definition.description() for definition in self.destinationParameterDefinitions()]
        layers.style_on_completion(context, outputs, labels)
        return {**{key.upper(): value for key, value in results.items()}, **outputs}

    def adjust_fields(self, fields: dict[str, Any]) -> None:
        """Check or convert, in place, the fields that need it; raises QgsProcessingException or BackendError."""

    def _run(self, job: Any, feedback: QgsProcessingFeedback) -> dict[str, str]:
        """Run a job in the backend's Python and return its outputs.

        In QGIS's window the worker process is kept for the next job; under qgis_process it ends with the job.
        """
        last_message = ""

        def report(event: protocol.Event) -> None:
            nonlocal last_message
            if event.kind == "progress":
                feedback.setProgress(100 * event.fraction)
                if event.message and event.message != last_message:
                    last_message = event.message
                    feedback.setProgressText(event.message)
            elif event.kind == "log":
                feedback.pushInfo(event.message)
            elif event.kind == "preview" and hasattr(feedback, "preview"):  # the Generate panel's feedback
                feedback.preview(event.outputs)

        python = environment.interpreter(settings.profile(), settings.get(settings.INTERPRETER))
        warm, logs = qgis.utils.iface is not None, settings.log_folder()
        try:
            return process.run_job(job, python, report, feedback.isCanceled, warm, logs, settings.variables())
        except process.Cancelled as cancelled:
            message = _kept_training(job) or "Cancelled: no output was written." + self._kept_blocks(job)
            raise QgsProcessingException(message) from cancelled
        except protocol.BackendError as error:
            raise QgsProcessingException(str(error) + self._kept_blocks(job)) from error

    def _kept_blocks(self, job: Any) -> str:
        """A hint on how to resume a job that has left finished blocks beside its outputs; empty without any.

        A job with a temporary output or an exported layer cannot resume: their names differ in every run.
        """
        temporary = Path(QgsProcessingUtils.tempFolder())
        outputs = [Path(value) for name, value in vars(job).items() if name.startswith("output")]
        unfinished = [
            protocol.unfinished_path(path)
            for path in outputs
            if protocol.unfinished_path(path).is_dir() and temporary not in path.parents
        ]
        layers = [value for value in self._inputs.values() if isinstance(value, (RasterInput, VectorInput))]
        if not unfinished or not all(layer.path for layer in layers):
            return ""
        return (
            f"\nWhat is finished is kept beside the output, in {' and '.join(map(str, unfinished))}. Running again "
            "with the same settings and output goes on from there."
        )


def _kept_training(job: Any) -> str:
    """The message about a cancelled training, whose checkpoints stay; empty for another job."""
    folder = Path(getattr(job, "output", ""))
    if not (folder / protocol.CHECKPOINTS).is_dir():
        return ""
    return (
        f"Cancelled: what was trained up to the last checkpoint is kept in {folder}. Running again with the same "
        "settings and output goes on from there."
    )
