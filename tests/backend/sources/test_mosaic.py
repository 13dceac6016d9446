"""Pieces on one grid: exact where nothing is resampled, seamless where it is, patient but not for ever."""

import socket
from urllib.parse import quote

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo import geom
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from backend import sources
from backend.geo import legend
from backend.protocol import BackendError
from backend.sources import mosaic, stac
from backend.sources.mosaic import Mosaic, Piece
from tests import servers
from tests.backend.rasters import write_raster

LEFT, TOP = 500_000, 4_000_000


def grid(height, width, pixel_m=1.0, left=LEFT, top=TOP, crs="EPSG:32618"):
    return GeoBox((height, width), Affine(pixel_m, 0, left, 0, -pixel_m, top), crs)


def noise(bands, height, width, low=1, seed=0):
    return np.random.default_rng(seed).integers(low, 256, (bands, height, width), dtype=np.uint8)


def read(pieces, kind, box):
    with Mosaic([piece if isinstance(piece, Piece) else Piece(str(piece)) for piece in pieces], kind) as opened:
        return opened.read(box)


def test_an_aligned_image_is_read_to_the_bit_and_what_lies_beyond_is_invalid(tmp_path):
    data = noise(4, 50, 60)
    got, valid = read([write_raster(tmp_path / "a.tif", data)], "rgb", grid(70, 80, left=LEFT - 10, top=TOP + 10))
    np.testing.assert_array_equal(got[:, 10:60, 10:70], data[:3])
    expected = np.zeros((70, 80), bool)
    expected[10:60, 10:70] = True
    np.testing.assert_array_equal(valid, expected)
    assert (got[:, ~valid] == 0).all()


def test_finer_pixels_are_averaged(tmp_path):
    data = noise(3, 40, 40)
    got, _ = read([write_raster(tmp_path / "a.tif", data, pixel=0.25)], "rgb", grid(10, 10))
    np.testing.assert_allclose(got, data.reshape(3, 10, 4, 10, 4).mean(axis=(2, 4)), atol=0.51)


def test_a_much_coarser_grid_reads_the_overviews(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.full((3, 512, 512), 100, np.uint8), tiled=True)
    with rasterio.open(path, "r+") as target:
        target.build_overviews([2, 4, 8])
    with rasterio.open(path, "r+", overview_level=1) as overview:
        assert overview.shape == (128, 128)
    content = path.read_bytes()
    with Mosaic([Piece(str(path))], "rgb") as opened:
        got, valid = opened.read(grid(100, 100, pixel_m=5))
        assert {level for _, level in opened._opened} == {None, 1}  # the largest that is not coarser than the grid
    assert valid.all() and (got == 100).all()
    assert path.read_bytes() == content


def test_codes_outside_the_legend_are_nodata_and_none_is_invented(tmp_path):
    data = np.random.default_rng(0).choice([0, 10, 11, 95, 100, 255, 266, -5], (1, 30, 30)).astype(np.int16)
    got, valid = read([write_raster(tmp_path / "a.tif", data)], "classes", grid(30, 30))
    known = np.isin(data[0], legend.CODES)
    np.testing.assert_array_equal(valid, known)
    np.testing.assert_array_equal(got[0], np.where(known, data[0], 0))


def test_the_first_piece_lies_on_top_and_the_next_fills_its_holes(tmp_path):
    top, under = noise(3, 40, 40, seed=1), noise(3, 40, 40, seed=2)
    top[:, :, :15] = 0
    pieces = [
        Piece(str(write_raster(tmp_path / "top.tif", top)), nodata=0),
        Piece(str(write_raster(tmp_path / "under.tif", under)), nodata=0),
    ]
    got, valid = read(pieces, "rgb", grid(40, 40))
    assert valid.all()
    np.testing.assert_array_equal(got[:, :, :15], under[:, :, :15])
    np.testing.assert_array_equal(got[:, :, 15:], top[:, :, 15:])


def test_only_a_pixel_that_is_black_in_every_band_is_no_data(tmp_path):
    data = noise(4, 10, 10)
    data[:3, 2, 3] = 0  # dark, but seen in near-infrared
    data[:, 5, 6] = 0
    _, valid = read([Piece(str(write_raster(tmp_path / "a.tif", data)), nodata=0)], "rgb", grid(10, 10))
    assert valid[2, 3] and not valid[5, 6] and valid.sum() == 99


def test_a_band_that_is_black_where_others_are_not_counts_in_the_average(tmp_path):
    data = np.full((4, 20, 20), 100, np.uint8)
    data[0, ::2] = 0
    got, valid = read([Piece(str(write_raster(tmp_path / "a.tif", data, pixel=0.5)), nodata=0)], "rgb", grid(10, 10))
    assert valid.all() and (got[0] == 50).all() and (got[1:] == 100).all()


