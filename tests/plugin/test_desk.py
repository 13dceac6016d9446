"""The analyst's desk with real clicks: draw, generate, look; cancel; first run; another seed; more of it."""

import json
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import qgis.utils
from landforge.plugin import estimates, outputs, settings, styles
from landforge.plugin.bridge import environment, process
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsPalettedRasterRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtTest import QTest

from tests.plugin.desk import RIGHT, Desk, settle, wait_for
from tests.qgis_environment import ROOT

HERE = Path(__file__).parent
GENERATING = ("generatelandcover", "generateimage", "generatescene", "regeneratearea")
VIEW = (778000, 9984000, 780000, 9985500)
TOO_BUSY = 4
CORNERS = (778500, 9984400), (779100, 9984800)


@pytest.fixture
def project():
    QgsProject.instance().clear()
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem())
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.fixture
def desk(project, monkeypatch):
    found = Desk()
    monkeypatch.setattr(qgis.utils, "iface", found.iface)
    yield found
    if found.panel.generation is not None:
        found.panel.cancel()
        found.done(10)
    process.stop_worker()
    found.close()
    QgsSettings().remove("landforge")


@pytest.fixture
def scripted(tmp_path, monkeypatch):
    """The real backend but for the jobs that generate, which need no model."""
    root = tmp_path / "backend's"
    (root / "backend" / "jobs").mkdir(parents=True)
    for path in (ROOT / "backend").iterdir():
        if path.name not in ("jobs", "__pycache__"):
            (root / "backend" / path.name).symlink_to(path)
    (root / "backend" / "jobs" / "__init__.py").touch()
    for name in GENERATING:
        shutil.copy(HERE / "scripted_generation.py", root / "backend" / "jobs" / f"{name}.py")
    monkeypatch.setattr(process, "ROOT", root)
    return monkeypatch.setenv


def draw(desk, corners=CORNERS):
    desk.click(desk.panel.places.rectangle)
    desk.drag(*corners)


def drawn(desk, scripted, pace=0.0):
    """The desk with a rectangle on it, and a backend of some pace."""
    scripted("LANDFORGE_TEST_PACE_S", str(pace))
    desk.look_at(*VIEW)
    draw(desk)
    return desk


def rasters():
    return [layer for layer in QgsProject.instance().mapLayers().values() if isinstance(layer, QgsRasterLayer)]


def named(word):
    (found,) = [layer for layer in rasters() if word in layer.name()]
    return found


def test_three_actions_from_an_empty_project_to_a_scene(desk, scripted):
    draw_button, panel = desk.panel.places.rectangle, desk.panel
    assert not panel.generate_button.isEnabled() and "Draw" in panel.size.text()
    desk.click(draw_button)
    assert draw_button.isChecked() and "Ithaca" in panel.message.text()
    centre = desk.canvas.extent().center()
    desk.drag((centre.x() - 400, centre.y() - 300), (centre.x() + 400, centre.y() + 300))
    assert not draw_button.isChecked() and panel.places.place.crs.authid() == "EPSG:3857"
    desk.click(panel.generate_button)
    desk.done()
    image, landcover = named("Image"), named("Land cover")
    assert panel.message.text().startswith("Done: Image SYNTHETIC")
    assert isinstance(landcover.renderer(), QgsPalettedRasterRenderer) and image.extent() == landcover.extent()
    assert landcover.crs().authid() == "EPSG:32618"
    (group,) = QgsProject.instance().layerTreeRoot().children()
    assert group.name() == "42.443° N 76.502° W · spade · seed 0"
    assert [node.name() for node in group.children()] == [image.name(), landcover.name(), "Extent"]
    settle()
    assert {image, landcover} <= set(desk.canvas.layers())
    desk.picture("scene")


