"""Which tests this Python runs: the backend's and the bridge's without QGIS, the rest in QGIS's Python."""

import importlib.util
import os

import pytest

QGIS_SIDE = ["plugin/test_*.py", "processing_provider"]
BACKEND_SIDE = ["backend", "plugin/bridge", "test_docs.py", "test_imports.py"]
LONGEST = ("test_seams.py", "test_commands.py", "test_chain.py", "test_generate.py", "test_train_generators.py")
collect_ignore_glob = BACKEND_SIDE if importlib.util.find_spec("qgis") else QGIS_SIDE


def pytest_collection_modifyitems(items):
    """The files that take longest first, so that no core is left alone with one at the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup():
    """Removes pytest's variable with the test's name: the warm backend process ends where the environment changes."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call():
    """The same before the test itself, since pytest sets the variable anew."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)
