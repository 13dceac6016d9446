"""Real or synthetic? From the choices, through the tiles by mouse and keys, to the result and its CSV."""

import csv

import pytest
from landforge.plugin.blind import tiles as drawing
from landforge.plugin.blind.dialog import BlindTest
from landforge.plugin.blind.result_page import summary
from landforge.plugin.blind.set_up_page import LEFT_OUT, REAL, SYNTHETIC
from landforge.plugin.blind.trial import Tile, Trial, wilson
from qgis.core import QgsProject, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QImage
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAbstractButton, QLabel

from tests.plugin import viewing
from tests.plugin.desk import Window, settle, wait_for
from tests.plugin.viewing import SYNTHETIC_TAGS
from tests.processing_provider.conftest import read_raster, write_raster

GREEN, BROWN = (40, 120, 40), (150, 110, 70)
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def project():
    QgsProject.instance().clear()
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.fixture
def pair(tmp_path, project):
    layers = [
        viewing.scene(tmp_path, "Anytown 2021", GREEN),
        viewing.scene(tmp_path, "spade seed 7", BROWN, SYNTHETIC_TAGS),
    ]
    project.addMapLayers(layers)
    return layers


@pytest.fixture
def window(pair):
    found = Window()
    found.look_at(pair[0])
    yield found
    found.window.close()


@pytest.fixture
def dialog(window):
    found = BlindTest(window)
    found.set_up.size_px.setValue(64)
    found.set_up.count.setValue(8)
    found.set_up.seed.setValue(3)
    found.show()
    yield found
    found.close()


def begin(dialog):
    QTest.mouseClick(dialog.set_up.start_button, LEFT)
    wait_for(lambda: dialog.pages.currentWidget() is dialog.test)


def drawn(real, synthetic, count=8, size_px=64, pixel_m=0.0, seed=3):
    found, failures = [], []
    draw = drawing.Draw(real, synthetic, count, size_px, pixel_m, seed)
    draw.finished.connect(found.extend)
    draw.failed.connect(failures.append)
    draw.start()
    wait_for(lambda: found or failures)
    return failures[0] if failures else found


def test_wilson_against_published_values():
    """Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29, by the score method."""
    for right, asked, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        assert wilson(right, asked) == pytest.approx((low, high), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5) and wilson(0, 0) == (0, 1)


def test_from_start_to_csv(dialog, tmp_path, window):
    viewing.screenshot(dialog, "blind-test-choices")
    begin(dialog)
    truth = [tile.synthetic for tile in dialog.test.trial.tiles]
    assert set(truth) == {True, False}
    viewing.screenshot(dialog, "blind-test-tile")
    for number, synthetic in enumerate(truth):
        assert dialog.test.count.text() == f"Tile {number + 1} of 8"
        said = synthetic if number > 1 else not synthetic  # the first two wrongly
        if number % 2:
            QTest.keyClick(dialog.test, Qt.Key.Key_S if said else Qt.Key.Key_R)
        else:
            QTest.mouseClick(dialog.test.synthetic_button if said else dialog.test.real_button, LEFT)
    assert dialog.pages.currentWidget() is dialog.result
    assert "75% right: 6 of 8" in dialog.result.summary.text() and dialog.result.wrong.count() == 2
    viewing.screenshot(dialog, "blind-test-result")
    dialog.result.export(str(tmp_path / "answers.csv"))
    rows = list(csv.DictReader((tmp_path / "answers.csv").open(encoding="utf-8")))
    assert [row["truth"] == "synthetic" for row in rows] == truth and [row["right"] for row in rows] == ["0"] * 2 + [
        "1"
    ] * 6
    assert {row["layer"] for row in rows} == {"Anytown 2021", "spade seed 7"} and rows[0]["seed"] == "3"
    assert float(rows[0]["xmax"]) - float(rows[0]["xmin"]) == 64 and rows[0]["crs"] == "EPSG:32717"


