"""The import directions of both sides, and what Qt 6 asks for, read from the sources."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
QGIS_SIDE = [
    ROOT / "__init__.py",
    *sorted((ROOT / "plugin").rglob("*.py")),
    *sorted((ROOT / "processing_provider").rglob("*.py")),
]
BRIDGE = sorted((ROOT / "plugin" / "bridge").rglob("*.py"))
BACKEND = sorted((ROOT / "backend").rglob("*.py"))
PROTOCOL = [ROOT / "backend" / "__init__.py", *sorted((ROOT / "backend" / "protocol").rglob("*.py"))]
ROOMS = (
    "jobs",
    "studies",
    "training",
    "reports",
    "metrics",
    "generation",
    "models",
    "datasets",
    "sources",
    "tiling",
    "geo",
    "protocol",
)
"""The rooms of `backend/`, from the top down: a room imports itself and those below it only."""
WITHOUT_TORCH = ("sources", "tiling", "geo", "protocol")
"""Rooms that import no torch, nor anything that imports it."""
NESTED_CLASSES = {"Class", "LayerOptions", "SaveVectorOptions"}  # as in QgsPalettedRasterRenderer.Class
MOVED = {"QAction", "QActionGroup", "QShortcut", "QUndoStack"}
GONE = {
    *("exec_", "print_", "QRegExp", "QRegExpValidator", "QDesktopWidget", "QSignalMapper", "QTextCodec", "QStringRef"),
    *("MidButton", "globalPos", "globalX", "globalY", "localPos", "toTime_t", "setTabStopWidth", "setMargin"),
    *("QVariant", "QgsMapLayerType", "QgsField", "QWebView", "QGLWidget", "QMatrix", "fromTime_t", "canConvert"),
}
"""QgsField takes QVariant's types before QGIS 3.38 and QMetaType's after: fields come from a memory layer's address."""


def name_of(path):
    """A module's dotted name from the repository's root; `landforge` is the root itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(["landforge", *(parts[:-1] if parts[-1] == "__init__" else parts)])


def imports(path, top_level_only=False):
    """The dotted names that a module imports, relative ones resolved; `from a import b` gives a.b."""
    package = name_of(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def ours(names):
    """Those of the project, without the package's name: `plugin.bridge.process.run_job`."""
    known = ("plugin", "processing_provider", "backend")
    plain = (name.split(".", 1)[1] if name.startswith("landforge.") else name for name in names)
    return {name for name in plain if name.split(".")[0] in known}