def test_a_rectangle_says_what_it_will_cost(desk, scripted):
    drawn(desk, scripted)
    panel = desk.panel
    box = panel.places.place.box
    assert abs(box.xMinimum() - 778500) < 5 and abs(box.yMaximum() - 9984800) < 5
    width, height = panel.estimate.sizes_px[1.0]
    assert 590 <= width <= 620 and 390 <= height <= 420
    for word in (f"{width:,} × {height:,} px", "km²", "about", "MB"):
        assert word in panel.size.text().replace(estimates.NO_BREAK, " ")
    fast = panel.estimate.seconds
    panel.form.generator.setCurrentIndex(panel.form.generator.findData("controlnet"))
    slow = panel.estimate.seconds
    assert fast < slow
    panel.form.steps.setValue(100)
    assert panel.estimate.parts["controlnet"] < slow, "it takes no more than its own few"
    panel.form.what.setCurrentIndex(panel.form.what.findData(estimates.LANDCOVER))
    assert "image" not in panel.size.text() and not panel.form.generator.isVisible()


def test_the_estimate_is_what_the_result_has(desk, scripted):
    drawn(desk, scripted)
    sizes = desk.panel.estimate.sizes_px
    desk.click(desk.panel.generate_button)
    desk.done()
    for layer, pixel_m in ((named("Image"), 1.0), (named("Land cover"), 10.0)):
        assert (layer.width(), layer.height()) == sizes[pixel_m]


def test_a_place_over_the_limit_is_not_begun(desk, scripted):
    settings.put(settings.MAX_AREA, "0.1")
    drawn(desk, scripted)
    assert not desk.panel.generate_button.isEnabled() and "limit of 0.10 km²" in desk.panel.size.text()


def busy():
    """How many times longer than by itself the main thread now takes to compute: other programs want the cores too."""
    wall, computing = time.monotonic(), time.thread_time()
    while time.thread_time() - computing < 0.1:
        pass
    return max((time.monotonic() - wall) / 0.1, 1.0)


def alone(earlier, later, load):
    """The seconds between two beats, less what other programs took of them while the thread was computing."""
    wall, computed = later[0] - earlier[0], later[1] - earlier[1]
    return computed + max(wall - computed * load, 0)


@contextmanager
def heartbeats():
    """When the main thread was free and what it had computed by then; 5 ms apart where nothing holds it up."""
    beats, timer = [], QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: beats.append((time.monotonic(), time.thread_time())))
    timer.timeout.emit()
    timer.start()
    yield beats
    timer.stop()


def test_the_window_stays_awake(desk, scripted):
    """No more than 100 ms between two heartbeats, from the click to the layers, were the machine ours alone."""
    gaps = []
    for _ in range(4):  # what blocks the thread does so each time; what else goes on here does not
        drawn(desk, scripted, pace=0.05)
        load = busy()
        with heartbeats() as beats:
            desk.click(desk.panel.generate_button)
            desk.done()
            settle(0.3)
        load = max(load, busy())
        gaps.append(max(alone(*pair, load) for pair in zip(beats, beats[1:])))
        assert len(rasters()) == 2 and len(beats) > 20
        QgsProject.instance().clear()
        if gaps[-1] < 0.1:
            break
    if min(gaps) >= 0.1 and load > TOO_BUSY:
        pytest.skip(f"too many other programs want the cores: {gaps}")
    assert min(gaps) < 0.1, gaps


def test_what_is_generated_grows_on_the_canvas(desk, scripted):
    drawn(desk, scripted, pace=0.2)
    desk.click(desk.panel.generate_button)
    said, previews = set(), []
    desk.panel.generation.said.connect(said.add)
    desk.panel.generation.previewed.connect(lambda _: previews.append(len(desk.panel.preview.layers)))
    wait_for(lambda: len(previews) > 13)
    settle(0.6)
    desk.picture("growing")
    desk.done()
    assert previews[0] == 1 and previews[-1] == 2 and "window 3 of 10" in said
    assert not desk.panel.preview.layers and len(rasters()) == 2, "the previews are gone"


def test_the_preview_shows_finished_blocks_alone(desk, scripted):
    drawn(desk, scripted, pace=0.3)
    desk.click(desk.panel.generate_button)
    wait_for(lambda: len(desk.panel.preview.layers) == 1)
    settle(1.0)
    (layer,) = rasters()
    assert "SYNTHETIC" in layer.name()
    assert desk.iface.tree.model().rowCount() == 0, "it is not listed"
    wait_for(lambda: not desk.canvas.isDrawing())
    picture = desk.canvas.grab().toImage()
    colours = [picture.pixelColor(desk.pixel((778800, y))).name() for y in (9984790, 9984410)]
    assert colours[0] != "#ffffff" and colours[1] == "#ffffff", "north is drawn, south is not there yet"


