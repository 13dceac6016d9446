"""Clips of WorldCover: from a bucket, a STAC API and a layer; the right pixels, little moved, plain refusals."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from backend import sources
from backend.geo import legend, provenance
from backend.jobs import clipworldcover
from backend.protocol import BackendError, ClipWorldCover, Extent, dump_job
from tests import servers
from tests.backend import stac_items
from tests.backend.rasters import write_raster

CORNER = Extent(8.99, -0.01, 9.01, 0.01, "EPSG:4326")  # where four cells meet
CELLS = {"N00E006": 10, "N00E009": 20, "S03E006": 30, "S03E009": 80}
CELLS_IN_ORDER = ["S03E006", "S03E009", "N00E006", "N00E009"]
HERE = Extent(500_050, 3_999_800, 500_250, 3_999_950, "EPSG:32618")


def write_bucket(folder, cells=CELLS, version="v200", year=2021):
    """Cells of one class each, coarse, laid out as in ESA's bucket."""
    for name, code in cells.items():
        south, west = int(name[1:3]) * (-1 if name[0] == "S" else 1), int(name[4:]) * (-1 if name[3] == "W" else 1)
        path = folder / version / str(year) / "map" / f"ESA_WorldCover_10m_{year}_{version}_{name}_Map.tif"
        data = np.full((1, 300, 300), code, np.uint8)
        write_raster(path, data, west, south + 3, 0.01, "EPSG:4326", nodata=0)
    return folder


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """An empty bucket on loopback."""
    folder = tmp_path / "bucket"
    folder.mkdir()
    with servers.nginx(folder, tmp_path / "nginx") as server:
        monkeypatch.setenv("LANDFORGE_ESA_URL", server.url)
        yield folder


def clip(output, reporter, extent=CORNER, **options):
    outputs = clipworldcover.run(ClipWorldCover(extent, str(output), **options), reporter)
    assert outputs == {"output": str(output)}
    with rasterio.open(output) as dataset:
        return dataset.read(1), dataset.profile, dataset.tags()


def quadrants(profile):
    """The code that each pixel of a clip around the four cells' corner must have."""
    rows, cols = np.mgrid[: profile["height"], : profile["width"]]
    xs, ys = rasterio.transform.xy(profile["transform"], rows.ravel(), cols.ravel())
    lon, lat = Transformer.from_crs(profile["crs"], 4326, always_xy=True).transform(xs, ys)
    north, west = np.asarray(lat) > 0, np.asarray(lon) < 9
    expected = np.select([north & west, north, west], [10, 20, 30], 80)
    return expected.reshape(rows.shape)


def test_several_tiles_become_one_map(bucket, tmp_path, reporter):
    write_bucket(bucket)
    codes, profile, tags = clip(tmp_path / "out.tif", reporter)
    assert profile["crs"].to_epsg() == 32632
    np.testing.assert_array_equal(codes, quadrants(profile))
    assert json.loads(tags["LANDFORGE_ITEMS"]) == [
        f"ESA_WorldCover_10m_2021_v200_{name}_Map" for name in CELLS_IN_ORDER
    ]
    assert tags["LANDFORGE_ATTRIBUTION"] == tags["TIFFTAG_COPYRIGHT"] == provenance.ESA_ATTRIBUTION.format(year=2021)
    assert tags["LANDFORGE_SOURCE"] == "ESA WorldCover 2021"
    assert tags["LANDFORGE_SYNTHETIC"] == "NO"
    fractions = [event.fraction for event in reporter.events("progress")]
    assert fractions == sorted(fractions) and len(fractions) >= 2


def test_a_tile_of_open_sea_is_nodata(bucket, tmp_path, reporter):
    write_bucket(bucket, {name: code for name, code in CELLS.items() if name != "S03E009"})
    codes, profile, tags = clip(tmp_path / "out.tif", reporter)
    expected = quadrants(profile)
    np.testing.assert_array_equal(codes, np.where(expected == 80, 0, expected))
    assert len(json.loads(tags["LANDFORGE_ITEMS"])) == 3


