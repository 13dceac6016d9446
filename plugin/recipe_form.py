"""What to make: the kind, the land cover beneath, generator, style, seed, steps and class shares."""

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
from .shares import ClassShares
from .translation import tr

ICONS = Path(__file__).parent.parent / "icons"
MAX_SEED = 2**31 - 1
MOST_STEPS = 200


class RecipeForm(QWidget):
    """The choices of the panel beside the place. `changed` where the estimate may have changed with them."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.what = self._choice(
            {
                estimates.SCENE: tr("Whole scene"),
                estimates.LANDCOVER: tr("Land cover"),
                estimates.IMAGE: tr("Image on a land cover layer"),
            },
            tr("What to generate; a whole scene is land cover and the image on it"),
        )
        self.below = QgsMapLayerComboBox()
        self.below.setFilters(QgsMapLayerProxyModel.Filter.RasterLayer)
        self.below.setToolTip(tr("The land cover, in WorldCover's classes, that the image is painted on"))
        self.generator = self._choice(
            {
                "spade": tr("SPADE: clearer, fast"),
                "controlnet": tr("ControlNet: more varied, slower"),
            },
            tr("Which model paints the image"),
        )
        self.climate, self.year = styles.StyleBox(), styles.StyleBox()
        self.climate.setToolTip(tr("The climate that the image looks like, of those that the model has learned"))
        self.year.setToolTip(tr("The year of the imagery that the image looks like: its season, light and camera"))
        self.seed, self.dice, self.steps = QSpinBox(), QToolButton(), QSpinBox()
        self.seed.setRange(0, MAX_SEED)
        self.seed.setToolTip(tr("The same seed gives the same pixels at the same place; another, another picture"))
        self.dice.setIcon(QIcon(str(ICONS / "dice.svg")))
        self.dice.setToolTip(tr("Roll a new seed"))
        self.dice.setAccessibleName(tr("Roll a new seed"))
        self.dice.clicked.connect(self.roll)
        self.steps.setRange(1, MOST_STEPS)
        self.steps.setValue(estimates.STEPS)
        self.steps.setToolTip(
            tr(
                "Denoising steps of land cover: 4 are a draft in a third of the time, more than 12 bring nothing. "
                "ControlNet takes 4 at most."
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
            self.what.currentIndexChanged,
            self.below.layerChanged,
            self.generator.currentIndexChanged,
            self.steps.valueChanged,
        ):
            signal.connect(self._follow)
        self.folder.fileChanged.connect(lambda path: settings.put(settings.FOLDER, path))
        self._follow()

    def _choice(self, options: dict[str, str], tip: str) -> QComboBox:
        box = QComboBox()
        for key, text in options.items():
            box.addItem(text, key)
        box.setToolTip(tip)
        return box

    def _lay_out(self) -> None:
        seed = QHBoxLayout()
        seed.addWidget(self.seed, 1)
        seed.addWidget(self.dice)
        self.form = QFormLayout()
        self.form.addRow(self._label(tr("Ma&ke"), self.what), self.what)
        self.form.addRow(self._label(tr("On"), self.below), self.below)
        self.form.addRow(self._label(tr("Generator"), self.generator), self.generator)
        self.form.addRow(self._label(tr("Climate"), self.climate), self.climate)
        self.form.addRow(self._label(tr("Year"), self.year), self.year)
        self.form.addRow(self._label(tr("Seed"), self.seed), seed)
        more = QgsCollapsibleGroupBox(tr("More"))
        fields = QFormLayout(more)
        fields.addRow(self._label(tr("Steps"), self.steps), self.steps)
        fields.addRow(self._label(tr("Save in"), self.folder), self.folder)
        more.setCollapsed(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self.form)
        layout.addWidget(self.shares)
        layout.addWidget(more)

    def _label(self, text: str, buddy: QWidget) -> QLabel:
        label = QLabel(text)
        label.setBuddy(buddy)
        return label

    def _follow(self, *_: object) -> None:
        """Show what the kind of result asks for."""
        algorithm, painted = self.algorithm, self.algorithm != estimates.LANDCOVER
        for box, names in zip((self.climate, self.year), styles.known(self.generator.currentData())):
            box.offer(names)
        for widget, shown in (
            (self.below, algorithm == estimates.IMAGE),
            (self.generator, painted),
            (self.climate, painted and self.climate.count() > 1),
            (self.year, painted and self.year.count() > 1),
        ):
            widget.setVisible(shown)
            self.form.labelForField(widget).setVisible(shown)
        self.shares.setVisible(algorithm != estimates.IMAGE)
        self.steps.setEnabled(algorithm != estimates.IMAGE or self.generator.currentData() != "spade")
        self.changed.emit()

    @property
    def algorithm(self) -> str:
        """The id of the algorithm that makes what is chosen."""
        return self.what.currentData()

    @property
    def landcover(self) -> QgsRasterLayer | None:
        """The layer under the image, where an image alone is made."""
        return self.below.currentLayer() if self.algorithm == estimates.IMAGE else None

    def roll(self) -> None:
        """Another seed."""
        self.seed.setValue(random.randrange(1, 10**6))  # noqa: S311 (no secret; short enough to be told)

    def parameters(self) -> dict[str, Any]:
        """The algorithm's parameters but place and outputs."""
        found: dict[str, Any] = {"SEED": self.seed.value(), "STEPS": self.steps.value()}
        if self.algorithm != estimates.LANDCOVER:
            found["GENERATOR"] = self.generator.currentData()
            asked = ", ".join(filter(None, (self.climate.currentData(), self.year.currentData())))
            found |= {"STYLE": asked} if asked else {}
        if self.landcover is not None:
            found["LANDCOVER"] = self.landcover.id()
        elif self.shares.text():
            found["SHARES"] = self.shares.text()
        return found

    def recall(self, layer: QgsMapLayer, settings_of_it: dict[str, Any]) -> None:
        """Take over the choices that a synthetic layer was made with."""
        below = "landcover_" if "landcover_sha256" in settings_of_it else ""
        generator = settings_of_it.get("generator", "")
        kind = estimates.LANDCOVER if generator == "landcover" else estimates.SCENE if below else estimates.IMAGE
        self.what.setCurrentIndex(self.what.findData(kind))
        if generator != "landcover":
            self.generator.setCurrentIndex(max(self.generator.findData(generator), 0))
            for box in (self.climate, self.year):
                box.choose(settings_of_it.get("style") or [])
        self.seed.setValue(int(layer.customProperty("landforge/seed", 0)))
        self.steps.setValue(int(settings_of_it.get("steps", estimates.STEPS)))
        asked = settings_of_it.get(f"{below}shares") or {}
        self.shares.set_shares({int(code): share for code, share in asked.items()})
