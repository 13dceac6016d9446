"""The import directions of both sides and what Qt 6 requires, checked in the sources."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = sorted((ROOT / "plugin").rglob("*.py"))
QGIS_SIDE = [ROOT / "__init__.py", *PLUGIN, *sorted((ROOT / "processing_provider").rglob("*.py"))]
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


@functools.cache
def parsed(path):
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def nodes(path):
    """All nodes of a file's syntax tree."""
    return list(ast.walk(parsed(path)))


def imports(path, top_level_only=False):
    """The dotted names that a module imports, relative ones resolved; `from a import b` gives a.b."""
    package = name_of(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in parsed(path).body if top_level_only else nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def ours(names):
    """The names of the project's own modules, without the package's name: `plugin.bridge.process.run_job`."""
    known = ("plugin", "processing_provider", "backend")
    plain = (name.split(".", 1)[1] if name.startswith("landforge.") else name for name in names)
    return {name for name in plain if name.split(".")[0] in known}


def label(path):
    return str(path.relative_to(ROOT))


def offenders(paths, is_forbidden):
    """A line for every import in the files that is forbidden: `is_forbidden(path, name)`."""
    return [f"{label(path)} imports {name}" for path in paths for name in imports(path) if is_forbidden(path, name)]


def our_offenders(paths, is_forbidden):
    """The same for the imports of the project's own modules: `is_forbidden(name)`."""
    return [
        f"{label(path)} imports {name}" for path in paths for name in sorted(ours(imports(path))) if is_forbidden(name)
    ]


def test_only_the_protocol_crosses_the_boundary():
    crossing = our_offenders(
        QGIS_SIDE, lambda name: name.startswith("backend") and not name.startswith("backend.protocol")
    )
    assert not crossing, "\n".join(crossing)


def test_the_plugin_imports_nothing_of_the_provider():
    upward = our_offenders(PLUGIN, lambda name: name.startswith("processing_provider"))
    assert not upward, "\n".join(upward)


def test_the_bridge_imports_itself_and_the_protocol_alone():
    upward = our_offenders(BRIDGE, lambda name: not name.startswith(("plugin.bridge", "backend.protocol")))
    assert not upward, "\n".join(upward)


def test_the_backend_imports_nothing_of_the_qgis_side():
    upward = our_offenders(BACKEND, lambda name: name.startswith(("plugin", "processing_provider")))
    assert not upward, "\n".join(upward)


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


def test_small_jobs_import_no_diffusers_and_inference_no_training():
    """One process, from the jobs that need least to those that need most."""
    code = (
        "import importlib, sys\n"
        "def imported(*jobs):\n"
        "    for job in jobs:\n"
        "        importlib.import_module(f'backend.jobs.{job}')\n"
        "    return {name for name in sys.modules if not name.startswith('backend.jobs')}\n"
        "assert 'torch' not in imported('clipworldcover', 'clipnaip', 'builddataset', 'landcoverdifference')\n"
        "assert 'diffusers' not in imported('segmentimage')\n"
        "generating = imported('generatelandcover', 'generateimage', 'generatescene', 'regeneratearea')\n"
        "assert not [name for name in generating if name.startswith(('backend.training', 'backend.studies'))]\n"
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
    packages = ("qgis", "osgeo", "processing", "PyQt5", "PyQt6")
    found = offenders([*BRIDGE, *BACKEND], lambda _, name: name.split(".")[0] in packages)
    assert not found, "\n".join(found)


def test_the_protocol_needs_the_standard_library_alone():
    def is_foreign(_, name):
        return not name.startswith("landforge.backend.protocol.") and name.split(".")[0] not in sys.stdlib_module_names

    foreign = offenders(PROTOCOL, is_foreign)
    assert not foreign, "\n".join(foreign)


def test_the_root_imports_nothing_at_the_top_level():
    assert list(imports(ROOT / "__init__.py", top_level_only=True)) == []


def test_qt_comes_through_qgis():
    direct = offenders(QGIS_SIDE, lambda _, name: name.startswith(("PyQt", "PySide", "sip")))
    assert not direct, "\n".join(direct)


def test_what_qt_6_has_moved_is_imported_in_one_place():
    moved = {f"qgis.PyQt.{module}.{name}" for module in ("QtWidgets", "QtGui") for name in MOVED}
    elsewhere = offenders(QGIS_SIDE, lambda path, name: path.name != "action.py" and name in moved)
    assert not elsewhere, "\n".join(elsewhere)


def test_enums_are_scoped_as_qt_6_requires():
    """`Qt.Horizontal` is gone from Qt 6; `Qt.Orientation.Horizontal` is in both."""
    unscoped = []
    for path in QGIS_SIDE:
        attributes = [node for node in nodes(path) if isinstance(node, ast.Attribute)]
        scopes = {id(node.value) for node in attributes}
        for node in attributes:
            is_class_of_qt = isinstance(node.value, ast.Name) and node.value.id.startswith("Q")
            is_enum_value = node.attr[0].isupper() and not node.attr.isupper() and id(node) not in scopes
            if is_class_of_qt and is_enum_value and node.attr not in NESTED_CLASSES:
                unscoped.append(f"{label(path)}, line {node.lineno}: {node.value.id}.{node.attr}")
    assert not unscoped, "\n".join(unscoped)


def test_what_qt_6_and_later_qgis_dropped_is_not_used():
    """Names gone from Qt 6 (also as methods), and types that QGIS has moved: what is used is in both."""
    dropped = []
    for path in QGIS_SIDE:
        for node in nodes(path):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            if name in GONE:
                dropped.append(f"{label(path)}, line {node.lineno}: {name}")
    assert not dropped, "\n".join(dropped)
