"""All translatable texts: those in `tr(...)` calls, and the titles, labels and helps of algorithms and workflows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from qgis.core import QgsProcessingModelAlgorithm

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("plugin", "processing_provider")


def sources() -> list[str]:
    """All translatable texts, sorted, without duplicates. Landforge must be loaded as the plugin `landforge`."""
    from landforge.backend.protocol import LEGEND

    class_names = (name for name, _ in LEGEND.values())
    return sorted({text for text in (*_tr_calls(), *_algorithms(), *_workflows(), *class_names) if text})


def _tr_calls() -> Iterator[str]:
    """The literal texts in `tr(...)` calls."""
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
                yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def _algorithms() -> Iterator[str]:
    """The algorithms' titles, groups and helps, and their parameters' labels and helps."""
    from landforge.processing_provider.provider import ALGORITHMS

    for cls in ALGORITHMS:
        yield from (cls.TITLE, cls.GROUP, cls.HELP)
        for parameter in cls().parameters():
            yield from (parameter.description(), parameter.help())


def _workflows() -> Iterator[str]:
    """The same texts of the bundled workflows."""
    for path in sorted((ROOT / "processing_provider" / "models").glob("*.model3")):
        model = QgsProcessingModelAlgorithm()
        if not model.fromFile(str(path)):
            raise RuntimeError(f"QGIS cannot read the model {path}.")
        yield from (model.displayName(), model.group(), *model.helpContent().values())
        for definition in model.parameterDefinitions():
            yield from (definition.description(), definition.help())
