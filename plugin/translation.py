"""Translation of the user interface: `tr` marks its texts, QGIS's locale chooses the translation file."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

FOLDER = Path(__file__).parent.parent / "i18n"
CONTEXT = "Landforge"


def tr(text: str) -> str:
    """A text in the user's language. `make translations` collects the literal arguments of `tr`."""
    return QCoreApplication.translate(CONTEXT, text)


def install(locale: str = "") -> QTranslator | None:
    """Install the translator for a locale, such as `es` or `es_MX`; QGIS's own where it is empty.

    Returns None where there is no translation. The caller keeps the translator: Qt holds only a pointer to it.
    """
    locale = locale or QgsApplication.instance().locale()
    for name in (locale, locale.partition("_")[0]):
        translator = QTranslator()
        if translator.load(str(FOLDER / f"landforge_{name}.qm")):
            QCoreApplication.installTranslator(translator)
            return translator
    return None
