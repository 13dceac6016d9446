"""Every text that the window shows in the user's language: what `tr(...)` holds and what algorithms declare."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from qgis.core import QgsProcessingModelAlgorithm

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("plugin", "processing_provider")


def sources() -> list[str]:
    """All texts, once each, sorted. Landforge must be loaded as the plugin `landforge`."""
    from landforge.backend.protocol import LEGEND

    names = (name for name, _ in LEGEND.values())
    return sorted({text for text in (*_said(), *_declared(), *_modelled(), *names) if text})


def _said() -> Iterator[str]:
    """What is written out inside `tr(...)`."""
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
                yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def _declared() -> Iterator[str]:
    """Titles, groups, helps, labels and explanations of the algorithms."""
    from landforge.processing_provider.provider import ALGORITHMS

    for cls in ALGORITHMS:
        yield from (cls.TITLE, cls.GROUP, cls.HELP)
        for parameter in cls().parameters():
            yield from (parameter.description(), parameter.help())


def _modelled() -> Iterator[str]:
    """The same of the ready models."""
    for path in sorted((ROOT / "processing_provider" / "models").glob("*.model3")):
        model = QgsProcessingModelAlgorithm()
        if not model.fromFile(str(path)):
            raise RuntimeError(f"QGIS cannot read the model {path}.")
        yield from (model.displayName(), model.group(), *model.helpContent().values())
        for definition in model.parameterDefinitions():
            yield from (definition.description(), definition.help())
