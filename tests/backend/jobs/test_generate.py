"""Generating with the bundled models: grids, provenance, the world lock, and every bad input by its message."""

import json
import typing

import numpy as np
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from backend import checkpoint, classes
from backend.jobs import generateimage, generatelandcover, generatescene
from backend.protocol import Extent, GenerateImage, GenerateLandCover, GenerateScene, silent
from tests.backend.scenes import write_raster

GENERATORS = typing.get_args(typing.get_type_hints(GenerateImage)["generator"])
UTM = "EPSG:32618"


def utm(left, bottom, width, height):
    return Extent(left, bottom, left + width, bottom + height, UTM)


@pytest.fixture
def landcover(tmp_path):
    """30 x 20 cells of 10 m: trees, grass and built-up in stripes, a corner without data."""
    codes = np.repeat([[10, 30, 50]], 20, axis=0).repeat(10, axis=1).astype(np.uint8)[None]
    codes[0, :4, :4] = 0
    return str(write_raster(tmp_path / "landcover.tif", codes, pixel=10.0, nodata=0))


def read(path):
    with rasterio.open(path) as source:
        return source.read(), source.profile, source.tags()


def test_land_cover_lies_on_the_grid_and_says_what_it_is(tmp_path):
    output = str(tmp_path / "out.tif")
    extent = Extent(-76.5, 42.44, -76.49, 42.446, "EPSG:4326")
    assert generatelandcover.run(GenerateLandCover(extent, output, seed=3, steps=2), silent()) == {"output": output}
    data, profile, tags = read(output)
    assert cog_validate(output)[0]
    assert profile["crs"].to_epsg() == 32618 and profile["transform"].a == 10
    assert profile["transform"].c % 10 == profile["transform"].f % 10 == 0
    assert np.isin(data, classes.CODES).all()
    assert tags["LANDFORGE_SYNTHETIC"] == "YES" and tags["LANDFORGE_SEED"] == "3"
    assert tags["LANDFORGE_MODEL_SHA256"] == checkpoint.model_hash(checkpoint.BUNDLED / "landcover")
    assert json.loads(tags["LANDFORGE_SETTINGS"])["steps"] == 2
    assert "SYNTHETIC" in tags["TIFFTAG_IMAGEDESCRIPTION"]


@pytest.mark.parametrize("generator", GENERATORS)
def test_an_image_covers_its_land_cover_to_the_metre(tmp_path, landcover, generator):
    output = str(tmp_path / "image.tif")
    generateimage.run(GenerateImage(landcover, output, generator, seed=1, steps=2), silent())
    data, profile, tags = read(output)
    assert cog_validate(output)[0]
    with rasterio.open(landcover) as source:
        assert rasterio.open(output).bounds == source.bounds
    assert data.shape == (3, 200, 300) and profile["transform"].a == 1
    mask = rasterio.open(output).dataset_mask()
    assert not mask[:40, :40].any() and mask[40:].all() and mask[:, 40:].all()
    assert data[:, 50:].std() > 5, "an image has contrast"
    settings = json.loads(tags["LANDFORGE_SETTINGS"])
    assert settings["generator"] == generator and settings["landcover"] == "landcover.tif"
    again = str(tmp_path / "again.tif")
    generateimage.run(GenerateImage(landcover, again, generator, seed=2, steps=2), silent())
    assert np.abs(read(again)[0].astype(int) - data)[:, 50:].mean() > 2, "another seed is another place"


@pytest.mark.parametrize("generator", GENERATORS)
def test_scenes_agree_on_shared_ground(tmp_path, generator):
    left, bottom = 376_000, 4_700_000
    extents = {"part": utm(left + 120, bottom + 40, 90, 110), "whole": utm(left, bottom, 260, 170)}
    found = {}
    for name, extent in extents.items():
        paths = [str(tmp_path / f"{name}_{what}.tif") for what in ("cover", "image")]
        generatescene.run(GenerateScene(extent, *paths, generator, seed=5, steps=2), silent())
        found[name] = [read(path)[0] for path in paths]
        bounds = [rasterio.open(path).bounds for path in paths]
        assert bounds[0] == bounds[1] == (extent.xmin, extent.ymin, extent.xmax, extent.ymax)
    cover = found["whole"][0][:, 2:13, 12:21]
    image = found["whole"][1][:, 20:130, 120:210].astype(int)
    assert (found["part"][0] == cover).all()
    assert (np.abs(found["part"][1] - image) <= 1).mean() >= 0.999


