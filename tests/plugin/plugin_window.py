"""A main window like QGIS's with the plugin in it, and mouse actions and screenshots for the tests of the window."""

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
from qgis.PyQt.QtCore import QEvent, QPoint, QPointF, Qt
from qgis.PyQt.QtGui import QMouseEvent
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QDockWidget, QMainWindow, QVBoxLayout, QWidget

from tests.qgis_environment import ROOT

SCREENSHOTS = ROOT / "build" / "screenshots"
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


class QgisWindow:
    """The part of QgisInterface that the plugin uses, with a real main window, canvas and layer tree."""

    def __init__(self):
        self.window, self.menu, self.layer_actions, self.factories = QMainWindow(), {}, {}, []
        self.window.resize(1280, 860)
        self.canvas, self.bar, self.active = QgsMapCanvas(), QgsMessageBar(), None
        self.canvas.setMapTool(QgsMapToolPan(self.canvas))
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.addWidget(self.bar)
        layout.addWidget(self.canvas, 1)
        self.window.setCentralWidget(central)
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

    def show_layer(self, layer):
        """Show one layer of the project alone, at its full extent."""
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
        dock.show()  # as QGIS does

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


class SecondProvider(LandforgeProvider):
    """A provider under another id than the one that QGIS has already loaded in the tests."""

    def id(self):
        return "landforgetwice"


class PluginWindow:
    """QGIS's window with the plugin loaded and the Generate panel open, and a user's actions in it."""

    def __init__(self):
        self.iface = QgisWindow()
        self.plugin = main.LandforgePlugin(self.iface, SecondProvider())
        self.plugin.initGui()
        self.panel, self.canvas = self.plugin.panel, self.iface.canvas
        self.iface.window.show()
        self.panel.show()
        wait_for(lambda: self.panel.card.is_ready or self.panel.card.isVisible())

    def close(self):
        self.plugin.unload()
        self.iface.window.close()

    def set_view(self, left, bottom, right, top, crs="EPSG:32717"):
        """Move the canvas to an extent."""
        QgsProject.instance().setCrs(QgsCoordinateReferenceSystem(crs))
        self.canvas.setExtent(QgsRectangle(left, bottom, right, top))
        self.canvas.refresh()
        wait_for(lambda: not self.canvas.isDrawing())

    def click(self, button):
        assert button.isVisible() and button.isEnabled(), "a user cannot click it"
        QTest.mouseClick(button, LEFT)

    def drag(self, first, last):
        """Drag on the canvas from one point to another, in map coordinates."""
        view, (start, end) = self.canvas.viewport(), map(self.pixel, (first, last))
        QTest.mousePress(view, LEFT, Qt.KeyboardModifier.NoModifier, start)
        QTest.mouseMove(view, QPoint((start.x() + end.x()) // 2, (start.y() + end.y()) // 2))
        QTest.mouseMove(view, end)
        QTest.mouseRelease(view, LEFT, Qt.KeyboardModifier.NoModifier, end)

    def click_map(self, point, button=LEFT):
        QTest.mouseClick(self.canvas.viewport(), button, Qt.KeyboardModifier.NoModifier, self.pixel(point))

    def pixel(self, point):
        """The canvas pixel of a point in map coordinates."""
        pixel = self.canvas.getCoordinateTransform().transform(*point)
        return QPoint(round(pixel.x()), round(pixel.y()))

    def screenshot(self, name):
        """Save a picture of the window."""
        wait_for(lambda: not self.canvas.isDrawing())
        settle()
        screenshot(self.iface.window, name)

    def wait_for_generation(self, within_s=120):
        """Wait until no generation is running."""
        wait_for(lambda: self.panel.generation is None, within_s)
        settle(0.1)  # until the footprint is added and the history written


def settle(seconds=0.2):
    """Process events for some time, deferred deletions included."""
    QTest.qWait(round(1000 * seconds))


def wait_for(condition, within_s=30):
    """Process events until a condition holds; fails after a time that is only reached where it never does."""
    start = time.monotonic()
    while not condition() and time.monotonic() - start < within_s:
        QgsApplication.processEvents()
        time.sleep(0.005)
    assert condition()


def screenshot(widget, name):
    """Save a picture of a widget in build/screenshots; returns its path."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    assert widget.grab().save(str(path))
    return path


def drag(canvas, start, end, steps=25, after_step=lambda: None):
    """Press, move in steps and release the mouse on a canvas, in pixels; events are processed after each step."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    send_mouse_event(canvas, QEvent.Type.MouseButtonPress, start, left, left)
    for step in range(1, steps + 1):
        send_mouse_event(canvas, QEvent.Type.MouseMove, start + (end - start) * (step / steps), none, left)
        after_step()
    send_mouse_event(canvas, QEvent.Type.MouseButtonRelease, end, left, none)


def hover(canvas, point):
    """Move the mouse to a pixel of a canvas without a pressed button."""
    send_mouse_event(canvas, QEvent.Type.MouseMove, point, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton)


def send_mouse_event(canvas, kind, point, button, buttons):
    event = QMouseEvent(kind, QPointF(point), button, buttons, Qt.KeyboardModifier.NoModifier)
    QgsApplication.sendEvent(canvas.viewport(), event)
    QgsApplication.processEvents()
