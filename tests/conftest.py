"""Which tests this Python runs: the backend's and the bridge's without QGIS, the rest in QGIS's Python."""

import importlib.util

QGIS_SIDE = ["plugin/test_*.py", "processing_provider"]
BACKEND_SIDE = ["backend", "plugin/bridge", "test_imports.py"]
collect_ignore_glob = BACKEND_SIDE if importlib.util.find_spec("qgis") else QGIS_SIDE