def test_cancel_acts_within_two_seconds_and_leaves_no_layer(desk, scripted, tmp_path):
    desk.panel.form.folder.setFilePath(str(tmp_path / "out"))
    drawn(desk, scripted, pace=0.3)
    desk.click(desk.panel.generate_button)
    wait_for(lambda: desk.panel.preview.layers)
    load = busy()
    start = time.monotonic()
    desk.click(desk.panel.cancel_button)
    desk.done(30)
    assert time.monotonic() - start < 2 * load
    assert rasters() == [] and "Cancelled" in desk.panel.message.text() and "goes on" in desk.panel.message.text()
    assert desk.panel.generate_button.isEnabled() and not desk.panel.cancel_button.isEnabled()
    assert not list((tmp_path / "out").glob("*.tif")) and list((tmp_path / "out").glob(".*.unfinished"))
    settle(1.0)
    picture = desk.canvas.grab().toImage()
    assert picture.pixelColor(desk.pixel((778800, 9984790))).name() == "#ffffff", "the preview is gone"
    desk.picture("cancelled")
    scripted("LANDFORGE_TEST_PACE_S", "0")
    desk.click(desk.panel.generate_button)  # goes on, under the same names
    desk.done()
    assert len(rasters()) == 2 and not list((tmp_path / "out").glob(".*.unfinished"))
    names = sorted(path.name for path in (tmp_path / "out").glob("*.tif"))
    assert [name.split("W_")[1] for name in names] == ["seed0_image.tif", "seed0_landcover.tif"]


def test_a_failure_is_told_in_the_backends_words(desk, scripted):
    scripted("LANDFORGE_TEST_FAULT", "fail")
    drawn(desk, scripted)
    desk.click(desk.panel.generate_button)
    desk.done()
    assert "The backend has no wish to. Ask again." in desk.panel.message.text() and rasters() == []


def test_a_polygon_is_drawn_corner_by_corner(desk, scripted):
    desk.look_at(*VIEW)
    places = desk.panel.places
    desk.click(places.polygon)
    for point in ((778500, 9984400), (779100, 9984400), (779600, 9985000)):
        desk.click_map(point)
    QTest.keyClick(desk.canvas, Qt.Key.Key_Backspace)
    desk.click_map((779100, 9984900))
    desk.click_map((779100, 9984900), RIGHT)
    assert not places.place.is_rectangle and places.place.box.xMaximum() < 779120
    assert abs(places.place.shape.area() - 600 * 500 / 2) < 5000
    desk.click(desk.panel.generate_button)
    desk.done()
    (outline,) = [layer for layer in QgsProject.instance().mapLayers().values() if isinstance(layer, QgsVectorLayer)]
    assert abs(outline.extent().width() - 600) < 10 and outline.fields().names() == ["fid", "seed", "generator"]


def test_escape_puts_the_tool_down(desk, project):
    desk.look_at(*VIEW)
    before = desk.canvas.mapTool()
    for button in (desk.panel.places.rectangle, desk.panel.places.polygon):
        desk.click(button)
        assert desk.canvas.mapTool() is desk.panel.places.tools[button]
        QTest.keyClick(desk.canvas, Qt.Key.Key_Escape)
        assert desk.canvas.mapTool() is before and not button.isChecked()
    desk.click(desk.panel.places.rectangle)
    desk.click_map((778800, 9984600))  # no rectangle: nothing is taken
    assert desk.panel.places.place is None


def test_a_place_from_the_map_a_layer_and_a_feature(desk, project):
    places = desk.panel.places
    desk.click(places.feature)
    assert "Select one or more polygons" in desk.panel.message.text() and places.place is None
    layer = QgsVectorLayer("Polygon?crs=EPSG:32717", "fields", "memory")
    for left in (778100, 779000):
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(left, 9984000, left + 90, 9984090)))
        layer.dataProvider().addFeature(feature)
    layer.updateExtents()
    project.addMapLayer(layer)
    desk.look_at(*VIEW)
    desk.iface.active = layer
    layer.select(1)
    desk.click(places.feature)
    assert not places.place.is_rectangle and places.place.box.xMaximum() == 778190
    places.layer.menu().aboutToShow.emit()
    (action,) = places.layer.menu().actions()
    action.trigger()
    assert action.text() == "fields" and places.place.is_rectangle and places.place.box.xMaximum() == 779090
    desk.click(places.view)
    assert places.place.box == desk.canvas.extent()


