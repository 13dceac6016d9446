"""The Generate panel and the layer menu, by mouse and keys: draw, generate, cancel, set up, regenerate, extend."""

import json
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
import qgis.utils
from landforge.backend.protocol import BackendError
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
from qgis.gui import QgsGui
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtTest import QTest

from tests.plugin.plugin_window import RIGHT, PluginWindow, settle, wait_for
from tests.qgis_environment import ROOT

HERE = Path(__file__).parent
BLOCKS = 10
"""Blocks of each raster of a scripted generation."""
GENERATING = ("generatelandcover", "generateimage", "generatescene", "regeneratearea")
VIEW = (778000, 9984000, 780000, 9985500)
CORNERS = (778500, 9984400), (779100, 9984800)


@pytest.fixture
def project():
    QgsProject.instance().clear()
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem())
    yield QgsProject.instance()
    QgsProject.instance().clear()


@pytest.fixture
def window(project, monkeypatch, shared_worker, warm_ups):
    plugin_window = PluginWindow()
    monkeypatch.setattr(qgis.utils, "iface", plugin_window.iface)
    yield plugin_window
    if plugin_window.panel.generation is not None:
        plugin_window.panel.cancel()
        plugin_window.wait_for_generation()
    plugin_window.close()
    QgsSettings().remove("landforge")


@pytest.fixture(scope="module")
def scripted_root(tmp_path_factory):
    """A copy of the project's root with scripted jobs in the place of those that generate."""
    root = tmp_path_factory.mktemp("backend's")
    (root / "backend" / "jobs").mkdir(parents=True)
    for path in (ROOT / "backend").iterdir():
        if path.name not in ("jobs", "__pycache__"):
            (root / "backend" / path.name).symlink_to(path)
    (root / "backend" / "jobs" / "__init__.py").touch()
    for name in GENERATING:
        shutil.copy(HERE / "scripted_generation.py", root / "backend" / "jobs" / f"{name}.py")
    process.stop_worker()
    yield root
    process.stop_worker()


@pytest.fixture
def scripted(scripted_root, monkeypatch):
    """The real backend with scripted jobs; returns a function that writes their script."""
    monkeypatch.setattr(process, "ROOT", scripted_root)

    def write_script(**script):
        (scripted_root / "backend" / "jobs" / "script.json").write_text(json.dumps(script))

    write_script()
    return write_script


def draw(window, corners=CORNERS):
    window.click(window.panel.region_picker.rectangle_button)
    window.drag(*corners)


def draw_in_view(window):
    """Draw a rectangle of about 600 x 400 m."""
    window.set_view(*VIEW)
    draw(window)


def rasters():
    return [layer for layer in QgsProject.instance().mapLayers().values() if isinstance(layer, QgsRasterLayer)]


def named(word):
    (layer,) = [layer for layer in rasters() if word in layer.name()]
    return layer


def test_three_actions_from_an_empty_project_to_a_scene(window, scripted):
    draw_button, panel = window.panel.region_picker.rectangle_button, window.panel
    assert not panel.generate_button.isEnabled() and "Draw" in panel.estimate_label.text()
    window.click(draw_button)
    assert draw_button.isChecked() and "Ithaca" in panel.message.text()
    centre = window.canvas.extent().center()
    window.drag((centre.x() - 400, centre.y() - 300), (centre.x() + 400, centre.y() + 300))
    assert not draw_button.isChecked() and panel.region_picker.region.crs.authid() == "EPSG:3857"
    window.click(panel.generate_button)
    window.wait_for_generation()
    image, landcover = named("Image"), named("Land cover")
    assert panel.message.text().startswith("Done: Image SYNTHETIC")
    assert isinstance(landcover.renderer(), QgsPalettedRasterRenderer) and image.extent() == landcover.extent()
    assert landcover.crs().authid() == "EPSG:32618"
    (group,) = QgsProject.instance().layerTreeRoot().children()
    assert group.name() == "42.443° N 76.502° W · spade · seed 0"
    assert [node.name() for node in group.children()] == [image.name(), landcover.name(), "Extent"]
    settle()
    assert {image, landcover} <= set(window.canvas.layers())
    window.screenshot("scene")


