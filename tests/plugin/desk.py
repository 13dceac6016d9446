"""A window like QGIS's: canvas, layers, docks, menus, and the plugin in it. Its pictures go to build/screenshots."""

import time

from landforge.plugin import main
from landforge.processing_provider.provider import LandforgeProvider
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsLayerTreeModel,
    QgsProject,
    QgsRectangle,
)
from qgis.gui import QgsLayerTreeMapCanvasBridge, QgsLayerTreeView, QgsMapCanvas, QgsMapToolPan, QgsMessageBar
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QDockWidget, QMainWindow, QVBoxLayout, QWidget

from tests.qgis_environment import ROOT

PICTURES = ROOT / "build" / "screenshots"
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


class Window:
    """As much of QGIS's interface as the plugin touches, over a real main window."""

    def __init__(self):
        self.window, self.menu, self.layer_actions, self.factories = QMainWindow(), {}, {}, []
        self.window.resize(1280, 860)
        self.canvas, self.bar, self.active = QgsMapCanvas(), QgsMessageBar(), None
        self.canvas.setMapTool(QgsMapToolPan(self.canvas))
        middle = QWidget()
        layout = QVBoxLayout(middle)
        layout.addWidget(self.bar)
        layout.addWidget(self.canvas, 1)
        self.window.setCentralWidget(middle)
        project = QgsProject.instance()
        self.tree = QgsLayerTreeView()
        self.tree.setModel(QgsLayerTreeModel(project.layerTreeRoot(), self.tree))
        dock = QDockWidget("Layers")
        dock.setWidget(self.tree)
        dock.setMinimumWidth(300)
        self.window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
        self.bridge = QgsLayerTreeMapCanvasBridge(project.layerTreeRoot(), self.canvas)
        self.canvas.setDestinationCrs(project.crs())
        project.crsChanged.connect(lambda: self.canvas.setDestinationCrs(project.crs()))

    def look_at(self, layer):
        """Show a layer of the project alone, whole, as by the boxes of the layer tree."""
        project = QgsProject.instance()
        if project.mapLayer(layer.id()) is None:
            project.addMapLayer(layer)
        for node in project.layerTreeRoot().findLayers():
            node.setItemVisibilityChecked(node.layer() is layer)
        self.canvas.setDestinationCrs(layer.crs())
        self.window.show()
        settle()
        self.canvas.setExtent(layer.extent())
        self.canvas.refresh()
        wait_for(lambda: not self.canvas.isDrawing())

    def mainWindow(self):
        return self.window

    def mapCanvas(self):
        return self.canvas

    def messageBar(self):
        return self.bar

    def activeLayer(self):
        return self.active

    def addDockWidget(self, area, dock):
        self.window.addDockWidget(area, dock)

    def removeDockWidget(self, dock):
        self.window.removeDockWidget(dock)

    def addPluginToMenu(self, menu, action):
        self.menu.setdefault(menu, []).append(action)

    def removePluginMenu(self, menu, action):
        self.menu[menu].remove(action)

    def addToolBarIcon(self, action):
        self.menu.setdefault("toolbar", []).append(action)

    def removeToolBarIcon(self, action):
        self.menu["toolbar"].remove(action)

    def registerOptionsWidgetFactory(self, factory):
        self.factories.append(factory)

    def unregisterOptionsWidgetFactory(self, factory):
        self.factories.remove(factory)

    def addCustomActionForLayerType(self, action, menu, kind, all_layers):
        self.layer_actions[action] = []

    def addCustomActionForLayer(self, action, layer):
        self.layer_actions[action].append(layer.id())

    def removeCustomActionForLayerType(self, action):
        del self.layer_actions[action]


class Provider(LandforgeProvider):
    """Beside the one that the tests' own QGIS has loaded."""

    def id(self):
        return "landforgetwice"


class Desk:
    """The window with the plugin in it, as a user has it, and what a user does there."""

    def __init__(self):
        self.iface = Window()
        self.plugin = main.LandforgePlugin(self.iface, Provider())
        self.plugin.initGui()
        self.panel, self.canvas = self.plugin.panel, self.iface.canvas
        self.iface.window.show()
        self.panel.show()
        wait_for(lambda: self.panel.card.is_ready or self.panel.card.isVisible())

    def close(self):
        self.plugin.unload()
        self.iface.window.close()

    def look_at(self, left, bottom, right, top, crs="EPSG:32717"):
        """Show an extent on the canvas."""
        QgsProject.instance().setCrs(QgsCoordinateReferenceSystem(crs))
        self.canvas.setExtent(QgsRectangle(left, bottom, right, top))
        self.canvas.refresh()
        wait_for(lambda: not self.canvas.isDrawing())

    def click(self, button):
        assert button.isVisible() and button.isEnabled(), "a user could not click it"
        QTest.mouseClick(button, LEFT)

    def drag(self, first, last):
        """Drag over the canvas, from one point of map coordinates to another."""
        view, (start, end) = self.canvas.viewport(), map(self.pixel, (first, last))
        QTest.mousePress(view, LEFT, Qt.KeyboardModifier.NoModifier, start)
        QTest.mouseMove(view, QPoint((start.x() + end.x()) // 2, (start.y() + end.y()) // 2))
        QTest.mouseMove(view, end)
        QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, end)

    def click_map(self, point, button=LEFT):
        QTest.mouseClick(self.canvas.viewport(), button, Qt.KeyboardModifier.NoModifier, self.pixel(point))

    def pixel(self, point):
        found = self.canvas.getCoordinateTransform().transform(*point)
        return QPoint(round(found.x()), round(found.y()))

    def picture(self, name):
        """Keep a picture of the window."""
        wait_for(lambda: not self.canvas.isDrawing())
        settle()
        PICTURES.mkdir(parents=True, exist_ok=True)
        assert self.iface.window.grab().save(str(PICTURES / f"{name}.png"))

    def done(self, within_s=120):
        """Wait for the generation to end."""
        wait_for(lambda: self.panel.generation is None, within_s)
        settle(0.1)  # what follows it: footprint, history


def settle(seconds=0.2):
    """Let the window come to rest; what is to be deleted later is."""
    QTest.qWait(round(1000 * seconds))


def wait_for(condition, within_s=30):
    start = time.monotonic()
    while not condition() and time.monotonic() - start < within_s:
        QgsApplication.processEvents()
        time.sleep(0.005)
    assert condition()
