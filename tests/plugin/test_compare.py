"""The Compare panel in a window: swipe, side by side and the difference, by mouse and keys."""

import numpy as np
import pytest
from landforge.plugin.compare import rasters
from landforge.plugin.windows import Windows
from qgis.core import QgsPalettedRasterRenderer, QgsProject, QgsRasterLayer
from qgis.gui import QgsMapToolPan
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest

from tests.plugin import viewing
from tests.plugin.desk import Window, settle, wait_for
from tests.plugin.viewing import SYNTHETIC_TAGS

GREEN, BROWN = (40, 120, 40), (150, 110, 70)


@pytest.fixture
def project():
    QgsProject.instance().clear()
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.fixture
def window(project):
    found = Window()
    yield found
    found.window.close()


@pytest.fixture
def pair(tmp_path, project):
    layers = [viewing.scene(tmp_path, "real", GREEN), viewing.scene(tmp_path, "made", BROWN, SYNTHETIC_TAGS)]
    project.addMapLayers(layers)
    return layers


@pytest.fixture
def windows(window, pair):
    window.look_at(pair[0])
    found = Windows(window)
    found.compare()
    yield found
    found.close()


def colour_at(canvas, x, y):
    found = canvas.grab().toImage().pixelColor(round(x), round(y))
    return np.array([found.red(), found.green(), found.blue()])


def is_like(found, colour):
    return np.abs(found - colour).max() < 30


def drawn(panel):
    return all(not sheet.image.isNull() and sheet._job is None for sheet in panel.tool.sheets)


def test_the_panel_guesses_the_pair(windows, pair):
    assert [windows.panel.real.currentLayer(), windows.panel.synthetic.currentLayer()] == pair


def test_the_pair_follows_new_layers_until_it_is_chosen(tmp_path, project, window):
    first = viewing.scene(tmp_path, "alone", BROWN, SYNTHETIC_TAGS)
    project.addMapLayer(first)
    windows = Windows(window)
    windows.compare()
    panel = windows.panel
    real = viewing.scene(tmp_path, "real", GREEN)
    project.addMapLayer(real)
    wait_for(lambda: [panel.real.currentLayer(), panel.synthetic.currentLayer()] == [real, first])
    panel.real.setFocus()
    QTest.keyClick(panel.real, Qt.Key.Key_End)
    chosen = panel.real.currentLayer()
    panel.real.activated.emit(panel.real.currentIndex())  # as a mouse does; keys alone tell no activation offscreen
    project.addMapLayer(viewing.scene(tmp_path, "later", GREEN))
    settle()
    assert panel.real.currentLayer() == chosen
    windows.close()


def test_synthetic_is_told_by_tags_then_by_name(tmp_path, project, pair):
    named = viewing.scene(tmp_path, "x", GREEN)
    named.setName("Image SYNTHETIC · spade")
    assert [rasters.is_synthetic(layer) for layer in (*pair, named)] == [False, True, True]
    maps = [viewing.landcover(tmp_path, "map", 1), viewing.landcover(tmp_path, "made map", 2, SYNTHETIC_TAGS)]
    assert rasters.pair([pair[0], maps[1], maps[0]]) == (maps[0], maps[1])  # like with like
    assert rasters.pair([pair[0]]) == (pair[0], None) and rasters.pair([]) == (None, None)


