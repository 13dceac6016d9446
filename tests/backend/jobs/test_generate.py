"""Generating with the bundled models: grids, provenance, the world lock, and every bad input by its message."""

import io
import json
import re
import typing

import numpy as np
import pytest
import rasterio
import shapely
import torch
from rio_cogeo.cogeo import cog_validate

from backend.generation import layers
from backend.geo import legend
from backend.jobs import generateimage, generatelandcover, generatescene
from backend.models import model_folder
from backend.protocol import Extent, GenerateImage, GenerateLandCover, GenerateScene, Reporter, silent
from tests.backend.rasters import write_raster

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
    assert np.isin(data, legend.CODES).all()
    assert tags["LANDFORGE_SYNTHETIC"] == "YES" and tags["LANDFORGE_SEED"] == "3"
    assert tags["LANDFORGE_MODEL_SHA256"] == model_folder.model_hash(model_folder.BUNDLED / "landcover")
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


def test_each_finished_block_is_told_with_what_shows_it(tmp_path):
    landcover = str(write_raster(tmp_path / "wide.tif", np.full((1, 5, 150), 30, np.uint8), pixel=10.0))

    class Looking(Reporter):
        """Opens each preview when it is reported."""

        seen: typing.ClassVar[list] = []

        def send(self, event):
            for output, preview in event.outputs.items():
                with rasterio.open(preview) as source:
                    self.seen.append((output, float((source.dataset_mask() > 0).mean())))

    output = str(tmp_path / "image.tif")
    generateimage.run(GenerateImage(landcover, output, "spade"), Looking(io.StringIO()))
    shares = [share for path, share in Looking.seen if path == output]
    assert len(shares) > 1 and shares == sorted(shares) and 0 < shares[0] < shares[-1]


@pytest.mark.parametrize("generator", GENERATORS)
def test_scenes_agree_on_shared_ground(tmp_path, generator):
    left, bottom = 376_000, 4_700_170  # one begins within the blocks of the other
    extents = {"part": utm(left + 150, bottom + 20, 90, 110), "whole": utm(left, bottom, 260, 330)}
    scenes = {}
    for name, extent in extents.items():
        paths = [str(tmp_path / f"{name}_{layer}.tif") for layer in ("cover", "image")]
        generatescene.run(GenerateScene(extent, *paths, generator, seed=5, steps=2), silent())
        scenes[name] = [read(path)[0] for path in paths]
        bounds = [rasterio.open(path).bounds for path in paths]
        assert bounds[0] == bounds[1] == (extent.xmin, extent.ymin, extent.xmax, extent.ymax)
    assert np.array_equal(scenes["part"][0], scenes["whole"][0][:, 20:31, 15:24])
    assert np.array_equal(scenes["part"][1], scenes["whole"][1][:, 200:310, 150:240])


@pytest.mark.parametrize("generator", GENERATORS)
def test_threads_change_no_bit(tmp_path, generator):
    threads, scenes = torch.get_num_threads(), []
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            paths = [str(tmp_path / f"{count}_{layer}.tif") for layer in ("cover", "image")]
            generatescene.run(
                GenerateScene(utm(376_000, 4_700_000, 140, 90), *paths, generator, seed=5, steps=2), silent()
            )
            scenes.append([read(path)[0] for path in paths])
    finally:
        torch.set_num_threads(threads)
    assert all(np.array_equal(one, other) for one, other in zip(*scenes))


TRIANGLE = [(0.05, 0.55), (0.45, 0.6), (0.1, 0.95)]
HOLE = [(0.15, 0.65), (0.2, 0.65), (0.15, 0.7)]


def area_in(extent):
    """The WKT of a triangle with a hole in the north-west of an extent, as large as it."""
    left, bottom, width, height = extent.xmin, extent.ymin, extent.xmax - extent.xmin, extent.ymax - extent.ymin
    rings = [[(left + x * width, bottom + y * height) for x, y in ring] for ring in (TRIANGLE, HOLE)]
    return shapely.Polygon(rings[0], rings[1:]).wkt


def windows(reporter):
    """How many windows the last rendering that was heard had."""
    last = [event.message for event in reporter.events("progress") if event.message.startswith("window")][-1]
    done, total = re.search(r"window ([\d,]+) of ([\d,]+)", last).groups()
    assert done == total
    return int(total.replace(",", ""))


