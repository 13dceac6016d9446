"""The Generate panel: region, settings, the Generate button, progress and messages."""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Callable

from qgis.core import Qgis, QgsCsException, QgsProject
from qgis.gui import QgsScrollArea
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtWidgets import (
    QDockWidget,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStyle,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..backend.protocol import BackendError
from . import estimates, grids, groups, outputs, settings
from .bridge import environment, process
from .environment_dialog import EnvironmentDialog
from .estimates import Estimate
from .generation import GenerationRun, python_command
from .preview import Preview
from .region import RegionPicker
from .set_up_card import SetUpCard
from .settings_form import SettingsForm
from .translation import tr

OUTPUT_KINDS = {
    estimates.SCENE: outputs.SCENE_OUTPUTS,
    estimates.LANDCOVER: {"OUTPUT": "landcover"},
    estimates.IMAGE: {"OUTPUT": "image"},
}


class GeneratePanel(QDockWidget):
    """Generates layers for a region, one run at a time; the layer menu runs its algorithms here too, by `run`."""

    def __init__(self, iface: Any, dialog: Callable[[], EnvironmentDialog], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Landforge"))
        self.setObjectName("landforgeGenerate")
        self.iface = iface
        self.generation: GenerationRun | None = None
        self.estimate: Estimate | None = None
        self._generate_after_set_up = False
        self._warm_up_thread: threading.Thread | None = None
        self.card, self.region_picker, self.form = SetUpCard(dialog), RegionPicker(iface), SettingsForm()
        self.preview = Preview(iface.mapCanvas(), self)
        self.estimate_label, self.message = _wrapped_label(), _wrapped_label()
        self.estimate_label.setObjectName("landforgeSize")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.progress = QProgressBar()
        self.generate_button = QPushButton()
        self.generate_button.setDefault(True)
        self.cancel_button = QPushButton(tr("Cancel"))
        self.copy_button = QToolButton()
        self.copy_button.setText("›_")
        self.copy_button.setToolTip(tr("Copy as Python command"))
        self.copy_button.setAccessibleName(tr("Copy as Python command"))
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        region_box = QGroupBox(tr("Where"))
        rows = QVBoxLayout(region_box)
        rows.addWidget(self.region_picker)
        rows.addWidget(self.estimate_label)
        buttons = QHBoxLayout()
        self.generate_button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for button in (self.generate_button, self.cancel_button, self.copy_button):
            buttons.addWidget(button)
        inputs = QWidget()
        input_layout = QVBoxLayout(inputs)
        for part in (self.card, region_box, self.form):
            input_layout.addWidget(part)
        input_layout.addStretch(1)
        area = QgsScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(inputs)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll_bar_width = area.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        area.setMinimumWidth(inputs.minimumSizeHint().width() + scroll_bar_width + 2)  # there is no horizontal bar
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 6)
        layout.addWidget(area, 1)
        footer = QVBoxLayout()
        footer.setContentsMargins(9, 0, 9, 0)
        for widget in (self.message, self.progress):  # above the buttons, so that these do not move
            footer.addWidget(widget)
        footer.addLayout(buttons)
        layout.addLayout(footer)
        self.setWidget(content)

    def _connect(self) -> None:
        self.region_picker.changed.connect(self._region_changed)
        self.region_picker.message.connect(self.message.setText)
        self.form.changed.connect(self.refresh)
        self.generate_button.clicked.connect(self.generate)
        self.cancel_button.clicked.connect(self.cancel)
        self.copy_button.clicked.connect(self.copy_command)
        self.card.ready.connect(self._backend_ready)
        self.card.missing.connect(self.refresh)
        self.card.failed.connect(self._set_up_failed)
        self.visibilityChanged.connect(self._visibility_changed)
        QgsProject.instance().crsChanged.connect(self.refresh)

    def _visibility_changed(self, visible: bool) -> None:
        self.region_picker.set_band_visible(visible)
        if visible:
            self.card.check()

    def _current_estimate(self) -> Estimate | None:
        """The estimate for the panel's settings; None without a region, or where UTM does not cover the region."""
        layer, region = self.form.landcover, self.region_picker.region
        if self.form.algorithm == estimates.IMAGE:
            extent = (layer.extent(), layer.crs()) if layer is not None else None
        else:
            extent = (region.bounds, region.crs) if region is not None else None
        if extent is None:
            return None
        project = QgsProject.instance()
        try:
            grid = grids.grid_of_extent(*extent, project.crs(), project.transformContext())
        except (QgsCsException, ValueError, BackendError):
            return None
        generator, steps = self.form.generator.currentData(), self.form.steps.value()
        return estimates.estimate_generation(self.form.algorithm, generator, steps, grid)

    def _region_changed(self) -> None:
        """Clear the message, which was about the previous region or about how to draw one."""
        if self.generation is None and not self._generate_after_set_up:
            self.message.clear()
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show the estimate and enable the buttons that can be used."""
        self.estimate, running = self._current_estimate(), self.generation is not None
        on_layer = self.form.algorithm == estimates.IMAGE
        self.region_picker.setVisible(not on_layer)
        limit = settings.max_area_km2()
        fits = self.estimate is not None and self.estimate.grid.area_km2 <= limit
        if self.estimate is None:
            missing = tr("Choose a land cover layer.") if on_layer else tr("Draw a place, or take one.")
            is_outside = self.region_picker.region is not None and not on_layer
            outside = tr("This place is not on the Earth, too near to a pole, or crosses the antimeridian.")
            self.estimate_label.setText(outside if is_outside else missing)
        elif not fits:
            too_large = tr(
                "<b>Larger than the limit of {0} km².</b> Choose a smaller place, or raise the limit in "
                "Settings › Options › Landforge."
            )
            self.estimate_label.setText(f"{self.estimate.text()}<br>{too_large.format(estimates.rounded(limit))}")
        else:
            self.estimate_label.setText(self.estimate.text())
        needs_set_up = self.card.isVisibleTo(self)
        self.generate_button.setText(tr("Set up and &generate") if needs_set_up else tr("&Generate"))
        self.generate_button.setEnabled(fits and not running and not self._generate_after_set_up)
        self.copy_button.setEnabled(fits)
        self.cancel_button.setEnabled(running)
        self.progress.setVisible(running)

    def _prepare_call(self, estimate: Estimate) -> tuple[str, dict[str, Any], str]:
        """Write the region's footprint; returns the algorithm, its parameters and the footprint's path, or empty."""
        algorithm, parameters, folder = self.form.algorithm, self.form.parameters(), self.form.folder.filePath()
        prefix = outputs.file_prefix(estimate.grid.centre, parameters["SEED"])
        footprint, region = "", self.region_picker.region
        if algorithm != estimates.IMAGE and region is not None:
            attributes = {"seed": parameters["SEED"], "generator": parameters.get("GENERATOR", "landcover")}
            footprint = outputs.write_footprint(folder, region, prefix, attributes)
            if region.is_rectangle:
                parameters["EXTENT"] = region.extent_parameter()
            else:
                parameters["AREA"] = footprint
        raster_parameters = outputs.raster_parameters(folder, OUTPUT_KINDS[algorithm], prefix)
        return algorithm, {**parameters, **raster_parameters}, footprint

    def generate(self) -> None:
        """Run the chosen algorithm; where the backend is not set up, set it up first and then run."""
        if not self.card.is_ready and self.card.isVisibleTo(self):
            self._generate_after_set_up = True
            self.message.setText(tr("Setting up first; the generation follows by itself."))
            self.card.dialog().start()
            self.refresh()
            return
        call = self._current_call()
        if call is not None:
            self.run(*call, self.estimate)

    def _current_call(self) -> tuple[str, dict[str, Any], str] | None:
        """The call for the panel's settings; None without an estimate or, with a message, a writable folder."""
        if self.estimate is None:
            return None
        try:
            return self._prepare_call(self.estimate)
        except OSError as error:
            self.message.setText(tr("Cannot write there: {0}. Choose another folder.").format(error))
            return None

    def _backend_ready(self) -> None:
        generate_now, self._generate_after_set_up = self._generate_after_set_up, False
        self.refresh()
        if generate_now:
            self.generate()
        elif self.generation is None:
            self._warm_up()

    def _warm_up(self) -> None:
        """Start the backend's worker in a thread, so that it has imported torch and diffusers before the first run."""
        profile, interpreter = settings.profile(), settings.get(settings.INTERPRETER)
        logs, variables = settings.log_folder(), settings.variables()

        def start() -> None:
            with contextlib.suppress(BackendError):  # the run itself reports it
                process.warm_up(estimates.SCENE, environment.interpreter(profile, interpreter), logs, variables)

        self._warm_up_thread = threading.Thread(target=start, daemon=True)
        self._warm_up_thread.start()

    def _set_up_failed(self) -> None:
        self._generate_after_set_up = False
        self.message.clear()
        self.refresh()

    def run(
        self, algorithm: str, parameters: dict[str, Any], footprint: str = "", estimate: Estimate | None = None
    ) -> bool:
        """Run an algorithm here, with progress, preview and cancel; False where one is running already."""
        if self.generation is not None:
            self.message.setText(tr("A generation is running. Wait for it, or cancel it."))
            return False
        generation = GenerationRun(algorithm, parameters, self)
        self.generation = generation
        generation.progressed.connect(self._progressed)
        generation.text_changed.connect(self.message.setText)
        generation.previewed.connect(self.preview.show)
        generation.ended.connect(lambda ok, error, layers: self._ended(ok, error, layers, footprint, estimate))
        self.progress.setRange(0, 0)  # a busy indicator until there is a percentage
        self.message.setText(tr("Starting… The first run of a session loads the models, which takes a while."))
        self.refresh()
        QTimer.singleShot(0, generation.start)  # lets the window draw the message first
        return True

    def _progressed(self, percent: float) -> None:
        if percent > 0:
            self.progress.setRange(0, 100)
            self.progress.setValue(round(percent))

    def cancel(self) -> None:
        """Cancel the running generation."""
        if self.generation is not None:
            self.message.setText(tr("Cancelling…"))
            self.cancel_button.setEnabled(False)
            self.generation.cancel()

    def _ended(self, ok: bool, error: str, layers: list, footprint: str, estimate: Estimate | None) -> None:
        generation, self.generation = self.generation, None
        message = error
        self.preview.clear()
        if ok and layers:
            if footprint:
                QTimer.singleShot(0, lambda: groups.add_footprint(footprint, layers[0], QgsProject.instance()))
            if estimate is not None and generation is not None and generation.window_seconds > 0:
                QTimer.singleShot(0, lambda: estimates.adapt(estimate, generation.window_seconds))
            message = tr("Done: {0}.").format(", ".join(layer.name() for layer in layers))
        self.refresh()
        self.message.setText(message)
        if not ok and not self.isVisible():
            self.iface.messageBar().pushMessage("Landforge", message, Qgis.MessageLevel.Warning)

    def copy_command(self) -> None:
        """Copy the Python command of the call that Generate would make to the clipboard."""
        call = self._current_call()
        if call is not None:
            QGuiApplication.clipboard().setText(python_command(*call[:2]))
            self.message.setText(tr("The command is on the clipboard."))

    def close_down(self) -> None:
        """Cancel a running generation and remove the panel's layers and tools from project and canvas."""
        self.cancel()
        if self._warm_up_thread is not None:
            self._warm_up_thread.join()  # milliseconds; no worker is started after the plugin was unloaded
        self.preview.clear()
        self.region_picker.close_down()
        QgsProject.instance().crsChanged.disconnect(self.refresh)


def _wrapped_label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    return label