def test_each_year_has_its_own_product(bucket, tmp_path, reporter):
    write_bucket(bucket)
    write_bucket(bucket, {"N00E006": 95}, "v100", 2020)
    extent = Extent(8.9, 0.1, 8.91, 0.11, "EPSG:4326")
    codes, _, tags = clip(tmp_path / "2020.tif", reporter, extent, year=2020)
    assert (codes == 95).all() and "(2020)" in tags["LANDFORGE_ATTRIBUTION"]
    codes, _, tags = clip(tmp_path / "2021.tif", reporter, extent, year=2021)
    assert (codes == 10).all() and "(2021)" in tags["LANDFORGE_ATTRIBUTION"]


def test_a_folder_laid_out_as_the_bucket_will_do(tmp_path, monkeypatch, reporter):
    monkeypatch.setenv("LANDFORGE_ESA_URL", str(write_bucket(tmp_path / "mirror", {"N00E006": 10, "S03E006": 30})))
    codes, profile, _ = clip(tmp_path / "out.tif", reporter)
    expected = quadrants(profile)
    np.testing.assert_array_equal(codes, np.where(np.isin(expected, (10, 30)), expected, 0))


def test_an_extent_up_to_the_antimeridian_reads_the_cells_on_either_side(bucket, tmp_path, reporter):
    write_bucket(bucket, {"S18E177": 40, "S18W180": 50})
    codes, _, _ = clip(tmp_path / "out.tif", reporter, Extent(179.98, -16.8, 180.0, -16.79, "EPSG:4326"))
    assert set(np.unique(codes)) == {40, 50}
    assert (codes[:, 0] == 40).all() and (codes == 50).mean() < 0.1


def test_the_grid_can_be_the_projects(bucket, tmp_path, reporter):
    write_bucket(bucket)
    _, profile, _ = clip(tmp_path / "out.tif", reporter, grid_crs="EPSG:32633")
    assert profile["crs"].to_epsg() == 32633


@pytest.fixture
def stac_api(bucket, tmp_path, monkeypatch):
    """The four cells of 2021 and one of 2020 as items."""
    write_bucket(bucket)
    write_bucket(bucket, {"N00E006": 95}, "v100", 2020)
    items = []
    for path in sorted(bucket.rglob("*.tif")):
        year = int(path.name.split("_")[3])
        href = f"{os.environ['LANDFORGE_ESA_URL']}/{path.relative_to(bucket)}"
        record = stac_items.item(path, href, "map", "esa-worldcover", f"{year}-01-01")
        period = {"start_datetime": f"{year}-01-01T00:00:00Z", "end_datetime": f"{year}-12-31T23:59:59Z"}
        record["properties"] = {"datetime": None, **period}
        items.append(record)
    with servers.rustac(stac_items.collection("esa-worldcover"), items, tmp_path / "stac") as url:
        monkeypatch.setenv("LANDFORGE_STAC_URL", url)
        yield url


def test_items_of_a_stac_api(stac_api, tmp_path, reporter):
    codes, profile, tags = clip(tmp_path / "2021.tif", reporter, source="planetarycomputer")
    np.testing.assert_array_equal(codes, quadrants(profile))
    assert len(json.loads(tags["LANDFORGE_ITEMS"])) == 4
    codes, _, _ = clip(tmp_path / "2020.tif", reporter, source="planetarycomputer", year=2020)
    assert set(np.unique(codes)) == {0, 95}


def test_a_layer_on_the_grid_is_clipped_to_the_bit_and_stays_what_it_is(tmp_path, reporter):
    data = np.random.default_rng(0).choice(np.append(legend.CODES, 0), (1, 40, 50)).astype(np.uint8)
    data[0, 10, 10] = 7
    layer = write_raster(tmp_path / "layer.tif", data, pixel=10)
    with rasterio.open(layer, "r+") as target:
        target.update_tags(**provenance.synthetic("m", "h", 3, {}))
    codes, _, tags = clip(tmp_path / "out.tif", reporter, HERE, source="layer", layer=str(layer))
    assert codes.shape == (15, 20)
    cut = data[0, 5:20, 5:25]
    np.testing.assert_array_equal(codes, np.where(cut == 7, 0, cut))
    assert tags["LANDFORGE_SYNTHETIC"] == "YES" and tags["LANDFORGE_SEED"] == "3"