def test_a_rectangle_shows_its_estimate(window, scripted):
    draw_in_view(window)
    panel = window.panel
    box = panel.region_picker.region.bounds
    assert abs(box.xMinimum() - 778500) < 5 and abs(box.yMaximum() - 9984800) < 5
    width, height = panel.estimate.sizes_px[1.0]
    assert 590 <= width <= 620 and 390 <= height <= 420
    for word in (f"{width:,} × {height:,} px", "km²", "about", "MB"):
        assert word in panel.estimate_label.text().replace(estimates.NO_BREAK, " ")
    fast = panel.estimate.seconds
    panel.form.generator.setCurrentIndex(panel.form.generator.findData("controlnet"))
    slow = panel.estimate.seconds
    assert fast < slow
    panel.form.steps.setValue(100)
    assert panel.estimate.generator_seconds["controlnet"] < slow, "its steps are limited"
    panel.form.output.setCurrentIndex(panel.form.output.findData(estimates.LANDCOVER))
    assert "image" not in panel.estimate_label.text() and not panel.form.generator.isVisible()


def test_the_estimated_sizes_are_those_of_the_result(window, scripted):
    draw_in_view(window)
    sizes = window.panel.estimate.sizes_px
    window.click(window.panel.generate_button)
    window.wait_for_generation()
    for layer, pixel_m in ((named("Image"), 1.0), (named("Land cover"), 10.0)):
        assert (layer.width(), layer.height()) == sizes[pixel_m]


def test_a_region_over_the_limit_cannot_be_generated(window, scripted):
    settings.put(settings.MAX_AREA, "0.1")
    draw_in_view(window)
    assert not window.panel.generate_button.isEnabled() and "limit of 0.10 km²" in window.panel.estimate_label.text()


def test_the_event_loop_runs_throughout_a_generation(window, scripted, tmp_path, monkeypatch):
    """Each block waits for a file that only a timer of the event loop makes: a blocked window would end in an error."""
    beat, beats, threads = tmp_path / "beat", [], []

    def on_timer():
        if not beat.exists():
            beat.touch()
            beats.append(beat)

    def run_job(*arguments, run_job=process.run_job):
        threads.append(threading.current_thread())
        return run_job(*arguments)

    monkeypatch.setattr(process, "run_job", run_job)
    timer = QTimer(interval=1)
    timer.timeout.connect(on_timer)
    timer.start()
    scripted(beat=str(beat))
    draw_in_view(window)
    window.click(window.panel.generate_button)
    window.wait_for_generation()
    timer.stop()
    assert len(rasters()) == 2, window.panel.message.text()
    assert len(beats) >= 2 * BLOCKS and threads and threading.main_thread() not in threads


def test_finished_blocks_are_previewed_on_the_canvas(window, scripted):
    scripted(pace_s=0.1)
    draw_in_view(window)
    window.click(window.panel.generate_button)
    texts, previews = set(), []
    window.panel.generation.text_changed.connect(texts.add)
    window.panel.generation.previewed.connect(lambda _: previews.append(len(window.panel.preview.layers)))
    wait_for(lambda: len(previews) > 13)
    settle(0.6)
    window.screenshot("growing")
    window.wait_for_generation()
    assert previews[0] == 1 and previews[-1] == 2 and "window 3 of 10" in texts
    assert not window.panel.preview.layers and len(rasters()) == 2, "the previews are gone"