def test_swiping(windows, window):
    panel, canvas = windows.panel, window.canvas
    QTest.mouseClick(panel.swipe_button, Qt.MouseButton.LeftButton)
    assert panel.swipe_button.isChecked() and "arrow keys" in panel.said.text()
    wait_for(lambda: drawn(panel))
    width, height = canvas.width(), canvas.height()
    assert is_like(colour_at(canvas, width * 0.45, height / 4), GREEN)
    assert is_like(colour_at(canvas, width * 0.55, height / 4), BROWN)
    viewing.drag(canvas, QPoint(width // 2, 100), QPoint(width * 7 // 10, 120))
    assert panel.tool.item.share == pytest.approx(0.7, abs=0.01)
    assert is_like(colour_at(canvas, width * 0.55, height / 4), GREEN)
    viewing.screenshot(window.window, "swipe")


def test_dragging_is_smooth(windows, window):
    panel, canvas = windows.panel, window.canvas
    panel.swipe_button.click()
    wait_for(lambda: drawn(panel))
    times = viewing.drag(canvas, QPoint(20, 100), QPoint(canvas.width() - 20, 100), steps=100)
    assert sorted(times)[95] < 0.1  # all but what other programs on this machine may have taken


def test_swiping_by_keys(windows, window):
    panel, canvas = windows.panel, window.canvas
    panel.swipe_button.click()
    wait_for(lambda: drawn(panel))
    extent = canvas.extent()
    for _ in range(3):
        QTest.keyClick(canvas, Qt.Key.Key_Left)
    QTest.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert panel.tool.item.share == pytest.approx(0.57) and canvas.extent() == extent  # which those keys would pan
    QTest.keyClick(canvas, Qt.Key.Key_T)
    width, height = canvas.width(), canvas.height()
    assert is_like(colour_at(canvas, width / 2, height * 0.3), GREEN)
    assert is_like(colour_at(canvas, width / 2, height * 0.8), BROWN)
    viewing.screenshot(window.window, "swipe-level")
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert panel.tool is None and not panel.swipe_button.isChecked()
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert canvas.extent() != extent


def test_the_swipe_follows_the_map(windows, window, pair):
    panel, canvas = windows.panel, window.canvas
    panel.swipe_button.click()
    wait_for(lambda: drawn(panel))
    before = panel.tool.sheets[0].extent
    canvas.zoomByFactor(0.5)
    wait_for(lambda: drawn(panel) and panel.tool.sheets[0].extent != before)
    assert panel.tool.sheets[0].extent.width() == pytest.approx(before.width() / 2, rel=0.01)


def test_the_tool_before_comes_back(windows, window):
    pan = QgsMapToolPan(window.canvas)
    window.canvas.setMapTool(pan)
    windows.panel.swipe_button.click()
    items = len(window.canvas.scene().items())
    windows.panel.swipe_button.click()
    assert window.canvas.mapTool() is pan and len(window.canvas.scene().items()) == items - 1


def test_a_layer_that_goes_ends_the_swipe(windows, project, pair):
    windows.panel.swipe_button.click()
    wait_for(lambda: drawn(windows.panel))
    project.removeMapLayer(pair[1].id())
    assert windows.panel.tool is None and not windows.panel.swipe_button.isChecked()


def test_two_layers_are_needed(windows, pair):
    panel = windows.panel
    panel.synthetic.setLayer(pair[0])
    for button in (panel.swipe_button, panel.side_button, panel.difference_button):
        panel.said.clear()
        button.click()
        assert "two different" in panel.said.text()
    assert panel.tool is panel.view is panel.run is None and not panel.swipe_button.isChecked()


def test_side_by_side(windows, window, pair):
    QTest.mouseClick(windows.panel.side_button, Qt.MouseButton.LeftButton)
    left, right = (view.canvas for view in windows.panel.view.views)
    wait_for(lambda: not left.isDrawing() and not right.isDrawing())
    assert [canvas.layers() for canvas in (left, right)] == [[layer] for layer in pair]
    same_place(left, right)
    assert left.center().distance(window.canvas.center()) < 1
    viewing.drag(left, QPoint(200, 200), QPoint(120, 160))
    same_place(left, right)
    assert left.center().distance(window.canvas.center()) > 10
    right.zoomByFactor(0.25)
    same_place(left, right)
    viewing.drag(right, QPoint(100, 100), QPoint(150, 100))
    same_place(left, right)
    wait_for(lambda: not left.isDrawing() and not right.isDrawing())
    viewing.hover(left, QPoint(150, 150))
    assert not windows.panel.view.views[0].mark.isVisible() and windows.panel.view.views[1].mark.isVisible()
    assert is_like(colour_at(right, 150, 150), (255, 0, 0))
    wait_for(lambda: is_like(colour_at(left, left.width() / 2, 30), GREEN) and is_like(colour_at(right, 30, 30), BROWN))
    viewing.screenshot(windows.panel.view, "side-by-side")


def same_place(one, other):
    assert one.center().distance(other.center()) < 0.01 * one.extent().width()
    assert one.mapUnitsPerPixel() == pytest.approx(other.mapUnitsPerPixel(), rel=0.01)


def test_side_by_side_ends_with_its_layers(windows, project, pair):
    windows.panel.side_by_side()
    project.removeMapLayer(pair[0].id())
    settle()
    assert windows.panel.view is None


@pytest.fixture
def maps(tmp_path, project, windows):
    layers = [viewing.landcover(tmp_path, "map", 1), viewing.landcover(tmp_path, "made map", 2, SYNTHETIC_TAGS)]
    project.addMapLayers(layers)
    windows.panel.real.setLayer(layers[0])
    windows.panel.synthetic.setLayer(layers[1])
    return layers


def test_the_difference_and_its_table(windows, window, project, maps):
    panel, before = windows.panel, set(project.mapLayers())
    QTest.mouseClick(panel.difference_button, Qt.MouseButton.LeftButton)
    assert not panel.difference_button.isEnabled() and panel.cancel_button.isVisible()
    wait_for(lambda: panel.run is None, 120)
    (added,) = (layer for key, layer in project.mapLayers().items() if key not in before)
    assert added.name() == "Difference of land cover · map / made map"
    assert isinstance(added.renderer(), QgsPalettedRasterRenderer)
    assert "The maps agree on" in panel.table.toPlainText() and "Tree cover" in panel.table.toPlainText()
    assert panel.page_button.isVisible() and panel.difference_button.isEnabled()
    panel.setMinimumWidth(560)
    window.canvas.setLayers([added])
    settle(0.3)
    viewing.screenshot(window.window, "difference")


def test_what_is_wrong_with_a_difference_is_said(windows, pair):
    windows.panel.difference()  # of two images
    wait_for(lambda: windows.panel.run is None, 120)
    assert "one band of WorldCover codes" in windows.panel.said.text()
    assert not windows.panel.page_button.isVisible() and windows.panel.difference_button.isEnabled()


def test_without_a_backend_the_remedy_is_said(windows, maps, monkeypatch, tmp_path):
    monkeypatch.setenv("LANDFORGE_PYTHON", str(tmp_path / "none"))
    windows.panel.difference()
    assert "Set up the backend" in windows.panel.said.text() and windows.panel.run is None


def test_cancelling_a_difference(windows, maps, project):
    before = set(project.mapLayers())
    windows.panel.difference()
    windows.panel.cancel_button.click()
    wait_for(lambda: windows.panel.run is None, 120)
    assert set(project.mapLayers()) == before and "ancel" in windows.panel.said.text()


def test_broken_layers_and_differences_are_not_offered(tmp_path, project, pair):
    broken = QgsRasterLayer("/nowhere.tif", "broken")
    project.addMapLayers([broken, viewing.landcover(tmp_path, "difference", 1, {"LANDFORGE_REFERENCE": "a.tif"})])
    assert set(rasters.rasters(project)) == set(pair)
