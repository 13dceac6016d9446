"""The plugin comes and goes, with a window and without one."""

import landforge
import pytest
from landforge.plugin import main
from qgis.core import QgsApplication
from qgis.PyQt.QtWidgets import QDockWidget

from tests.plugin.desk import Provider, Window


def provider():
    return QgsApplication.processingRegistry().providerById("landforgetwice")


def test_with_a_window():
    iface = Window()
    plugin = main.LandforgePlugin(iface, Provider())
    plugin.initGui()
    assert provider() is not None and len(provider().algorithms()) > 7
    generate, set_up, compare, blind_test = iface.menu["Landforge"]
    assert generate.text() == "Generate…" and iface.menu["toolbar"] == [generate] and len(iface.factories) == 1
    assert set_up.text() == "Set up the backend…" and not set_up.icon().isNull()
    iface.window.show()
    assert not plugin.panel.isVisible(), "it comes when it is asked for"
    generate.trigger()
    assert plugin.panel.isVisible() and plugin.panel in iface.window.findChildren(QDockWidget)
    assert [each.text() for each in (compare, blind_test)] == ["Compare real and synthetic…", "Real or synthetic?…"]
    compare.trigger()
    blind_test.trigger()
    assert plugin.windows.panel.isVisible() and plugin.windows.test.isVisible()
    set_up.trigger()
    assert plugin.dialog.isVisible() and len(iface.layer_actions) == 3
    plugin.unload()
    assert provider() is None and iface.menu == {"Landforge": [], "toolbar": []} and plugin.dialog is None
    assert plugin.windows.panel is plugin.windows.test is None
    assert iface.factories == [] and iface.layer_actions == {} and plugin.panel is None
    iface.window.close()


@pytest.mark.parametrize("start", ["initProcessing", "initGui"])
def test_without_a_window(start):
    plugin = main.LandforgePlugin(None, Provider())
    getattr(plugin, start)()
    assert provider() is not None
    plugin.unload()
    assert provider() is None


def test_the_factory():
    assert isinstance(landforge.classFactory(None), main.LandforgePlugin)