def test_the_preview_shows_finished_blocks_alone(window, scripted):
    scripted(pace_s=0.3)
    draw_in_view(window)
    window.click(window.panel.generate_button)
    wait_for(lambda: len(window.panel.preview.layers) == 1)
    settle(1.0)
    (layer,) = rasters()
    assert "SYNTHETIC" in layer.name()
    assert window.iface.tree.model().rowCount() == 0, "it is not listed"
    wait_for(lambda: not window.canvas.isDrawing())
    picture = window.canvas.grab().toImage()
    colours = [picture.pixelColor(window.pixel((778800, y))).name() for y in (9984790, 9984410)]
    assert colours[0] != "#ffffff" and colours[1] == "#ffffff", "north is drawn, south is not there yet"


def test_cancel_ends_a_job_that_does_nothing_more_and_leaves_no_layer(window, scripted, tmp_path):
    window.panel.form.folder.setFilePath(str(tmp_path / "out"))
    scripted(hang_after=3)
    draw_in_view(window)
    window.click(window.panel.generate_button)
    wait_for(lambda: window.panel.preview.layers)
    window.click(window.panel.cancel_button)
    window.wait_for_generation()
    assert rasters() == [] and "Cancelled" in window.panel.message.text() and "goes on" in window.panel.message.text()
    assert window.panel.generate_button.isEnabled() and not window.panel.cancel_button.isEnabled()
    assert not list((tmp_path / "out").glob("*.tif")) and list((tmp_path / "out").glob(".*.unfinished"))
    settle(1.0)
    picture = window.canvas.grab().toImage()
    assert picture.pixelColor(window.pixel((778800, 9984790))).name() == "#ffffff", "the preview is gone"
    window.screenshot("cancelled")
    scripted()
    window.click(window.panel.generate_button)  # goes on, under the same names
    window.wait_for_generation()
    assert len(rasters()) == 2 and not list((tmp_path / "out").glob(".*.unfinished"))
    names = sorted(path.name for path in (tmp_path / "out").glob("*.tif"))
    assert [name.split("W_")[1] for name in names] == ["seed0_image.tif", "seed0_landcover.tif"]


def test_a_failure_is_shown_in_the_backends_words(window, scripted):
    scripted(fault="The backend has no wish to. Ask again.")
    draw_in_view(window)
    window.click(window.panel.generate_button)
    window.wait_for_generation()
    assert "The backend has no wish to. Ask again." in window.panel.message.text() and rasters() == []


def test_a_polygon_is_drawn_corner_by_corner(window, scripted):
    window.set_view(*VIEW)
    picker = window.panel.region_picker
    window.click(picker.polygon_button)
    for point in ((778500, 9984400), (779100, 9984400), (779600, 9985000)):
        window.click_map(point)
    QTest.keyClick(window.canvas, Qt.Key.Key_Backspace)
    window.click_map((779100, 9984900))
    window.click_map((779100, 9984900), RIGHT)
    assert not picker.region.is_rectangle and picker.region.bounds.xMaximum() < 779120
    assert abs(picker.region.geometry.area() - 600 * 500 / 2) < 5000
    window.click(window.panel.generate_button)
    window.wait_for_generation()
    (outline,) = [layer for layer in QgsProject.instance().mapLayers().values() if isinstance(layer, QgsVectorLayer)]
    assert abs(outline.extent().width() - 600) < 10 and outline.fields().names() == ["fid", "seed", "generator"]


def test_escape_restores_the_previous_tool(window, project):
    window.set_view(*VIEW)
    before = window.canvas.mapTool()
    for button in (window.panel.region_picker.rectangle_button, window.panel.region_picker.polygon_button):
        window.click(button)
        assert window.canvas.mapTool() is window.panel.region_picker.tools[button]
        QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
        assert window.canvas.mapTool() is before and not button.isChecked()
    window.click(window.panel.region_picker.rectangle_button)
    window.click_map((778800, 9984600))  # no rectangle: nothing is taken
    assert window.panel.region_picker.region is None


