"""The blind test: settings, tiles by mouse and keys, result and CSV."""

import csv

import pytest
from landforge.plugin.blind_test.dialog import BlindTestDialog
from landforge.plugin.blind_test.result_page import summary
from landforge.plugin.blind_test.settings_page import EXCLUDED, REAL, SYNTHETIC
from landforge.plugin.blind_test.tile_sampler import TileSampler
from landforge.plugin.blind_test.trial import Tile, Trial, wilson_interval
from qgis.core import QgsProject, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QImage
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAbstractButton, QLabel

from tests.plugin.plugin_window import QgisWindow, screenshot, settle, wait_for
from tests.plugin.raster_layers import SYNTHETIC_TAGS, image_layer
from tests.processing_provider.rasters import read_raster, write_raster

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
        image_layer(tmp_path, "Anytown 2021", GREEN),
        image_layer(tmp_path, "spade seed 7", BROWN, SYNTHETIC_TAGS),
    ]
    project.addMapLayers(layers)
    return layers


@pytest.fixture
def window(pair):
    qgis_window = QgisWindow()
    qgis_window.show_layer(pair[0])
    yield qgis_window
    qgis_window.window.close()


@pytest.fixture
def dialog(window):
    test_dialog = BlindTestDialog(window)
    test_dialog.settings_page.size_px.setValue(64)
    test_dialog.settings_page.count.setValue(8)
    test_dialog.settings_page.seed.setValue(3)
    test_dialog.show()
    yield test_dialog
    test_dialog.close()


def start_test(dialog):
    QTest.mouseClick(dialog.settings_page.start_button, LEFT)
    wait_for(lambda: dialog.pages.currentWidget() is dialog.tile_page)


def sample(real, synthetic, count=8, size_px=64, pixel_m=0.0, seed=3):
    """The tiles of a sampler, or its error message."""
    tiles, failures = [], []
    sampler = TileSampler(real, synthetic, count, size_px, pixel_m, seed)
    sampler.finished.connect(tiles.extend)
    sampler.failed.connect(failures.append)
    sampler.start()
    wait_for(lambda: tiles or failures)
    return failures[0] if failures else tiles


def test_wilson_against_published_values():
    """Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29, by the score method."""
    for successes, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        assert wilson_interval(successes, count) == pytest.approx((low, high), abs=5e-5)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5) and wilson_interval(0, 0) == (0, 1)


