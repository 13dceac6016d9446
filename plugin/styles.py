"""Choices of image style: the climates and imagery years that the bundled image generators were trained on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from qgis.PyQt.QtWidgets import QComboBox, QWidget

from .translation import tr

BUNDLED = Path(__file__).parent.parent / "backend" / "bundled"


@lru_cache(maxsize=16)
def style_names(generator: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The climates and the years in the `model_index.json` of a bundled generator; both empty where it has none."""
    try:
        index = json.loads((BUNDLED / generator / "model_index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return (), ()
    names = sorted(index.get("styles", []))
    return tuple(name for name in names if not name.isdigit()), tuple(name for name in names if name.isdigit())


def _label(name: str) -> str:
    """A style's name in the user's language; one without a translation as it is."""
    labels = {"arid": tr("arid"), "coastal": tr("coastal"), "humid": tr("humid"), "inland": tr("inland")}
    return labels.get(name, name)


class StyleBox(QComboBox):
    """A choice of 'any' and the styles of one kind; an item's data is the style's name, empty for 'any'."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_styles(())

    def set_styles(self, names: Sequence[str]) -> None:
        """Replace the styles; the current one stays selected where it is among the new ones."""
        current = self.currentData()
        self.clear()
        self.addItem(tr("any"), "")
        for name in names:
            self.addItem(_label(name), name)
        self.select_first([current])

    def select_first(self, names: Sequence[str]) -> None:
        """Select the first of these names that is a choice, otherwise 'any'."""
        indices = (self.findData(name) for name in names if name)
        self.setCurrentIndex(next((index for index in indices if index > 0), 0))