def test_a_region_from_the_map_a_layer_and_a_feature(window, project):
    picker = window.panel.region_picker
    window.click(picker.feature_button)
    assert "Select one or more polygons" in window.panel.message.text() and picker.region is None
    layer = QgsVectorLayer("Polygon?crs=EPSG:32717", "fields", "memory")
    for left in (778100, 779000):
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(left, 9984000, left + 90, 9984090)))
        layer.dataProvider().addFeature(feature)
    layer.updateExtents()
    project.addMapLayer(layer)
    window.set_view(*VIEW)
    window.iface.active = layer
    layer.select(1)
    window.click(picker.feature_button)
    assert not picker.region.is_rectangle and picker.region.bounds.xMaximum() == 778190
    picker.layer_button.menu().aboutToShow.emit()
    (action,) = picker.layer_button.menu().actions()
    action.trigger()
    assert action.text() == "fields" and picker.region.is_rectangle and picker.region.bounds.xMaximum() == 779090
    window.click(picker.view_button)
    assert picker.region.bounds == window.canvas.extent()


def test_class_shares_never_sum_to_more_than_100(window):
    shares = window.panel.form.shares
    shares.setCollapsed(False)
    assert shares.text() == "" and "model decides" in shares.remainder.text()
    shares.sliders[10].setValue(60)
    shares.sliders[50].setValue(70)
    assert shares.shares() == {10: 60, 50: 40} and shares.text() == "10:60, 50:40"
    settle()
    slider = shares.sliders[50]
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Left)
    assert shares.shares() == {10: 60, 50: 39} and "1 %" in shares.remainder.text()
    window.screenshot("shares")


def test_the_random_seed_button(window):
    window.click(window.panel.form.random_button)
    first = window.panel.form.seed.value()
    window.click(window.panel.form.random_button)
    assert first != window.panel.form.seed.value() and first > 0


def test_the_run_is_in_the_history_and_can_be_copied(window, scripted, monkeypatch):
    history = []
    monkeypatch.setattr(outputs, "unused_path", lambda folder, name: settings.profile() / name)
    if not hasattr(QgsGui, "historyProviderRegistry"):  # before QGIS 3.24
        from processing.core.ProcessingLog import ProcessingLog

        monkeypatch.setattr(ProcessingLog, "addToLog", history.append)
    draw_in_view(window)
    window.panel.form.shares.sliders[80].setValue(30)
    window.panel.form.seed.setValue(11)
    window.click(window.panel.copy_button)
    copied = QGuiApplication.clipboard().text()
    window.click(window.panel.generate_button)
    window.wait_for_generation()
    assert copied.startswith('processing.run("landforge:generatescene"')
    for part in ("'SEED':11", "'SHARES':'80:30'", "[EPSG:32717]", "'GENERATOR':'spade'"):
        assert part in copied
    if hasattr(QgsGui, "historyProviderRegistry"):
        entries = QgsGui.historyProviderRegistry().queryEntries()
        history = [entry.entry.get("python_command") for entry in entries]
    assert copied in history


def generate_scene(window):
    """Generate a scene and make its image the active layer, which is returned."""
    draw_in_view(window)
    window.click(window.panel.generate_button)
    window.wait_for_generation()
    window.iface.active = named("Image")
    return window.iface.active


def layer_action(window, text):
    (action,) = [action for action in window.iface.layer_actions if action.text().startswith(text)]
    return action


def test_regenerating_from_the_layers_menu(window, scripted):
    image = generate_scene(window)
    action = layer_action(window, "Regenerate")
    assert image.id() in window.iface.layer_actions[action]
    action.trigger()
    window.wait_for_generation()
    assert len(rasters()) == 4, window.panel.message.text()
    (group,) = QgsProject.instance().layerTreeRoot().children()
    seeds = sorted({int(layer.customProperty("landforge/seed")) for layer in rasters()})
    assert group.name().endswith(f"seeds 0, {seeds[1]}")
    assert all(layer.extent() == image.extent() for layer in rasters())
    window.screenshot("another_seed")


