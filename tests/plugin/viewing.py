"""What the tests of what is seen have in common: rasters to look at, the mouse on a canvas, pictures of a widget."""

import time
from pathlib import Path

import numpy as np
from qgis.core import QgsApplication, QgsRasterLayer
from qgis.PyQt.QtCore import QEvent, QPoint, QPointF, Qt
from qgis.PyQt.QtGui import QMouseEvent

from tests.plugin.desk import PICTURES
from tests.processing_provider.conftest import CODES, write_raster

SYNTHETIC_TAGS = {"LANDFORGE_SYNTHETIC": "YES", "LANDFORGE_MODEL": "spade", "LANDFORGE_SEED": "7"}


def screenshot(widget, name) -> Path:
    """What a widget looks like, kept as an artifact."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
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
