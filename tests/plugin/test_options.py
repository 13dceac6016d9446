"""Landforge's page in QGIS's options dialog, and its effect on the next job."""

import pytest
from landforge.plugin import settings
from landforge.plugin.bridge.environment_folders import landforge_folder
from landforge.plugin.options import OptionsFactory, OptionsPage, size_mb
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtWidgets import QFormLayout, QLabel

from tests.plugin.plugin_window import screenshot, wait_for


@pytest.fixture(autouse=True)
def clean():
    yield
    QgsSettings().remove("landforge")


@pytest.fixture
def page():
    page = OptionsFactory().createWidget(None)
    wait_for(lambda: "MB" in page.disk_space.text())
    yield page
    page.deleteLater()


def test_it_shows_what_is_set_and_keeps_what_is_changed(page):
    assert page.limit.value() == 2500 and page.cache.value() == 128 and page.device.currentData() == ""
    page.interpreter.setFilePath("/opt/python")
    page.device.setCurrentIndex(page.device.findData("cpu"))
    page.cache.setValue(512)
    page.scheduler.setText(" tcp://host:8786 ")
    page.esa.setText("http://mirror/worldcover")
    page.stac.setText("http://mirror/stac")
    page.limit.setValue(40)
    assert settings.get(settings.SCHEDULER) == "", "nothing is kept before the dialog is accepted"
    page.apply()
    assert settings.get(settings.INTERPRETER) == "/opt/python" and settings.get(settings.SCHEDULER) == "tcp://host:8786"
    assert settings.max_area_km2() == 40
    assert settings.variables() == {
        "LANDFORGE_DEVICE": "cpu",
        "LANDFORGE_ESA_URL": "http://mirror/worldcover",
        "LANDFORGE_STAC_URL": "http://mirror/stac",
        "GDAL_CACHEMAX": "512",
    }
    again = OptionsPage()
    assert (again.limit.value(), again.cache.value(), again.esa.text()) == (40, 512, "http://mirror/worldcover")
    assert again.device.currentData() == "cpu"


def test_a_cleared_field_restores_the_default(page):
    page.esa.setText("http://mirror")
    page.apply()
    page.esa.clear()
    page.apply()
    assert settings.variables() == {}


def test_the_limit_is_the_algorithms_default(page):
    page.limit.setValue(7)
    page.apply()
    algorithm = QgsApplication.processingRegistry().algorithmById("landforge:generatescene").create()
    assert algorithm.parameterDefinition("MAX_AREA_KM2").defaultValue() == 7


def test_a_limit_that_is_no_number_is_ignored():
    settings.put(settings.MAX_AREA, "many")
    assert settings.max_area_km2() == 2500


def test_the_disk_space_in_use_is_shown(page, tmp_path):
    assert str(landforge_folder(settings.profile())) in page.disk_space.text()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(b"0" * 3_000_000)
    (tmp_path / "loop").symlink_to(tmp_path / "in")
    assert size_mb(tmp_path) == 3 and size_mb(tmp_path / "none") == 0


def test_each_row_has_a_label_a_key_and_a_tip(page):
    form = page.layout()
    for row in range(form.rowCount()):
        label = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
        field = form.itemAt(row, QFormLayout.ItemRole.FieldRole)
        if label and not isinstance(field.widget(), QLabel):
            assert "&" in label.widget().text() and field.widget().toolTip()
    assert "LANDFORGE_PYTHON" in form.itemAt(form.rowCount() - 1, QFormLayout.ItemRole.SpanningRole).widget().text()
    page.resize(640, 420)
    screenshot(page, "options")