def test_the_origin_of_a_plain_layer_is_not_claimed(tmp_path, reporter):
    layer = write_raster(tmp_path / "layer.tif", np.full((1, 40, 50), 10, np.uint8), pixel=10)
    _, _, tags = clip(tmp_path / "out.tif", reporter, HERE, source="layer", layer=str(layer))
    assert tags["LANDFORGE_SYNTHETIC"] == "UNKNOWN" and "LANDFORGE_ATTRIBUTION" not in tags


def layer_fault(folder, fault):
    data = np.full((1, 400, 400), 10, np.uint8)
    path = folder / "layer.tif"
    if fault == "no crs":
        return write_raster(path, data, pixel=10, crs=None)
    if fault == "three bands":
        return write_raster(path, np.repeat(data, 3, axis=0), pixel=10)
    if fault == "other codes":
        return write_raster(path, data * 0 + 33, pixel=10)
    if fault == "elsewhere":
        return write_raster(path, data, left=700_000, pixel=10)
    if fault == "text":
        path.write_text("no raster")
    if fault == "truncated":
        random = np.random.default_rng(0).choice(legend.CODES, data.shape).astype(np.uint8)
        whole = write_raster(path, random, top=4_000_000, pixel=10, compress="deflate").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    return path


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("no crs", "The layer {layer} has no CRS, so its place is unknown. Assign one first."),
        ("three bands", "The layer {layer} has 3 band.*; one band of class codes"),
        ("other codes", "100.0% of the layer {layer} have values that ESA WorldCover does not have: 33"),
        ("elsewhere", "Nothing to clip: no valid pixel inside the extent in {layer}. Check"),
        ("text", "The layer {layer} cannot be read: it is damaged or not a raster"),
        ("missing", "The layer {layer} does not exist."),
        ("truncated", "The layer {layer} cannot be read: it is damaged or not a raster"),
    ],
)
def test_a_layer_that_cannot_be_clipped_is_refused(tmp_path, refusal, fault, message):
    layer = layer_fault(tmp_path, fault)
    extent = Extent(500_050, 3_996_050, 503_900, 3_999_950, "EPSG:32618")
    error = refusal(clipworldcover.run, ClipWorldCover, extent, source="layer", layer=str(layer))
    assert re.match(message.format(layer=layer), error), error


def test_no_layer_at_all_is_refused(refusal):
    assert "Choose one in LAYER" in refusal(clipworldcover.run, ClipWorldCover, HERE, source="layer")


@pytest.mark.parametrize(
    ("mode", "words"),
    [("500", "The server answered 500"), ("garbage", "something else"), ("stall", "did not answer for 1 s")],
)
def test_a_bucket_that_misbehaves_is_refused(bad_server, monkeypatch, refusal, mode, words):
    monkeypatch.setattr(sources, "RETRIES", 1)
    monkeypatch.setenv("LANDFORGE_HTTP_TIMEOUT_S", "1")
    monkeypatch.setenv("LANDFORGE_ESA_URL", f"{bad_server}/{mode}")
    assert words in refusal(clipworldcover.run, ClipWorldCover, CORNER)


def test_open_sea_and_places_outside_the_coverage_are_refused(bucket, refusal):
    error = refusal(clipworldcover.run, ClipWorldCover, Extent(0.1, -70.2, 0.2, -70.1, "EPSG:4326"))
    assert "has no tile here (S72E000 at http" in error and "outside the coverage" in error


def test_a_tile_without_data_under_the_extent_is_refused(bucket, refusal):
    write_bucket(bucket, {"N00E006": 0})
    assert "no valid pixel inside the extent" in refusal(clipworldcover.run, ClipWorldCover, CORNER)


def test_a_place_without_items_is_refused(stac_api, refusal):
    extent = Extent(20.0, 0.1, 20.1, 0.2, "EPSG:4326")
    error = refusal(clipworldcover.run, ClipWorldCover, extent, source="planetarycomputer")
    assert "Planetary Computer has no WorldCover 2021 here" in error


