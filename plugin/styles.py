"""Choices of style: the climates, years and seasons that the bundled generators were trained on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from qgis.PyQt.QtWidgets import QComboBox, QWidget

from ..backend.protocol import is_climate, known_words
from .translation import tr

BUNDLED = Path(__file__).parent.parent / "backend" / "bundled"


@lru_cache(maxsize=16)
def style_names(*models: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The climates, and the years and seasons, that the `model_index.json` of any of the bundled models lists."""
    names = sorted({name for model in models for name in _listed(model)})
    return tuple(filter(is_climate, names)), tuple(name for name in names if not is_climate(name))


def _listed(model: str) -> list[str]:
    try:
        index = json.loads((BUNDLED / model / "model_index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return list(index.get("styles", []))


def _label(name: str) -> str:
    """A style's name in the user's language; one without a translation as it is."""
    labels = {
        "arid": tr("arid"),
        "autumn": tr("autumn"),
        "coastal": tr("coastal"),
        "humid": tr("humid"),
        "inland": tr("inland"),
        "semiarid": tr("semiarid"),
        "summer": tr("summer"),
        "temperate": tr("temperate"),
        "tropical": tr("tropical"),
    }
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
        self.setCurrentIndex(max(self.findData(current), 0))

    def select_first(self, names: Sequence[str]) -> None:
        """Select the first of these names that is a choice, or whose nearest climate is one, otherwise 'any'."""
        choices = [self.itemData(index) for index in range(1, self.count())]
        self.setCurrentIndex(max(self.findData(next(iter(known_words(names, choices)), "")), 0))
