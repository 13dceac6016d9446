"""Landforge's page in QGIS's options dialog, and what it does to the next job."""

import pytest
from landforge.plugin import settings
from landforge.plugin.bridge import places
from landforge.plugin.options import OptionsFactory, OptionsPage, size_mb
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtWidgets import QFormLayout, QLabel

from tests.plugin.desk import PICTURES, wait_for


@pytest.fixture(autouse=True)
def clean():
    yield
    QgsSettings().remove("landforge")


@pytest.fixture
def page():
    found = OptionsFactory().createWidget(None)
    wait_for(lambda: "MB" in found.room.text())
    yield found
    found.deleteLater()


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


def test_what_is_emptied_is_as_it_was(page):
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


def test_a_setting_that_is_no_number_is_not_believed():
    settings.put(settings.MAX_AREA, "many")
    assert settings.max_area_km2() == 2500


def test_the_room_in_use_is_counted(page, tmp_path):
    assert str(places.home(settings.profile())) in page.room.text()
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
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.grab().save(str(PICTURES / "options.png"))
