"""Styles from job to tags: land cover alone, images that fit their map, scenes, and all of them again."""

import json
import shutil

import numpy as np
import pytest
import rasterio
import torch

from backend.geo import legend
from backend.jobs import generateimage, generatelandcover, generatescene, regeneratearea
from backend.models import landcover, model_folder
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

LEFT, BOTTOM = 376_000, 4_700_000
PLACE = Extent(LEFT, BOTTOM, LEFT + 300, BOTTOM + 200, "EPSG:32618")
EAST = Extent(LEFT + 200, BOTTOM, LEFT + 400, BOTTOM + 100, "EPSG:32618")
WOODS, GRASS, TOWN = np.eye(legend.COUNT)[[0, 2, 4]].tolist()
LANDCOVER = {
    "styles": ["semiarid", "temperate", "tropical"],
    "compositions": {"semiarid": [GRASS], "temperate": [TOWN], "tropical": [WOODS]},
}
IMAGE = {
    "styles": ["2016", "2018", "2020", "arid", "coastal", "temperate", "semiarid"],
    "style_combinations": {"2018, coastal": 0.3, "2018, semiarid": 0.3, "2020, temperate": 0.2, "temperate": 0.2},
    "style_classes": {"coastal": [50], "semiarid": [50], "temperate": [10, 30, 50]},
}


@pytest.fixture(scope="module", autouse=True)
def models(tmp_path_factory):
    """Bundled models with styles: an untrained land cover denoiser, and SPADE with other names of its styles."""
    folder = tmp_path_factory.mktemp("bundled")
    for name, entries in (("landcover", LANDCOVER), ("spade", IMAGE)):
        shutil.copytree(model_folder.BUNDLED / name, folder / name)
        index = json.loads((folder / name / model_folder.INDEX).read_text())
        index = {key: value for key, value in index.items() if key not in model_folder.FORMER_KEYS}
        (folder / name / model_folder.INDEX).write_text(json.dumps({**index, **entries}))
    torch.manual_seed(0)
    landcover.new_denoiser(3).save_pretrained(folder / "landcover" / "denoiser")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_folder, "BUNDLED", folder)
        yield folder


def read(path):
    with rasterio.open(path) as source:
        return source.read(), json.loads(source.tags()["LANDFORGE_SETTINGS"])


def again(path, **fields):
    output = str(path).replace(".tif", " again.tif")
    regeneratearea.run(RegenerateArea(str(path), output, **fields), silent())
    return read(output)


def land_cover(path, report=None, seed=1, **fields):
    generatelandcover.run(GenerateLandCover(PLACE, str(path), seed, 2, **fields), report or silent())
    return read(path)


def scene(folder, seed=1, report=None, **fields):
    """The land cover and the image of a scene, each with its settings; with their paths."""
    paths = [folder / f"{name} {seed}.tif" for name in ("cover", "image")]
    job = GenerateScene(PLACE, str(paths[0]), str(paths[1]), "spade", seed, 2, **fields)
    generatescene.run(job, report or silent())
    return paths, [read(path) for path in paths]


def test_land_cover_has_the_style_of_its_job_or_one_that_its_seed_drew(tmp_path, reporter):
    maps = {style: land_cover(tmp_path / f"{style}.tif", style=style) for style in LANDCOVER["styles"]}
    assert all(settings["style"] == [style] for style, (_, settings) in maps.items())
    assert not np.array_equal(maps["tropical"][0], maps["semiarid"][0]), "a style is seen"
    drawn_maps = [land_cover(tmp_path / f"{seed}.tif", reporter, seed=seed) for seed in range(6)]
    assert len({settings["style"][0] for _, settings in drawn_maps}) > 1
    drawn = drawn_maps[1][1]["style"][0]
    assert np.array_equal(drawn_maps[1][0], maps[drawn][0])
    assert any("drawn by the seed" in event.message for event in reporter.events("log"))
    with pytest.raises(BackendError, match=r"no style 'lunar'\. Choose among: semiarid, temperate, tropical"):
        land_cover(tmp_path / "lunar.tif", style="lunar")


