"""Synthetic rasters made again by their own tags: the same pixels, a new seed, the ground beside them."""

import json
import shutil

import numpy as np
import pytest
import rasterio

from backend.generation import styles
from backend.generation.image_generators import load_image_generator
from backend.jobs import generateimage, generatelandcover, generatescene, regeneratearea
from backend.protocol import (
    BackendError,
    Extent,
    GenerateImage,
    GenerateLandCover,
    GenerateScene,
    RegenerateArea,
    silent,
)
from tests.backend.rasters import write_raster

UTM = "EPSG:32618"
LEFT, BOTTOM = 376_000, 4_700_000
PLACE = Extent(LEFT, BOTTOM, LEFT + 160, BOTTOM + 130, UTM)
LARGE = Extent(LEFT, BOTTOM, LEFT + 1600, BOTTOM + 1300, UTM)  # 160 m are too little for two classes
# the same place and the ground east of it
WIDER = Extent(LEFT + 50, BOTTOM, LEFT + 300, BOTTOM + 130, UTM)
CORNER = f"POLYGON(({LEFT} {BOTTOM}, {LEFT + 90} {BOTTOM}, {LEFT} {BOTTOM + 90}, {LEFT} {BOTTOM}))"


def read(path):
    with rasterio.open(path) as source:
        return source.read(), source.tags(), source.bounds


def again(raster, folder, name="again", **more):
    """The job run; the path of its output."""
    output = str(folder / f"{name}.tif")
    assert regeneratearea.run(RegenerateArea(str(raster), output, **more), silent())["output"] == output
    return output


@pytest.fixture(scope="module")
def generated_landcover(tmp_path_factory):
    output = tmp_path_factory.mktemp("landcover") / "landcover.tif"
    shares = {10: 60.0, 80: 30.0}
    generatelandcover.run(GenerateLandCover(LARGE, str(output), seed=4, steps=2, shares=shares), silent())
    return output


@pytest.fixture(scope="module")
def generated_scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene")
    paths = [str(folder / f"{name}.tif") for name in ("cover", "image")]
    generatescene.run(GenerateScene(PLACE, *paths, "spade", seed=4, steps=2, shares={50: 80.0}), silent())
    return folder


@pytest.fixture
def landcover(generated_landcover, tmp_path):
    """A copy of the generated land cover, which a test may change."""
    return str(shutil.copy(generated_landcover, tmp_path))


@pytest.fixture
def scene(generated_scene, tmp_path):
    """Copies of the generated scene's land cover and image."""
    return [str(shutil.copy(generated_scene / f"{name}.tif", tmp_path)) for name in ("cover", "image")]


def same(one, other, *keys):
    return all(one[key] == other[key] for key in keys)


def test_land_cover_is_the_same_again_and_another_with_a_new_seed(landcover, tmp_path):
    pixels, tags, bounds = read(landcover)
    result, tags_again, where = read(again(landcover, tmp_path))
    assert np.array_equal(result, pixels) and where == bounds
    assert same(tags_again, tags, "LANDFORGE_SETTINGS", "LANDFORGE_SEED", "LANDFORGE_MODEL_SHA256")
    result, tags_again, where = read(again(landcover, tmp_path, "other", seed=5))
    assert not np.array_equal(result, pixels) and where == bounds and tags_again["LANDFORGE_SEED"] == "5"
    assert same(tags_again, tags, "LANDFORGE_SETTINGS")


def test_land_cover_goes_on_beside_itself(landcover, tmp_path):
    east = Extent(LEFT + 1500, BOTTOM, LEFT + 1700, BOTTOM + 130, UTM)
    pixels, result = read(landcover)[0], read(again(landcover, tmp_path, extent=east))
    assert result[2] == (east.xmin, east.ymin, east.xmax, east.ymax)
    assert np.array_equal(result[0][:, :, :10], pixels[:, -13:, 150:])


def test_an_extent_in_another_crs_stays_on_the_rasters_grid(landcover, tmp_path):
    extent = Extent(-76.5085, 42.4405, -76.5065, 42.4425, "EPSG:4326")
    with rasterio.open(again(landcover, tmp_path, extent=extent)) as source:
        assert source.crs.to_epsg() == 32618 and source.transform.c % 10 == 0


def test_a_scenes_image_goes_on_and_may_bring_its_land_cover(scene, tmp_path):
    cover, image = (read(path)[0] for path in scene)
    wider_cover = str(tmp_path / "wider cover.tif")
    wider = read(again(scene[1], tmp_path, extent=WIDER, output_landcover=wider_cover))
    assert np.array_equal(wider[0][:, :, :110], image[:, :, 50:])
    assert np.array_equal(read(wider_cover)[0][:, :, :11], cover[:, :, 5:])
    assert same(wider[1], read(scene[1])[1], "LANDFORGE_SETTINGS")