def test_too_large_an_extent_is_refused_before_anything_is_asked(monkeypatch, refusal):
    monkeypatch.setenv("LANDFORGE_ESA_URL", f"http://127.0.0.1:{servers.free_port()}")
    error = refusal(clipworldcover.run, ClipWorldCover, Extent(6, 0, 7, 1, "EPSG:4326"))
    assert "more than the limit of 2,500 km2" in error and "MB" in error


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_asked(tmp_path, monkeypatch, reporter):
    monkeypatch.setenv("LANDFORGE_ESA_URL", f"http://127.0.0.1:{servers.free_port()}")
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError, match="Cannot write to"):
        clipworldcover.run(ClipWorldCover(CORNER, str(tmp_path / "file" / "out.tif")), reporter)


@pytest.mark.parametrize("broken", [False, True])
def test_the_whole_way_through_the_process(bucket, tmp_path, broken):
    """As QGIS starts it: a job file in, events out, an exit status."""
    if not broken:
        write_bucket(bucket)
    job = tmp_path / "job.json"
    job.write_text(dump_job(ClipWorldCover(CORNER, str(tmp_path / "out" / "clip.tif"))))
    command = [sys.executable, "-m", "backend", "run", str(job)]
    done = subprocess.run(command, cwd=servers.ROOT, capture_output=True, text=True, timeout=120)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == (1 if broken else 0), done.stderr
    assert events[-1]["kind"] == ("error" if broken else "result")
    left = [] if broken else ["clip.tif", "clip.tif.aux.xml"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == left


def test_ten_by_ten_kilometres_of_a_real_tile_move_less_than_two_megabytes(real_data, tmp_path, monkeypatch, reporter):
    """Sao Tome, out of the official tile of 36,000 x 36,000 pixels; compared pixel by pixel."""
    with servers.nginx(real_data / "esa", tmp_path / "nginx") as server:
        monkeypatch.setenv("LANDFORGE_ESA_URL", server.url)
        codes, profile, _ = clip(tmp_path / "out.tif", reporter, Extent(6.58, 0.2, 6.67, 0.29, "EPSG:4326"))
        assert 100_000 < server.moved_bytes() < 2_000_000
        assert len(server.requests()) < 20
    rows, cols = np.mgrid[: profile["height"], : profile["width"]]
    xs, ys = rasterio.transform.xy(profile["transform"], rows.ravel(), cols.ravel())
    lon, lat = Transformer.from_crs(profile["crs"], 4326, always_xy=True).transform(xs, ys)
    tile = "v200/2021/map/ESA_WorldCover_10m_2021_v200_N00E006_Map.tif"
    with rasterio.open(real_data / "esa" / tile) as source:
        at_row, at_col = rasterio.transform.rowcol(source.transform, lon, lat, op=np.asarray)
        window = rasterio.windows.Window(6000, 32000, 3000, 2500)
        expected = source.read(1, window=window)[at_row.astype(int) - 32000, at_col.astype(int) - 6000]
    # Where a pixel's centre lies on the edge of two source pixels, either is right.
    edge = np.minimum(abs(at_row - at_row.round()), abs(at_col - at_col.round())) < 0.005
    assert edge.mean() < 0.03
    np.testing.assert_array_equal(codes.ravel()[~edge], expected[~edge])
    assert {10, 30, 50, 60} <= set(np.unique(codes))


def test_a_real_coast_with_the_missing_sea_tile_beside_it(real_data, tmp_path, monkeypatch, reporter):
    """The equator crosses Ilheu das Rolas: S03E006 is not among the real tiles, so it is nodata."""
    with servers.nginx(real_data / "esa", tmp_path / "nginx") as server:
        monkeypatch.setenv("LANDFORGE_ESA_URL", server.url)
        codes, _, tags = clip(tmp_path / "out.tif", reporter, Extent(6.5, -0.02, 6.54, 0.03, "EPSG:4326"))
    assert json.loads(tags["LANDFORGE_ITEMS"]) == ["ESA_WorldCover_10m_2021_v200_N00E006_Map"]
    assert (codes[:300] > 0).all() and (codes[-200:] == 0).all()
