"""Extents become grids: metres, snapped, contained, the same ground at every pixel size."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from backend.geo import grid
from backend.protocol import BackendError, Extent

lons, lats = st.floats(-179, 178.5), st.floats(-79, 83)
degrees = st.floats(1e-7, 0.2)
places = st.builds(lambda x, y, w, h: Extent(x, y, x + w, y + h, "EPSG:4326"), lons, lats, degrees, degrees)


def bounds(box):
    return tuple(box.boundingbox)


@given(places)
def test_bounds_are_multiples_of_ten_metres_and_ten_and_one_metre_cover_the_same(extent):
    coarse, fine = grid.geobox(extent, 10), grid.geobox(extent, 1)
    assert all(v % 10 == 0 for v in bounds(coarse))
    assert bounds(coarse) == bounds(fine)
    assert fine.crs == coarse.crs
    assert (fine.height, fine.width) == (10 * coarse.height, 10 * coarse.width)


@given(places)
def test_the_extent_lies_inside_its_grid(extent):
    box = grid.geobox(extent, 10)
    left, bottom, right, top = bounds(box)
    across = [i / 10 for i in range(11)]
    edge = [(extent.xmin + t * (extent.xmax - extent.xmin), y) for t in across for y in (extent.ymin, extent.ymax)]
    edge += [(x, extent.ymin + t * (extent.ymax - extent.ymin)) for t in across for x in (extent.xmin, extent.xmax)]
    to_grid = Transformer.from_crs(4326, str(box.crs), always_xy=True)
    slack_m = 0.01  # an edge is followed by 21 points, and bulges between them
    for x, y in (to_grid.transform(*point) for point in edge):
        assert left - slack_m <= x <= right + slack_m
        assert bottom - slack_m <= y <= top + slack_m


@given(places)
def test_the_zone_is_that_of_the_centre(extent):
    lon, lat = (extent.xmin + extent.xmax) / 2, (extent.ymin + extent.ymax) / 2
    zone = (lon + 180) / 6
    if abs(zone - round(zone)) < 1e-6 or abs(lat) < 1e-6:
        return  # on the border either is right
    assert grid.grid_crs(extent).to_epsg() == (32600 if lat > 0 else 32700) + math.floor(zone) + 1


@given(places, st.sampled_from([0.3, 0.5, 0.6, 2.5, 3.0, 7.0]))
def test_any_pixel_size_keeps_its_own_multiples_and_covers_the_snapped_extent(extent, pixel_m):
    box, snapped = grid.geobox(extent, pixel_m), bounds(grid.geobox(extent, 10))
    assert box.resolution.x == pixel_m
    for value, edge, outward in zip(bounds(box), snapped, (-1, -1, 1, 1)):
        assert math.isclose(value / pixel_m, round(value / pixel_m), abs_tol=1e-4)
        assert -1e-3 <= outward * (value - edge) < pixel_m


def test_an_extent_below_ten_metres_becomes_one_land_cover_pixel():
    box = grid.geobox(Extent(500_003, 4_000_003, 500_004, 4_000_004, "EPSG:32618"), 10)
    assert tuple(box.shape) == (1, 1)
    assert bounds(box) == (500_000, 4_000_000, 500_010, 4_000_010)


def test_a_snapped_extent_stays_as_it_is():
    box = grid.geobox(Extent(500_000, 4_000_000, 500_100, 4_000_200, "EPSG:32618"), 10)
    assert bounds(box) == (500_000, 4_000_000, 500_100, 4_000_200)


@pytest.mark.parametrize(
    ("preferred", "taken"),
    [
        ("EPSG:26918", 26918),  # metres: kept
        ("EPSG:2056", 2056),
        ("EPSG:3857", 32632),  # metres only in name
        ("EPSG:4326", 32632),
        ("EPSG:2263", 32632),  # feet
        ("EPSG:2053", 32632),  # counts westward
        ("", 32632),
    ],
)
def test_a_wanted_crs_is_taken_where_it_is_metric(preferred, taken):
    assert grid.grid_crs(Extent(8.0, 47.0, 8.1, 47.1, "EPSG:4326"), preferred).to_epsg() == taken


def test_the_span_of_a_grid_reaches_over_the_antimeridian():
    box = grid.geobox(Extent(179.9, -16.8, 180.0, -16.7, "EPSG:4326"), 10)
    west, _, east, _ = grid.lonlat_span(box)
    assert 179.8 < west < 179.9
    assert 180.0 < east < 180.1


@pytest.mark.parametrize(
    ("extent", "words"),
    [
        (Extent(179.9, 0, 180.1, 0.1, "EPSG:4326"), "crosses the antimeridian"),
        (Extent(-180.1, 0, -179.9, 0.1, "EPSG:4326"), "crosses the antimeridian"),
        (Extent(0, 0, 360, 0.1, "EPSG:4326"), "crosses the antimeridian"),
        (Extent(-540, 0, -179, 0.1, "EPSG:4326"), "crosses the antimeridian"),
        (Extent(20_000_000, 0, 20_100_000, 1000, "EPSG:3857"), "crosses the antimeridian"),
        (Extent(800_000, 8_000_000, 850_000, 8_010_000, "EPSG:32760"), "crosses the antimeridian"),
        (Extent(500_000, 4_000_000, 500_100, 4_000_100, "EPSG:4326"), "outside the Earth"),
        (Extent(400_100, 0.0, 400_300, 1.0, "EPSG:4326"), "longitudes are 400,100 to 400,300"),
        (Extent(0, 89, 1, 91, "EPSG:4326"), "outside the Earth"),
        (Extent(0, 85, 1, 85.1, "EPSG:4326"), "nearer to a pole"),
        (Extent(0, 0, 1, 1, "EPSG:5703"), "no horizontal coordinates"),
        (Extent(0, 0, 1, 1, "EPSG:4978"), "no horizontal coordinates"),
        (Extent(0, 0, 1, 1, "EPSG:999999"), "CRS of the extent is missing or unknown"),
    ],
)
def test_an_extent_that_is_nowhere_is_refused(extent, words):
    with pytest.raises(BackendError, match=words):
        grid.geobox(extent, 10)


@pytest.mark.parametrize(
    ("xmin", "xmax", "shift"),
    [(190, 190.1, 360), (180, 180.1, 360), (359.9, 360, 360), (-190.1, -190, -360)],
)
def test_longitudes_beyond_180_are_shifted(xmin, xmax, shift):
    near = Extent(xmin - shift, -16.8, xmax - shift, -16.7, "EPSG:4326")
    far = Extent(xmin, -16.8, xmax, -16.7, "EPSG:4326")
    assert grid.lonlat_bounds(far) == pytest.approx(grid.lonlat_bounds(near))
    assert grid.geobox(far, 10) == grid.geobox(near, 10)
    assert grid.geobox(far, 10, "EPSG:3460") == grid.geobox(near, 10, "EPSG:3460")


def test_longitudes_in_grads_are_shifted_by_400():
    near = Extent(3, 54, 3.1, 54.1, "EPSG:4807")
    far = Extent(403, 54, 403.1, 54.1, "EPSG:4807")
    assert grid.geobox(far, 10) == grid.geobox(near, 10)


def test_an_edge_on_the_antimeridian_does_not_cross_it():
    for xmin, xmax in ((179.9, 180 + 1e-10), (-180 - 1e-10, -179.9), (180 - 1e-10, 180.1)):
        grid.geobox(Extent(xmin, 0, xmax, 0.1, "EPSG:4326"), 10)


@pytest.mark.parametrize("crs", ["EPSG:32618+5703", "EPSG:32618+6360"])  # heights in metres, in feet
def test_heights_of_a_crs_do_not_matter(crs):
    box = Extent(500_003, 4_000_003, 500_204, 4_000_104, crs)
    assert grid.geobox(box, 10) == grid.geobox(Extent(500_003, 4_000_003, 500_204, 4_000_104, "EPSG:32618"), 10)
    assert grid.geobox(box, 1.0, crs).crs == "EPSG:32618"
    assert grid.is_metric(grid.CRS(crs))


def test_a_geographic_crs_with_heights():
    flat, high = (grid.geobox(Extent(6, 47, 6.1, 47.1, crs), 10) for crs in ("EPSG:4258", "EPSG:8360"))
    assert flat == high


def test_an_extent_beyond_the_limit_is_refused_with_its_estimate():
    with pytest.raises(BackendError) as caught:
        grid.geobox(Extent(6, 0, 7, 1, "EPSG:4326"), 10, max_area_km2=2500)
    message = str(caught.value)
    assert "12,3" in message and "km2" in message and "11,1" in message and "MB" in message
    assert "2,500 km2" in message and "MAX_AREA_KM2" in message
    assert grid.geobox(Extent(6, 0, 7, 1, "EPSG:4326"), 10, max_area_km2=20_000).width > 11_000


@pytest.mark.parametrize("pixel_m", [0, -1, math.nan, math.inf])
def test_a_pixel_size_that_is_none_is_refused(pixel_m):
    with pytest.raises(BackendError, match="pixel size"):
        grid.geobox(Extent(6, 0, 6.1, 0.1, "EPSG:4326"), pixel_m)


def test_world_offset_counts_pixels_from_the_origin_of_the_crs():
    box = grid.geobox(Extent(500_000, 4_000_000, 500_100, 4_000_200, "EPSG:32618"), 10)
    assert grid.world_offset(box) == (-400_020, 50_000)
