"""The Compare panel in a window: swipe, side by side and difference, by mouse and keys."""

import numpy as np
import pytest
import qgis.utils
from landforge.plugin.compare import layer_pairs
from landforge.plugin.compare.layer_renderer import LayerRenderer
from landforge.plugin.compare.swipe import SwipeItem
from landforge.plugin.result_windows import ResultWindows
from qgis.core import QgsPalettedRasterRenderer, QgsProject, QgsRasterLayer
from qgis.gui import QgsMapToolPan
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest

from tests.plugin.plugin_window import QgisWindow, drag, hover, screenshot, settle, wait_for
from tests.plugin.raster_layers import SYNTHETIC_TAGS, image_layer, landcover_layer

GREEN, BROWN = (40, 120, 40), (150, 110, 70)


@pytest.fixture
def project():
    QgsProject.instance().clear()
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.fixture
def window(project):
    qgis_window = QgisWindow()
    yield qgis_window
    qgis_window.window.close()


@pytest.fixture
def pair(tmp_path, project):
    layers = [image_layer(tmp_path, "real", GREEN), image_layer(tmp_path, "made", BROWN, SYNTHETIC_TAGS)]
    project.addMapLayers(layers)
    return layers


@pytest.fixture
def panel(window, pair, shared_worker, monkeypatch):
    monkeypatch.setattr(qgis.utils, "iface", window)  # with a window, jobs run in the warm worker
    window.show_layer(pair[0])
    windows = ResultWindows(window)
    windows.show_compare_panel()
    yield windows.compare_panel
    windows.close()


def colour_at(canvas, x, y):
    pixel = canvas.grab().toImage().pixelColor(round(x), round(y))
    return np.array([pixel.red(), pixel.green(), pixel.blue()])


def is_like(pixel, colour):
    return np.abs(pixel - colour).max() < 30


def rendered(panel):
    return all(not layer.image.isNull() and layer._job is None for layer in panel.swipe_tool.renderers)


def test_the_panel_preselects_the_pair(panel, pair):
    assert [panel.real.currentLayer(), panel.synthetic.currentLayer()] == pair


def test_the_pair_follows_new_layers_until_it_is_chosen(tmp_path, project, window):
    first = image_layer(tmp_path, "alone", BROWN, SYNTHETIC_TAGS)
    project.addMapLayer(first)
    windows = ResultWindows(window)
    windows.show_compare_panel()
    panel = windows.compare_panel
    real = image_layer(tmp_path, "real", GREEN)
    project.addMapLayer(real)
    wait_for(lambda: [panel.real.currentLayer(), panel.synthetic.currentLayer()] == [real, first])
    panel.real.setFocus()
    QTest.keyClick(panel.real, Qt.Key.Key_End)
    chosen = panel.real.currentLayer()
    panel.real.activated.emit(panel.real.currentIndex())  # as a mouse does; keys alone emit no activation offscreen
    project.addMapLayer(image_layer(tmp_path, "later", GREEN))
    settle()
    assert panel.real.currentLayer() == chosen
    windows.close()


def test_a_layer_is_synthetic_by_its_tags_or_else_by_its_name(tmp_path, project, pair):
    named = image_layer(tmp_path, "x", GREEN)
    named.setName("Image SYNTHETIC · spade")
    assert [layer_pairs.is_synthetic(layer) for layer in (*pair, named)] == [False, True, True]
    maps = [landcover_layer(tmp_path, "map", 1), landcover_layer(tmp_path, "made map", 2, SYNTHETIC_TAGS)]
    assert layer_pairs.default_pair([pair[0], maps[1], maps[0]]) == (maps[0], maps[1])  # like with like
    assert layer_pairs.default_pair([pair[0]]) == (pair[0], None) and layer_pairs.default_pair([]) == (None, None)