def test_an_extent_smaller_than_a_pixel_gives_one(tmp_path):
    output = str(tmp_path / "out.tif")
    generatelandcover.run(GenerateLandCover(utm(376_003, 4_700_003, 2, 2), output, steps=1), silent())
    assert read(output)[0].shape == (1, 1, 1)


def test_land_cover_in_degrees_is_painted_in_metres(tmp_path):
    codes = np.full((1, 8, 10), 40, np.uint8)
    path = write_raster(tmp_path / "wgs.tif", codes, -76.5, 42.44, 1 / 12000, "EPSG:4326", nodata=0)
    output = str(tmp_path / "image.tif")
    generateimage.run(GenerateImage(str(path), output, "spade"), silent())
    _, profile, _ = read(output)
    assert profile["crs"].to_epsg() == 32618 and 60 <= profile["width"] <= 100


def image_refusals(tmp_path):
    codes = np.full((1, 4, 4), 10, np.uint8)
    broken = write_raster(tmp_path / "broken.tif", codes.repeat(60, 1).repeat(60, 2), pixel=10.0)
    broken.write_bytes(broken.read_bytes()[:20_000])
    yield "damaged or not a raster", dict(landcover=str(broken))
    text = tmp_path / "text.tif"
    text.write_text("no raster at all")
    yield "damaged or not a raster", dict(landcover=str(text))
    yield "does not exist", dict(landcover=str(tmp_path / "missing.tif"))
    yield "has no CRS", dict(landcover=str(write_raster(tmp_path / "nocrs.tif", codes, pixel=10.0, crs=None)))
    three = write_raster(tmp_path / "three.tif", codes.repeat(3, 0), pixel=10.0)
    yield "3 band", dict(landcover=str(three))
    floats = write_raster(tmp_path / "float.tif", codes.astype(np.float32), pixel=10.0)
    yield "of float32", dict(landcover=str(floats))
    yield "no WorldCover class", dict(landcover=str(write_raster(tmp_path / "empty.tif", codes * 0, pixel=10.0)))
    good = str(write_raster(tmp_path / "good.tif", codes, pixel=10.0))
    yield "not a Landforge model", dict(landcover=good, model=str(tmp_path))
    yield "is a landcover model, but a spade model", dict(landcover=good, model="landcover")
    yield "more than the limit", dict(landcover=good, max_area_km2=0.001)


@pytest.mark.parametrize("case", range(10))
def test_bad_land_cover_and_models_are_named(tmp_path, refusal, case):
    message, fields = list(image_refusals(tmp_path))[case]
    assert message in refusal(generateimage.run, GenerateImage, generator="spade", **fields)


def test_steps_below_one_are_refused(refusal):
    assert "STEPS must be at least 1" in refusal(
        generatelandcover.run, GenerateLandCover, utm(376_000, 4_700_000, 100, 100), steps=0
    )


def test_a_damaged_model_is_named(tmp_path, refusal, landcover):
    import shutil

    folder = tmp_path / "model"
    shutil.copytree(checkpoint.BUNDLED / "spade", folder)
    weights = folder / "painter" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    message = refusal(generateimage.run, GenerateImage, landcover=landcover, generator="spade", model=str(folder))
    assert "its painter is missing or damaged" in message


def test_an_output_that_cannot_be_written_is_named(tmp_path, landcover):
    from backend.protocol import BackendError

    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(BackendError, match="Cannot write"):
        generateimage.run(GenerateImage(landcover, str(blocker / "out.tif"), "spade"), silent())


def test_a_scene_that_fails_midway_leaves_neither_raster(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("power cut")

    monkeypatch.setattr(generatescene, "paint", fail)
    job = GenerateScene(utm(376_000, 4_700_000, 50, 50), str(tmp_path / "a.tif"), str(tmp_path / "b.tif"), steps=1)
    with pytest.raises(RuntimeError):
        generatescene.run(job, silent())
    assert list(tmp_path.iterdir()) == []
