"""The panels, the blind test and the options by keyboard: Tab order and mnemonics."""

from pathlib import Path

import pytest
from landforge.plugin import translation
from landforge.plugin.options import OptionsFactory
from qgis.core import QgsProject
from qgis.PyQt.QtCore import QCoreApplication, QPoint, Qt, QTranslator
from qgis.PyQt.QtGui import QKeySequence
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QGroupBox,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from tests.plugin.plugin_window import PluginWindow, settle, wait_for
from tests.plugin.raster_layers import image_layer

MENU_LETTERS = {"en": "JEVLSPORDWMCH", "es": "YEVCFMORDW"}
"""The letters of QGIS's own menu bar, which a docked panel shares the window with."""

LINE_PX = 24


@pytest.fixture(params=["en", "es"])
def language(request):
    translator = translation.install("es_MX") if request.param == "es" else None
    yield request.param
    if translator is not None:
        QCoreApplication.removeTranslator(translator)


@pytest.fixture
def window(language, warm_ups):
    QgsProject.instance().clear()
    plugin_window = PluginWindow()
    plugin_window.iface.window.activateWindow()
    yield plugin_window
    plugin_window.close()
    QgsProject.instance().clear()


def controls(parent):
    """The controls that Tab should reach."""
    return {
        widget
        for widget in parent.findChildren(QWidget)
        if widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
        and not isinstance(widget, QScrollArea)
    }


def tab_order(parent):
    """The controls in the order in which Tab reaches them, from the top left one."""
    expected, reached = controls(parent), []
    first = min(expected, key=lambda widget: position(widget, parent))
    first.setFocus()
    for _ in range(4 * len(expected)):
        widget = QApplication.focusWidget()
        if widget in reached:
            break
        reached += [widget] if widget in expected else []
        QTest.keyClick(widget, Qt.Key.Key_Tab)
    assert expected - set(reached) == set(), "out of the keyboard's reach"
    return reached


def position(widget, parent):
    """The y and x of a widget's first line."""
    x = 0 if isinstance(widget, QGroupBox) else widget.width() // 2
    line = widget.mapTo(parent, QPoint(x, min(widget.height(), LINE_PX) // 2))
    return line.y(), line.x()


def check_order(widgets, parent):
    """Assert that each control lies below the previous one, or in its row to the right."""
    for widget, following in zip(widgets, widgets[1:]):
        (y, x), (next_y, next_x) = position(widget, parent), position(following, parent)
        same_row = abs(next_y - y) < LINE_PX / 2
        assert next_x > x if same_row else next_y > y, (widget, following)


def mnemonics(parent):
    """The letters of the visible mnemonics."""
    texts = [
        *(label.text() for label in parent.findChildren(QLabel) if label.isVisible() and label.buddy()),
        *(button.text() for button in parent.findChildren(QAbstractButton) if button.isVisible()),
        *(box.title() for box in parent.findChildren(QGroupBox) if box.isVisible()),
    ]
    letters = [QKeySequence.mnemonic(text).toString()[-1:] for text in texts]
    return [letter for letter in letters if letter]


def test_the_docked_panels(window, language):
    panel, result_windows = window.panel, window.plugin.result_windows
    result_windows.show_compare_panel()
    settle()
    panel.form.shares.setCollapsed(False)
    for number in range(panel.form.output.count()):
        panel.form.output.setCurrentIndex(number)
        settle(0.05)
        for dock in (panel, result_windows.compare_panel):
            check_order(tab_order(dock.widget()), dock.widget())
        letters = mnemonics(panel.widget()) + mnemonics(result_windows.compare_panel.widget())
        assert len(letters) > 3 and len(letters) == len(set(letters)), letters
        assert not set(letters) & set(MENU_LETTERS[language])


def test_the_letters_of_qgis_own_menus():
    """MENU_LETTERS has them all, where QGIS's translation is installed."""
    path = Path("/usr/share/qgis/i18n/qgis_es.qm")
    if not path.is_file():
        pytest.skip("QGIS is installed elsewhere")
    spanish = QTranslator()
    assert spanish.load(str(path))
    titles = ["Pro&ject", "&Edit", "&View", "&Layer", "&Settings", "&Plugins", "Vect&or", "&Raster", "&Mesh", "&Help"]
    spanish_titles = [spanish.translate("MainWindow", title) for title in titles]
    assert {QKeySequence.mnemonic(title).toString()[-1] for title in spanish_titles if title} <= set(MENU_LETTERS["es"])
    assert {QKeySequence.mnemonic(title).toString()[-1] for title in titles} <= set(MENU_LETTERS["en"])


def test_the_blind_test(window, tmp_path):
    for name, colour, tags in (("one", (90, 120, 60), None), ("two", (60, 90, 120), {"LANDFORGE_SYNTHETIC": "YES"})):
        QgsProject.instance().addMapLayer(image_layer(tmp_path, name, colour, tags))
    window.plugin.result_windows.show_blind_test()
    dialog = window.plugin.result_windows.blind_test_dialog
    dialog.activateWindow()
    settle()
    check_order(tab_order(dialog), dialog)
    letters = mnemonics(dialog)
    assert len(letters) > 4 and len(letters) == len(set(letters)), letters
    dialog.settings_page.start_button.setFocus()
    QTest.keyClick(dialog.settings_page.start_button, Qt.Key.Key_Space)
    wait_for(lambda: dialog.pages.currentWidget() is dialog.tile_page)
    assert QApplication.focusWidget() is dialog.tile_page, "which the answer keys need"
    assert len(mnemonics(dialog.tile_page)) == 1, "to stop the test"
    for _ in range(dialog.settings_page.count.value()):
        QTest.keyClick(dialog.tile_page, Qt.Key.Key_R)
    assert dialog.pages.currentWidget() is dialog.result_page
    check_order(tab_order(dialog.result_page), dialog.result_page)
    assert len(mnemonics(dialog.result_page)) == 2


def test_the_page_of_options(window):
    dialog = QDialog()
    page = OptionsFactory().createWidget(dialog)
    QVBoxLayout(dialog).addWidget(page)
    dialog.show()
    dialog.activateWindow()
    wait_for(lambda: "MB" in page.disk_space.text())
    check_order(tab_order(page), page)
    letters = mnemonics(page)
    assert len(letters) > 5 and len(letters) == len(set(letters)), letters
    assert not set(letters) & set("OCH"), "some desktops give these to OK, Cancel and Help"
    dialog.close()
