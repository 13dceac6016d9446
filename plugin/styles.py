"""The styles that the bundled image generators have learned: climates, and the years of their imagery."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from qgis.PyQt.QtWidgets import QComboBox, QWidget

from .translation import tr

BUNDLED = Path(__file__).parent.parent / "backend" / "bundled"


@lru_cache(maxsize=16)
def known(generator: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The climates and the years that a bundled generator's `model_index.json` names; empty where it names none."""
    try:
        index = json.loads((BUNDLED / generator / "model_index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return (), ()
    names = sorted(index.get("styles", []))
    return tuple(name for name in names if not name.isdigit()), tuple(name for name in names if name.isdigit())


def _word(name: str) -> str:
    """A style in the user's language; one that a later model brings keeps its own name."""
    words = {"arid": tr("arid"), "coastal": tr("coastal"), "humid": tr("humid"), "inland": tr("inland")}
    return words.get(name, name)


class StyleBox(QComboBox):
    """'any', then the styles of one kind; its data are their names, empty for any."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.offer(())

    def offer(self, names: Sequence[str]) -> None:
        """Take a generator's styles; what was chosen stays so where this one knows it too."""
        chosen = self.currentData()
        self.clear()
        self.addItem(tr("any"), "")
        for name in names:
            self.addItem(_word(name), name)
        self.choose([chosen])

    def choose(self, names: Sequence[str]) -> None:
        """Choose the first of these that is known here, else any."""
        found = (self.findData(name) for name in names if name)
        self.setCurrentIndex(max([0, *[place for place in found if place > 0][:1]]))
