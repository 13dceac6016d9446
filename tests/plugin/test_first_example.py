"""docs/user/first_example.md, step by step; makes its pictures, which `make screenshots` puts into docs."""

import processing
import pytest
import qgis.utils
from landforge.plugin.result_windows import ResultWindows
from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingOutputLayerDefinition, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest

from tests.plugin.plugin_window import QgisWindow, drag, screenshot, settle, wait_for
from tests.processing_provider.algorithms import bundled
from tests.qgis_environment import ROOT

EXTENT = "376130,376850,4699710,4700430 [EPSG:32618]"
SAMPLE = ROOT / "demo" / "sample"


@pytest.fixture
def project():
    QgsProject.instance().clear()
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:32618"))
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.fixture
def window(project, shared_worker, monkeypatch):
    qgis_window = QgisWindow()
    monkeypatch.setattr(qgis.utils, "iface", qgis_window)  # with a window, jobs run in the warm worker
    yield qgis_window
    qgis_window.window.close()


def generated(project, folder):
    """Step 2: the layers 'real', 'map' and 'image' by these names."""
    names = {"real": "real:OUTPUT", "map": "synthetic:OUTPUT_LANDCOVER", "image": "synthetic:OUTPUT_IMAGE"}
    outputs = {key: QgsProcessingOutputLayerDefinition(str(folder / f"{n}.tif"), project) for n, key in names.items()}
    inputs = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": str(SAMPLE / "worldcover.tif"), "GENERATOR": "spade"}
    files = {"difference:OUTPUT": "d.tif", "difference:OUTPUT_TABLE": "d.csv", "difference:OUTPUT_REPORT": "d.html"}
    files = {key: str(folder / name) for key, name in files.items()}
    processing.runAndLoadResults("landforge:extenttocomparedscene", {**inputs, "SEED": 7, **outputs, **files})
    by_path = {layer.source(): layer for layer in project.mapLayers().values()}
    return {name: by_path[str(folder / f"{name}.tif")] for name in names}


@bundled("landcover")
@bundled("spade")
def test_the_first_example(window, project, tmp_path):
    layers = generated(project, tmp_path)
    layers["real"].setName("WorldCover (the sample)")
    window.window.resize(1500, 760)
    window.show_layer(layers["map"])
    windows = ResultWindows(window)
    windows.show_compare_panel()
    panel, canvas = windows.compare_panel, window.canvas
    panel.setMinimumWidth(520)
    panel.real.setLayer(layers["real"])
    panel.synthetic.setLayer(layers["map"])
    settle()
    QTest.mouseClick(panel.swipe_button, Qt.MouseButton.LeftButton)
    drag(canvas, QPoint(100, 200), QPoint(canvas.width() * 55 // 100, 260))
    wait_for(lambda: all(not layer.image.isNull() for layer in panel.swipe_tool.renderers) and not canvas.isDrawing())
    assert panel.swipe_tool.item.position == pytest.approx(0.55, abs=0.01)
    QTest.mouseClick(panel.difference_button, Qt.MouseButton.LeftButton)
    wait_for(lambda: panel.difference_run is None)
    assert "The maps agree on" in panel.table.toPlainText()
    settle(0.3)
    screenshot(window.window, "first-example-compare")
    blind_test(windows, layers["image"])
    windows.close()


def blind_test(windows, image):
    """Step 4, with the image: checks only that the test can be taken to its end."""
    windows.show_blind_test()
    dialog = windows.blind_test_dialog
    for row, layer in enumerate(dialog.settings_page.layers):
        dialog.settings_page.table.cellWidget(row, 1).setCurrentIndex(2 * (layer is image))
    assert not dialog.settings_page.start_button.isEnabled()  # a real one is missing
    real = QgsRasterLayer(str(SAMPLE / "naip.tif"), "NAIP")
    QgsProject.instance().addMapLayer(real)
    dialog.restart()
    for row, layer in enumerate(dialog.settings_page.layers):
        kind = {image.id(): 2, real.id(): 1}.get(layer.id(), 0)
        dialog.settings_page.table.cellWidget(row, 1).setCurrentIndex(kind)
    dialog.settings_page.size_px.setValue(128)
    dialog.settings_page.seed.setValue(11)
    QTest.mouseClick(dialog.settings_page.start_button, Qt.MouseButton.LeftButton)
    wait_for(lambda: dialog.pages.currentWidget() is dialog.tile_page)
    screenshot(dialog, "first-example-tile")
    for number in range(20):
        QTest.keyClick(dialog.tile_page, Qt.Key.Key_R if number % 3 else Qt.Key.Key_S)
    assert dialog.pages.currentWidget() is dialog.result_page
    screenshot(dialog, "first-example-result")
