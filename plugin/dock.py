"""The Generate panel: a place, what to make, Generate, and how it goes."""

from __future__ import annotations

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

from . import estimates, generation, grids, groups, outputs, settings
from .environment_dialog import EnvironmentDialog
from .estimates import Estimate
from .first_run import SetUpCard
from .generation import Generation
from .place import PlacePicker
from .preview import Preview
from .recipe_form import RecipeForm
from .translation import tr

GENERATED = {
    estimates.SCENE: outputs.KINDS,
    estimates.LANDCOVER: {"OUTPUT": "landcover"},
    estimates.IMAGE: {"OUTPUT": "image"},
}


class GeneratePanel(QDockWidget):
    """From a place to layers. One generation at a time; others (the layer menu's) run here too, by `run`."""

    def __init__(self, iface: Any, dialog: Callable[[], EnvironmentDialog], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Landforge"))
        self.setObjectName("landforgeGenerate")
        self.iface = iface
        self.generation: Generation | None = None
        self.estimate: Estimate | None = None
        self._waiting = False  # for the backend, to go on to the first result
        self.card, self.places, self.form = SetUpCard(dialog), PlacePicker(iface), RecipeForm()
        self.preview = Preview(iface.mapCanvas(), self)
        self.size, self.message = _wrapped(), _wrapped()
        self.size.setObjectName("landforgeSize")
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
        where = QGroupBox(tr("Where"))
        rows = QVBoxLayout(where)
        rows.addWidget(self.places)
        rows.addWidget(self.size)
        buttons = QHBoxLayout()
        self.generate_button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        for button in (self.generate_button, self.cancel_button, self.copy_button):
            buttons.addWidget(button)
        choices = QWidget()
        scrolled = QVBoxLayout(choices)
        for widget in (self.card, where, self.form):
            scrolled.addWidget(widget)
        scrolled.addStretch(1)
        area = QgsScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(choices)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar = area.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        area.setMinimumWidth(choices.minimumSizeHint().width() + bar + 2)  # nothing is ever cut off at the side
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 6)
        layout.addWidget(area, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(9, 0, 9, 0)
        for widget in (self.message, self.progress):  # over the buttons, which so stay where they are
            foot.addWidget(widget)
        foot.addLayout(buttons)
        layout.addLayout(foot)
        self.setWidget(content)

    def _connect(self) -> None:
        self.places.changed.connect(self._placed)
        self.places.said.connect(self.message.setText)
        self.form.changed.connect(self.refresh)
        self.generate_button.clicked.connect(self.generate)
        self.cancel_button.clicked.connect(self.cancel)
        self.copy_button.clicked.connect(self.copy_command)
        self.card.ready.connect(self._backend_ready)
        self.card.missing.connect(self.refresh)
        self.card.failed.connect(self._set_up_failed)
        self.visibilityChanged.connect(self._shown)
        QgsProject.instance().crsChanged.connect(self.refresh)

    def _shown(self, visible: bool) -> None:
        self.places.show_band(visible)
        if visible:
            self.card.check()

    def _estimated(self) -> Estimate | None:
        """What the choices would cost; None where there is no place yet, or none on the Earth."""
        layer, place = self.form.landcover, self.places.place
        if self.form.algorithm == estimates.IMAGE:
            where = (layer.extent(), layer.crs()) if layer is not None else None
        else:
            where = (place.box, place.crs) if place is not None else None
        if where is None:
            return None
        project = QgsProject.instance()
        try:
            grid = grids.of(*where, project.crs(), project.transformContext())
        except (QgsCsException, ValueError):
            return None
        return estimates.of(self.form.algorithm, self.form.generator.currentData(), self.form.steps.value(), grid)

    def _placed(self) -> None:
        """A new place: what was said of an older one, or of how to draw, is said no more."""
        if self.generation is None and not self._waiting:
            self.message.clear()
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Say what the choices would cost and whether they can be run."""
        self.estimate, running = self._estimated(), self.generation is not None
        on_layer = self.form.algorithm == estimates.IMAGE
        self.places.setVisible(not on_layer)
        limit = settings.max_area_km2()
        fits = self.estimate is not None and self.estimate.grid.area_km2 <= limit
        if self.estimate is None:
            missing = tr("Choose a land cover layer.") if on_layer else tr("Draw a place, or take one.")
            away = self.places.place is not None and not on_layer
            self.size.setText(tr("This place is not on the Earth, or too near to a pole.") if away else missing)
        elif not fits:
            over = tr(
                "<b>Larger than the limit of {0} km².</b> Choose a smaller place, or raise the limit in "
                "Settings › Options › Landforge."
            )
            self.size.setText(f"{self.estimate.text()}<br>{over.format(estimates.rounded(limit))}")
        else:
            self.size.setText(self.estimate.text())
        set_up = self.card.isVisibleTo(self)
        self.generate_button.setText(tr("Set up and &generate") if set_up else tr("&Generate"))
        self.generate_button.setEnabled(fits and not running and not self._waiting)
        self.copy_button.setEnabled(fits)
        self.cancel_button.setEnabled(running)
        self.progress.setVisible(running)

    def _call(self, estimate: Estimate) -> tuple[str, dict[str, Any], str]:
        """The algorithm, its parameters, and the path of the footprint, which is written; empty without one."""
        algorithm, parameters, folder = self.form.algorithm, self.form.parameters(), self.form.folder.filePath()
        begin = outputs.stem(estimate.grid.centre, parameters["SEED"])
        print_path, place = "", self.places.place
        if algorithm != estimates.IMAGE and place is not None:
            told = {"seed": parameters["SEED"], "generator": parameters.get("GENERATOR", "landcover")}
            print_path = outputs.footprint(folder, place, begin, told)
            if place.is_rectangle:
                parameters["EXTENT"] = place.extent()
            else:
                parameters["AREA"] = print_path
        return algorithm, {**parameters, **outputs.rasters(folder, GENERATED[algorithm], begin)}, print_path

    def generate(self) -> None:
        """Run what is chosen; where the backend is not there yet, set that up first and go on."""
        if not self.card.is_ready and self.card.isVisibleTo(self):
            self._waiting = True
            self.message.setText(tr("Setting up first; the generation follows by itself."))
            self.card.dialog().start()
            self.refresh()
            return
        called = self._called()
        if called is not None:
            self.run(*called, self.estimate)

    def _called(self) -> tuple[str, dict[str, Any], str] | None:
        """What Generate calls; None, with a word on it, where there is nothing to call or nowhere to write."""
        if self.estimate is None:
            return None
        try:
            return self._call(self.estimate)
        except OSError as error:
            self.message.setText(tr("Cannot write there: {0}. Choose another folder.").format(error))
            return None

    def _backend_ready(self) -> None:
        waiting, self._waiting = self._waiting, False
        self.refresh()
        if waiting:
            self.generate()

    def _set_up_failed(self) -> None:
        self._waiting = False
        self.message.clear()
        self.refresh()

    def run(
        self, algorithm: str, parameters: dict[str, Any], footprint: str = "", estimate: Estimate | None = None
    ) -> bool:
        """Run an algorithm here, with progress, preview and cancel; False where one is running already."""
        if self.generation is not None:
            self.message.setText(tr("A generation is running. Wait for it, or cancel it."))
            return False
        found = Generation(algorithm, parameters, self)
        self.generation = found
        found.progressed.connect(self._progressed)
        found.said.connect(self.message.setText)
        found.previewed.connect(self.preview.show)
        found.ended.connect(lambda ok, said, layers: self._ended(ok, said, layers, footprint, estimate))
        self.progress.setRange(0, 0)  # which runs to and fro until there is something to count
        self.message.setText(tr("Starting… The first run of a session loads the models, which takes a while."))
        self.refresh()
        QTimer.singleShot(0, found.start)  # once the window has drawn that it begins
        return True

    def _progressed(self, percent: float) -> None:
        if percent > 0:
            self.progress.setRange(0, 100)
            self.progress.setValue(round(percent))

    def cancel(self) -> None:
        """End the generation."""
        if self.generation is not None:
            self.message.setText(tr("Cancelling…"))
            self.cancel_button.setEnabled(False)
            self.generation.cancel()

    def _ended(self, ok: bool, said: str, layers: list, footprint: str, estimate: Estimate | None) -> None:
        found, self.generation = self.generation, None
        self.preview.clear()
        if ok and layers:
            if footprint:
                QTimer.singleShot(0, lambda: groups.outline(footprint, layers[0], QgsProject.instance()))
            if estimate is not None and found is not None and found.window_seconds > 0:
                QTimer.singleShot(0, lambda: estimates.learn(estimate, found.window_seconds))
            said = tr("Done: {0}.").format(", ".join(layer.name() for layer in layers))
        self.refresh()
        self.message.setText(said)
        if not ok and not self.isVisible():
            self.iface.messageBar().pushMessage("Landforge", said, Qgis.MessageLevel.Warning)

    def copy_command(self) -> None:
        """Put the call that Generate would make on the clipboard."""
        called = self._called()
        if called is not None:
            QGuiApplication.clipboard().setText(generation.command(*called[:2]))
            self.message.setText(tr("The command is on the clipboard."))

    def close_down(self) -> None:
        """End what is running and leave canvas and project as they were."""
        self.cancel()
        self.preview.clear()
        self.places.close_down()
        QgsProject.instance().crsChanged.disconnect(self.refresh)


def _wrapped() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    return label
