"""QGIS, started once, where this Python has it; the bridge's tests run without."""

import importlib.util
from types import SimpleNamespace

import pytest

if importlib.util.find_spec("qgis"):
    from tests import qgis_environment

    qgis_environment.start()


@pytest.fixture
def shared_worker(monkeypatch):
    """Keeps the backend's warm worker between tests: pytest's own variable and unloading the plugin do not end it.

    Tests that need another backend call `process.stop_worker`.
    """
    from landforge.plugin import main
    from landforge.plugin.bridge import child_process, process

    def clean_environment(environ):
        variables = {name: value for name, value in environ.items() if name != "PYTEST_CURRENT_TEST"}
        return child_process.clean_environment(variables)

    monkeypatch.setattr(process, "clean_environment", clean_environment)
    monkeypatch.setattr(main, "process", SimpleNamespace(stop_worker=lambda: None))


@pytest.fixture
def warm_ups(monkeypatch):
    """The calls of `process.warm_up`, which does nothing else: the tests' jobs need no warm worker."""
    from landforge.plugin.bridge import process

    calls = []
    monkeypatch.setattr(process, "warm_up", lambda *arguments: calls.append(arguments))
    return calls
