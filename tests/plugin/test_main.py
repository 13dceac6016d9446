"""Loading and unloading the plugin, with a window and without one."""

import landforge
import pytest
from landforge.plugin import main
from landforge.plugin.generate_panel import GeneratePanel
from qgis.core import QgsApplication
from qgis.PyQt.QtWidgets import QDockWidget

from tests.plugin.plugin_window import QgisWindow, SecondProvider


def provider():
    return QgsApplication.processingRegistry().providerById("landforgetwice")


def test_with_a_window(monkeypatch, warm_ups):
    calls = []
    monkeypatch.setattr(main.process, "stop_worker", lambda: calls.append("stop_worker"))
    iface = QgisWindow()
    plugin = main.LandforgePlugin(iface, SecondProvider())
    plugin.initGui()
    assert provider() is not None and len(provider().algorithms()) > 7
    generate, set_up, compare, blind_test = iface.menu["Landforge"]
    assert generate.text() == "Generate…" and iface.menu["toolbar"] == [generate] and len(iface.factories) == 1
    assert set_up.text() == "Set up the backend…" and not set_up.icon().isNull()
    iface.window.show()
    assert not plugin.panel.isVisible(), "it is opened from the menu"
    generate.trigger()
    assert plugin.panel.isVisible() and plugin.panel in iface.window.findChildren(QDockWidget)
    assert [action.text() for action in (compare, blind_test)] == ["Compare real and synthetic…", "Real or synthetic?…"]
    compare.trigger()
    blind_test.trigger()
    assert plugin.result_windows.compare_panel.isVisible()
    assert plugin.result_windows.blind_test_dialog.isVisible()
    set_up.trigger()
    assert plugin.dialog.isVisible() and len(iface.layer_actions) == 3
    plugin.unload()
    assert provider() is None and iface.menu == {"Landforge": [], "toolbar": []} and plugin.dialog is None
    assert plugin.result_windows.compare_panel is plugin.result_windows.blind_test_dialog is None
    assert calls == ["stop_worker"] and iface.factories == [] and iface.layer_actions == {} and plugin.panel is None
    iface.window.close()


def test_a_plugin_that_joins_an_open_window_does_not_open_its_panel_for_a_moment(warm_ups, monkeypatch):
    """As where it is enabled in the plugin manager: no check of the backend, and so no warm worker."""
    iface, opened = QgisWindow(), []
    iface.window.show()
    visibility_changed = GeneratePanel._visibility_changed
    monkeypatch.setattr(
        GeneratePanel,
        "_visibility_changed",
        lambda panel, visible: (opened.append(visible), visibility_changed(panel, visible))[1],
    )
    plugin = main.LandforgePlugin(iface, SecondProvider())
    plugin.initGui()
    assert True not in opened and warm_ups == [] and not plugin.panel.isVisible()
    iface.menu["Landforge"][0].trigger()
    assert opened[-1] is True and plugin.panel.isVisible()
    plugin.unload()
    iface.window.close()


@pytest.mark.parametrize("start", ["initProcessing", "initGui"])
def test_without_a_window(start):
    plugin = main.LandforgePlugin(None, SecondProvider())
    getattr(plugin, start)()
    assert provider() is not None
    plugin.unload()
    assert provider() is None


def test_the_factory():
    assert isinstance(landforge.classFactory(None), main.LandforgePlugin)
