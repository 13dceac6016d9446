"""The plugin comes and goes, with a window and without one."""

import landforge
import pytest
from landforge.plugin import main
from landforge.processing_provider.provider import LandforgeProvider
from qgis.core import QgsApplication
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtWidgets import QMainWindow


class Window:
    """As much of QGIS's window as the plugin touches."""

    def __init__(self):
        self.window, self.canvas, self.menu, self.docks = QMainWindow(), QgsMapCanvas(), {}, []
        self.window.show()

    def mainWindow(self):
        return self.window

    def mapCanvas(self):
        return self.canvas

    def addDockWidget(self, area, dock):
        self.window.addDockWidget(area, dock)
        self.docks.append(dock)

    def removeDockWidget(self, dock):
        self.window.removeDockWidget(dock)
        self.docks.remove(dock)

    def addPluginToMenu(self, menu, action):
        self.menu.setdefault(menu, []).append(action)

    def removePluginMenu(self, menu, action):
        self.menu[menu].remove(action)


class Provider(LandforgeProvider):
    """Beside the one that the tests' own QGIS has loaded."""

    def id(self):
        return "landforgetwice"


def provider():
    return QgsApplication.processingRegistry().providerById("landforgetwice")


def test_with_a_window():
    iface = Window()
    plugin = main.LandforgePlugin(iface, Provider())
    plugin.initGui()
    assert provider() is not None and len(provider().algorithms()) > 7
    found = iface.menu["Landforge"]
    names = ["Set up the backend…", "Compare real and synthetic…", "Real or synthetic?…"]
    assert [action.text() for action in found] == names and not any(action.icon().isNull() for action in found)
    action, compare, blind_test = found
    compare.trigger()
    blind_test.trigger()
    panel, test = plugin.windows.panel, plugin.windows.test
    assert panel.isVisible() and test.isVisible() and iface.docks == [panel]
    action.trigger()
    assert plugin.dialog.isVisible()
    plugin.unload()
    assert provider() is None and iface.menu == {"Landforge": []} and plugin.dialog is None
    assert iface.docks == [] and plugin.windows.panel is plugin.windows.test is None


@pytest.mark.parametrize("start", ["initProcessing", "initGui"])
def test_without_a_window(start):
    plugin = main.LandforgePlugin(None, Provider())
    getattr(plugin, start)()
    assert provider() is not None
    plugin.unload()
    assert provider() is None


def test_the_factory():
    assert isinstance(landforge.classFactory(None), main.LandforgePlugin)