def test_extending_from_the_layers_menu(window, scripted):
    generate_scene(window)
    layer_action(window, "Extend").trigger()
    assert window.canvas.mapTool() is window.panel.region_picker.tools[window.panel.region_picker.rectangle_button]
    assert window.canvas.extent().width() > 2 * window.iface.active.extent().width(), "there is room to draw"
    window.drag((779000, 9984400), (779300, 9984800))
    window.wait_for_generation()
    assert len(rasters()) == 4 and {layer.customProperty("landforge/seed") for layer in rasters()} == {"0"}
    assert len(QgsProject.instance().layerTreeRoot().children()) == 2, "its own extent, its own group"
    draw(window, ((778100, 9984100), (778300, 9984300)))
    settle()
    assert window.panel.generation is None, "the next rectangle is a plain one"
    window.screenshot("extended")


def test_an_extension_that_was_cancelled_is_not_generated_later(window, scripted):
    generate_scene(window)
    layer_action(window, "Extend").trigger()
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    draw(window, ((779000, 9984400), (779300, 9984800)))
    settle()
    assert window.panel.generation is None and len(rasters()) == 2


def test_a_layers_settings_in_the_panel(window, scripted):
    window.panel.form.shares.sliders[10].setValue(70)
    window.panel.form.steps.setValue(5)
    draw_in_view(window)
    window.panel.form.output.setCurrentIndex(window.panel.form.output.findData(estimates.LANDCOVER))
    window.panel.form.seed.setValue(31)
    window.click(window.panel.generate_button)
    window.wait_for_generation()
    window.iface.active = named("Land cover")
    window.panel.form.seed.setValue(1)
    window.panel.form.shares.set_shares({})
    window.panel.form.output.setCurrentIndex(0)
    layer_action(window, "Use its settings").trigger()
    form = window.panel.form
    assert (form.algorithm, form.seed.value(), form.steps.value()) == (estimates.LANDCOVER, 31, 5)
    assert form.shares.shares() == {10: 70} and window.panel.region_picker.region.bounds == window.iface.active.extent()


def select(box, name):
    box.setFocus()
    QTest.keyClicks(box, name)


def test_a_style_is_chosen_passed_on_and_recalled(window, scripted):
    form = window.panel.form
    draw_in_view(window)
    select(form.climate, "coastal")
    select(form.year, "2018")
    assert form.parameters()["STYLE"] == "coastal, 2018"
    window.click(window.panel.copy_button)
    assert "'STYLE':'coastal, 2018'" in QGuiApplication.clipboard().text()
    window.click(window.panel.generate_button)
    window.wait_for_generation()
    window.iface.active = named("Image")
    for box in (form.climate, form.year):
        box.setCurrentIndex(0)
    assert "STYLE" not in form.parameters()
    layer_action(window, "Use its settings").trigger()
    assert form.parameters()["STYLE"] == "coastal, 2018"


def test_styles_are_those_that_the_generator_knows(window, monkeypatch, tmp_path):
    form = window.panel.form
    for generator, names in (("controlnet", ["2018", "arid", "2016", "boreal"]), ("spade", ["2018"])):
        (tmp_path / generator).mkdir()
        (tmp_path / generator / "model_index.json").write_text(json.dumps({"styles": names}))
    monkeypatch.setattr(styles, "BUNDLED", tmp_path)
    styles.style_names.cache_clear()
    try:
        for name in ("spade", "controlnet"):
            form.generator.setCurrentIndex(form.generator.findData(name))
        assert [form.climate.itemText(number) for number in range(form.climate.count())] == ["any", "arid", "boreal"]
        assert [form.year.itemText(number) for number in range(form.year.count())] == ["any", "2016", "2018"]
        select(form.climate, "arid")
        select(form.year, "2018")
        form.generator.setCurrentIndex(form.generator.findData("spade"))
        assert form.year.isVisible() and not form.climate.isVisible()
        assert form.parameters()["STYLE"] == "2018", "a style that both generators have stays selected"
        form.output.setCurrentIndex(form.output.findData(estimates.LANDCOVER))
        assert not form.year.isVisible() and "STYLE" not in form.parameters()
    finally:
        styles.style_names.cache_clear()