def test_what_fooled_is_shown_on_the_map(dialog, window):
    begin(dialog)
    tile = dialog.test.trial.tiles[0]
    dialog.test.synthetic_button.click() if not tile.synthetic else dialog.test.real_button.click()
    for other in dialog.test.trial.tiles[1:]:
        (dialog.test.synthetic_button if other.synthetic else dialog.test.real_button).click()
    wrong = dialog.result.wrong
    settle()
    QTest.mouseClick(wrong.viewport(), LEFT, pos=wrong.visualItemRect(wrong.item(0)).center())
    extent, place = window.canvas.extent(), QgsRectangle(*tile.bounds)
    assert extent.contains(place.center()) and extent.height() == pytest.approx(64, rel=0.1)


def test_no_name_is_seen_during_the_test(dialog, pair):
    begin(dialog)
    words = [widget.text() for kind in (QLabel, QAbstractButton) for widget in dialog.test.findChildren(kind)]
    words += [widget.toolTip() for widget in dialog.findChildren(QLabel)] + [dialog.windowTitle()]
    assert any(words) and not any(layer.name() in word for layer in pair for word in words)


def test_a_tile_goes_after_its_time_and_waits_for_the_answer(dialog):
    dialog.set_up.shown_s.setValue(0.2)
    begin(dialog)
    assert dialog.test.picture.pixmap() is not None and not dialog.test.picture.text()
    wait_for(lambda: dialog.test.picture.text() == "Real or synthetic?", 2)
    settle(0.3)
    assert not dialog.test.trial.answers
    dialog.test.real_button.click()
    assert not dialog.test.picture.text() and dialog.test.trial.answers[0].seconds > 0.2


def test_stopping_and_closing_go_back_to_the_choices(dialog):
    begin(dialog)
    dialog.test.stop_button.click()
    assert dialog.pages.currentWidget() is dialog.set_up and dialog.test.trial is None
    begin(dialog)
    dialog.close()
    dialog.show()
    assert dialog.pages.currentWidget() is dialog.set_up and dialog.set_up.start_button.isEnabled()


def test_the_seed_decides_the_tiles(pair):
    one, same, other = (drawn(pair[:1], pair[1:], seed=seed) for seed in (3, 3, 4))
    places = [[(tile.layer_id, tile.bounds) for tile in tiles] for tiles in (one, same, other)]
    assert places[0] == places[1] != places[2]
    assert all(a.image == b.image for a, b in zip(one, same))


def test_real_and_synthetic_have_equal_chance_however_many_layers(tmp_path, pair):
    more = [viewing.scene(tmp_path, f"more {number}", GREEN, size=100) for number in range(3)]
    tiles = drawn([pair[0], *more], pair[1:], count=120, size_px=16)
    assert 40 <= sum(tile.synthetic for tile in tiles) <= 80
    assert len({tile.layer_id for tile in tiles}) == 5


def test_a_tile_shows_its_place_pixel_by_pixel(pair):
    for tile in drawn(pair[:1], pair[1:]):
        source = read_raster(pair[tile.synthetic].source())
        row, col = round(9985000 - tile.bounds[3]), round(tile.bounds[0] - 778000)
        for x, y in ((0, 0), (63, 63), (10, 50)):
            found = tile.image.pixelColor(x, y)
            assert (found.red(), found.green(), found.blue()) == tuple(source[:, row + y, col + x])


def test_equal_pixels_of_unequal_layers(tmp_path, pair, project):
    coarse = viewing.scene(tmp_path, "coarse", BROWN, SYNTHETIC_TAGS)
    path = write_raster(tmp_path / "coarse2.tif", read_raster(coarse.source()), pixel=2.0)
    tiles = drawn(pair[:1], [QgsRasterLayer(path, "coarse")])
    assert {tile.pixel_m for tile in tiles} == {2.0} and len({tile.synthetic for tile in tiles}) == 2
    assert all(tile.bounds[2] - tile.bounds[0] == 128 for tile in tiles)
    assert {tile.pixel_m for tile in drawn(pair[:1], pair[1:], pixel_m=1.5)} == {1.5}