def test_class_shares_never_ask_for_more_than_all(desk):
    shares = desk.panel.form.shares
    shares.setCollapsed(False)
    assert shares.text() == "" and "model decides" in shares.left.text()
    shares.sliders[10].setValue(60)
    shares.sliders[50].setValue(70)
    assert shares.shares() == {10: 60, 50: 40} and shares.text() == "10:60, 50:40"
    settle()
    slider = shares.sliders[50]
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Left)
    assert shares.shares() == {10: 60, 50: 39} and "1 %" in shares.left.text()
    desk.picture("shares")


def test_the_dice(desk):
    desk.click(desk.panel.form.dice)
    first = desk.panel.form.seed.value()
    desk.click(desk.panel.form.dice)
    assert first != desk.panel.form.seed.value() and first > 0


def test_the_run_is_in_the_history_and_can_be_copied(desk, scripted, monkeypatch):
    kept = []
    monkeypatch.setattr(outputs, "path", lambda folder, name: settings.profile() / name)
    from processing.core import ProcessingLog

    monkeypatch.setattr(ProcessingLog.ProcessingLog, "addToLog", kept.append)
    drawn(desk, scripted)
    desk.panel.form.shares.sliders[80].setValue(30)
    desk.panel.form.seed.setValue(11)
    desk.click(desk.panel.copy_button)
    copied = QGuiApplication.clipboard().text()
    desk.click(desk.panel.generate_button)
    desk.done()
    assert copied.startswith('processing.run("landforge:generatescene"')
    for part in ("'SEED':11", "'SHARES':'80:30'", "[EPSG:32717]", "'GENERATOR':'spade'"):
        assert part in copied
    if not hasattr(qgis.gui.QgsGui, "historyProviderRegistry"):
        assert kept == [copied]


def synthetic(desk, scripted):
    """A scene on the desk, and its image as the active layer."""
    drawn(desk, scripted)
    desk.click(desk.panel.generate_button)
    desk.done()
    desk.iface.active = named("Image")
    return desk.iface.active


def action(desk, text):
    (found,) = [found for found in desk.iface.layer_actions if found.text().startswith(text)]
    return found


def test_another_seed_from_the_layers_menu(desk, scripted):
    image = synthetic(desk, scripted)
    found = action(desk, "Regenerate")
    assert image.id() in desk.iface.layer_actions[found]
    found.trigger()
    desk.done()
    assert len(rasters()) == 4, desk.panel.message.text()
    (group,) = QgsProject.instance().layerTreeRoot().children()
    seeds = sorted({int(layer.customProperty("landforge/seed")) for layer in rasters()})
    assert group.name().endswith(f"seeds 0, {seeds[1]}")
    assert all(layer.extent() == image.extent() for layer in rasters())
    desk.picture("another_seed")


def test_more_of_it_from_the_layers_menu(desk, scripted):
    synthetic(desk, scripted)
    action(desk, "Extend").trigger()
    assert desk.canvas.mapTool() is desk.panel.places.tools[desk.panel.places.rectangle]
    assert desk.canvas.extent().width() > 2 * desk.iface.active.extent().width(), "there is room to draw"
    desk.drag((779000, 9984400), (779300, 9984800))
    desk.done()
    assert len(rasters()) == 4 and {layer.customProperty("landforge/seed") for layer in rasters()} == {"0"}
    assert len(QgsProject.instance().layerTreeRoot().children()) == 2, "its own extent, its own group"
    draw(desk, ((778100, 9984100), (778300, 9984300)))
    settle()
    assert desk.panel.generation is None, "the next rectangle is a plain one"
    desk.picture("extended")


def test_an_extension_that_was_given_up_does_not_come_later(desk, scripted):
    synthetic(desk, scripted)
    action(desk, "Extend").trigger()
    QTest.keyClick(desk.canvas, Qt.Key.Key_Escape)
    draw(desk, ((779000, 9984400), (779300, 9984800)))
    settle()
    assert desk.panel.generation is None and len(rasters()) == 2