def label(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", QGIS_SIDE, ids=label)
def test_the_qgis_side_imports_one_way(path):
    found = ours(imports(path))
    backend = {name for name in found if name.startswith("backend")}
    assert all(name.startswith("backend.protocol") for name in backend), "only the protocol crosses the boundary"
    here = path.relative_to(ROOT).parts
    if here[0] == "plugin":
        assert not any(name.startswith("processing_provider") for name in found)
    if here[:2] == ("plugin", "bridge"):
        assert all(name.startswith(("plugin.bridge", "backend.protocol")) for name in found)


def test_the_backend_imports_nothing_of_the_qgis_side():
    offenders = [
        f"{label(path)} imports {name}"
        for path in BACKEND
        for name in ours(imports(path))
        if name.startswith(("plugin", "processing_provider"))
    ]
    assert not offenders, "\n".join(offenders)


def backend_modules(path):
    """The modules of the backend that a file of it imports: `grid`, `sources.stac`."""
    modules = {".".join(p.relative_to(ROOT / "backend").with_suffix("").parts) for p in BACKEND}
    for name in ours(imports(path)):
        parts = name.split(".")[1:]
        found = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
        yield from [module for module in found if module in modules or f"{module}.__init__" in modules][:1]


def room(module):
    """The room of a module below `backend/`; None for `__init__` and `__main__`."""
    return module.split(".")[0] if module.split(".")[0] in ROOMS else None


def test_every_backend_module_lies_in_a_room():
    modules = {".".join(path.relative_to(ROOT / "backend").with_suffix("").parts) for path in BACKEND}
    assert {module for module in modules if room(module) is None} == {"__init__", "__main__"}


def test_rooms_import_downward():
    upward = [
        f"{label(path)} imports {module}"
        for path in BACKEND
        if (own := room(".".join(path.relative_to(ROOT / "backend").parts)))
        for module in backend_modules(path)
        if (other := room(module)) and ROOMS.index(other) < ROOMS.index(own)
    ]
    assert not upward, "\n".join(upward)


def test_jobs_do_not_import_each_other():
    """Jobs are verbs: what two of them need belongs to a room below."""
    siblings = [
        f"{label(path)} imports {module}"
        for path in BACKEND
        for module in backend_modules(path)
        if path.parent.name == "jobs" and "protocol" not in path.parts and module.startswith("jobs.")
    ]
    assert not siblings, "\n".join(siblings)


def test_the_engine_imports_no_torch():
    code = (
        "import importlib, pkgutil, sys; import backend\n"
        f"for room in {WITHOUT_TORCH}:\n"
        "    package = importlib.import_module(f'backend.{room}')\n"
        "    for module in pkgutil.walk_packages(package.__path__, f'backend.{room}.'):\n"
        "        importlib.import_module(module.name)\n"
        "        assert 'torch' not in sys.modules, module.name\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr


def test_the_backend_imports_in_no_circle():
    graph = {name_of(path).split(".", 2)[-1]: set(backend_modules(path)) for path in BACKEND}
    done = set()

    def visit(module, above):
        assert module not in above, f"a circle: {' -> '.join([*above, module])}"
        if module not in done:
            for lower in graph.get(module, ()):
                visit(lower, [*above, module])
            done.add(module)

    for module in graph:
        visit(module, [])


def test_no_qgis_outside_the_qgis_side():
    offenders = [
        f"{label(path)} imports {name}"
        for path in [*BRIDGE, *BACKEND]
        for name in imports(path)
        if name.split(".")[0] in ("qgis", "osgeo", "processing", "PyQt5", "PyQt6")
    ]
    assert not offenders, "\n".join(offenders)


def test_the_protocol_needs_the_standard_library_alone():
    offenders = [
        f"{label(path)} imports {name}"
        for path in PROTOCOL
        for name in imports(path)
        if not name.startswith("landforge.backend.protocol.") and name.split(".")[0] not in sys.stdlib_module_names
    ]
    assert not offenders, "\n".join(offenders)


def test_the_root_imports_nothing_before_it_is_asked():
    assert list(imports(ROOT / "__init__.py", top_level_only=True)) == []


@pytest.mark.parametrize("path", QGIS_SIDE, ids=label)
def test_qt_comes_through_qgis(path):
    assert not any(name.startswith(("PyQt", "PySide", "sip")) for name in imports(path))


@pytest.mark.parametrize("path", QGIS_SIDE, ids=label)
def test_what_qt_6_has_moved_is_imported_in_one_place(path):
    moved = {f"qgis.PyQt.{module}.{name}" for module in ("QtWidgets", "QtGui") for name in MOVED}
    assert path.name == "action.py" or not moved & set(imports(path))


@pytest.mark.parametrize("path", QGIS_SIDE, ids=label)
def test_enums_are_scoped_as_qt_6_asks(path):
    """`Qt.Horizontal` is gone from Qt 6; `Qt.Orientation.Horizontal` is in both."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    scopes = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id.startswith("Q"):
            bare = node.attr[0].isupper() and not node.attr.isupper() and id(node) not in scopes
            assert not bare or node.attr in NESTED_CLASSES, f"line {node.lineno}: {node.value.id}.{node.attr}"


@pytest.mark.parametrize("path", QGIS_SIDE, ids=label)
def test_what_qt_6_and_later_qgis_dropped_is_not_used(path):
    """Names gone from Qt 6 (also as methods), and types that QGIS has moved: what is used is in both."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        assert name not in GONE, f"line {node.lineno}: {name}"
