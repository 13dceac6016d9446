"""Aerial images of a catalogue: near infrared is no mask, the collar is no data, and dark water is data."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox

from backend.protocol import BackendError
from backend.sources import aerial, mosaic
from backend.sources.mosaic import Mosaic, Piece
from tests.backend.rasters import write_raster

LEFT, TOP = 500_000, 4_000_000
SIZE = 120


def grid(height=SIZE, width=SIZE, pixel_m=1.0):
    return GeoBox((height, width), Affine(pixel_m, 0, LEFT, 0, -pixel_m, TOP), "EPSG:32618")


def photo(seed=0, bands=4, size=SIZE):
    """Noise that is nowhere dark."""
    return np.random.default_rng(seed).integers(60, 256, (bands, size, size), dtype=np.uint8)


def darkened(data, where, seed=9):
    """The image with the values that a lossy codec leaves of black, 0 to 3."""
    dark = np.random.default_rng(seed).integers(0, 4, data.shape, dtype=np.uint8)
    return np.where(where, dark, data)


def read(box, *paths):
    pieces = [Piece(str(path), nodata=0, name=path.stem, is_aerial=True) for path in paths]
    with Mosaic(pieces, "rgb") as opened:
        return opened.read(box)


def band_of_columns(start, stop):
    where = np.zeros((SIZE, SIZE), bool)
    where[:, start:stop] = True
    return where


class TestNearInfrared:
    @pytest.fixture(params=[(), (2, 4)], ids=["no overviews", "overviews"])
    def pair(self, tmp_path, request):
        """The same image twice, its fourth band named alpha and not; it is 0 and 1 over water."""
        data = photo()
        data[3, :, 40:60], data[3, :, 60:62] = 0, 1
        paths = []
        for alpha in ("YES", "NO"):
            path = write_raster(tmp_path / f"{alpha}.tif", data, alpha=alpha, tiled=True, blockxsize=32, blockysize=32)
            with rasterio.open(path, "r+") as target:
                if request.param:  # of the colours alone: GDAL would weigh them by the alpha band
                    target.build_overviews(request.param, rasterio.enums.Resampling.nearest)
            paths.append(path)
        return paths

    @pytest.mark.parametrize("pixel_m", [0.5, 1.0, 2.0, 4.0, 5.0])
    def test_its_name_in_the_file_changes_nothing(self, pair, pixel_m):
        box = grid(int(SIZE / pixel_m), int(SIZE / pixel_m), pixel_m)
        (named, named_valid), (plain, plain_valid) = (read(box, path) for path in pair)
        assert named_valid.all() and plain_valid.all()
        np.testing.assert_array_equal(named, plain)

    def test_colours_are_not_weighted_by_it(self, tmp_path):
        data = np.full((4, SIZE, SIZE), 200, np.uint8)
        data[:3, :, 1::2], data[3, :, 1::2] = 40, 20
        got, _ = read(grid(60, 60, 2.0), write_raster(tmp_path / "a.tif", data, alpha="YES"))
        assert (got == 120).all()


class TestNoData:
    def test_only_a_pixel_that_is_black_in_every_band_is_none(self, tmp_path):
        data = photo()
        data[0, 50, 50] = data[:3, 60, 60] = data[:, 70, 70] = 0
        got, valid = read(grid(), write_raster(tmp_path / "a.tif", data))
        assert list(np.argwhere(~valid).ravel()) == [70, 70]
        np.testing.assert_array_equal(got, data[:3])

    @pytest.mark.parametrize("pixel_m", [1.0, 4.0])
    def test_a_mask_counts_also_where_it_has_no_overviews(self, tmp_path, pixel_m):
        data = photo()
        path = write_raster(tmp_path / "a.tif", data)
        with rasterio.open(path, "r+") as target:
            target.build_overviews([2, 4], rasterio.enums.Resampling.average)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as target:
            target.write_mask(~band_of_columns(0, 40))
        _, valid = read(grid(int(SIZE / pixel_m), int(SIZE / pixel_m), pixel_m), path)
        edge = int(40 / pixel_m)
        assert not valid[:, :edge].any() and valid[:, edge:].all()

    def test_beside_the_image_there_is_none(self, tmp_path):
        path = write_raster(tmp_path / "a.tif", photo(), left=LEFT + 10_000)
        assert not read(grid(), path)[1].any()

    @pytest.mark.parametrize(
        ("data", "crs", "words"),
        [
            (photo(bands=1), "EPSG:32618", r"The image a has 1 band\(s\) of uint8, not three or four of 8 bits"),
            (photo().astype(np.uint16), "EPSG:32618", r"4 band\(s\) of uint16"),
            (photo(), None, "The image a has no CRS"),
        ],
    )
    def test_what_is_no_image_of_a_place_is_refused(self, tmp_path, data, crs, words):
        with pytest.raises(BackendError, match=words):
            read(grid(), write_raster(tmp_path / "a.tif", data, crs=crs))


def corners():
    """The four triangles that are left beside a turned image in its raster."""
    rows, cols = np.mgrid[:SIZE, :SIZE]
    inside = [
        (rows - 20) * 2 + cols > 0,
        (cols - 20) * 2 < rows + 120,
        (rows - 90) * 2 + cols < 120,
        cols * 3 > 60 - rows,
    ]
    return ~np.logical_and.reduce(inside)


COLLARS = {
    "right": band_of_columns(90, SIZE),
    "thin": band_of_columns(0, 2),
    "below": band_of_columns(100, SIZE).T,
    "all around": band_of_columns(0, 8) | band_of_columns(112, SIZE) | band_of_columns(0, 8).T,
    "beside a turned image": corners(),
}
WATER = {
    "lake": band_of_columns(30, 60) & band_of_columns(40, 80).T,
    "river": band_of_columns(30, 60),
    "bay": band_of_columns(0, 50) & band_of_columns(40, 80).T,
}


@pytest.mark.parametrize("cells", [aerial.MOST_CELLS, 40])
class TestDarkPixels:
    @pytest.fixture(autouse=True)
    def coarse(self, monkeypatch, cells):
        monkeypatch.setattr(aerial, "MOST_CELLS", cells)

    @pytest.mark.parametrize("name", COLLARS)
    def test_a_collar_is_no_data(self, tmp_path, name, cells):
        collar = COLLARS[name]
        _, valid = read(grid(), write_raster(tmp_path / "a.tif", darkened(photo(), collar)))
        assert valid[~collar].all()
        if name != "thin" or cells > SIZE:  # it is thinner than a cell
            assert valid[collar].mean() < (0.01 if cells > SIZE else 0.1)

    def test_a_collar_is_no_data_in_overviews(self, tmp_path, cells):
        collar = COLLARS["right"]
        path = write_raster(tmp_path / "a.tif", darkened(photo(), collar))
        with rasterio.open(path, "r+") as target:
            target.build_overviews([2, 4], rasterio.enums.Resampling.average)
        got, valid = read(grid(30, 30, 4.0), path)
        assert valid[:, :22].all() and not valid[:, 23:].any()  # pixel 22 has both
        assert got[:, :, :22].min() > 60

    @pytest.mark.parametrize("name", COLLARS)
    def test_another_image_goes_over_a_collar(self, tmp_path, name):
        top, under = darkened(photo(1), COLLARS[name]), photo(2)
        paths = write_raster(tmp_path / "top.tif", top), write_raster(tmp_path / "under.tif", under)
        got, valid = read(grid(), *paths)
        assert valid.all()
        dark = (top <= 3).all(axis=0)
        np.testing.assert_array_equal(got[:, ~dark], top[:3, ~dark])
        assert (got[:, dark] == under[:3, dark]).mean() > 0.99

    @pytest.mark.parametrize("name", WATER)
    def test_dark_water_is_data_where_there_is_no_other_image(self, tmp_path, name):
        data = darkened(photo(), WATER[name])
        data[0] = np.maximum(data[0], 1)  # black in all bands would be no data
        got, valid = read(grid(), write_raster(tmp_path / "a.tif", data))
        assert valid.all()
        np.testing.assert_array_equal(got, data[:3])

    @pytest.mark.parametrize("name", ["river", "bay"])
    def test_another_image_goes_over_dark_water_at_an_edge(self, tmp_path, name):
        """It may as well be a notch of the collar."""
        top, under = darkened(photo(1), WATER[name]), photo(2)
        paths = write_raster(tmp_path / "top.tif", top), write_raster(tmp_path / "under.tif", under)
        got, valid = read(grid(), *paths)
        assert valid.all()
        np.testing.assert_array_equal(got, np.where(WATER[name], under, top)[:3])

    def test_dark_water_inside_an_image_stays_above_others(self, tmp_path):
        data = darkened(photo(1), WATER["lake"])
        data[0] = np.maximum(data[0], 1)
        got, _ = read(grid(), write_raster(tmp_path / "a.tif", data), write_raster(tmp_path / "b.tif", photo(2)))
        np.testing.assert_array_equal(got, data[:3])

    def test_a_lake_beside_a_collar_is_no_part_of_it(self, tmp_path):
        collar = COLLARS["right"]
        data = darkened(photo(1), collar | WATER["lake"])
        data[0] = np.maximum(data[0], 1)
        _, valid = read(grid(), write_raster(tmp_path / "a.tif", data))
        np.testing.assert_array_equal(valid, ~collar)

    def test_dark_in_the_colours_alone_is_data(self, tmp_path):
        data = darkened(photo(), COLLARS["right"])
        data[3] = 40
        assert read(grid(), write_raster(tmp_path / "a.tif", data))[1].all()

    def test_a_block_is_the_same_alone_and_in_the_whole(self, tmp_path):
        data = darkened(photo(), COLLARS["beside a turned image"] | WATER["lake"])
        path = write_raster(tmp_path / "a.tif", data)
        whole, valid = read(grid(), path)
        for row, col in [(0, 0), (40, 80), (80, 30)]:
            part, part_valid = read(grid()[row : row + 40, col : col + 40], path)
            np.testing.assert_array_equal(part, whole[:, row : row + 40, col : col + 40])
            np.testing.assert_array_equal(part_valid, valid[row : row + 40, col : col + 40])


def test_an_image_too_large_for_memory_is_read_in_parts(tmp_path, monkeypatch):
    path = write_raster(tmp_path / "a.tif", darkened(photo(), COLLARS["right"]))
    box = grid(40, 40, 3.0)
    whole, whole_valid = read(box, path)
    monkeypatch.setattr(mosaic, "MOST_PX", 1500)
    parts, valid = read(box, path)
    np.testing.assert_array_equal(parts, whole)
    np.testing.assert_array_equal(valid, whole_valid)