def test_a_scenes_image_alone(scene, tmp_path):
    before = set(tmp_path.iterdir())
    assert np.array_equal(read(again(scene[1], tmp_path))[0], read(scene[1])[0])
    assert {path.name for path in set(tmp_path.iterdir()) - before} == {"again.tif"}


def test_an_image_keeps_the_style_that_its_seed_drew(scene, tmp_path):
    """With another seed too, which alone would have drawn another."""
    generator = load_image_generator("spade")
    drawn = styles.choose_styles(generator, "", 4)
    seed = next(seed for seed in range(5, 99) if styles.choose_styles(generator, "", seed) != drawn)
    for path in (scene[1], again(scene[1], tmp_path, seed=seed)):
        assert drawn and json.loads(read(path)[1]["LANDFORGE_SETTINGS"])["style"] == list(drawn)


def test_an_image_keeps_its_style(scene, tmp_path):
    style = ", ".join(sorted(load_image_generator("spade").index["styles"])[::3])
    paths = [str(tmp_path / f"styled {name}.tif") for name in ("cover", "image")]
    scene_job = GenerateScene(PLACE, *paths, "spade", seed=4, steps=2, shares={50: 80.0}, style=style)
    generatescene.run(scene_job, silent())
    pixels, tags, _ = read(paths[1])
    assert not np.array_equal(pixels, read(scene[1])[0]), "a style is seen"
    result, tags_again, _ = read(again(paths[1], tmp_path))
    assert np.array_equal(result, pixels) and same(tags_again, tags, "LANDFORGE_SETTINGS")


def test_what_lay_outside_the_polygons_stays_outside(tmp_path):
    paths = [str(tmp_path / f"{name}.tif") for name in ("cover", "image")]
    generatescene.run(GenerateScene(PLACE, *paths, "spade", seed=4, steps=2, area=CORNER), silent())
    cover = str(tmp_path / "cover again.tif")
    image = again(paths[1], tmp_path, output_landcover=cover)
    for new, old in zip((cover, image), paths):
        with rasterio.open(new) as one, rasterio.open(old) as other:
            assert np.array_equal(one.dataset_mask(), other.dataset_mask()) and not one.dataset_mask().all()
            assert np.array_equal(one.read(), other.read())


def test_an_image_on_a_raster_of_ones_own(tmp_path):
    codes = np.random.default_rng(1).choice(np.array([10, 30, 80], np.uint8), (1, 13, 30))
    below = str(write_raster(tmp_path / "mine.tif", codes, pixel=10.0, nodata=0))
    image = str(tmp_path / "image.tif")
    generateimage.run(GenerateImage(below, image, "spade", seed=4), silent())
    pixels, _, (left, bottom, right, top) = read(image)
    part = Extent(left + 100, bottom, left + 200, top, "EPSG:32618")
    assert np.array_equal(read(again(image, tmp_path, extent=part))[0], pixels[:, :, 100:200])
    with pytest.raises(BackendError, match=r"mine.tif itself \(LANDCOVER\)"):
        regeneratearea.run(RegenerateArea(image, below), silent())
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (tmp_path / "mine.tif").rename(moved / "mine.tif")
    with pytest.raises(BackendError, match=r"painted on the land cover 'mine.tif'.*Choose it"):
        again(image, tmp_path)
    output = again(image, tmp_path, landcover=str(moved / "mine.tif"))
    assert np.array_equal(read(output)[0], pixels)
    beyond = Extent(right + 100, bottom, right + 200, top, "EPSG:32618")
    with pytest.raises(BackendError, match="does not reach into the extent"):
        again(image, tmp_path, "beyond", landcover=str(moved / "mine.tif"), extent=beyond)


def test_another_model_is_not_gone_on_with_but_for_a_new_seed(landcover, tmp_path, reporter):
    with rasterio.open(landcover, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as source:
        source.update_tags(LANDFORGE_MODEL_SHA256="0" * 64)
    with pytest.raises(BackendError, match=r"model landcover has changed.*new SEED"):
        again(landcover, tmp_path)
    regeneratearea.run(RegenerateArea(landcover, str(tmp_path / "new.tif"), seed=9), reporter)
    assert any("has changed" in event.message for event in reporter.events("log"))


def test_what_is_not_synthetic_is_refused(tmp_path, refusal):
    real = str(write_raster(tmp_path / "real.tif", np.full((1, 10, 10), 10, np.uint8), pixel=10.0))
    assert "does not say how it was made" in refusal(regeneratearea.run, RegenerateArea, real)
