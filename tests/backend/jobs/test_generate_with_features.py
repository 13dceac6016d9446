"""Generating with roads, buildings and water: what becomes of them in land cover, image, tags and a resumed run."""

import json

import numpy as np
import pytest
import rasterio
import shapely

from backend.jobs import generateimage, generatescene, regeneratearea
from backend.protocol import BackendError, Extent, GenerateImage, GenerateScene, RegenerateArea, silent
from tests.backend.rasters import read_raster, write_raster
from tests.backend.reporters import Interrupted, InterruptingReporter
from tests.backend.vector_files import write_features

UTM = "EPSG:32618"
LEFT, BOTTOM = 376_000, 4_700_170


def extent(left, bottom, width, height):
    return Extent(LEFT + left, BOTTOM + bottom, LEFT + left + width, BOTTOM + bottom + height, UTM)


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """A road across 260 x 330 m and far beyond, a pond and a house."""
    folder = tmp_path_factory.mktemp("layers")
    road = shapely.LineString([(LEFT - 900, BOTTOM - 700), (LEFT + 1100, BOTTOM + 1000)])
    pond = shapely.box(LEFT + 150, BOTTOM + 40, LEFT + 230, BOTTOM + 120)
    house = shapely.box(LEFT + 40.3, BOTTOM + 200, LEFT + 62, BOTTOM + 221)
    return {
        "roads": write_features(folder / "roads.gpkg", [road], metres=[13.0]),
        "roads_width": "metres",
        "water": write_features(folder / "pond.gpkg", [pond]),
        "buildings": write_features(folder / "houses.gpkg", [house]),
    }


def settings_of(path):
    with rasterio.open(path) as source:
        return json.loads(source.tags()["LANDFORGE_SETTINGS"])


def scene(folder, place, name="scene", generator="spade", **layers):
    paths = [str(folder / f"{name}_{raster}.tif") for raster in ("cover", "image")]
    generatescene.run(GenerateScene(place, *paths, generator, seed=5, steps=2, **layers), silent())
    return paths


@pytest.mark.parametrize("generator", ["spade", "controlnet"])
def test_scenes_with_features_agree_on_shared_ground(tmp_path, layers, generator):
    whole = scene(tmp_path, extent(0, 0, 260, 330), "whole", generator, **layers)
    part = scene(tmp_path, extent(150, 20, 90, 110), "part", generator, **layers)
    assert np.array_equal(read_raster(part[0]), read_raster(whole[0])[:, 20:31, 15:24])
    assert np.array_equal(read_raster(part[1]), read_raster(whole[1])[:, 200:310, 150:240])


def test_the_land_cover_of_a_scene_has_the_features_and_the_tags_name_them(tmp_path, layers):
    place = extent(0, 0, 260, 330)
    plain, burnt = scene(tmp_path, place, "plain"), scene(tmp_path, place, "burnt", **layers)
    codes, before = read_raster(burnt[0])[0], read_raster(plain[0])[0]
    assert (codes[21:29, 15:23] == 80).all(), "the pond"
    assert (codes[11:13, 4:6] == 50).all(), "the house"
    changed = codes != before
    assert np.isin(codes[changed], [50, 80]).all() and changed.mean() < 0.5
    for path in burnt:
        settings = settings_of(path)
        assert settings["roads"] == "roads.gpkg" and settings["roads_width"] == "metres"
        assert settings["water"] == "pond.gpkg" and settings["buildings"] == "houses.gpkg"
        assert settings["features_sha256"] == settings_of(burnt[0])["features_sha256"]
    assert not {"roads", "water", "features_sha256"} & set(settings_of(plain[1]))


def test_an_image_on_land_cover_has_water_where_the_layer_has_it(tmp_path, layers, reporter):
    cover = str(write_raster(tmp_path / "cover.tif", np.full((1, 33, 26), 30, np.uint8), LEFT, BOTTOM + 330, 10.0))
    images = []
    for name, chosen in (("plain", {}), ("burnt", layers)):
        output = str(tmp_path / f"{name}.tif")
        generateimage.run(GenerateImage(cover, output, "spade", seed=1, **chosen), reporter)
        images.append(read_raster(output).astype(int))
    difference = np.abs(images[0] - images[1]).mean(0)
    assert difference[215:285, 155:225].mean() > 4, "the pond"
    assert difference[:60, :60].mean() < 0.1 * difference[215:285, 155:225].mean(), "away from all features"
    assert settings_of(output)["landcover"] == "cover.tif" and settings_of(output)["water"] == "pond.gpkg"
    log = " ".join(event.message for event in reporter.events("log"))
    assert "WATER: surfaces of pond.gpkg in the extent: 1." in log and "not their outlines" in log


def test_nodata_stays_nodata_under_a_feature(tmp_path, layers):
    codes = np.full((1, 33, 26), 30, np.uint8)
    codes[:, 20:, 15:] = 0
    cover = str(write_raster(tmp_path / "cover.tif", codes, LEFT, BOTTOM + 330, 10.0, nodata=0))
    output = str(tmp_path / "image.tif")
    generateimage.run(GenerateImage(cover, output, "spade", seed=1, **layers), silent())
    with rasterio.open(output) as source:
        assert not source.dataset_mask()[200:, 150:].any()


def test_a_raster_with_features_is_not_regenerated_without_them(tmp_path, layers):
    for raster in scene(tmp_path, extent(0, 0, 60, 50), **layers):
        with pytest.raises(BackendError, match=r"roads\.gpkg, houses\.gpkg, pond\.gpkg.* Generate scene"):
            regeneratearea.run(RegenerateArea(raster, str(tmp_path / "again.tif"), seed=9), silent())


def test_an_interrupted_run_goes_on_with_the_same_features_alone(tmp_path, layers, reporter):
    cover = str(write_raster(tmp_path / "cover.tif", np.full((1, 60, 150), 30, np.uint8), LEFT, BOTTOM + 600, 10.0))
    output = str(tmp_path / "image.tif")
    water = write_features(tmp_path / "water.gpkg", [shapely.box(LEFT, BOTTOM, LEFT + 90, BOTTOM + 90)])
    job = GenerateImage(cover, output, "spade", seed=1, water=water)

    class Stopping(InterruptingReporter):
        def send(self, event):
            if event.kind == "preview":
                raise Interrupted

    def resumes():
        start = len(reporter.events("log"))
        generateimage.run(job, reporter)
        return any("an earlier run left" in event.message for event in reporter.events("log")[start:])

    with pytest.raises(Interrupted):
        generateimage.run(job, Stopping(""))
    assert resumes()
    with pytest.raises(Interrupted):
        generateimage.run(job, Stopping(""))
    write_features(tmp_path / "water.gpkg", [shapely.box(LEFT, BOTTOM, LEFT + 95, BOTTOM + 90)])
    assert not resumes()


def test_a_layer_that_cannot_be_read_leaves_nothing_behind(tmp_path, refusal):
    cover = str(write_raster(tmp_path / "cover.tif", np.full((1, 9, 9), 30, np.uint8), LEFT, BOTTOM + 90, 10.0))
    message = refusal(generateimage.run, GenerateImage, cover, roads=str(tmp_path / "missing.gpkg"))
    assert "ROADS: there is no file" in message
