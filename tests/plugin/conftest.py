"""QGIS, started once, where this Python has it; the bridge's tests run without."""

import importlib.util
from types import SimpleNamespace

import pytest

if importlib.util.find_spec("qgis"):
    from tests import qgis_environment

    qgis_environment.start()


@pytest.fixture
def shared_worker(monkeypatch):
    """Keeps the backend's warm worker when the plugin is unloaded; tests of another backend call `stop_worker`."""
    from landforge.plugin import main

    monkeypatch.setattr(main, "process", SimpleNamespace(stop_worker=lambda: None))


@pytest.fixture
def warm_ups(monkeypatch):
    """The calls of `process.warm_up`, which does nothing else: the tests' jobs need no warm worker."""
    from landforge.plugin.bridge import process

    calls = []
    monkeypatch.setattr(process, "warm_up", lambda *arguments: calls.append(arguments))
    return calls
