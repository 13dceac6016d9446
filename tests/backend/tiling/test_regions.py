"""Regions of interest: which pixels are inside, that no square with one is passed over, what is not a region."""

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from backend.protocol import BackendError, Extent
from backend.tiling import regions
from backend.tiling.lattice import Box
from backend.tiling.regions import MASK_PX_M, Everywhere, Polygons, ValidPixels

UTM = "EPSG:32618"
EXTENT = Extent(0, 0, 1000, 1000, UTM)
REGION = Box(-100, 0, 100, 100)  # the extent in pixels of 10 m
pixels_m = st.sampled_from([1.0, 10.0])
metres = st.integers(-4000, 4000).map(lambda tenths: tenths / 10)


def of(wkt, extent=EXTENT, crs=UTM, pixel_m=10.0):
    return regions.region_from_wkt(wkt, extent, crs, pixel_m)


def centres(box, pixel_m):
    """The centres of a box's pixels, in metres."""
    x = (np.arange(box.col, box.right) + 0.5) * pixel_m
    y = -(np.arange(box.row, box.bottom) + 0.5) * pixel_m
    return np.meshgrid(x, y)


@st.composite
def polygons(draw):
    """Polygons of any shape about the origin, some with holes, some of pieces, some thinner than a pixel."""
    pieces = []
    for _ in range(draw(st.integers(1, 3))):
        points = draw(st.lists(st.tuples(metres, metres), min_size=3, max_size=7))
        pieces.append(shapely.make_valid(shapely.Polygon(points)).buffer(draw(st.sampled_from([0.5, 3, 40]))))
    polygon = shapely.union_all(pieces).difference(shapely.Point(draw(metres), draw(metres)).buffer(90))
    assume(polygon.area)
    return polygon


squares = st.tuples(st.integers(-500, 500), st.integers(-500, 500), st.integers(1, 300))


@settings(max_examples=40, deadline=None)
@given(polygons(), pixels_m, st.integers(7, 60), st.integers(-9, 9))
def test_a_square_with_a_pixel_inside_is_never_passed_over(polygon, pixel_m, size, shift):
    region, count = Polygons(polygon, pixel_m), round(900 / pixel_m) // size
    starts = np.arange(count) * size - count * size // 2 + shift
    box = Box(int(starts[0]), int(starts[0]), count * size, count * size)
    holds = region.inside(box).reshape(count, size, count, size).any(axis=(1, 3))
    touched = region.any_inside(starts, starts, size)
    assert touched.shape == (count, count) and (touched >= holds).all()
    x, y, side = starts[None, :] * pixel_m, -starts[:, None] * pixel_m, size * pixel_m
    distance = shapely.distance(polygon, shapely.box(x, y - side, x + side, y))
    assert (distance[touched] <= MASK_PX_M).all(), "nothing far off is computed"


def test_touches_says_it_for_rows_and_columns():
    region = Polygons(shapely.box(100, -200, 140, -100), 10.0)  # rows 10 to 20, columns 10 to 14
    touched = region.any_inside(np.array([0, 10, 30]), np.array([-5, 12, 15, 30]), 8)
    assert touched.tolist() == [[False] * 4, [False, True, True, False], [False] * 4]


@settings(max_examples=60, deadline=None)
@given(polygons(), st.integers(-40, 40), st.integers(-40, 40), st.integers(1, 30), st.integers(1, 30))
def test_a_part_of_the_mask_is_that_of_the_whole(polygon, row, col, height, width):
    part, around = Box(row, col, height, width), Box(-50, -50, 120, 120)
    for pixel_m in (10.0, 1.0):
        region = Polygons(polygon, pixel_m)
        assert np.array_equal(region.inside(part), region.inside(around)[part.slices_in(around)])


