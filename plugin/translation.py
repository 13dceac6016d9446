"""The window's language: `tr` marks what is said in it, and QGIS's own locale decides which file translates."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

FOLDER = Path(__file__).parent.parent / "i18n"
CONTEXT = "Landforge"


def tr(text: str) -> str:
    """A text in the user's language; `make translations` finds texts written out inside the parentheses."""
    return QCoreApplication.translate(CONTEXT, text)


def install(locale: str = "") -> QTranslator | None:
    """Have Qt translate Landforge into QGIS's language, `es` or `es_MX`; None where there is no such translation.

    The translator must be kept: Qt holds only a pointer.
    """
    locale = locale or QgsApplication.instance().locale()
    for name in (locale, locale.partition("_")[0]):
        translator = QTranslator()
        if translator.load(str(FOLDER / f"landforge_{name}.qm")):
            QCoreApplication.installTranslator(translator)
            return translator
    return None
