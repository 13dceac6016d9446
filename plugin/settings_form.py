"""The form of a generation's settings: output, land cover layer, generator, style, seed, steps, class shares."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from qgis.core import QgsMapLayer, QgsMapLayerProxyModel, QgsRasterLayer
from qgis.gui import QgsCollapsibleGroupBox, QgsFileWidget, QgsMapLayerComboBox
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QSpinBox, QToolButton, QVBoxLayout, QWidget

from . import estimates, settings, styles
from .class_shares import ClassShares
from .translation import tr

ICONS = Path(__file__).parent.parent / "icons"
MAX_SEED = 2**31 - 1
MAX_STEPS = 200


class SettingsForm(QWidget):
    """The panel's settings except the region; `changed` follows each change that affects the estimate."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.output = _combo_box(
            {
                estimates.SCENE: tr("Whole scene"),
                estimates.LANDCOVER: tr("Land cover"),
                estimates.IMAGE: tr("Image on a land cover layer"),
            },
            tr("What to generate; a whole scene is land cover and the image on it"),
        )
        self.landcover_layer = QgsMapLayerComboBox()
        self.landcover_layer.setFilters(QgsMapLayerProxyModel.Filter.RasterLayer)
        self.landcover_layer.setToolTip(tr("The land cover, in WorldCover's classes, that the image is painted on"))
        self.generator = _combo_box(
            {
                "spade": tr("SPADE: clearer, fast"),
                "controlnet": tr("ControlNet: more varied, slower"),
            },
            tr("Which model paints the image"),
        )
        self.climate, self.year = styles.StyleBox(), styles.StyleBox()
        self.climate.setToolTip(tr("The climate of land cover and image, of those that the models have learned"))
        self.year.setToolTip(tr("The year or season of the imagery that the image looks like: its light and colours"))
        self.seed, self.random_button, self.steps = QSpinBox(), QToolButton(), QSpinBox()
        self.seed.setRange(0, MAX_SEED)
        self.seed.setToolTip(tr("The same seed gives the same pixels at the same place; another, another picture"))
        self.random_button.setIcon(QIcon(str(ICONS / "dice.svg")))
        self.random_button.setToolTip(tr("Roll a new seed"))
        self.random_button.setAccessibleName(tr("Roll a new seed"))
        self.random_button.clicked.connect(self.randomise_seed)
        self.steps.setRange(1, MAX_STEPS)
        self.steps.setValue(estimates.DEFAULT_STEPS)
        self.steps.setToolTip(
            tr(
                "Denoising steps of land cover: 4 are a draft in a third of the time, more than 12 bring nothing. "
                "ControlNet takes 3 at most."
            )
        )
        self.folder = QgsFileWidget()
        self.folder.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.folder.setFilePath(settings.get(settings.FOLDER))
        self.folder.lineEdit().setPlaceholderText(tr("temporary files"))
        self.folder.setToolTip(tr("Where the results are written. In a folder, a cancelled run can go on later."))
        self.shares = ClassShares()
        self._lay_out()
        for signal in (
            self.output.currentIndexChanged,
            self.landcover_layer.layerChanged,
            self.generator.currentIndexChanged,
            self.steps.valueChanged,
        ):
            signal.connect(self._update_rows)
        self.folder.fileChanged.connect(lambda path: settings.put(settings.FOLDER, path))
        self._update_rows()

    def _lay_out(self) -> None:
        seed = QHBoxLayout()
        seed.addWidget(self.seed, 1)
        seed.addWidget(self.random_button)
        self.form = QFormLayout()
        self.form.addRow(_label(tr("Ma&ke"), self.output), self.output)
        self.form.addRow(_label(tr("On"), self.landcover_layer), self.landcover_layer)
        self.form.addRow(_label(tr("Generator"), self.generator), self.generator)
        self.form.addRow(_label(tr("Climate"), self.climate), self.climate)
        self.form.addRow(_label(tr("Year or season"), self.year), self.year)
        self.form.addRow(_label(tr("Seed"), self.seed), seed)
        more_settings = QgsCollapsibleGroupBox(tr("More"))
        fields = QFormLayout(more_settings)
        fields.addRow(_label(tr("Steps"), self.steps), self.steps)
        fields.addRow(_label(tr("Save in"), self.folder), self.folder)
        more_settings.setCollapsed(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self.form)
        layout.addWidget(self.shares)
        layout.addWidget(more_settings)

    def _update_rows(self, *_: object) -> None:
        """Show the rows that the chosen output needs."""
        algorithm, with_image = self.algorithm, self.algorithm != estimates.LANDCOVER
        models = [self.generator.currentData()] if with_image else []
        models += ["landcover"] if algorithm != estimates.IMAGE else []
        for box, names in zip((self.climate, self.year), styles.style_names(*models)):
            box.set_styles(names)
        for widget, shown in (
            (self.landcover_layer, algorithm == estimates.IMAGE),
            (self.generator, with_image),
            (self.climate, self.climate.count() > 1),
            (self.year, self.year.count() > 1),
        ):
            widget.setVisible(shown)
            self.form.labelForField(widget).setVisible(shown)
        self.shares.setVisible(algorithm != estimates.IMAGE)
        self.steps.setEnabled(algorithm != estimates.IMAGE or self.generator.currentData() != "spade")
        self.changed.emit()

    @property
    def algorithm(self) -> str:
        """The id of the algorithm for the chosen output."""
        return self.output.currentData()

    @property
    def landcover(self) -> QgsRasterLayer | None:
        """The land cover layer for an image; None where land cover is generated too."""
        layer = self.landcover_layer.currentLayer()
        return layer if self.algorithm == estimates.IMAGE and isinstance(layer, QgsRasterLayer) else None

    def randomise_seed(self) -> None:
        """Set a random seed."""
        self.seed.setValue(random.randrange(1, 10**6))  # noqa: S311 (no secret; short enough to be read aloud)

    def parameters(self) -> dict[str, Any]:
        """The algorithm's parameters except region and outputs."""
        parameters: dict[str, Any] = {"SEED": self.seed.value(), "STEPS": self.steps.value()}
        if self.algorithm != estimates.LANDCOVER:
            parameters["GENERATOR"] = self.generator.currentData()
        if style := ", ".join(filter(None, (self.climate.currentData(), self.year.currentData()))):
            parameters["STYLE"] = style
        if self.landcover is not None:
            parameters["LANDCOVER"] = self.landcover.id()
        elif self.shares.text():
            parameters["SHARES"] = self.shares.text()
        return parameters

    def load_settings(self, layer: QgsMapLayer, layer_settings: dict[str, Any]) -> None:
        """Set the form to the seed and the settings that a synthetic layer was generated with."""
        prefix = "landcover_" if "landcover_sha256" in layer_settings else ""
        generator = layer_settings.get("generator", "")
        algorithm = estimates.LANDCOVER if generator == "landcover" else estimates.SCENE if prefix else estimates.IMAGE
        self.output.setCurrentIndex(self.output.findData(algorithm))
        if generator != "landcover":
            self.generator.setCurrentIndex(max(self.generator.findData(generator), 0))
        for box in (self.climate, self.year):
            box.select_first(layer_settings.get("style") or [])
        self.seed.setValue(int(layer.customProperty("landforge/seed", 0)))
        self.steps.setValue(int(layer_settings.get("steps", estimates.DEFAULT_STEPS)))
        shares = layer_settings.get(f"{prefix}shares") or {}
        self.shares.set_shares({int(code): share for code, share in shares.items()})


def _combo_box(items: dict[str, str], tip: str) -> QComboBox:
    """A combo box of texts by data."""
    box = QComboBox()
    for key, text in items.items():
        box.addItem(text, key)
    box.setToolTip(tip)
    return box


def _label(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    label.setBuddy(buddy)
    return label