@settings(max_examples=40, deadline=None)
@given(polygons(), st.integers(-40, 40), st.integers(-40, 40), st.integers(1, 30), st.integers(1, 30))
def test_land_cover_and_image_end_at_the_same_place(polygon, row, col, height, width):
    coarse, box = Polygons(polygon, 10.0), Box(row, col, height, width)
    repeated = coarse.inside(box).repeat(10, 0).repeat(10, 1)
    assert np.array_equal(Polygons(polygon, 1.0).inside(box.scaled(10)), repeated)


@settings(max_examples=40, deadline=None)
@given(polygons())
def test_a_pixel_is_inside_by_its_centre(polygon):
    box = Box(-50, -50, 100, 100)
    x, y = centres(box, 10.0)
    doubtful = shapely.distance(polygon.boundary, shapely.points(x, y)) < 1e-6
    expected = shapely.contains_xy(polygon, x, y)
    assert (Polygons(polygon, 10.0).inside(box) == expected)[~doubtful].all()


def test_no_area_is_everywhere():
    region = of("")
    assert isinstance(region, Everywhere)
    assert region.any_inside(np.arange(3), np.arange(2), 7).all() and region.inside(REGION).all()
    assert region.any_inside(np.arange(3), np.arange(2), 7).shape == (3, 2)
    assert region.inside(REGION).shape == (100, 100)


INSIDE = {
    "a square": ("POLYGON ((100 100, 300 100, 300 300, 100 300, 100 100))", 400),
    "a hole": (
        "POLYGON ((100 100, 400 100, 400 400, 100 400, 100 100), (200 200, 300 200, 300 300, 200 300, 200 200))",
        800,
    ),
    "several": ("MULTIPOLYGON (((0 0, 100 0, 100 100, 0 100, 0 0)), ((501 500, 601 500, 601 600, 501 500)))", 145),
    "partly outside": ("POLYGON ((900 900, 2000 900, 2000 2000, 900 2000, 900 900))", 100),
    "larger than the extent": ("POLYGON ((-5 -5, 2000 -5, 2000 2000, -5 2000, -5 -5))", 10_000),
    "with heights": ("POLYGON Z ((100 100 7, 300 100 7, 300 300 7, 100 300 7, 100 100 7))", 400),
    "a bow tie": ("POLYGON ((1 0, 401 400, 399 0, -1 400, 1 0))", 800),
    "twice the same": ("MULTIPOLYGON (((0 0, 90 0, 90 90, 0 90, 0 0)), ((0 0, 90 0, 90 90, 0 90, 0 0)))", 81),
    "with a line": ("GEOMETRYCOLLECTION (POLYGON ((0 0, 90 0, 90 90, 0 90, 0 0)), LINESTRING (500 500, 900 900))", 81),
}


@pytest.mark.parametrize("case", INSIDE)
def test_what_is_drawn_is_inside(case):
    wkt, count = INSIDE[case]
    mask, polygon = of(wkt).inside(REGION), shapely.make_valid(shapely.from_wkt(wkt)).buffer(0)
    assert np.array_equal(mask, shapely.contains_xy(polygon, *centres(REGION, 10.0)))
    assert mask.sum() == count


def test_a_piece_that_only_touches_the_extent_is_not_inside():
    wkt = "MULTIPOLYGON (((100 100, 300 100, 300 300, 100 100)), ((0 100, -200 100, -200 900, 0 900, 0 100)))"
    assert not of(wkt).inside(REGION)[:, :9].any()


