"""The bridge as QGIS sees it, inside a package named landforge, but in a Python without QGIS."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

if "landforge" not in sys.modules:
    spec = importlib.util.spec_from_file_location(
        "landforge", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["landforge"] = package
    spec.loader.exec_module(package)