def test_its_settings_in_the_panel(desk, scripted):
    desk.panel.form.shares.sliders[10].setValue(70)
    desk.panel.form.steps.setValue(5)
    drawn(desk, scripted)
    desk.panel.form.what.setCurrentIndex(desk.panel.form.what.findData(estimates.LANDCOVER))
    desk.panel.form.seed.setValue(31)
    desk.click(desk.panel.generate_button)
    desk.done()
    desk.iface.active = named("Land cover")
    desk.panel.form.seed.setValue(1)
    desk.panel.form.shares.set_shares({})
    desk.panel.form.what.setCurrentIndex(0)
    action(desk, "Use its settings").trigger()
    form = desk.panel.form
    assert (form.algorithm, form.seed.value(), form.steps.value()) == (estimates.LANDCOVER, 31, 5)
    assert form.shares.shares() == {10: 70} and desk.panel.places.place.box == desk.iface.active.extent()


def choose(box, name):
    box.setFocus()
    QTest.keyClicks(box, name)


def test_a_style_is_chosen_passed_on_and_recalled(desk, scripted):
    form = desk.panel.form
    drawn(desk, scripted)
    choose(form.climate, "coastal")
    choose(form.year, "2018")
    assert form.parameters()["STYLE"] == "coastal, 2018"
    desk.click(desk.panel.copy_button)
    assert "'STYLE':'coastal, 2018'" in QGuiApplication.clipboard().text()
    desk.click(desk.panel.generate_button)
    desk.done()
    desk.iface.active = named("Image")
    for box in (form.climate, form.year):
        box.setCurrentIndex(0)
    assert "STYLE" not in form.parameters()
    action(desk, "Use its settings").trigger()
    assert form.parameters()["STYLE"] == "coastal, 2018"


def test_styles_are_those_that_the_generator_knows(desk, monkeypatch, tmp_path):
    form = desk.panel.form
    for generator, names in (("controlnet", ["2018", "arid", "2016", "boreal"]), ("spade", ["2018"])):
        (tmp_path / generator).mkdir()
        (tmp_path / generator / "model_index.json").write_text(json.dumps({"styles": names}))
    monkeypatch.setattr(styles, "BUNDLED", tmp_path)
    styles.known.cache_clear()
    try:
        for name in ("spade", "controlnet"):
            form.generator.setCurrentIndex(form.generator.findData(name))
        assert [form.climate.itemText(number) for number in range(form.climate.count())] == ["any", "arid", "boreal"]
        assert [form.year.itemText(number) for number in range(form.year.count())] == ["any", "2016", "2018"]
        choose(form.climate, "arid")
        choose(form.year, "2018")
        form.generator.setCurrentIndex(form.generator.findData("spade"))
        assert form.year.isVisible() and not form.climate.isVisible()
        assert form.parameters()["STYLE"] == "2018", "what both know stays chosen, what one does not know goes"
        form.what.setCurrentIndex(form.what.findData(estimates.LANDCOVER))
        assert not form.year.isVisible() and "STYLE" not in form.parameters()
    finally:
        styles.known.cache_clear()


def test_a_synthetic_raster_from_elsewhere_has_the_menu_and_a_real_one_has_not(desk, scripted, tmp_path):
    path = Path(synthetic(desk, scripted).source())
    copy = shutil.copy(path, tmp_path / "received.tif")
    real = tmp_path / "real.tif"
    gdal.GetDriverByName("GTiff").Create(str(real), 8, 8, 3).SetGeoTransform((778500, 1, 0, 9984800, 0, -1))
    for source, offered in ((copy, True), (real, False)):
        layer = QgsRasterLayer(str(source), "received")
        QgsProject.instance().addMapLayer(layer)
        assert (layer.id() in desk.iface.layer_actions[action(desk, "Regenerate")]) is offered