@pytest.mark.parametrize("how", ["alpha", "mask", "nodata"])
def test_a_layer_says_in_its_own_way_where_it_has_data(tmp_path, how):
    data = noise(3, 20, 20)
    seen = np.zeros((20, 20), bool)
    seen[5:15, 3:12] = True
    path = tmp_path / "a.tif"
    if how == "alpha":
        write_raster(path, np.concatenate([data, seen[None] * np.uint8(255)]), alpha="YES")
    elif how == "nodata":
        write_raster(path, np.where(seen, data, 0).astype(np.uint8), nodata=0)
    else:
        write_raster(path, data)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as target:
            target.write_mask(seen)
    got, valid = read([path], "rgb", grid(20, 20))
    np.testing.assert_array_equal(valid, seen)
    np.testing.assert_array_equal(got[:, seen], data[:, seen])


def test_two_utm_zones_become_one_image_without_a_seam(tmp_path):
    """Both rasters sample one smooth function of longitude and latitude; so must the mosaic."""

    def painted(crs, left, top, height, width, pixel):
        xs = left + pixel * (np.arange(width) + 0.5)
        ys = top - pixel * (np.arange(height) + 0.5)
        lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(*np.meshgrid(xs, ys))
        waves = [np.sin(4000 * (lon + 78)), np.sin(5000 * (lat - 36.62)), np.cos(3000 * (lon + lat))]
        return np.stack([128 + 100 * wave for wave in waves])

    corners = {}
    for crs in ("EPSG:32617", "EPSG:32618"):
        x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(-78, 36.62)
        corners[crs] = round(x), round(y)
    west = ("EPSG:32617", corners["EPSG:32617"][0] - 500, corners["EPSG:32617"][1] + 250)
    east = ("EPSG:32618", corners["EPSG:32618"][0] - 20, corners["EPSG:32618"][1] + 250)
    paths = []
    for crs, left, top in (west, east):
        data = painted(crs, left, top, 500, 520, 1).round().astype(np.uint8)
        paths.append(write_raster(tmp_path / f"{crs[-2:]}.tif", data, left, top, crs=crs))
    box = grid(300, 800, left=west[1] + 100, top=west[2] - 100, crs="EPSG:32617")
    got, valid = read(paths, "rgb", box)
    assert valid.all()
    expected = painted("EPSG:32617", west[1] + 100, west[2] - 100, 300, 800, 1)
    assert np.abs(got - expected).max() < 3  # a shift of one pixel would be up to 5


def test_a_grid_is_read_in_blocks_and_each_is_reported(tmp_path, monkeypatch, reporter):
    monkeypatch.setattr(mosaic, "BLOCK_PX", 16)
    data = noise(3, 40, 50)
    seen = np.zeros_like(data)
    with Mosaic([Piece(str(write_raster(tmp_path / "a.tif", data)))], "rgb") as opened:
        for row, col, part, _ in opened.blocks(grid(40, 50), reporter):
            assert part.shape[1] <= 16 and part.shape[2] <= 16
            seen[:, row : row + 16, col : col + 16] = part
    np.testing.assert_array_equal(seen, data)
    fractions = [event.fraction for event in reporter.events("progress")]
    assert len(fractions) == 12 and fractions == sorted(fractions) and fractions[-1] == 1.0


def test_pieces_that_do_not_touch_the_grid_are_not_opened(tmp_path):
    near = write_raster(tmp_path / "near.tif", noise(3, 20, 20))
    far = Piece(str(tmp_path / "far.tif"), geom.box(0, 0, 10, 10, "EPSG:32618"))
    _, valid = read([far, Piece(str(near))], "rgb", grid(20, 30))
    assert valid.sum() == 400


def test_many_pieces_are_not_all_held_open(tmp_path, monkeypatch):
    monkeypatch.setattr(mosaic, "OPEN_FILES", 3)
    paths = [write_raster(tmp_path / f"{i}.tif", noise(3, 10, 10, seed=i), left=LEFT + 10 * i) for i in range(8)]
    with Mosaic([Piece(str(path)) for path in paths], "rgb") as opened:
        _, valid = opened.read(grid(10, 80))
        assert len(opened._opened) <= 3
    assert valid.all()


@pytest.mark.parametrize(
    ("crs", "pixel", "left", "top", "size_m"),
    [
        ("EPSG:32618", 0.6, LEFT, TOP, 0.6),
        ("EPSG:26918", 1.0, LEFT, TOP, 1.0),
        ("EPSG:4326", 1 / 12000, -75.1, 36.2, 8.32),  # 9.26 m northward, 7.48 m eastward
        ("EPSG:3857", 1.0, -8_350_000, 4_323_000, 0.81),  # Web Mercator's metres are too short there
    ],
)
def test_the_pixel_size_is_that_on_the_ground(tmp_path, crs, pixel, left, top, size_m):
    path = write_raster(tmp_path / "a.tif", noise(3, 10, 10), left, top, pixel, crs)
    with Mosaic([Piece(str(path))], "rgb") as opened:
        assert opened.pixel_m(grid(1000, 1000, left=LEFT, top=TOP)) == pytest.approx(size_m, abs=0.011)


