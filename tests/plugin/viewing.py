"""A window with a map for the tests of what is seen: real widgets and real events, QGIS's own canvas."""

import time
from pathlib import Path

import numpy as np
from qgis.core import QgsApplication, QgsRasterLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QEvent, QPoint, QPointF, Qt
from qgis.PyQt.QtGui import QMouseEvent
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QMainWindow

from tests.plugin.desk import wait_for
from tests.processing_provider.conftest import CODES, write_raster
from tests.qgis_environment import ROOT

SCREENSHOTS = ROOT / "build" / "screenshots"
SYNTHETIC_TAGS = {"LANDFORGE_SYNTHETIC": "YES", "LANDFORGE_MODEL": "spade", "LANDFORGE_SEED": "7"}


class Desk:
    """As much of QGIS's interface as the plugin touches, with a real window and canvas."""

    def __init__(self):
        self.window, self.canvas, self.menu = QMainWindow(), QgsMapCanvas(), {}
        self.window.setCentralWidget(self.canvas)
        self.window.resize(1000, 600)
        self.canvas.setCanvasColor(Qt.GlobalColor.white)

    def mainWindow(self):
        return self.window

    def mapCanvas(self):
        return self.canvas

    def addDockWidget(self, area, dock):
        self.window.addDockWidget(area, dock)

    def removeDockWidget(self, dock):
        self.window.removeDockWidget(dock)

    def addPluginToMenu(self, menu, action):
        self.menu.setdefault(menu, []).append(action)

    def removePluginMenu(self, menu, action):
        self.menu[menu].remove(action)

    def look_at(self, layer):
        """Show a layer, whole."""
        self.canvas.setDestinationCrs(layer.crs())
        self.canvas.setLayers([layer])
        self.canvas.setExtent(layer.extent())
        self.window.show()
        wait_for(lambda: not self.canvas.isDrawing())


def settle(milliseconds=100):
    QTest.qWait(milliseconds)


def screenshot(widget, name) -> Path:
    """What a widget looks like, kept as an artifact."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    assert widget.grab().save(str(path))
    return path


def drag(canvas, start, end, steps=25):
    """Press, move and release on a canvas, as the mouse does; how long each move took to be seen, in seconds."""
    view, times = canvas.viewport(), []
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton

    def send(kind, place, button, buttons):
        began = time.perf_counter()
        QgsApplication.sendEvent(
            view, QMouseEvent(kind, QPointF(place), button, buttons, Qt.KeyboardModifier.NoModifier)
        )
        QgsApplication.processEvents()
        return time.perf_counter() - began

    send(QEvent.Type.MouseButtonPress, start, left, left)
    for step in range(1, steps + 1):
        place = start + QPoint(*(round(way * step / steps) for way in ((end - start).x(), (end - start).y())))
        times.append(send(QEvent.Type.MouseMove, place, none, left))
    send(QEvent.Type.MouseButtonRelease, end, left, none)
    return times


def hover(canvas, place):
    """Move the mouse to a place of a canvas."""
    none = Qt.MouseButton.NoButton
    moved = QMouseEvent(QEvent.Type.MouseMove, QPointF(place), none, none, Qt.KeyboardModifier.NoModifier)
    QgsApplication.sendEvent(canvas.viewport(), moved)
    QgsApplication.processEvents()


def scene(folder, name, colour, tags=None, size=400):
    """An image of one colour with some texture, 1 m pixels, as a layer."""
    noise = np.random.default_rng(sum(colour)).integers(-20, 20, (1, size, size))
    pixels = np.clip(np.array(colour)[:, None, None] + noise, 0, 255).astype(np.uint8)
    return QgsRasterLayer(write_raster(folder / f"{name}.tif", pixels, pixel=1.0, tags=tags), name)


def landcover(folder, name, seed, tags=None):
    """A map of patches, as a layer."""
    codes = np.random.default_rng(seed).choice(CODES, (8, 8)).repeat(5, 0).repeat(5, 1)
    return QgsRasterLayer(write_raster(folder / f"{name}.tif", codes[None], tags=tags), name)