@pytest.fixture
def nothing_set_up(monkeypatch):
    """A user without a backend, and a set-up that takes no network: it makes the tests' own interpreter known."""
    python = os.environ["LANDFORGE_PYTHON"]
    monkeypatch.delenv("LANDFORGE_PYTHON")

    def create(profile, compute="cpu", proxy="", wheels="", python_="", on_progress=None, is_cancelled=None, **_):
        for percent in range(0, 100, 5):
            if is_cancelled():
                raise process.Cancelled
            on_progress(percent / 100, f"Downloading torch ({percent} of 320 MB).")
            time.sleep(0.05)
        os.environ["LANDFORGE_PYTHON"] = python

    monkeypatch.setattr(environment, "create", create)
    yield
    monkeypatch.setenv("LANDFORGE_PYTHON", python)


def test_the_first_run_sets_up_and_goes_on_to_the_first_result(nothing_set_up, desk, scripted):
    panel = desk.panel
    assert panel.card.isVisible() and "not set up yet" in panel.card.text.text()
    assert "MB are downloaded" in panel.card.text.text() and str(settings.profile()) in panel.card.text.text()
    drawn(desk, scripted)
    desk.picture("first_run")
    assert panel.generate_button.text().replace("&", "") == "Set up and generate"
    desk.click(panel.generate_button)
    wait_for(lambda: "Downloading torch" in panel.card.line.text())
    desk.picture("setting_up")
    wait_for(lambda: panel.generation is not None)
    desk.done()
    assert len(rasters()) == 2 and not panel.card.isVisible()
    assert panel.generate_button.text().replace("&", "") == "Generate"


def test_a_cancelled_set_up_generates_nothing(nothing_set_up, desk, scripted):
    drawn(desk, scripted)
    desk.click(desk.panel.generate_button)
    wait_for(lambda: "Downloading torch" in desk.panel.card.line.text())
    desk.click(desk.panel.card.cancel_button)
    wait_for(lambda: "Cancelled" in desk.panel.card.line.text())
    wait_for(lambda: desk.panel.generate_button.isEnabled())
    assert desk.panel.generation is None and desk.panel.card.start_button.isVisible() and rasters() == []


def test_estimates_learn_from_what_was(desk, scripted):
    drawn(desk, scripted)
    before = desk.panel.estimate
    estimates.learn(before, 4 * sum(before.parts.values()))
    desk.panel.refresh()
    assert sum(before.parts.values()) < sum(desk.panel.estimate.parts.values()) < 4 * sum(before.parts.values())


def test_everything_can_be_reached_by_key_and_is_explained(desk):
    panel = desk.panel
    for button in (*panel.places.tools, panel.places.view, panel.places.layer, panel.places.feature):
        assert button.toolTip() and button.focusPolicy() != Qt.FocusPolicy.NoFocus and "&" in button.text()
    for widget in (panel.form.what, panel.form.generator, panel.form.seed, panel.form.dice, panel.copy_button):
        assert widget.toolTip() and widget.focusPolicy() != Qt.FocusPolicy.NoFocus


@pytest.mark.skipif(not (ROOT / "backend" / "bundled" / "spade").is_dir(), reason="the models are not bundled")
def test_with_the_real_backend_a_tiny_scene_and_what_lies_beside_it(desk, project):
    desk.look_at(778000, 9984900, 778200, 9985000)
    draw(desk, ((778010, 9984910), (778050, 9984940)))
    panel = desk.panel
    panel.form.generator.setCurrentIndex(panel.form.generator.findData("spade"))
    panel.form.steps.setValue(1)
    desk.click(panel.generate_button)
    desk.done(200)
    image = named("Image")
    assert image.customProperty("landforge/model") == "spade", panel.message.text()
    desk.iface.active = image
    action(desk, "Extend").trigger()
    desk.drag((778030, 9984910), (778090, 9984940))
    desk.done(200)
    old, new = (gdal.Open(layer.source()) for layer in (image, *(one for one in rasters() if is_new(one, image))))
    assert new is not None, panel.message.text()
    (left, top), (right, bottom) = (778030, 9984940), (778050, 9984910)  # what both have
    pixels = []
    for source in (old, new):
        column, row = round(left - source.GetGeoTransform()[0]), round(source.GetGeoTransform()[3] - top)
        pixels.append(source.ReadAsArray(column, row, right - left, top - bottom))
    assert new.RasterXSize > 50 and pixels[0].std() > 0 and (pixels[0] == pixels[1]).all()


def is_new(layer, image):
    return layer.bandCount() == 3 and layer is not image
