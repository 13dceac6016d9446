"""Land cover from images: every pixel covered, the right place and GSD, the same wherever the raster was cut."""

import re

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from rasterio.warp import calculate_default_transform, reproject

from backend import protocol
from backend.geo import legend
from backend.geo.raster import read_window
from backend.jobs import segmentimage
from backend.models import architectures, model_folder, segmentation
from backend.models import base as loading
from backend.tiling.lattice import Lattice
from tests.backend.labelled_images import COLOURS, TINY_NETWORK, image_and_label
from tests.backend.rasters import write_raster


class ColourReader(torch.nn.Module):
    """Knows the patchwork's colours, pixel by pixel, so that what it says where can be foretold."""

    def forward(self, image):
        colours = torch.full((legend.COUNT, 3), 1e4)
        for code, rgb in COLOURS.items():
            colours[legend.to_index(np.array([code]))[0]] = torch.tensor(rgb).float()
        return -(image.float()[:, None] - colours[None, :, :, None, None]).abs().sum(dim=2)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model folder with weights at random, so with answers that depend on a wide neighbourhood."""
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(1)
    sizes = {key: value for key, value in TINY_NETWORK.items() if key != "encoder"}
    module = architectures.build("unet", TINY_NETWORK["encoder"], **sizes)
    architectures.save(folder, module)
    index = dict(architecture="unet", encoder=TINY_NETWORK["encoder"], sizes=sizes, codes=legend.CODES.tolist())
    model_folder.write_index(folder, "segmentation", **index, pixel_m=1.0, mean=[0.5] * 3, std=[0.25] * 3)
    return str(folder)


@pytest.fixture
def small_windows(monkeypatch):
    monkeypatch.setattr(segmentation, "LATTICE", Lattice(window=96, stride=96))
    monkeypatch.setattr(segmentation, "MARGIN", 16)


@pytest.fixture
def reads_colours(monkeypatch, small_windows):
    monkeypatch.setattr(architectures, "load", lambda folder, index: ColourReader())
    loading._loaded.cache_clear()  # of what was loaded before, and afterwards of this
    yield
    loading._loaded.cache_clear()


def segment(tmp_path, image, model, reporter=None, **options):
    job = protocol.SegmentImage(str(image), str(tmp_path / "out.tif"), model, **options)
    assert segmentimage.run(job, reporter or protocol.silent()) == {"output": job.output}
    with rasterio.open(job.output) as found:
        return found.read(1), found.transform, found.crs, found.tags()


@pytest.mark.parametrize("height, width", [(1, 1), (255, 257), (128, 128), (129, 96), (30, 500)])
@pytest.mark.parametrize("left", [500_000.0, 96.0 * 5000])
def test_every_pixel_is_covered(tmp_path, model, small_windows, height, width, left):
    image = write_raster(tmp_path / "image.tif", image_and_label(height, width)[0], left=left, top=96.0 * 4000)
    codes, transform, crs, _ = segment(tmp_path, image, model)
    assert codes.shape == (height, width) and (codes > 0).all()
    with rasterio.open(image) as source:
        assert transform == source.transform and crs == source.crs


def test_blocks_and_cuts_leave_no_trace(tmp_path, model, small_windows, monkeypatch):
    world = image_and_label(420, 520)[0]
    image = write_raster(tmp_path / "image.tif", world)
    full = segment(tmp_path, image, model)[0]
    for side, batch in ((1, 1), (3, 5)):
        monkeypatch.setattr(segmentation, "SIDE", side)
        monkeypatch.setattr(segmentation, "BATCH", batch)
        assert (segment(tmp_path, image, model)[0] == full).all()
    row, col = 37, 61
    cut = write_raster(tmp_path / "cut.tif", world[:, row:, col:], 500_000 + col, 4_000_000 - row)
    part = segment(tmp_path, cut, model)[0]
    inside = (slice(128, -128), slice(128, -128))  # windows that reach here lie within both rasters
    assert (part[inside] == full[row:, col:][inside]).all()
    assert len(np.unique(part[inside])) > 3  # no trivial agreement


def test_windows_read_their_own_place(tmp_path, model, reads_colours):
    image, label = image_and_label(300, 410)
    source = write_raster(tmp_path / "image.tif", image, left=500_123.0, top=3_999_877.0)
    assert (segment(tmp_path, source, model)[0] == label[0]).mean() > 0.999


@pytest.mark.parametrize("pixel", [0.5, 0.6, 2.0])
def test_another_gsd_is_resampled_to_the_models(tmp_path, model, reads_colours, pixel):
    image, label = image_and_label(200, 200)
    repeated = np.repeat(np.repeat(image, 2, axis=1), 2, axis=2)
    source = write_raster(tmp_path / "image.tif", repeated, pixel=pixel)
    codes, transform, crs, _ = segment(tmp_path, source, model)
    assert (transform.a, transform.e) == (1.0, -1.0) and crs.to_epsg() == 32618
    truth = np.repeat(np.repeat(label[0], 2, axis=0), 2, axis=1)
    rows, cols = np.nonzero(codes)
    xs, ys = rasterio.transform.xy(transform, rows, cols)
    at = rasterio.transform.rowcol(Affine(pixel, 0, 500_000, 0, -pixel, 4_000_000), xs, ys)
    inside = (np.array(at) < 400).all(axis=0)
    right = codes[rows, cols][inside] == truth[np.array(at[0])[inside], np.array(at[1])[inside]]
    assert right.mean() > 0.85  # the borders of fields mix
    assert (codes > 0).sum() == pytest.approx((400 * pixel) ** 2, rel=0.02)


def test_a_gsd_close_to_the_models_keeps_its_grid(tmp_path, model, reads_colours):
    source = write_raster(tmp_path / "image.tif", image_and_label(100, 100)[0], pixel=1.03)
    assert segment(tmp_path, source, model)[1].a == 1.03


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:2263"])
def test_degrees_mercator_and_feet_become_metres(tmp_path, model, reads_colours, crs):
    image, label = image_and_label(256, 256)
    straight = write_raster(tmp_path / "utm.tif", image, left=583_000, top=4_507_000)
    with rasterio.open(straight) as source:
        transform, width, height = calculate_default_transform(source.crs, crs, 256, 256, *source.bounds)
        warped = np.zeros((3, height, width), np.uint8)
        reproject(rasterio.band(source, (1, 2, 3)), warped, dst_transform=transform, dst_crs=crs)
    path = tmp_path / "warped.tif"
    profile = dict(driver="GTiff", count=3, height=height, width=width, dtype="uint8", crs=crs, nodata=0)
    with rasterio.open(path, "w", **profile, transform=transform) as target:
        target.write(warped)
    codes, found, found_crs, _ = segment(tmp_path, path, model)
    assert found_crs.to_epsg() == 32618 and found.a == 1.0
    row, col = round(found.f - 4_507_000), round(583_000 - found.c)
    part = codes[row : row + 256, col : col + 256]
    assert (part == label[0]).mean() > 0.85
    assert (codes > 0).sum() == pytest.approx(256 * 256, rel=0.03)


def test_a_raster_from_south_to_north_is_turned(tmp_path, model, reads_colours):
    image, label = image_and_label(100, 140)
    path = tmp_path / "image.tif"
    profile = dict(driver="GTiff", count=3, height=100, width=140, dtype="uint8", crs="EPSG:32618")
    with rasterio.open(path, "w", **profile, transform=Affine(1, 0, 500_000, 0, 1, 4_000_000)) as target:
        target.write(image[:, ::-1])
    codes, transform, _, _ = segment(tmp_path, path, model)
    assert transform.e == -1 and (codes == label[0]).mean() > 0.99


@pytest.mark.parametrize(
    "kind", ["nodata", "mask", "alpha", "alpha, resampled", "mask, resampled", "nodata, resampled"]
)
def test_masked_pixels_stay_nodata(tmp_path, model, reads_colours, kind):
    image, _ = image_and_label(200, 200)
    masked = np.zeros((200, 200), bool)
    masked[60:120, 40:160] = True
    image[:, masked] = 0
    pixel, path = (0.5 if "resampled" in kind else 1.0), tmp_path / "image.tif"
    if "alpha" in kind:
        rgba = np.concatenate([image, np.where(masked, 0, 255).astype(np.uint8)[None]])
        write_raster(path, rgba, pixel=pixel, alpha="YES")
    elif "nodata" in kind:
        write_raster(path, image, pixel=pixel, nodata=0)
    else:
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            write_raster(path, image, pixel=pixel)
            with rasterio.open(path, "r+") as target:
                target.write_mask(~masked)
    codes = segment(tmp_path, path, model)[0]
    expected = ~masked[::2, ::2] if "resampled" in kind else ~masked
    assert ((codes > 0) == expected).mean() > (0.97 if "resampled" in kind else 0.9999)
    assert (codes[35:55, 25:75] if "resampled" in kind else codes[masked]).max() == 0


def test_what_is_masked_far_and_wide_costs_nothing(tmp_path, model, small_windows, reporter):
    image, counts, found = image_and_label(128, 700)[0] // 2 + 1, [], []
    for name in ("whole", "half"):
        found.append(segment(tmp_path, write_raster(tmp_path / f"{name}.tif", image, nodata=0), model, reporter)[0])
        counts.append(int([e.message for e in reporter.events("progress") if "window" in e.message][-1].split()[-1]))
        image[:, :, 350:] = 0
    assert counts[1] <= 0.6 * counts[0]
    assert (found[1][:, 350:] == 0).all()
    assert (found[1][:, :222] == found[0][:, :222]).all() and (found[1][:, :350] > 0).all()


def test_nir_is_left_out(tmp_path, model, reads_colours):
    image, label = image_and_label(64, 64)
    source = write_raster(tmp_path / "image.tif", np.concatenate([image, image[:1]]))
    assert (segment(tmp_path, source, model)[0] == label[0]).mean() > 0.999


def test_the_result_says_where_it_comes_from(tmp_path, model, small_windows, reporter):
    image = write_raster(tmp_path / "image.tif", image_and_label(200, 200)[0])
    tags = segment(tmp_path, image, model, reporter)[3]
    assert tags["LANDFORGE_PREDICTED"] == "YES" and tags["LANDFORGE_IMAGE"] == "image.tif"
    assert len(tags["LANDFORGE_MODEL_SHA256"]) == 64 and "LANDFORGE_SYNTHETIC" not in tags
    progress = [event for event in reporter.events("progress") if event.message.startswith("window")]
    total = int(progress[0].message.split()[-1])
    assert total >= 4 and progress[0].message == f"window 0 of {total}" and progress[0].fraction == 0.0
    assert progress[-1].message == f"window {total} of {total}" and progress[-1].fraction == 1.0
    with rasterio.open(image, "r+") as source:
        source.update_tags(LANDFORGE_SYNTHETIC="YES")
    assert segment(tmp_path, image, model)[3]["LANDFORGE_SYNTHETIC"] == "YES"


def bad_images(tmp_path):
    """(what, path of an image, options, message)"""
    image = image_and_label(64, 64)[0]
    write = write_raster
    yield "missing", tmp_path / "none.tif", {}, "does not exist"
    yield "no CRS", write(tmp_path / "a.tif", image, crs=None), {}, "has no CRS"
    yield "one band", write(tmp_path / "b.tif", image[:1]), {}, r"has 1 band\(s\), but an image needs"
    yield "bands", write(tmp_path / "c.tif", image), {"bands": "1, 2, 9"}, "but band 9 was asked for"
    yield "masked", write(tmp_path / "d.tif", image * 0, nodata=0), {}, "all of its pixels are masked"
    yield "large", write(tmp_path / "e.tif", image, pixel=100.0), {"max_area_km2": 1.0}, "more than the limit of 1 km2"
    yield "no model", write(tmp_path / "f.tif", image), {"model": str(tmp_path)}, "not a Landforge model"
    garbage = tmp_path / "garbage.tif"
    garbage.write_bytes(b"II*\0garbage")
    yield "garbage", garbage, {}, "damaged or not a raster"
    truncated = write(tmp_path / "g.tif", np.random.default_rng(0).integers(0, 255, (3, 200, 200), dtype=np.uint8))
    truncated.write_bytes(truncated.read_bytes()[:60_000])
    yield "truncated", truncated, {}, "damaged or not a raster"


def test_bad_images_are_refused(tmp_path, model, refusal, small_windows):
    for what, image, options, message in bad_images(tmp_path):
        options = {"model": model, **options}
        error = refusal(segmentimage.run, protocol.SegmentImage, str(image), **options)
        assert re.search(message, error), f"{what}: {error}"


def test_beyond_its_edges_the_image_is_mirrored(tmp_path):
    image = image_and_label(5, 7)[0]
    with rasterio.open(write_raster(tmp_path / "a.tif", image)) as source:
        padded = np.pad(image, ((0, 0), (12, 9), (3, 20)), mode="symmetric")
        assert (read_window(source, -12, -3, 26, 30, mirrored=True) == padded).all()
        assert (read_window(source, 6, 1, 2, 2, mirrored=True) == image[:, 3:1:-1, 1:3]).all()


def test_another_kind_of_model_is_refused(tmp_path, refusal):
    model_folder.write_index(tmp_path, "landcover")
    image = write_raster(tmp_path / "a.tif", image_and_label(64, 64)[0])
    error = refusal(segmentimage.run, protocol.SegmentImage, str(image), model=str(tmp_path))
    assert "is a landcover model, but a segmentation model is needed" in error


def test_outputs_that_cannot_be_written(tmp_path, model, small_windows):
    image = write_raster(tmp_path / "a.tif", image_and_label(64, 64)[0])
    with pytest.raises(protocol.BackendError, match="Cannot write"):
        segmentimage.run(protocol.SegmentImage(str(image), str(image / "out.tif"), model), protocol.silent())


def test_an_image_of_16_bits_is_stretched_and_its_tags_say_so(tmp_path, model, small_windows):
    pixels = image_and_label(64, 64)[0]
    plain, wide = (
        write_raster(tmp_path / "a.tif", pixels),
        write_raster(tmp_path / "b.tif", pixels.astype(np.uint16) * 10),
    )
    outputs = []
    for path, stretch in ((plain, ""), (wide, "0, 2550")):
        output = str(tmp_path / f"{path.stem}_out.tif")
        segmentimage.run(protocol.SegmentImage(str(path), output, model, stretch=stretch), protocol.silent())
        with rasterio.open(output) as source:
            outputs.append((source.read(1), source.tags().get("LANDFORGE_IMAGE_READING", "")))
    assert (outputs[0][0] == outputs[1][0]).all()
    assert outputs[0][1] == "" and "red 0 to 2550" in outputs[1][1]