@pytest.mark.parametrize("generator", GENERATORS)
def test_an_area_is_what_it_is_in_the_whole_scene(tmp_path, reporter, generator):
    extent = utm(376_000, 4_700_000, *{"spade": (900, 800), "controlnet": (350, 300)}[generator])
    scenes, count = {}, {}
    for name, area in {"whole": "", "area": area_in(extent)}.items():
        paths = [str(tmp_path / f"{name}_{layer}.tif") for layer in ("cover", "image")]
        generatescene.run(GenerateScene(extent, *paths, generator, seed=5, steps=2, area=area), reporter)
        scenes[name], count[name] = [read(path)[0] for path in paths], windows(reporter)
        assert all(cog_validate(path)[0] for path in paths)
    inside = scenes["area"][0][0] > 0
    assert 0.02 < inside.mean() < 0.2
    assert np.array_equal(scenes["area"][0][0], np.where(inside, scenes["whole"][0][0], 0))
    mask = rasterio.open(paths[1]).dataset_mask() > 0
    assert np.array_equal(mask, inside.repeat(10, 0).repeat(10, 1)), "land cover and image end at the same place"
    assert np.array_equal(scenes["area"][1], np.where(mask, scenes["whole"][1], 0))
    assert count["area"] < 0.75 * count["whole"]


def test_an_area_in_degrees_is_cut_out_of_the_grid_in_metres(tmp_path, reporter):
    extent, paths = Extent(-76.5, 42.44, -76.49, 42.446, "EPSG:4326"), [str(tmp_path / f"{n}.tif") for n in "ab"]
    for path, area in zip(paths, ("", area_in(extent))):
        generatelandcover.run(GenerateLandCover(extent, path, seed=3, steps=2, area=area), reporter)
    full, part = (read(path)[0][0] for path in paths)
    inside = part > 0
    assert 0.02 < inside.mean() < 0.2 and np.array_equal(part[inside], full[inside])
    triangle = shapely.area(shapely.from_wkt(area_in(extent))) / ((extent.xmax - extent.xmin) * 0.006)
    assert inside.mean() == pytest.approx(triangle, rel=0.15)  # the grid is larger than what was drawn


def test_a_bad_area_is_named(refusal):
    extent = utm(376_000, 4_700_000, 1000, 1000)
    for wkt, message in {
        "POLYGON ((0 0, 9 0, 9 9, 0 0))": "AREA lies outside the extent",
        "LINESTRING (0 0, 9 9)": "AREA is no polygon",
        "POLYGON ((376501 4700501, 376504 4700501, 376504 4700504, 376501 4700501))": "AREA is smaller than a pixel",
    }.items():
        assert message in refusal(generatelandcover.run, GenerateLandCover, extent, area=wkt, steps=1)


@pytest.mark.parametrize(("generator", "reach"), [("spade", 256), ("controlnet", 3 * 128)])
def test_where_land_cover_has_no_data_nothing_is_painted(tmp_path, reporter, generator, reach):
    codes, images, counts = np.random.default_rng(1).choice([10, 30, 50], (1, 10, 90)).astype(np.uint8), [], []
    for name in ("whole", "half"):
        path = str(write_raster(tmp_path / f"{name}.tif", codes, pixel=10.0, nodata=0))
        output = str(tmp_path / f"{name}_image.tif")
        generateimage.run(GenerateImage(path, output, generator, seed=1, steps=2), reporter)
        images.append(read(output)[0])
        counts.append(windows(reporter))
        codes[:, :, 45:] = 0
    mask = rasterio.open(output).dataset_mask()
    assert mask[:, :450].all() and not mask[:, 450:].any() and not images[1][:, :, 450:].any()
    alike = 450 - reach  # what reads no further than the windows that read one another
    assert np.array_equal(images[1][:, :, :alike], images[0][:, :, :alike])
    assert not np.array_equal(images[1][:, :, :450], images[0][:, :, :450])
    assert counts[1] < 0.75 * counts[0]


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
    averaged = write_raster(tmp_path / "averaged.tif", codes + np.float32(0.5), pixel=10.0)
    yield "values with fractions", dict(landcover=str(averaged))
    other = write_raster(tmp_path / "other.tif", codes + 1, pixel=10.0)
    yield "ESA WorldCover does not have: 11", dict(landcover=str(other))
    yield "no WorldCover class", dict(landcover=str(write_raster(tmp_path / "empty.tif", codes * 0, pixel=10.0)))
    good = str(write_raster(tmp_path / "good.tif", codes, pixel=10.0))
    yield "not a Landforge model", dict(landcover=good, model=str(tmp_path))
    yield "is a landcover model, but a spade model", dict(landcover=good, model="landcover")
    yield "more than the limit", dict(landcover=good, max_area_km2=0.001)


@pytest.mark.parametrize("case", range(11))
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
    shutil.copytree(model_folder.BUNDLED / "spade", folder)
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


def test_a_scene_that_fails_at_once_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("power cut")

    monkeypatch.setattr(layers, "render", fail)
    job = GenerateScene(utm(376_000, 4_700_000, 50, 50), str(tmp_path / "a.tif"), str(tmp_path / "b.tif"), steps=1)
    with pytest.raises(RuntimeError):
        generatescene.run(job, silent())
    assert list(tmp_path.iterdir()) == []