def test_styles_are_those_of_the_models_that_are_used(window, monkeypatch, tmp_path):
    form = window.panel.form
    for model, names in (
        ("spade", ["2018", "summer", "coastal", "temperate"]),
        ("landcover", ["temperate", "tropical"]),
    ):
        (tmp_path / model).mkdir()
        (tmp_path / model / "model_index.json").write_text(json.dumps({"styles": names}))
    monkeypatch.setattr(styles, "BUNDLED", tmp_path)
    styles.style_names.cache_clear()

    def offered(output):
        form.output.setCurrentIndex(form.output.findData(output))
        return [[box.itemData(number) for number in range(1, box.count())] for box in (form.climate, form.year)]

    try:
        assert offered(estimates.IMAGE) == [["coastal", "temperate"], ["2018", "summer"]]
        assert offered(estimates.SCENE) == [["coastal", "temperate", "tropical"], ["2018", "summer"]]
        select(form.climate, "tropical")
        select(form.year, "summer")
        assert form.parameters()["STYLE"] == "tropical, summer"
        assert offered(estimates.LANDCOVER) == [["temperate", "tropical"], []]
        assert form.climate.isVisible() and not form.year.isVisible()
        assert form.parameters()["STYLE"] == "tropical"
        form.climate.select_first(["2018", "humid"])
        assert form.parameters()["STYLE"] == "temperate", "its former name, in the tags of an older raster"
    finally:
        styles.style_names.cache_clear()


def test_a_synthetic_raster_from_elsewhere_has_the_menu_and_a_real_one_has_not(window, scripted, tmp_path):
    path = Path(generate_scene(window).source())
    copy = shutil.copy(path, tmp_path / "received.tif")
    real = tmp_path / "real.tif"
    gdal.GetDriverByName("GTiff").Create(str(real), 8, 8, 3).SetGeoTransform((778500, 1, 0, 9984800, 0, -1))
    for source, offered in ((copy, True), (real, False)):
        layer = QgsRasterLayer(str(source), "received")
        QgsProject.instance().addMapLayer(layer)
        assert (layer.id() in window.iface.layer_actions[layer_action(window, "Regenerate")]) is offered


@pytest.fixture
def nothing_set_up(monkeypatch):
    """A user without a backend, and a set-up without a network that names the tests' own interpreter.

    Returns the profiles of the set-ups begun.
    """
    python, set_ups = os.environ["LANDFORGE_PYTHON"], []
    monkeypatch.delenv("LANDFORGE_PYTHON")

    def create(profile, compute="cpu", proxy="", wheels="", python_="", on_progress=None, is_cancelled=None, **_):
        set_ups.append(profile)
        for percent in range(0, 100, 5):
            if is_cancelled():
                raise process.Cancelled
            on_progress(percent / 100, f"Downloading torch ({percent} of 320 MB).")
            time.sleep(0.05)
        os.environ["LANDFORGE_PYTHON"] = python

    monkeypatch.setattr(environment, "create", create)
    yield set_ups
    monkeypatch.setenv("LANDFORGE_PYTHON", python)


def test_the_first_run_sets_up_and_goes_on_to_the_first_result(nothing_set_up, window, scripted):
    panel = window.panel
    assert panel.card.isVisible() and "not set up yet" in panel.card.text.text()
    assert "MB are downloaded" in panel.card.text.text() and str(settings.profile()) in panel.card.text.text()
    draw_in_view(window)
    window.screenshot("first_run")
    assert panel.generate_button.text().replace("&", "") == "Set up and generate"
    window.click(panel.generate_button)
    wait_for(lambda: "Downloading torch" in panel.card.status.text())
    window.screenshot("setting_up")
    wait_for(lambda: panel.generation is not None)
    window.wait_for_generation()
    assert len(rasters()) == 2 and not panel.card.isVisible()
    assert panel.generate_button.text().replace("&", "") == "Generate"


