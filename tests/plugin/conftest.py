"""QGIS, started once, where this Python has it; the bridge's tests, below, run without."""

import importlib.util

if importlib.util.find_spec("qgis"):
    from tests import qgis_environment

    qgis_environment.start()
