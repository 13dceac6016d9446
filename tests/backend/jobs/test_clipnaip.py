"""Clips of NAIP: items of a STAC API or a layer; the right pixels on one grid, masked where there are none."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
from odc.geo.geobox import GeoBox
from rasterio.windows import from_bounds

from backend import sources
from backend.geo import provenance
from backend.jobs import clipnaip, clipworldcover
from backend.protocol import BackendError, ClipNaip, ClipWorldCover, Extent, dump_job
from backend.sources import mosaic, stac
from tests import servers
from tests.backend import stac_items
from tests.backend.rasters import write_raster

HERE = Extent(500_050, 3_999_800, 500_150, 3_999_950, "EPSG:32618")


def noise(bands=4, height=300, width=300, seed=0):
    return np.random.default_rng(seed).integers(1, 256, (bands, height, width), dtype=np.uint8)


@pytest.fixture
def api(tmp_path, monkeypatch):
    """Serve rasters as NAIP items: `api((path, date), ...)`; yields what nginx has sent."""
    opened = []

    def start(folder: Path, *dated, **properties):
        server = servers.nginx(folder, tmp_path / "nginx")
        opened.append(server)
        nginx = server.__enter__()
        items = [
            stac_items.item(path, f"{nginx.url}/{path.name}", "image", "naip", date, **properties)
            for path, date in dated
        ]
        catalogue = servers.rustac(stac_items.collection("naip"), items, tmp_path / "stac")
        opened.append(catalogue)
        monkeypatch.setenv("LANDFORGE_STAC_URL", catalogue.__enter__())
        return nginx

    yield start
    for server in reversed(opened):
        server.__exit__(None, None, None)


def clip(output, reporter, extent=HERE, **options):
    outputs = clipnaip.run(ClipNaip(extent, str(output), **options), reporter)
    assert outputs == {"output": str(output)}
    with rasterio.open(output) as dataset:
        return dataset.read(), dataset.dataset_mask() > 0, dataset


def tags_of(path):
    with rasterio.open(path) as dataset:
        return dataset.tags()


def test_red_green_and_blue_of_an_item_come_through_to_the_bit(api, tmp_path, reporter):
    data = noise()
    path = write_raster(tmp_path / "www" / "a.tif", data, crs="EPSG:26918")
    api(path.parent, (path, "2018-07-01"))
    got, valid, found = clip(tmp_path / "out.tif", reporter)
    assert found.crs.to_epsg() == 32618 and found.res == (1.0, 1.0)
    assert valid.all()
    np.testing.assert_array_equal(got, data[:3, 50:200, 50:150])
    tags = tags_of(tmp_path / "out.tif")
    assert json.loads(tags["LANDFORGE_ITEMS"]) == ["a-2018"]
    assert tags["LANDFORGE_SOURCE"] == "NAIP 2018"
    assert tags["LANDFORGE_ATTRIBUTION"] == provenance.NAIP_ATTRIBUTION
    assert tags["LANDFORGE_SYNTHETIC"] == "NO"


def test_the_pixel_size_is_the_sources_unless_wanted(api, tmp_path, reporter):
    data = noise(4, 500, 500)
    path = write_raster(tmp_path / "www" / "a.tif", data, left=499_999.8, top=4_000_000.2, pixel=0.6)
    api(path.parent, (path, "2020-07-01"), gsd=0.6)
    got, _, found = clip(tmp_path / "own.tif", reporter)
    assert found.res == (0.6, 0.6)
    col, row = round((found.bounds.left - 499_999.8) / 0.6), round((4_000_000.2 - found.bounds.top) / 0.6)
    np.testing.assert_array_equal(got, data[:3, row : row + found.height, col : col + found.width])
    _, valid, found = clip(tmp_path / "wanted.tif", reporter, pixel_m=1.0)
    assert found.res == (1.0, 1.0) and tuple(found.bounds) == (500_050, 3_999_800, 500_150, 3_999_950) and valid.all()


def test_the_newest_year_that_covers_all_is_taken_and_a_wanted_one_is_masked(api, tmp_path, reporter):
    old, new = noise(seed=1), noise(seed=2)
    folder = tmp_path / "www"
    whole = write_raster(folder / "whole.tif", old)
    half = write_raster(folder / "half.tif", new[:, :, :100])
    api(folder, (whole, "2016-07-01"), (half, "2018-07-01"))
    got, valid, _ = clip(tmp_path / "newest.tif", reporter)
    assert valid.all()
    np.testing.assert_array_equal(got, old[:3, 50:200, 50:150])
    got, valid, _ = clip(tmp_path / "wanted.tif", reporter, year=2018)
    assert valid[:, :50].all() and not valid[:, 50:].any()
    np.testing.assert_array_equal(got[:, valid], new[:3, 50:200, 50:150][:, valid])
    messages = [event.message for event in reporter.events("log")]
    assert messages == ["NAIP 2016 covers the extent.", "NAIP 2018 covers 50% of the extent; the rest has no data."]


def test_the_black_edge_of_one_item_does_not_hide_the_next(api, tmp_path, reporter):
    folder = tmp_path / "www"
    one, two = noise(seed=1), noise(seed=2)
    one[:, :, :100] = 0
    paths = [write_raster(folder / f"{name}.tif", data) for name, data in [("one", one), ("two", two)]]
    api(folder, *((path, "2018-07-01") for path in paths))
    got, valid, _ = clip(tmp_path / "out.tif", reporter)
    assert valid.all()
    expected = np.where(one[:3] == 0, two[:3], one[:3])[:, 50:200, 50:150]
    np.testing.assert_array_equal(got, expected)


def test_addresses_are_signed_to_read_and_stay_unsigned_in_the_tags(api, tmp_path, reporter, monkeypatch):
    path = write_raster(tmp_path / "www" / "a.tif", noise())
    nginx = api(path.parent, (path, "2018-07-01"))
    signed = []
    monkeypatch.setattr(stac, "sign", lambda address: signed.append(address) or f"{address}?sig=secret")
    _, valid, _ = clip(tmp_path / "out.tif", reporter)
    assert valid.all()
    assert set(signed) == {f"{nginx.url}/a.tif"} and len(signed) >= 2
    assert "secret" not in json.dumps(tags_of(tmp_path / "out.tif"))


def test_both_clips_of_one_extent_cover_the_same_ground(tmp_path, reporter):
    image = write_raster(tmp_path / "image.tif", noise(3, 900, 900), left=300_000, top=4_100_000)
    codes = np.full((1, 90, 90), 10, np.uint8)
    landcover = write_raster(tmp_path / "landcover.tif", codes, left=300_000, top=4_100_000, pixel=10)
    with rasterio.open(image) as source:
        west, south, east, north = rasterio.warp.transform_bounds(source.crs, "EPSG:4326", *source.bounds)
    extent = Extent(west + 0.003, south + 0.003, east - 0.0031, north - 0.0037, "EPSG:4326")
    clip(tmp_path / "a.tif", reporter, extent, source="layer", layer=str(image))
    job = ClipWorldCover(extent, str(tmp_path / "b.tif"), source="layer", layer=str(landcover))
    clipworldcover.run(job, reporter)
    with rasterio.open(tmp_path / "a.tif") as fine, rasterio.open(tmp_path / "b.tif") as coarse:
        assert fine.bounds == coarse.bounds and fine.crs == coarse.crs
        assert fine.shape == tuple(10 * size for size in coarse.shape)
        assert all(value % 10 == 0 for value in fine.bounds)


@pytest.mark.parametrize("is_internal", [True, False])
def test_a_mask_without_overviews_holds_where_the_layer_is_read_from_overviews(tmp_path, reporter, is_internal):
    mask = np.tri(512, dtype=bool)
    layer = write_raster(tmp_path / "layer.tif", np.where(mask, 200, 0)[None].repeat(3, 0).astype(np.uint8))
    with rasterio.open(layer, "r+") as target:
        target.build_overviews([2, 4, 8], rasterio.enums.Resampling.average)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=is_internal), rasterio.open(layer, "r+") as target:
        target.write_mask(mask)
    extent = Extent(500_000, 3_999_488, 500_512, 4_000_000, "EPSG:32618")
    image, valid, _ = clip(tmp_path / "out.tif", reporter, extent, source="layer", layer=str(layer), pixel_m=8.0)
    assert valid.mean() == pytest.approx(0.5, abs=0.02) and (image[:, valid] == 200).all()


def test_bands_and_stretch_of_a_layer_are_in_the_log_and_in_the_tags(tmp_path, reporter):
    layer = write_raster(tmp_path / "layer.tif", noise().astype(np.uint16) * 40)
    options = {"source": "layer", "layer": str(layer), "bands": "4, 1, 2", "stretch": "0, 10200"}
    image, valid, _ = clip(tmp_path / "out.tif", reporter, **options)
    assert valid.all() and (image == noise()[[3, 0, 1], 50:200, 50:150]).all()
    assert "red 0 to 10200" in tags_of(tmp_path / "out.tif")["LANDFORGE_IMAGE_READING"]
    assert any("stretched to 8 bits" in event.message for event in reporter.events("log"))


def layer_fault(folder, fault):
    path = folder / "layer.tif"
    if fault == "no crs":
        return write_raster(path, noise(), crs=None)
    if fault == "one band":
        return write_raster(path, noise(1))
    if fault == "empty":
        return write_raster(path, noise(3) * 0, nodata=0)
    if fault == "elsewhere":
        return write_raster(path, noise(), left=700_000)
    if fault == "text":
        path.write_text("no raster")
    if fault == "truncated":
        whole = write_raster(path, noise(), compress="deflate").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    return path


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("no crs", "The layer {layer} has no CRS"),
        ("one band", "The layer {layer} has 1 band.*, but an image needs red, green and blue"),
        ("empty", "Nothing to clip: no valid pixel inside the extent in {layer}. Check"),
        ("elsewhere", "Nothing to clip: no valid pixel inside the extent in {layer}. Check"),
        ("text", "The layer {layer} cannot be read: it is damaged or not a raster"),
        ("missing", "The layer {layer} does not exist"),
        ("truncated", "{layer} cannot be read: it is damaged, or not a raster"),
    ],
)
def test_a_layer_that_cannot_be_clipped_is_refused(tmp_path, refusal, fault, message):
    layer = layer_fault(tmp_path, fault)
    extent = Extent(500_010, 3_999_710, 500_290, 3_999_990, "EPSG:32618")
    error = refusal(clipnaip.run, ClipNaip, extent, source="layer", layer=str(layer))
    assert re.match(message.format(layer=layer), error), error


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("404", r"did not answer as one \(status 404\)"),
        ("500", "too many 500"),
        ("garbage", "it sent no JSON"),
        ("stall", "timed out"),
    ],
)
def test_an_api_that_misbehaves_is_refused(bad_server, monkeypatch, refusal, mode, words):
    monkeypatch.setattr(stac, "RETRIES", 1)
    monkeypatch.setenv("LANDFORGE_HTTP_TIMEOUT_S", "1")
    monkeypatch.setenv("LANDFORGE_STAC_URL", f"{bad_server}/{mode}")
    assert re.search(words, refusal(clipnaip.run, ClipNaip, HERE))


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("404", r"has no http.*\(404\)"),
        ("500", "answered 500"),
        ("garbage", "something else"),
        ("stall", "did not answer for 1 s"),
        ("500-after-3", "broke off"),
        ("stall-after-3", "broke off"),
    ],
)
def test_storage_that_misbehaves_is_refused(tmp_path, monkeypatch, refusal, mode, words):
    monkeypatch.setattr(sources, "RETRIES", 1)
    monkeypatch.setenv("LANDFORGE_HTTP_TIMEOUT_S", "1")
    tiles = dict(tiled=True, blockxsize=256, blockysize=256)
    path = write_raster(tmp_path / "www" / "a.tif", noise(4, 1000, 1000), **tiles)
    with servers.misbehaving(path.parent) as url:
        item = stac_items.item(path, f"{url}/{mode}/a.tif", "image", "naip", "2018-07-01")
        with servers.rustac(stac_items.collection("naip"), [item], tmp_path / "stac") as catalogue:
            monkeypatch.setenv("LANDFORGE_STAC_URL", catalogue)
            extent = Extent(500_000, 3_999_000, 501_000, 4_000_000, "EPSG:32618")
            assert re.search(words, refusal(clipnaip.run, ClipNaip, extent))


def test_a_place_and_a_year_without_images_are_refused(api, tmp_path, refusal):
    path = write_raster(tmp_path / "www" / "a.tif", noise())
    api(path.parent, (path, "2018-07-01"))
    assert "NAIP has no image here" in refusal(clipnaip.run, ClipNaip, Extent(6.5, 0.1, 6.51, 0.11, "EPSG:4326"))
    assert "no image of 2011 here, but of 2018" in refusal(clipnaip.run, ClipNaip, HERE, year=2011)


def test_too_large_an_extent_is_refused_before_anything_is_asked(monkeypatch, refusal):
    monkeypatch.setenv("LANDFORGE_STAC_URL", f"http://127.0.0.1:{servers.free_port()}")
    error = refusal(clipnaip.run, ClipNaip, Extent(-79, 36, -78, 37, "EPSG:4326"))
    assert "more than the limit of 2,500 km2" in error and "pixels of 1 m" in error and "MB" in error


@pytest.mark.parametrize(
    ("corners", "crs", "words"),
    [
        ((1, 1, 1, 2), "EPSG:4326", "empty"),
        ((2, 1, 1, 2), "EPSG:4326", "inverted"),
        ((1, 1, 2, 2), "", "no CRS"),
        ((179.99, 1, 180.01, 1.01), "EPSG:4326", "antimeridian"),
        ((1, 1, float("nan"), 2), "EPSG:4326", "not finite"),
    ],
)
@pytest.mark.parametrize("job", [ClipNaip, ClipWorldCover])
def test_an_extent_that_is_none_is_refused_by_the_process(worker, tmp_path, corners, crs, words, job):
    """Through the job file, because that is where such an extent comes from."""
    text = dump_job(job(HERE, str(tmp_path / "out" / "clip.tif")))
    extent = dict(zip(("xmin", "ymin", "xmax", "ymax", "crs"), (*corners, crs)))
    (tmp_path / "job.json").write_text(json.dumps({**json.loads(text), "extent": extent}))
    event = worker.run(tmp_path / "job.json")[-1]
    assert event.kind == "error" and words in event.message
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_asked(tmp_path, monkeypatch, reporter):
    monkeypatch.setenv("LANDFORGE_STAC_URL", f"http://127.0.0.1:{servers.free_port()}")
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError, match="Cannot write to"):
        clipnaip.run(ClipNaip(HERE, str(tmp_path / "file" / "out.tif")), reporter)


class TestRealQuads:
    """Two real quarter-quads that meet at 78 W, one in zone 17, one in zone 18."""

    EXTENT = Extent(-78.0029, 36.6209, -77.9971, 36.6231, "EPSG:4326")

    @pytest.fixture
    def quads(self, real_data, api):
        paths = sorted((real_data / "naip_quads").glob("*.tif"))
        assert len(paths) == 2
        api(paths[0].parent, *((path, "2016-06-20") for path in paths), gsd=1.0)
        return {rasterio.open(path).crs.to_epsg(): path for path in paths}

    @pytest.mark.parametrize("zone", [17, 18])
    def test_the_zone_of_the_grid_comes_through_to_the_bit(self, quads, tmp_path, reporter, zone):
        """Where only one quad lies, and no reprojection is needed, the pixels are the source's."""
        got, valid, found = clip(tmp_path / "out.tif", reporter, self.EXTENT, grid_crs=f"EPSG:326{zone}")
        other = quads[26900 + 35 - zone]
        with rasterio.open(quads[26900 + zone]) as source:
            inner = source.bounds
            left, right = max(inner.left, found.bounds.left), min(inner.right, found.bounds.right)
            bottom, top = max(inner.bottom, found.bounds.bottom), min(inner.top, found.bounds.top)
            expected = source.read([1, 2, 3], window=from_bounds(left, bottom, right, top, source.transform))
        window = from_bounds(left, bottom, right, top, found.transform).toslices()
        assert valid[window].all()
        with mosaic.Mosaic([mosaic.Piece(str(other))], "rgb") as beneath:
            box = GeoBox.from_bbox((left, bottom, right, top), f"EPSG:326{zone}", resolution=1)
            alone = ~beneath.read(box)[1]
        assert alone.sum() > 50_000
        np.testing.assert_array_equal(got[:, window[0], window[1]][:, alone], expected[:, alone])

    def test_the_two_zones_meet_without_gap_or_seam(self, quads, tmp_path, reporter):
        got, valid, found = clip(tmp_path / "out.tif", reporter, self.EXTENT)
        assert found.crs.to_epsg() in (32617, 32618)
        middle = valid[40:-40, 40:-40]
        assert middle.mean() > 0.999
        # Across the border brightness steps no more than anywhere else in these woods.
        steps = np.abs(np.diff(got[:, 40:-40].astype(float), axis=2)).mean(axis=(0, 1))
        assert steps[40:-40].max() < 2.5 * np.median(steps[40:-40])
