"""A drawing of which room imports which, as SVG: a matrix with the number of imported names in each cell."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path

CELL, LABEL = 30, 190
UPWARD = "#e88"
"""The colour of an import that runs back up."""
TOP = ["processing_provider", "plugin", "plugin/bridge"]
TEXT = '<text x="{}" y="{}" font-size="12" text-anchor="{}">{}</text>'
RECT = '<rect x="{}" y="{}" width="{}" height="{}" fill="{}" stroke="#bbb"/>'


def rooms(root: Path) -> list[str]:
    """The rooms from the top down: QGIS's side, then the backend's as the import test lists them."""
    tree = ast.parse((root / "tests" / "test_imports.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROOMS":
            return [*TOP, "backend/__main__", *(f"backend/{room}" for room in ast.literal_eval(node.value))]
    raise ValueError("tests/test_imports.py has no ROOMS")


def imported(path: Path, root: Path) -> Iterator[str]:
    """The files and folders, relative to the root, that a module imports."""
    package = path.parent.relative_to(root).parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        yield from (name.removeprefix("landforge.").replace(".", "/") for name in names)


def room_of(path: str, order: list[str]) -> str | None:
    """The innermost room that a path lies in; None for what is not the project's."""
    return max((room for room in order if f"{path}/".startswith(f"{room}/")), key=len, default=None)


def count(root: Path, order: list[str]) -> Counter[tuple[str, str]]:
    """How many names each room imports from each other."""
    found: Counter[tuple[str, str]] = Counter()
    for top in ("backend", "plugin", "processing_provider"):
        for path in (root / top).rglob("*.py"):
            here = room_of(path.relative_to(root).with_suffix("").as_posix(), order)
            for name in imported(path, root):
                there = room_of(name, order)
                if here and there and here != there:
                    found[here, there] += 1
    return found


def drawing(root: Path) -> str:
    """The matrix as SVG: a row imports the columns that have a number."""
    order = rooms(root)
    counts = count(root, order)
    side = LABEL + CELL * len(order)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" font-family="sans-serif">']
    for row, importer in enumerate(order):
        at = LABEL + row * CELL
        label = escape(importer)
        parts.append(TEXT.format(LABEL - 8, at + 20, "end", label))
        parts.append(f'<g transform="rotate(-90 {at + 20} {LABEL - 8})">')
        parts.append(TEXT.format(at + 20, LABEL - 8, "start", label) + "</g>")
        for col, other in enumerate(order):
            number = counts[importer, other]
            upward = number and col < row
            fill = "#888" if row == col else UPWARD if upward else "#cfe3f7" if number else "#fff"
            parts.append(RECT.format(LABEL + col * CELL, at, CELL, CELL, fill))
            if number:
                parts.append(TEXT.format(LABEL + col * CELL + CELL // 2, at + 20, "middle", number))
    return "\n".join([*parts, "</svg>\n"])
