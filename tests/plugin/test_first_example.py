"""docs/user/first_example.md, step by step; makes its pictures, which `make screenshots` puts into docs."""

import processing
import pytest
from landforge.plugin.windows import Windows
from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingOutputLayerDefinition, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest

from tests.plugin import viewing
from tests.plugin.desk import Window, settle, wait_for
from tests.processing_provider.test_chain import bundled
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
def window(project):
    found = Window()
    yield found
    found.window.close()


def generated(project, folder):
    """Step 2, and the sample's image: layers by what they are."""
    names = {"real": "real:OUTPUT", "map": "synthetic:OUTPUT_LANDCOVER", "image": "synthetic:OUTPUT_IMAGE"}
    outputs = {key: QgsProcessingOutputLayerDefinition(str(folder / f"{n}.tif"), project) for n, key in names.items()}
    given = {"EXTENT": EXTENT, "SOURCE": "layer", "LAYER": str(SAMPLE / "worldcover.tif"), "GENERATOR": "spade"}
    files = {"difference:OUTPUT": "d.tif", "difference:OUTPUT_TABLE": "d.csv", "difference:OUTPUT_REPORT": "d.html"}
    files = {key: str(folder / name) for key, name in files.items()}
    processing.runAndLoadResults("landforge:extenttocomparedscene", {**given, "SEED": 7, **outputs, **files})
    by_path = {layer.source(): layer for layer in project.mapLayers().values()}
    return {name: by_path[str(folder / f"{name}.tif")] for name in names}


@bundled("landcover")
@bundled("spade")
def test_the_first_example(window, project, tmp_path):
    layers = generated(project, tmp_path)
    layers["real"].setName("WorldCover (the sample)")
    window.window.resize(1500, 760)
    window.look_at(layers["map"])
    windows = Windows(window)
    windows.compare()
    panel, canvas = windows.panel, window.canvas
    panel.setMinimumWidth(520)
    panel.real.setLayer(layers["real"])
    panel.synthetic.setLayer(layers["map"])
    settle()
    QTest.mouseClick(panel.swipe_button, Qt.MouseButton.LeftButton)
    viewing.drag(canvas, QPoint(100, 200), QPoint(canvas.width() * 55 // 100, 260))
    wait_for(lambda: all(not sheet.image.isNull() for sheet in panel.tool.sheets) and not canvas.isDrawing())
    assert panel.tool.item.share == pytest.approx(0.55, abs=0.01)
    QTest.mouseClick(panel.difference_button, Qt.MouseButton.LeftButton)
    wait_for(lambda: panel.run is None)
    assert "The maps agree on" in panel.table.toPlainText()
    settle(0.3)
    viewing.screenshot(window.window, "first-example-compare")
    blind_test(windows, layers["image"])
    windows.close()


def blind_test(windows, image):
    """Step 4, over the image alone: what is asked here is only that the window goes through."""
    windows.blind_test()
    test = windows.test
    for row, layer in enumerate(test.set_up.rasters):
        test.set_up.table.cellWidget(row, 1).setCurrentIndex(2 * (layer is image))
    assert not test.set_up.start_button.isEnabled()  # a real one is missing
    real = QgsRasterLayer(str(SAMPLE / "naip.tif"), "NAIP")
    QgsProject.instance().addMapLayer(real)
    test.restart()
    for row, layer in enumerate(test.set_up.rasters):
        kind = {image.id(): 2, real.id(): 1}.get(layer.id(), 0)
        test.set_up.table.cellWidget(row, 1).setCurrentIndex(kind)
    test.set_up.size_px.setValue(128)
    test.set_up.seed.setValue(11)
    QTest.mouseClick(test.set_up.start_button, Qt.MouseButton.LeftButton)
    wait_for(lambda: test.pages.currentWidget() is test.test)
    viewing.screenshot(test, "first-example-tile")
    for number in range(20):
        QTest.keyClick(test.test, Qt.Key.Key_R if number % 3 else Qt.Key.Key_S)
    assert test.pages.currentWidget() is test.result
    viewing.screenshot(test, "first-example-result")
