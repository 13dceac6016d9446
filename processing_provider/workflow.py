"""Bundled workflows: saved models of QGIS's model designer, as algorithms of the provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingModelAlgorithm
from qgis.PyQt.QtGui import QIcon

from ..plugin.translation import tr
from .algorithm import ICONS

MODELS = Path(__file__).parent / "models"


class Workflow(QgsProcessingModelAlgorithm):
    """One saved model with translated texts. Its id is its file's stem, which no translation changes."""

    def __init__(self, stem: str, saved: Any) -> None:
        """`saved` is the model's `toVariant()`."""
        super().__init__()
        self.stem = stem
        self.loadVariant(saved)
        self.setHelpContent({key: tr(text) for key, text in self.helpContent().items()})
        for definition in self.parameterDefinitions():
            definition.setDescription(tr(definition.description()))
            definition.setHelp(tr(definition.help()))

    def name(self) -> str:  # noqa: D102
        return self.stem

    def displayName(self) -> str:  # noqa: D102
        return tr(super().displayName())

    def group(self) -> str:  # noqa: D102
        return tr(super().group())

    def icon(self) -> QIcon:  # noqa: D102
        return QIcon(str(ICONS / "workflows.svg"))

    def createInstance(self) -> Workflow:  # noqa: D102
        return Workflow(self.stem, self.toVariant())


def load_workflows() -> Iterator[Workflow]:
    """The workflows in MODELS, by file name; a file that this QGIS cannot read is left out."""
    for path in sorted(MODELS.glob("*.model3")):
        model = QgsProcessingModelAlgorithm()
        if model.fromFile(str(path)):
            yield Workflow(path.stem, model.toVariant())