def test_a_cancelled_set_up_generates_nothing(nothing_set_up, window, scripted):
    draw_in_view(window)
    window.click(window.panel.generate_button)
    wait_for(lambda: "Downloading torch" in window.panel.card.status.text())
    window.click(window.panel.card.cancel_button)
    wait_for(lambda: "Cancelled" in window.panel.card.status.text())
    wait_for(lambda: window.panel.generate_button.isEnabled())
    assert window.panel.generation is None and window.panel.card.start_button.isVisible() and rasters() == []


def test_opening_the_panel_warms_up_the_backend_once(window, warm_ups):
    wait_for(lambda: warm_ups)
    settle()
    python = environment.interpreter(settings.profile())
    assert warm_ups == [(estimates.SCENE, python, settings.log_folder(), settings.variables())]
    assert window.panel.message.text() == ""


def test_a_warm_up_that_fails_says_nothing(project, monkeypatch, shared_worker):
    failures = []

    def warm_up(*_):
        failures.append(BackendError("The backend's Python cannot be started."))
        raise failures[0]

    monkeypatch.setattr(process, "warm_up", warm_up)
    window = PluginWindow()
    wait_for(lambda: failures)
    settle()
    assert window.panel.message.text() == "" and not window.panel.card.isVisible()
    window.close()


def test_without_a_backend_nothing_is_warmed_up_or_set_up(nothing_set_up, window, warm_ups):
    settle()
    assert window.panel.card.isVisible() and warm_ups == [] and nothing_set_up == []


def test_estimates_adapt_to_measured_times(window, scripted):
    draw_in_view(window)
    before = window.panel.estimate
    expected_s = sum(before.generator_seconds.values())
    estimates.adapt(before, 4 * expected_s)
    window.panel.refresh()
    assert expected_s < sum(window.panel.estimate.generator_seconds.values()) < 4 * expected_s


def test_everything_can_be_reached_by_key_and_is_explained(window):
    picker, form = window.panel.region_picker, window.panel.form
    for button in (*picker.tools, picker.view_button, picker.layer_button, picker.feature_button):
        assert button.toolTip() and button.focusPolicy() != Qt.FocusPolicy.NoFocus and "&" in button.text()
    for widget in (form.output, form.generator, form.seed, form.random_button, window.panel.copy_button):
        assert widget.toolTip() and widget.focusPolicy() != Qt.FocusPolicy.NoFocus


@pytest.mark.skipif(not (ROOT / "backend" / "bundled" / "spade").is_dir(), reason="the models are not bundled")
def test_with_the_real_backend_a_tiny_scene_and_its_extension(window, project):
    process.stop_worker()
    window.set_view(778000, 9984900, 778200, 9985000)
    draw(window, ((778010, 9984910), (778050, 9984940)))
    panel = window.panel
    panel.form.generator.setCurrentIndex(panel.form.generator.findData("spade"))
    panel.form.steps.setValue(1)
    window.click(panel.generate_button)
    window.wait_for_generation()
    image = named("Image")
    assert image.customProperty("landforge/model") == "spade", panel.message.text()
    window.iface.active = image
    layer_action(window, "Extend").trigger()
    window.drag((778030, 9984910), (778090, 9984940))
    window.wait_for_generation()
    (extension,) = [layer for layer in rasters() if layer.bandCount() == 3 and layer is not image]
    old, new = gdal.Open(image.source()), gdal.Open(extension.source())
    (left, top), (right, bottom) = (778030, 9984940), (778050, 9984910)  # the overlap
    pixels = []
    for source in (old, new):
        column, row = round(left - source.GetGeoTransform()[0]), round(source.GetGeoTransform()[3] - top)
        pixels.append(source.ReadAsArray(column, row, right - left, top - bottom))
    assert new.RasterXSize > 50 and pixels[0].std() > 0 and (pixels[0] == pixels[1]).all()
    process.stop_worker()