class TestOverHttp:
    """What a server may do wrong, and what it then says."""

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch):
        monkeypatch.setenv("LANDFORGE_HTTP_TIMEOUT_S", "1")
        monkeypatch.setattr(sources, "RETRIES", 2)

    @pytest.fixture
    def served(self, tmp_path):
        path = write_raster(
            tmp_path / "www" / "a.tif", noise(3, 2000, 2000), tiled=True, blockxsize=256, blockysize=256
        )
        with servers.misbehaving(path.parent) as url:
            yield url

    @pytest.mark.parametrize(
        ("mode", "words"),
        [
            ("404", r"The server has no .*/404/a.tif \(404\)"),
            ("403", "The server answered 403"),
            ("500", "The server answered 500 .* Try again later"),
            ("garbage", "damaged, or the server sent something else"),
            ("stall", "did not answer for 1 s"),
        ],
    )
    def test_a_server_that_fails_at_once(self, served, mode, words):
        with pytest.raises(BackendError, match=words):
            read([f"{served}/{mode}/a.tif"], "rgb", grid(100, 100))

    @pytest.mark.parametrize("mode", ["404", "500", "garbage", "stall"])
    def test_a_server_that_fails_while_pixels_are_read(self, served, mode):
        """The header comes through; the pixels do not, and no block is silently empty."""
        with pytest.raises(BackendError, match="broke off: the server failed"):
            read([f"{served}/{mode}-after-3/a.tif"], "rgb", grid(2000, 2000))

    def test_nobody_listens(self):
        with pytest.raises(BackendError, match="cannot be reached"):
            read([f"http://127.0.0.1:{servers.free_port()}/a.tif"], "rgb", grid(100, 100))

    def test_passing_faults_are_tried_again(self, served):
        _, valid = read([f"{served}/flaky/a.tif"], "rgb", grid(100, 100))
        assert valid.all()

    def test_a_fault_is_forgotten_by_the_next_clip(self, served, tmp_path):
        """A warm worker asks again: the answer 404 is not cached for the process."""
        address = f"{served}/plain-after-9999/late.tif"
        with pytest.raises(BackendError):
            read([address], "rgb", grid(100, 100))
        write_raster(tmp_path / "www" / "late.tif", noise(3, 100, 100))
        _, valid = read([address], "rgb", grid(100, 100))
        assert valid.all()

    def test_a_server_cannot_lead_to_local_files(self, tmp_path, served):
        """Only GeoTIFF is tried on what a server sends: a VRT could name any file of this machine."""
        secret = write_raster(tmp_path / "secret.tif", noise(3, 10, 10))
        with rasterio.open(secret) as source:
            rasterio.shutil.copy(source, tmp_path / "www" / "trap.tif", driver="VRT")
        with pytest.raises(BackendError, match="something else"):
            read([f"{served}/plain-after-9999/trap.tif"], "rgb", grid(10, 10))

    @pytest.mark.parametrize("scheme", ["http", "HTTP", "Http"])
    def test_a_redirect_leads_to_another_geotiff_alone(self, tmp_path, served, scheme):
        whole = f"{served}/plain-after-9999/a.tif".replace("http", scheme, 1)
        _, valid = read([f"{served}/redirect/{quote(whole, safe='')}"], "rgb", grid(10, 10))
        assert valid.all()
        with rasterio.open(tmp_path / "www" / "a.tif") as source:
            rasterio.shutil.copy(source, tmp_path / "www" / "trap.vrt", driver="VRT")
        trap = f"{served}/plain-after-9999/trap.vrt".replace("http", scheme, 1)
        for address in (trap, f"{served}/redirect/{quote(trap, safe='')}"):
            with pytest.raises(BackendError, match="something else"):
                read([address], "rgb", grid(10, 10))

    def test_a_redirect_to_a_local_file_is_refused(self, tmp_path, served):
        secret = write_raster(tmp_path / "secret.tif", noise(3, 10, 10))
        address = f"{served}/redirect/{quote(f'file://{secret}', safe='')}"
        with pytest.raises(BackendError, match=r"redirects .* to an address of file. Only http and https"):
            read([address], "rgb", grid(10, 10))

    def test_a_redirect_to_ftp_is_refused_before_anybody_is_called(self, served, monkeypatch):
        monkeypatch.setenv("ftp_proxy", "")
        monkeypatch.delenv("ftp_proxy")
        stac.forbid_ftp()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0.1)
            target = f"ftp://127.0.0.1:{listener.getsockname()[1]}/a.tif"
            with pytest.raises(BackendError, match=r"redirects .* to an address of ftp. Only http and https"):
                read([f"{served}/redirect/{quote(target, safe='')}"], "rgb", grid(10, 10))
            with pytest.raises(TimeoutError):
                listener.accept()

    def test_a_geotiff_whose_overviews_are_another_file_is_refused(self, tmp_path, served):
        """GDAL would read them with any driver, from this machine too."""
        secret = write_raster(tmp_path / "secret.tif", noise(3, 1000, 1000), pixel=2)
        with rasterio.open(tmp_path / "www" / "a.tif", "r+") as target:
            target.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(secret))
        with pytest.raises(BackendError, match="names another file as its overviews"):
            read([f"{served}/plain-after-9999/a.tif"], "rgb", grid(100, 100, pixel_m=10))