def test_degrees_are_drawn_in_metres(tmp_path, pair):
    path = write_raster(tmp_path / "degrees.tif", read_raster(pair[0].source()), 4326, origin=(-78.5, -0.1), pixel=9e-6)
    tiles = drawn([QgsRasterLayer(path, "degrees")], pair[1:])
    assert {tile.pixel_m for tile in tiles} == {1.0} and {tile.crs for tile in tiles} == {"EPSG:32717"}


def test_nodata_is_not_shown(tmp_path, pair, project):
    """Data in a corner alone: every tile lies in it."""
    pixels = read_raster(pair[0].source())
    pixels[:, :, 200:] = pixels[:, 200:] = 0
    path = write_raster(tmp_path / "corner.tif", pixels)
    from osgeo import gdal

    source = gdal.Open(path, gdal.GA_Update)
    for band in (1, 2, 3):
        source.GetRasterBand(band).SetNoDataValue(0)
    source = None
    layer = QgsRasterLayer(path, "corner")
    tiles = [tile for tile in drawn([layer], pair[1:], size_px=16, pixel_m=10) if not tile.synthetic]
    assert tiles and all(tile.bounds[2] <= 780000 and tile.bounds[1] >= 9983000 for tile in tiles)
    assert "without nodata" in drawn([layer], [layer], size_px=300, pixel_m=10)


def test_too_small_a_layer_is_said(dialog):
    dialog.set_up.size_px.setValue(512)
    dialog.set_up.start_button.click()
    wait_for(lambda: dialog.set_up.said.text())
    assert "Choose smaller tiles" in dialog.set_up.said.text() and dialog.set_up.isEnabled()


def test_styles_do_not_tell_them_apart(tmp_path, pair):
    """A stretch that the user gave one layer is not the test's."""
    pair[0].setContrastEnhancement(1)
    renderer = pair[0].renderer()
    for enhancement in (renderer.redContrastEnhancement(), renderer.greenContrastEnhancement()):
        if enhancement:
            enhancement.setMaximumValue(60)
    test_a_tile_shows_its_place_pixel_by_pixel(pair)
    assert pair[0].renderer() is not None and pair[0].name() == "Anytown 2021"


def test_both_kinds_are_needed(dialog):
    box = dialog.set_up.table.cellWidget(0, 1)
    assert {dialog.set_up.table.cellWidget(row, 1).currentIndex() for row in (0, 1)} == {REAL, SYNTHETIC}
    box.setCurrentIndex(LEFT_OUT)
    assert not dialog.set_up.start_button.isEnabled() and "at least one" in dialog.set_up.start_button.toolTip()
    box.setCurrentIndex(REAL)


def tile(synthetic):
    image = QImage(4, 4, QImage.Format.Format_ARGB32)
    image.fill(QColor(1, 2, 3))
    return Tile("id", "name", synthetic, (0, 0, 4, 4), "EPSG:32717", 1.0, image)


@pytest.mark.parametrize("right, words", [(10, "does not show"), (18, "you can tell"), (2, "take one for the other")])
def test_the_verdict(right, words):
    trial = Trial([tile(number % 2 == 0) for number in range(20)], 3, 0)
    for number in range(20):
        truth = number % 2 == 0
        trial.answer(truth if number < right else not truth, 1.0)
    assert trial.tile is None and words in summary(trial)


def test_a_file_that_cannot_be_written_is_said(dialog):
    begin(dialog)
    for _ in range(8):
        QTest.keyClick(dialog.test, Qt.Key.Key_Left)
    dialog.result.export("/proc/none/answers.csv")
    assert "Cannot write" in dialog.result.said.text()