def test_from_start_to_csv(dialog, tmp_path, window):
    screenshot(dialog, "blind-test-choices")
    start_test(dialog)
    truth = [tile.synthetic for tile in dialog.tile_page.trial.tiles]
    assert set(truth) == {True, False}
    screenshot(dialog, "blind-test-tile")
    for number, synthetic in enumerate(truth):
        assert dialog.tile_page.count.text() == f"Tile {number + 1} of 8"
        answer = synthetic if number > 1 else not synthetic  # the first two are wrong
        if number % 2:
            QTest.keyClick(dialog.tile_page, Qt.Key.Key_S if answer else Qt.Key.Key_R)
        else:
            QTest.mouseClick(dialog.tile_page.synthetic_button if answer else dialog.tile_page.real_button, LEFT)
    assert dialog.pages.currentWidget() is dialog.result_page
    assert "75% right: 6 of 8" in dialog.result_page.summary.text() and dialog.result_page.wrong_tiles.count() == 2
    screenshot(dialog, "blind-test-result")
    dialog.result_page.export(str(tmp_path / "answers.csv"))
    with (tmp_path / "answers.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["truth"] == "synthetic" for row in rows] == truth
    assert [row["right"] for row in rows] == ["0"] * 2 + ["1"] * 6
    assert {row["layer"] for row in rows} == {"Anytown 2021", "spade seed 7"} and rows[0]["seed"] == "3"
    assert float(rows[0]["xmax"]) - float(rows[0]["xmin"]) == 64 and rows[0]["crs"] == "EPSG:32717"


def test_a_wrong_answer_is_shown_on_the_map(dialog, window):
    start_test(dialog)
    tile = dialog.tile_page.trial.tiles[0]
    dialog.tile_page.synthetic_button.click() if not tile.synthetic else dialog.tile_page.real_button.click()
    for other in dialog.tile_page.trial.tiles[1:]:
        (dialog.tile_page.synthetic_button if other.synthetic else dialog.tile_page.real_button).click()
    wrong_tiles = dialog.result_page.wrong_tiles
    settle()
    QTest.mouseClick(wrong_tiles.viewport(), LEFT, pos=wrong_tiles.visualItemRect(wrong_tiles.item(0)).center())
    extent, bounds = window.canvas.extent(), QgsRectangle(*tile.bounds)
    assert extent.contains(bounds.center()) and extent.height() == pytest.approx(64, rel=0.1)


def test_no_name_is_seen_during_the_test(dialog, pair):
    start_test(dialog)
    words = [widget.text() for kind in (QLabel, QAbstractButton) for widget in dialog.tile_page.findChildren(kind)]
    words += [widget.toolTip() for widget in dialog.findChildren(QLabel)] + [dialog.windowTitle()]
    assert any(words) and not any(layer.name() in word for layer in pair for word in words)


def test_a_tile_goes_after_its_time_and_waits_for_the_answer(dialog):
    dialog.settings_page.shown_s.setValue(0.2)
    start_test(dialog)
    assert dialog.tile_page.picture.pixmap() is not None and not dialog.tile_page.picture.text()
    wait_for(lambda: dialog.tile_page.picture.text() == "Real or synthetic?")
    settle(0.3)
    assert not dialog.tile_page.trial.answers
    dialog.tile_page.real_button.click()
    assert not dialog.tile_page.picture.text() and dialog.tile_page.trial.answers[0].seconds > 0.2


def test_stopping_and_closing_go_back_to_the_choices(dialog):
    start_test(dialog)
    dialog.tile_page.stop_button.click()
    assert dialog.pages.currentWidget() is dialog.settings_page and dialog.tile_page.trial is None
    start_test(dialog)
    dialog.close()
    dialog.show()
    assert dialog.pages.currentWidget() is dialog.settings_page and dialog.settings_page.start_button.isEnabled()


def test_the_seed_decides_the_tiles(pair):
    first, same, other = (sample(pair[:1], pair[1:], seed=seed) for seed in (3, 3, 4))
    bounds = [[(tile.layer_id, tile.bounds) for tile in tiles] for tiles in (first, same, other)]
    assert bounds[0] == bounds[1] != bounds[2]
    assert all(a.image == b.image for a, b in zip(first, same))


def test_real_and_synthetic_have_equal_chance_however_many_layers(tmp_path, pair):
    more_layers = [image_layer(tmp_path, f"more {number}", GREEN, size=100) for number in range(3)]
    tiles = sample([pair[0], *more_layers], pair[1:], count=120, size_px=16)
    assert 40 <= sum(tile.synthetic for tile in tiles) <= 80
    assert len({tile.layer_id for tile in tiles}) == 5


def test_a_tile_shows_its_bounds_pixel_by_pixel(pair):
    for tile in sample(pair[:1], pair[1:]):
        source = read_raster(pair[tile.synthetic].source())
        row, col = round(9985000 - tile.bounds[3]), round(tile.bounds[0] - 778000)
        for x, y in ((0, 0), (63, 63), (10, 50)):
            colour = tile.image.pixelColor(x, y)
            assert (colour.red(), colour.green(), colour.blue()) == tuple(source[:, row + y, col + x])


def test_equal_pixels_of_unequal_layers(tmp_path, pair, project):
    coarse = image_layer(tmp_path, "coarse", BROWN, SYNTHETIC_TAGS)
    path = write_raster(tmp_path / "coarse2.tif", read_raster(coarse.source()), pixel=2.0)
    tiles = sample(pair[:1], [QgsRasterLayer(path, "coarse")])
    assert {tile.pixel_m for tile in tiles} == {2.0} and len({tile.synthetic for tile in tiles}) == 2
    assert all(tile.bounds[2] - tile.bounds[0] == 128 for tile in tiles)
    assert {tile.pixel_m for tile in sample(pair[:1], pair[1:], pixel_m=1.5)} == {1.5}


def test_degrees_are_drawn_in_metres(tmp_path, pair):
    path = write_raster(tmp_path / "degrees.tif", read_raster(pair[0].source()), 4326, origin=(-78.5, -0.1), pixel=9e-6)
    tiles = sample([QgsRasterLayer(path, "degrees")], pair[1:])
    assert {tile.pixel_m for tile in tiles} == {1.0} and {tile.crs for tile in tiles} == {"EPSG:32717"}


def test_nodata_is_not_shown(tmp_path, pair, project):
    """With data in one corner only, all tiles lie in it."""
    pixels = read_raster(pair[0].source())
    pixels[:, :, 200:] = pixels[:, 200:] = 0
    path = write_raster(tmp_path / "corner.tif", pixels)
    from osgeo import gdal

    source = gdal.Open(path, gdal.GA_Update)
    for band in (1, 2, 3):
        source.GetRasterBand(band).SetNoDataValue(0)
    source = None
    layer = QgsRasterLayer(path, "corner")
    tiles = [tile for tile in sample([layer], pair[1:], size_px=16, pixel_m=10) if not tile.synthetic]
    assert tiles and all(tile.bounds[2] <= 780000 and tile.bounds[1] >= 9983000 for tile in tiles)
    assert "without nodata" in sample([layer], [layer], size_px=300, pixel_m=10)


def test_too_small_a_layer_is_reported(dialog):
    dialog.settings_page.size_px.setValue(512)
    dialog.settings_page.start_button.click()
    wait_for(lambda: dialog.settings_page.message.text())
    assert "Choose smaller tiles" in dialog.settings_page.message.text() and dialog.settings_page.isEnabled()


def test_styles_do_not_tell_them_apart(tmp_path, pair):
    """A stretch that the user set on one layer is not used."""
    pair[0].setContrastEnhancement(1)
    renderer = pair[0].renderer()
    for enhancement in (renderer.redContrastEnhancement(), renderer.greenContrastEnhancement()):
        if enhancement:
            enhancement.setMaximumValue(60)
    test_a_tile_shows_its_bounds_pixel_by_pixel(pair)
    assert pair[0].renderer() is not None and pair[0].name() == "Anytown 2021"


def test_both_kinds_are_needed(dialog):
    box = dialog.settings_page.table.cellWidget(0, 1)
    assert {dialog.settings_page.table.cellWidget(row, 1).currentIndex() for row in (0, 1)} == {REAL, SYNTHETIC}
    box.setCurrentIndex(EXCLUDED)
    start_button = dialog.settings_page.start_button
    assert not start_button.isEnabled() and "at least one" in start_button.toolTip()
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


def test_a_file_that_cannot_be_written_is_reported(dialog):
    start_test(dialog)
    for _ in range(8):
        QTest.keyClick(dialog.tile_page, Qt.Key.Key_Left)
    dialog.result_page.export("/proc/none/answers.csv")
    assert "Cannot write" in dialog.result_page.message.text()