@pytest.mark.parametrize(
    ("wkt", "message"),
    [
        ("GARBAGE", "not a polygon that can be read"),
        ("POLYGON ((0 0, 1 1", "not a polygon that can be read"),
        ("POLYGON EMPTY", "no polygon, or an empty one"),
        ("LINESTRING (0 0, 500 500)", "no polygon, or an empty one"),
        ("POINT (5 5)", "no polygon, or an empty one"),
        ("POLYGON ((0 0, 500 500, 0 0, 0 0))", "no polygon, or an empty one"),
        ("POLYGON ((2000 0, 3000 0, 3000 900, 2000 0))", "lies outside the extent"),
        ("POLYGON ((1000 0, 3000 0, 3000 900, 1000 0))", "lies outside the extent"),
        ("POLYGON ((501 501, 504 501, 504 504, 501 501))", "smaller than a pixel"),
        ("POLYGON ((0 501, 1000 501, 1000 503, 0 503, 0 501))", "smaller than a pixel"),
    ],
)
@pytest.mark.parametrize("pixel_m", [1.0, 10.0])
def test_what_is_no_area_is_named(wkt, message, pixel_m):
    with pytest.raises(BackendError, match=message):
        of(wkt, pixel_m=pixel_m)


@pytest.mark.parametrize("pixel_m", [1.0, 10.0])
def test_an_area_of_one_pixel_is_one(pixel_m):
    found = of("POLYGON ((504 504, 506 504, 506 506, 504 506, 504 504))", pixel_m=pixel_m)
    assert found.inside(REGION.scaled(round(10 / pixel_m))).sum() == (10 / pixel_m) ** 2


def test_the_only_pixel_may_lie_far_south():
    wkt = "POLYGON ((1 49999, 2 49999, 9 1, 1 1, 1 49999))"
    assert of(wkt, Extent(0, 0, 100, 50_000, UTM)).inside(Box(-5000, 0, 5000, 10)).any()


def test_an_area_in_degrees_follows_its_curves_on_the_grid():
    """A parallel is no straight line in UTM: over two degrees it strays by more than a kilometre from one."""
    extent = Extent(-76.0, 42.0, -74.0, 42.2, "EPSG:4326")
    found = of("POLYGON ((-76 42.02, -74 42.02, -74 42.15, -76 42.15, -76 42.02))", extent)
    mover = Transformer.from_crs(4326, UTM, always_xy=True)
    lon = np.linspace(-75.99, -74.01, 50)
    for lat, expected in [(42.0199, False), (42.0201, True), (42.1499, True), (42.1501, False)]:
        for x, y in zip(*mover.transform(lon, np.full(50, lat))):
            assert found.inside(Box(int(-y // 10), int(x // 10), 1, 1))[0, 0] == expected


def test_an_area_that_cannot_be_projected_is_named():
    extent = Extent(-76.0, 42.0, -74.0, 42.2, "EPSG:4326")
    wkt = "POLYGON ((-76 42.02, -74 42.02, -74 42.15, -76 42.02))"
    with pytest.raises(BackendError, match="cannot be projected"):
        of(wkt, extent, "+proj=gnom +lat_0=-42 +lon_0=105 +units=m")


present = st.lists(st.tuples(st.integers(0, 79), st.integers(0, 79)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(present, st.integers(-99, 99), st.integers(-99, 99), st.lists(squares, min_size=1, max_size=5))
def test_no_square_with_data_is_passed_over(places, row, col, tested):
    region, data = Box(row, col, 80, 80), np.zeros((80, 80), bool)
    data[tuple(np.array(places, int).reshape(-1, 2).T)] = True

    def read(box):
        assert box.intersection(region) == box, "beyond the region nothing is read"
        return data[box.slices_in(region)]

    valid = ValidPixels(read, region)
    for top, left, size in tested:
        touched = valid.any_inside(np.array([top]), np.array([left]), size)[0, 0]
        near = Box(top, left, size, size).coarsened(regions.CELL_PX).scaled(regions.CELL_PX).intersection(region)
        assert touched == bool(near.height and near.width and read(near).any())


def test_a_map_is_read_once_and_strip_by_strip():
    read = []
    region = Box(-3000, 17, 5000, 300)
    ValidPixels(lambda box: read.append(box) or np.ones((box.height, box.width), bool), region)
    assert sum(box.height for box in read) == region.height
    assert max(box.height for box in read) <= 1024 and {box.width for box in read} == {300}
