"""Panels, test and options without a mouse: Tab reaches all in the order seen, and no letter means two things."""

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

from tests.plugin.desk import Desk, settle, wait_for
from tests.plugin.viewing import scene

MENUS = {"en": "JEVLSPORDWMCH", "es": "YEVCFMORDW"}
"""The letters of QGIS's own menu bar, which a docked panel shares the window with."""

LINE_PX = 24


@pytest.fixture(params=["en", "es"])
def language(request):
    found = translation.install("es_MX") if request.param == "es" else None
    yield request.param
    if found is not None:
        QCoreApplication.removeTranslator(found)


@pytest.fixture
def desk(language):
    QgsProject.instance().clear()
    found = Desk()
    found.iface.window.activateWindow()
    yield found
    found.close()
    QgsProject.instance().clear()


def controls(parent):
    """What Tab should reach."""
    return {
        widget
        for widget in parent.findChildren(QWidget)
        if widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
        and not isinstance(widget, QScrollArea)
    }


def walked(parent):
    """The controls in the order in which Tab reaches them, from the first one seen."""
    expected, found = controls(parent), []
    first = min(expected, key=lambda widget: place(widget, parent))
    first.setFocus()
    for _ in range(4 * len(expected)):
        widget = QApplication.focusWidget()
        if widget in found:
            break
        found += [widget] if widget in expected else []
        QTest.keyClick(widget, Qt.Key.Key_Tab)
    assert expected - set(found) == set(), "out of the keyboard's reach"
    return found


def place(widget, parent):
    """Its first line: down, and to the right."""
    across = 0 if isinstance(widget, QGroupBox) else widget.width() // 2
    line = widget.mapTo(parent, QPoint(across, min(widget.height(), LINE_PX) // 2))
    return line.y(), line.x()


def in_order(widgets, parent):
    """Whether each control lies below the one before it, or beside it to the right."""
    for one, other in zip(widgets, widgets[1:]):
        (y, x), (below, beside) = place(one, parent), place(other, parent)
        same_row = abs(below - y) < LINE_PX / 2
        assert beside > x if same_row else below > y, (one, other)


def letters(parent):
    """The mnemonics that can be pressed now."""
    told = [
        *(label.text() for label in parent.findChildren(QLabel) if label.isVisible() and label.buddy()),
        *(button.text() for button in parent.findChildren(QAbstractButton) if button.isVisible()),
        *(box.title() for box in parent.findChildren(QGroupBox) if box.isVisible()),
    ]
    pressed = [QKeySequence.mnemonic(text).toString()[-1:] for text in told]
    return [letter for letter in pressed if letter]


def test_the_docked_panels(desk, language):
    panel, compare = desk.panel, desk.plugin.windows
    compare.compare()
    settle()
    panel.form.shares.setCollapsed(False)
    for number in range(panel.form.what.count()):
        panel.form.what.setCurrentIndex(number)
        settle(0.05)
        for dock in (panel, compare.panel):
            in_order(walked(dock.widget()), dock.widget())
        asked = letters(panel.widget()) + letters(compare.panel.widget())
        assert len(asked) > 3 and len(asked) == len(set(asked)), asked
        assert not set(asked) & set(MENUS[language])


def test_the_letters_of_qgis_own_menus():
    """Where QGIS's translation is at hand, they are what is said above."""
    path = Path("/usr/share/qgis/i18n/qgis_es.qm")
    if not path.is_file():
        pytest.skip("QGIS is installed elsewhere")
    spanish = QTranslator()
    assert spanish.load(str(path))
    titles = ["Pro&ject", "&Edit", "&View", "&Layer", "&Settings", "&Plugins", "Vect&or", "&Raster", "&Mesh", "&Help"]
    found = [spanish.translate("MainWindow", title) for title in titles]
    assert {QKeySequence.mnemonic(title).toString()[-1] for title in found if title} <= set(MENUS["es"])
    assert {QKeySequence.mnemonic(title).toString()[-1] for title in titles} <= set(MENUS["en"])


def test_the_blind_test(desk, tmp_path):
    for name, colour, tags in (("one", (90, 120, 60), None), ("two", (60, 90, 120), {"LANDFORGE_SYNTHETIC": "YES"})):
        QgsProject.instance().addMapLayer(scene(tmp_path, name, colour, tags))
    desk.plugin.windows.blind_test()
    test = desk.plugin.windows.test
    test.activateWindow()
    settle()
    in_order(walked(test), test)
    asked = letters(test)
    assert len(asked) > 4 and len(asked) == len(set(asked)), asked
    test.set_up.start_button.setFocus()
    QTest.keyClick(test.set_up.start_button, Qt.Key.Key_Space)
    wait_for(lambda: test.pages.currentWidget() is test.test)
    assert QApplication.focusWidget() is test.test and len(letters(test.test)) == 1, "keys answer, and one ends it"
    for _ in range(test.set_up.count.value()):
        QTest.keyClick(test.test, Qt.Key.Key_R)
    assert test.pages.currentWidget() is test.result
    in_order(walked(test.result), test.result)
    assert len(letters(test.result)) == 2


def test_the_page_of_options(desk):
    dialog = QDialog()
    page = OptionsFactory().createWidget(dialog)
    QVBoxLayout(dialog).addWidget(page)
    dialog.show()
    dialog.activateWindow()
    wait_for(lambda: "MB" in page.room.text())
    in_order(walked(page), page)
    asked = letters(page)
    assert len(asked) > 5 and len(asked) == len(set(asked)), asked
    assert not set(asked) & set("OCH"), "some desktops give these to OK, Cancel and Help"
    dialog.close()