def test_land_cover_goes_on_in_the_style_that_its_seed_drew(tmp_path):
    path = tmp_path / "cover.tif"
    pixels, settings = land_cover(path)
    wider, wider_settings = again(path, extent=EAST)
    assert np.array_equal(wider[:, :, :10], pixels[:, 10:, 20:]) and wider_settings == settings
    assert all(again(path, seed=seed)[1]["style"] == settings["style"] for seed in range(2, 6))


@pytest.mark.parametrize("style", ["", "tropical, 2020", "coastal"])
def test_a_scene_has_one_look_and_goes_on_in_it(tmp_path, style):
    paths, [(cover, cover_settings), (image, settings)] = scene(tmp_path, style=style)
    expected = {"tropical, 2020": ["2020", "tropical"], "coastal": ["2018", "coastal"]}.get(style, settings["style"])
    climate = {"tropical, 2020": "tropical", "coastal": "temperate"}.get(style) or (
        {"semiarid", "temperate"} & set(settings["style"])
    ).pop()
    assert settings["style"] == expected
    assert settings["landcover_style"] == cover_settings["style"] == [climate]
    wider_cover = tmp_path / "wider cover.tif"
    wider, wider_settings = again(paths[1], extent=EAST, output_landcover=str(wider_cover))
    assert np.array_equal(wider[:, :, :100], image[:, 100:, 200:]) and wider_settings == settings
    assert np.array_equal(read(wider_cover)[0][:, :, :10], cover[:, 10:, 20:])
    assert np.array_equal(again(paths[0])[0], cover)


def test_a_scene_keeps_a_look_of_fewer_words_than_another(tmp_path):
    """'temperate' is a look, and a part of '2020, temperate'."""
    paths, [_, (image, settings)] = next(
        made for seed in range(1, 40) if (made := scene(tmp_path, seed))[1][1][1]["style"] == ["temperate"]
    )
    pixels, settings_again = again(paths[1])
    assert np.array_equal(pixels, image) and settings_again == settings
    assert all(again(paths[1], seed=seed)[1]["style"] == ["temperate"] for seed in range(50, 56))


def test_an_image_is_drawn_in_a_style_that_fits_its_map_and_keeps_it(tmp_path):
    woods, town = (
        str(write_raster(tmp_path / f"{code}.tif", np.full((1, 12, 12), code, np.uint8), pixel=10.0, nodata=0))
        for code in (10, 50)
    )

    def drawn(below, seed):
        path = tmp_path / "image.tif"
        generateimage.run(GenerateImage(below, str(path), "spade", seed), silent())
        return tuple(read(path)[1]["style"])

    assert {drawn(woods, seed) for seed in range(8)} == {("2020", "temperate"), ("temperate",)}
    seed = next(seed for seed in range(99) if drawn(town, seed) == ("2018", "coastal"))
    assert again(tmp_path / "image.tif", seed=seed + 1)[1]["style"] == ["2018", "coastal"]
    next(seed for seed in range(99) if drawn(woods, seed) == ("temperate",))
    assert all(again(tmp_path / "image.tif", seed=seed)[1]["style"] == ["temperate"] for seed in range(50, 56))


def test_a_land_cover_model_without_styles_says_that_it_ignores_them(tmp_path, models, reporter):
    plain = shutil.copytree(models / "landcover", tmp_path / "plain")
    index = json.loads((plain / model_folder.INDEX).read_text())
    (plain / model_folder.INDEX).write_text(json.dumps({**index, "styles": [], "compositions": [WOODS]}))
    landcover.new_denoiser(0).save_pretrained(plain / "denoiser")
    _, settings = land_cover(tmp_path / "cover.tif", reporter, style="tropical", model=str(plain))
    assert settings["style"] == [] and any("has no styles" in event.message for event in reporter.events("log"))