def test_swiping(panel, window):
    canvas = window.canvas
    QTest.mouseClick(panel.swipe_button, Qt.MouseButton.LeftButton)
    assert panel.swipe_button.isChecked() and "arrow keys" in panel.message.text()
    wait_for(lambda: rendered(panel))
    width, height = canvas.width(), canvas.height()
    assert is_like(colour_at(canvas, width * 0.45, height / 4), GREEN)
    assert is_like(colour_at(canvas, width * 0.55, height / 4), BROWN)
    drag(canvas, QPoint(width // 2, 100), QPoint(width * 7 // 10, 120))
    assert panel.swipe_tool.item.position == pytest.approx(0.7, abs=0.01)
    assert is_like(colour_at(canvas, width * 0.55, height / 4), GREEN)
    screenshot(window.window, "swipe")


def test_dragging_moves_the_handle_at_once_and_renders_nothing(panel, window, monkeypatch):
    """Each move is drawn from the two images that are there, so that a drag never waits for a layer."""
    canvas = window.canvas
    panel.swipe_button.click()
    wait_for(lambda: rendered(panel))
    item, positions, painted, jobs = panel.swipe_tool.item, [], [], []
    canvas.renderStarting.connect(lambda: jobs.append(canvas))
    jobs.append(canvas)
    while jobs:  # until the canvas, which renders again a while after it was resized, is at rest
        jobs.clear()
        settle(0.7)
    start, end = QPoint(20, 100), QPoint(canvas.width() - 20, 100)
    with monkeypatch.context() as patch:
        patch.setattr(LayerRenderer, "render", lambda renderer: jobs.append(renderer))
        patch.setattr(SwipeItem, "paint", lambda item, *_: painted.append(item.position))
        drag(canvas, start, end, steps=100, after_step=lambda: positions.append(item.position))
    expected = [(start.x() + (end.x() - start.x()) * step / 100) / canvas.width() for step in range(1, 101)]
    assert positions == pytest.approx(expected, abs=1 / canvas.width()) and jobs == []
    assert 1 <= len(painted) <= 101, "at most once for each event"


def test_swiping_by_keys(panel, window):
    canvas = window.canvas
    panel.swipe_button.click()
    wait_for(lambda: rendered(panel))
    extent = canvas.extent()
    for _ in range(3):
        QTest.keyClick(canvas, Qt.Key.Key_Left)
    QTest.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert panel.swipe_tool.item.position == pytest.approx(0.57)
    assert canvas.extent() == extent, "the arrow keys do not pan"
    QTest.keyClick(canvas, Qt.Key.Key_T)
    width, height = canvas.width(), canvas.height()
    assert is_like(colour_at(canvas, width / 2, height * 0.3), GREEN)
    assert is_like(colour_at(canvas, width / 2, height * 0.8), BROWN)
    screenshot(window.window, "swipe-level")
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert panel.swipe_tool is None and not panel.swipe_button.isChecked()
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert canvas.extent() != extent


def test_the_swipe_follows_the_map(panel, window, pair):
    canvas = window.canvas
    panel.swipe_button.click()
    wait_for(lambda: rendered(panel))
    before = panel.swipe_tool.renderers[0].extent
    canvas.zoomByFactor(0.5)
    wait_for(lambda: rendered(panel) and panel.swipe_tool.renderers[0].extent != before)
    assert panel.swipe_tool.renderers[0].extent.width() == pytest.approx(before.width() / 2, rel=0.01)


def test_the_tool_before_comes_back(panel, window):
    pan = QgsMapToolPan(window.canvas)
    window.canvas.setMapTool(pan)
    panel.swipe_button.click()
    items = len(window.canvas.scene().items())
    panel.swipe_button.click()
    assert window.canvas.mapTool() is pan and len(window.canvas.scene().items()) == items - 1


def test_a_layer_that_goes_ends_the_swipe(panel, project, pair):
    panel.swipe_button.click()
    wait_for(lambda: rendered(panel))
    project.removeMapLayer(pair[1].id())
    assert panel.swipe_tool is None and not panel.swipe_button.isChecked()


def test_two_layers_are_needed(panel, pair):
    panel.synthetic.setLayer(pair[0])
    for button in (panel.swipe_button, panel.side_button, panel.difference_button):
        panel.message.clear()
        button.click()
        assert "two different" in panel.message.text()
    assert panel.swipe_tool is panel.side_by_side is panel.difference_run is None and not panel.swipe_button.isChecked()


def test_side_by_side(panel, window, pair):
    QTest.mouseClick(panel.side_button, Qt.MouseButton.LeftButton)
    left, right = (view.canvas for view in panel.side_by_side.views)
    wait_for(lambda: not left.isDrawing() and not right.isDrawing())
    assert [canvas.layers() for canvas in (left, right)] == [[layer] for layer in pair]
    check_same_view(left, right)
    assert left.center().distance(window.canvas.center()) < 1
    drag(left, QPoint(200, 200), QPoint(120, 160))
    check_same_view(left, right)
    assert left.center().distance(window.canvas.center()) > 10
    right.zoomByFactor(0.25)
    check_same_view(left, right)
    drag(right, QPoint(100, 100), QPoint(150, 100))
    check_same_view(left, right)
    wait_for(lambda: not left.isDrawing() and not right.isDrawing())
    hover(left, QPoint(150, 150))
    assert not panel.side_by_side.views[0].marker.isVisible() and panel.side_by_side.views[1].marker.isVisible()
    assert is_like(colour_at(right, 150, 150), (255, 0, 0))
    wait_for(lambda: is_like(colour_at(left, left.width() / 2, 30), GREEN) and is_like(colour_at(right, 30, 30), BROWN))
    screenshot(panel.side_by_side, "side-by-side")


def check_same_view(first, second):
    assert first.center().distance(second.center()) < 0.01 * first.extent().width()
    assert first.mapUnitsPerPixel() == pytest.approx(second.mapUnitsPerPixel(), rel=0.01)


def test_side_by_side_ends_with_its_layers(panel, project, pair):
    panel.open_side_by_side()
    project.removeMapLayer(pair[0].id())
    settle()
    assert panel.side_by_side is None


@pytest.fixture
def maps(tmp_path, project, panel):
    layers = [landcover_layer(tmp_path, "map", 1), landcover_layer(tmp_path, "made map", 2, SYNTHETIC_TAGS)]
    project.addMapLayers(layers)
    panel.real.setLayer(layers[0])
    panel.synthetic.setLayer(layers[1])
    return layers


def test_the_difference_and_its_table(panel, window, project, maps):
    before = set(project.mapLayers())
    QTest.mouseClick(panel.difference_button, Qt.MouseButton.LeftButton)
    assert not panel.difference_button.isEnabled() and panel.cancel_button.isVisible()
    wait_for(lambda: panel.difference_run is None, 120)
    (added,) = (layer for key, layer in project.mapLayers().items() if key not in before)
    assert added.name() == "Difference of land cover · map / made map"
    assert isinstance(added.renderer(), QgsPalettedRasterRenderer)
    assert "The maps agree on" in panel.table.toPlainText() and "Tree cover" in panel.table.toPlainText()
    assert panel.report_button.isVisible() and panel.difference_button.isEnabled()
    panel.setMinimumWidth(560)
    window.canvas.setLayers([added])
    settle(0.3)
    screenshot(window.window, "difference")


def test_the_error_of_a_difference_is_shown(panel, pair):
    panel.start_difference()  # of two images
    wait_for(lambda: panel.difference_run is None, 120)
    assert "one band of class codes" in panel.message.text()
    assert not panel.report_button.isVisible() and panel.difference_button.isEnabled()


def test_without_a_backend_the_panel_says_how_to_set_it_up(panel, maps, monkeypatch, tmp_path):
    monkeypatch.setenv("LANDFORGE_PYTHON", str(tmp_path / "none"))
    panel.start_difference()
    assert "Set up the backend" in panel.message.text() and panel.difference_run is None


def test_cancelling_a_difference(panel, maps, project):
    before = set(project.mapLayers())
    panel.start_difference()
    panel.cancel_button.click()
    wait_for(lambda: panel.difference_run is None, 120)
    assert set(project.mapLayers()) == before and "ancel" in panel.message.text()


def test_broken_layers_and_differences_are_not_offered(tmp_path, project, pair):
    broken = QgsRasterLayer("/nowhere.tif", "broken")
    project.addMapLayers([broken, landcover_layer(tmp_path, "difference", 1, {"LANDFORGE_REFERENCE": "a.tif"})])
    assert set(layer_pairs.comparable_layers(project)) == set(pair)
