"""Roads, buildings and water as rasters: what is burnt where, on any extent alike, and what is refused."""

import json
import pickle
import sqlite3
import zipfile

import numpy as np
import pyogrio
import pytest
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from backend.geo import feature_surfaces, grid, legend, vector_file
from backend.protocol import VECTOR_SUFFIXES, BackendError, Extent, GenerateImage
from backend.tiling import vector_layers
from backend.tiling.landcover_input import box_of_grid
from backend.tiling.lattice import Box, Lattice
from backend.tiling.lazy_raster import LazyRaster, WindowOp
from backend.tiling.regions import Everywhere
from backend.tiling.render import Output, render
from tests.backend.reporters import RecordingReporter
from tests.backend.vector_files import write_features

UTM = "EPSG:32618"
LEFT, BOTTOM = 376_000, 4_700_000
BUILT, WATER, NONE = (int(legend.to_index(np.array(code, np.uint8))) for code in (50, 80, 0))


def grid_of(left=0, bottom=0, width=100, height=100):
    return grid.geobox(
        Extent(LEFT + left, BOTTOM + bottom, LEFT + left + width, BOTTOM + bottom + height, UTM), 1.0, UTM
    )


GRID = grid_of()


def at(*points):
    """Points in metres from the grid's lower left corner as coordinates."""
    return [(LEFT + x, BOTTOM + y) for x, y in points]


def line(*points):
    return shapely.LineString(at(*points))


def polygon(*points):
    return shapely.Polygon(at(*points))


def square(x, y, side):
    return shapely.box(LEFT + x, BOTTOM + y, LEFT + x + side, BOTTOM + y + side)


def opened(box=GRID, **layers):
    """The layers over a grid, and the messages of their log."""
    notes = []
    return vector_layers.open_layers(GenerateImage("cover.tif", "out.tif", **layers), box, notes.append), notes


def burnt(box=GRID, **layers):
    """(2, height, width) of the layers over a grid."""
    return opened(box, **layers)[0].source.read(box_of_grid(box))


def refusal(**layers):
    with pytest.raises(BackendError) as caught:
        opened(**layers)
    return str(caught.value)


def widths_across(pixels, columns):
    """The number of burnt pixels in each of some columns."""
    return [int((pixels[0][:, column] != NONE).sum()) for column in columns]


def test_a_job_without_layers_has_none():
    assert opened() == (vector_layers.NO_LAYERS, [])


def test_a_road_has_the_width_of_its_field_and_two_edges(tmp_path):
    path = write_features(tmp_path / "roads.gpkg", [line((-50, 50), (150, 50))], kind="LineString", metres=[8.0])
    classes, lines = burnt(roads=path, roads_width="metres")
    expected = np.full((100, 100), NONE)
    expected[46:54] = BUILT
    assert np.array_equal(classes, expected)
    assert np.array_equal(np.flatnonzero(lines[:, 10]), [46, 53]) and (lines == lines[:, :1]).all()


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson", ".fgb"])
def test_every_format_gives_the_same_pixels(tmp_path, suffix):
    crs = "EPSG:4326" if suffix == ".geojson" else UTM
    road = line((-50, 20), (150, 80))
    if suffix == ".geojson":
        to_degrees = Transformer.from_crs(UTM, 4326, always_xy=True)
        road = shapely.transform(road, to_degrees.transform, interleaved=False)
    path = write_features(tmp_path / f"roads{suffix}", [road], crs, "LineString", highway=["primary"])
    reference = write_features(tmp_path / "reference.gpkg", [line((-50, 20), (150, 80))], highway=["primary"])
    assert np.array_equal(burnt(roads=path), burnt(roads=reference))


def test_widths_come_from_the_class_where_there_is_no_field(tmp_path):
    roads = [line((x, -9), (x, 120)) for x in (10, 40, 70)]
    path = write_features(tmp_path / "roads.gpkg", roads, highway=["primary", "path", "unheard_of"])
    row = burnt(roads=path)[0][50]
    assert [int((row[a:b] == BUILT).sum()) for a, b in ((0, 25), (25, 55), (55, 100))] == [12, 2, 6]
    waters = write_features(tmp_path / "water.gpkg", roads, waterway=["canal", "stream", None])
    row = burnt(water=waters)[0][50]
    assert [int((row[a:b] == WATER).sum()) for a, b in ((0, 25), (25, 55), (55, 100))] == [10, 3, 4]


def test_without_width_and_class_a_road_is_6_m_wide_and_the_log_says_so(tmp_path):
    path = write_features(tmp_path / "roads.gpkg", [line((-9, 50), (120, 50))])
    layers, notes = opened(roads=path)
    assert widths_across(layers.source.read(box_of_grid(GRID)), [5]) == [6]
    assert any("no field highway, so lines are 6 m wide" in note for note in notes)


@pytest.mark.parametrize("values", [[0.0, -3.0, np.nan, np.inf], ["", "wide", "0", None], ["-1 m", " ", "nan", "inf"]])
def test_an_unusable_width_becomes_that_of_the_class_and_is_counted(tmp_path, values):
    roads = [line((x, -9), (x, 120)) for x in (10, 30, 50, 70)]
    classes = ["primary", "primary", "path", None]
    path = write_features(tmp_path / "roads.gpkg", roads, highway=classes, width=values)
    layers, notes = opened(roads=path, roads_width="width")
    row = layers.source.read(box_of_grid(GRID))[0][50]
    assert [int((row[x - 10 : x + 10] == BUILT).sum()) for x in (10, 30, 50, 70)] == [12, 12, 2, 6]
    assert any("4 lines without a width above 0" in note for note in notes)


def test_a_width_may_be_a_text_as_openstreetmap_has_it(tmp_path):
    path = write_features(tmp_path / "roads.gpkg", [line((-9, 50), (120, 50))], width=["3.5 m"])
    assert widths_across(burnt(roads=path, roads_width="width"), [5]) == [4]


def test_a_width_in_another_unit_is_refused(tmp_path):
    path = write_features(tmp_path / "roads.gpkg", [line((-9, 50), (120, 50))], width=[6000])
    assert "widths in metres" in refusal(roads=path, roads_width="width")


def test_a_thin_ditch_has_no_gaps(tmp_path):
    path = write_features(tmp_path / "water.gpkg", [line((-9, 3), (120, 97))], width=[0.3])
    pixels = burnt(water=path, water_width="width")
    assert min(widths_across(pixels, range(100))) >= 1


def test_buildings_lie_over_roads_and_roads_over_water(tmp_path):
    water = write_features(tmp_path / "water.gpkg", [square(20, 20, 60)])
    roads = write_features(tmp_path / "roads.gpkg", [line((-9, 50), (120, 50))])
    house = write_features(tmp_path / "houses.gpkg", [square(45, 45, 10)])
    classes, lines = burnt(water=water, roads=roads, buildings=house)
    assert classes[50, 30] == BUILT and classes[30, 30] == WATER and classes[5, 5] == NONE
    assert not lines[48:52, 20].any(), "the shore does not run across the bridge"
    assert lines[45, 45:55].all() and not lines[46:54, 46:54].any(), "the road's edges do not run through the house"


def test_crossing_roads_are_one_surface(tmp_path):
    path = write_features(tmp_path / "roads.gpkg", [line((-9, 50), (120, 50)), line((50, -9), (50, 120))])
    assert not burnt(roads=path)[1][48:52, 48:52].any()


def test_a_road_of_two_pieces_has_no_line_across(tmp_path):
    path = write_features(tmp_path / "roads.gpkg", [line((-9, 50), (50, 50)), line((50, 50), (120, 50))])
    assert not burnt(roads=path)[1][48:52].any()


def test_a_wall_runs_between_buildings_that_touch(tmp_path):
    path = write_features(tmp_path / "houses.gpkg", [square(20, 20, 10), square(30, 20, 10)])
    lines = burnt(buildings=path)[1]
    assert lines[75, 29] and not lines[75, 30], "one pixel wide"
    assert not lines[72:78, 22:28].any()


def test_a_yard_is_open(tmp_path):
    house = shapely.Polygon(square(20, 20, 30).exterior, [square(30, 30, 10).exterior])
    classes, lines = burnt(buildings=write_features(tmp_path / "houses.gpkg", [house]))
    assert classes[65, 35] == NONE and lines[65, 29] == 1


def test_fractions_of_a_pixel_count_where_the_centre_is_inside(tmp_path):
    path = write_features(tmp_path / "houses.gpkg", [square(20.4, 20.4, 10), square(60.1, 60.1, 0.3)])
    classes = burnt(buildings=path)[0]
    assert int((classes == BUILT).sum()) == 100 and classes[79, 20] == BUILT
    assert classes[39, 60] == NONE


def scattered(tmp_path, seed=0):
    """Features of all kinds across and beyond 600 x 600 m, with fractions."""
    rng = np.random.default_rng(seed)
    roads = [line(*rng.uniform(-300, 900, (rng.integers(2, 6), 2))) for _ in range(25)]
    houses = [shapely.affinity.rotate(square(*rng.uniform(-50, 600, 2), rng.uniform(3, 40)), 33) for _ in range(80)]
    lakes = [shapely.Point(*at(rng.uniform(0, 600, 2))[0]).buffer(rng.uniform(5, 150), 400) for _ in range(4)]
    return {
        "roads": write_features(tmp_path / "roads.gpkg", roads, width=list(rng.uniform(0.4, 30, 25))),
        "roads_width": "width",
        "buildings": write_features(tmp_path / "houses.gpkg", houses),
        "water": write_features(tmp_path / "lakes.gpkg", lakes),
    }


def test_extents_that_overlap_have_the_same_pixels_there(tmp_path):
    layers = scattered(tmp_path)
    whole = burnt(grid_of(0, 0, 600, 600), **layers)
    part = burnt(grid_of(150, 90, 130, 210), **layers)
    assert np.array_equal(part, whole[:, 300:510, 150:280])
    assert {BUILT, WATER, NONE} == set(np.unique(whole[0]).tolist())


def test_a_box_has_the_pixels_of_its_blocks(tmp_path):
    layers, _ = opened(grid_of(0, 0, 600, 600), **scattered(tmp_path))
    box = box_of_grid(grid_of(0, 0, 600, 600))
    pixels = layers.source.read(box)
    part = Box(box.row + 77, box.col + 33, 9, 401)
    assert np.array_equal(layers.source.read(part), pixels[(slice(None), *part.slices_in(box))])
    for key, block in layers.source.blocks(part):
        shared = block.intersection(box)
        task, *_ = layers.source.task(key)
        assert np.array_equal(
            task()[(slice(None), *shared.slices_in(block))], pixels[(slice(None), *shared.slices_in(box))]
        )


def test_overlapping_buildings_do_not_depend_on_their_order(tmp_path):
    houses = [square(10, 10, 60), square(20, 20, 20), square(30, 30, 30)]
    first = burnt(buildings=write_features(tmp_path / "a.gpkg", houses))
    assert np.array_equal(first, burnt(buildings=write_features(tmp_path / "b.gpkg", houses[::-1])))
    assert first[1].sum() > 4 * 59


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:2263"])
def test_a_layer_in_another_crs_is_projected(tmp_path, crs):
    """A long edge, straight in the layer's CRS, is a curve in the grid's."""
    to_layer = Transformer.from_crs(UTM, crs, always_xy=True)
    fine = shapely.segmentize(line((-30_000, 50), (30_000, 40)), 10)
    path = write_features(tmp_path / "fine.gpkg", [shapely.transform(fine, to_layer.transform, interleaved=False)], crs)
    straight = write_features(tmp_path / "roads.gpkg", [line((-30_000, 50), (30_000, 40))])
    assert (burnt(roads=path)[0] != burnt(roads=straight)[0]).mean() < 0.001
    ends = [to_layer.transform(*point) for point in at((-3000, -3000), (3000, 3000))]
    path = write_features(tmp_path / "long.gpkg", [shapely.LineString(ends)], crs)
    dense = shapely.segmentize(shapely.LineString(ends), shapely.LineString(ends).length / 10_000)
    other = write_features(tmp_path / "dense.gpkg", [dense], crs)
    # a buffer simplifies its line by 1 % of the width
    assert (burnt(roads=path)[0] != burnt(roads=other)[0]).mean() < 0.01


def test_an_ocean_in_degrees_covers_the_grid(tmp_path):
    path = write_features(tmp_path / "water.gpkg", [shapely.box(-180, -89, 180, 89)], "EPSG:4326")
    assert (burnt(water=path)[0] == WATER).all()


def test_features_of_a_continent_have_the_same_pixels_on_extents_that_overlap(tmp_path):
    """They are clipped to the surroundings of the extent, which can round the course of their edges differently."""
    west, south = Transformer.from_crs(UTM, 4326, always_xy=True).transform(LEFT, BOTTOM)
    road = shapely.LineString([(west - 3, south - 4), (west + 0.001, south + 0.002), (west + 5, south + 3)])
    coast = [(west + 0.0005 * (k % 2) + 0.001 * k, south + 0.0004 * k) for k in range(12)]
    sea = shapely.Polygon([*coast, (west + 20, south - 20), (west - 20, south - 20)])
    layers = {
        "roads": write_features(tmp_path / "roads.gpkg", [road], "EPSG:4326"),
        "water": write_features(tmp_path / "sea.gpkg", [sea], "EPSG:4326"),
    }
    whole = burnt(grid_of(0, 0, 600, 600), **layers)
    part = burnt(grid_of(150, 90, 130, 210), **layers)
    assert np.array_equal(part, whole[:, 300:510, 150:280])
    assert {BUILT, WATER, NONE} == set(np.unique(whole[0]).tolist()) and (part[0] == WATER).any()


def test_a_grid_across_the_antimeridian_reads_both_sides(tmp_path):
    x, y = (round(value) for value in Transformer.from_crs(4326, "EPSG:32660", always_xy=True).transform(180.0, 45.0))
    box = GeoBox((200, 200), Affine(1, 0, x - 100, 0, -1, y + 100), "EPSG:32660")
    sides = [shapely.box(179.9, 44.9, 180, 45.1), shapely.box(-180, 44.9, -179.9, 45.1)]
    for side, share in ((sides, 1.0), (sides[:1], 0.5), (sides[1:], 0.5)):
        path = write_features(tmp_path / f"{len(side)}{share}{side[0].bounds[0]:.0f}.gpkg", side, "EPSG:4326")
        assert abs((burnt(box, water=path)[0] == WATER).mean() - share) < 0.01


def test_geometry_of_the_wrong_kind_is_refused(tmp_path):
    points = write_features(tmp_path / "points.gpkg", [shapely.Point(*at((5, 5)))], kind="Point")
    lines = write_features(tmp_path / "lines.gpkg", [line((0, 0), (9, 9))], kind="LineString")
    assert "ROADS must be lines or polygons" in refusal(roads=points) and "Point" in refusal(roads=points)
    assert "BUILDINGS must be polygons" in refusal(buildings=lines)
    mixed = write_features(tmp_path / "mixed.gpkg", [line((0, 0), (9, 9))])
    assert "BUILDINGS must be polygons" in refusal(buildings=mixed)


def test_other_geometries_of_a_mixed_layer_are_left_out_and_counted(tmp_path):
    features = [shapely.Point(*at((5, 5))), line((-9, 50), (120, 50)), None, shapely.LineString()]
    layers, notes = opened(roads=write_features(tmp_path / "mixed.geojson", features, UTM))
    assert (layers.source.read(box_of_grid(GRID))[0] == BUILT).sum() == 600
    assert any("1 features that are not lines or polygons were left out" in note for note in notes)


def test_invalid_polygons_are_repaired_and_counted(tmp_path):
    bow = polygon((20, 20), (40, 40), (40, 20), (20, 40))
    layers, notes = opened(buildings=write_features(tmp_path / "houses.gpkg", [bow]))
    assert 150 < (layers.source.read(box_of_grid(GRID))[0] == BUILT).sum() < 250
    assert any("1 invalid polygons were repaired" in note for note in notes)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_geometries_without_usable_coordinates_are_left_out_and_counted(tmp_path):
    nowhere = shapely.Polygon([*at((0, 0)), (LEFT + 50, np.nan), *at((50, 0))])
    features = [nowhere, None, shapely.Polygon(), square(10, 10, 10)]
    layers, notes = opened(buildings=write_features(tmp_path / "houses.gpkg", features))
    assert (layers.source.read(box_of_grid(GRID))[0] == BUILT).sum() == 100
    assert any("1 geometries without usable coordinates were left out" in note for note in notes)


def test_collections_and_multipart_features_are_taken_apart(tmp_path):
    multi = shapely.MultiPolygon([square(10, 10, 10), square(40, 40, 10)])
    collection = shapely.GeometryCollection([multi, shapely.Point(*at((70, 70)))])
    assert (burnt(buildings=write_features(tmp_path / "houses.gpkg", [collection]))[0] == BUILT).sum() == 200


def test_a_layer_without_a_feature_in_the_extent_is_a_note(tmp_path):
    layers, notes = opened(roads=write_features(tmp_path / "roads.gpkg", [line((90_000, 0), (90_100, 0))]))
    assert (layers.source.read(box_of_grid(GRID)) == np.array([NONE, 0])[:, None, None]).all()
    assert any("surfaces of roads.gpkg in the extent: 0." in note for note in notes)


def test_a_layer_without_crs_is_refused(tmp_path):
    path = write_features(tmp_path / "roads.shp", [line((0, 0), (9, 9))], None, "LineString")
    assert "has no CRS" in refusal(roads=path)


def test_an_unknown_field_is_refused_with_those_there_are(tmp_path):
    path = write_features(tmp_path / "roads.gpkg", [line((0, 0), (9, 9))], breite=[1.0], name=["a"])
    assert "Its fields are: breite, name." in refusal(roads=path, roads_width="width")
    assert "ROADS is empty" in refusal(roads_width="width")


def replace_geometry(path, wkb):
    """Put a geometry that shapely cannot write into every feature of the layer `houses` of a GeoPackage."""
    header = b"GP\x00\x01" + np.int32(32618).tobytes()
    with sqlite3.connect(path) as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f'drop trigger "{name}"')
        database.execute("update houses set geom = ?", [header + wkb])
        database.execute("drop table if exists rtree_houses_geom")
        database.execute("delete from gpkg_extensions where extension_name = 'gpkg_rtree_index'")


def test_curves_become_lines(tmp_path):
    path = write_features(tmp_path / "houses.gpkg", [square(20, 20, 10)])
    (left, bottom), (right, top) = at((30, 50), (70, 50))
    ring = np.array([(left, bottom), (right, top), (left, bottom)], float)
    string = b"\x01" + np.uint32(8).tobytes() + np.uint32(3).tobytes() + ring.tobytes()
    replace_geometry(path, b"\x01" + np.uint32(10).tobytes() + np.uint32(1).tobytes() + string)
    assert abs(int((burnt(buildings=path)[0] == BUILT).sum()) - np.pi * 20**2) < 20


def test_a_geometry_that_is_no_surface_or_line_is_refused_with_its_number(tmp_path):
    path = write_features(tmp_path / "houses.gpkg", [square(20, 20, 10), square(40, 20, 10)])
    corners = np.array([[*corner, 0.0] for corner in square(20, 20, 10).exterior.coords])
    face = b"\x01" + np.uint32(1003).tobytes() + np.uint32(1).tobytes() + np.uint32(5).tobytes() + corners.tobytes()
    replace_geometry(path, b"\x01" + np.uint32(1015).tobytes() + np.uint32(1).tobytes() + face)
    assert "feature 1 of houses.gpkg is not made of points, lines and polygons" in refusal(buildings=path)


def test_what_is_no_vector_file_is_refused(tmp_path):
    text = tmp_path / "roads.gpkg"
    text.write_text("no database")
    assert "no vector file" in refusal(roads=str(text))
    damaged = tmp_path / "damaged.gpkg"
    damaged.write_bytes(b"SQLite format 3\0" + bytes(2000))
    assert str(damaged) in refusal(roads=str(damaged))
    assert "no file" in refusal(roads=str(tmp_path / "missing.gpkg"))
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n")
    assert "Save the layer as GeoPackage" in refusal(roads=str(table))


@pytest.mark.parametrize(
    "text", ["https://example.org/roads.geojson", "/vsicurl/https://example.org/r.gpkg", "PG:dbname=x", "roads.vrt"]
)
def test_what_is_no_local_file_is_refused(text):
    assert "no file" in refusal(roads=text)


def test_a_file_is_opened_as_its_suffix_says_whatever_it_contains(tmp_path):
    """A virtual layer can name a server, and an algorithm in JSON is run when it is opened."""
    vrt = (
        "<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>x.gpkg</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    for name in ("roads.vrt", "roads.gpkg", "roads.geojson", "roads.shp"):
        (tmp_path / name).write_text(vrt)
        assert "no vector file" in refusal(roads=str(tmp_path / name))
    program = tmp_path / "program.geojson"
    program.write_text(json.dumps({"type": "gdal_streamed_alg", "command_line": "gdal vector read x.gpkg"}))
    assert "no vector file" in refusal(roads=str(program))
    topology = tmp_path / "topology.json"
    shared = {"a": {"type": "GeometryCollection", "geometries": [{"type": "LineString", "arcs": [0]}]}}
    topology.write_text(json.dumps({"type": "Topology", "objects": shared, "arcs": [[[0, 0], [1, 1]]]}))
    assert "no vector file" in refusal(roads=str(topology))


def test_a_crs_is_not_fetched_from_an_address(tmp_path):
    feature = {
        "type": "Feature",
        "properties": {"url": "a"},
        "geometry": shapely.geometry.mapping(line((0, 0), (9, 9))),
    }
    path = tmp_path / "roads.geojson"
    named = {"type": "name", "properties": {"name": "EPSG:32618"}}
    linked = {"type": "link", "properties": {"href": "http://127.0.0.1:9/crs"}}
    for crs, many in (
        (linked, 1),
        ({"properties": {"url": "http://127.0.0.1:9/"}, "type": "URL"}, 1),
        (linked, 15_000),
    ):
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature] * many, "crs": crs}))
        assert "no vector file" in refusal(roads=str(path))
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": named, "features": [feature]}))
    assert "roads.geojson" in opened(roads=str(path))[1][-1]


def test_a_zip_archive_holds_one_vector_file(tmp_path):
    for name in ("one", "two"):
        write_features(tmp_path / f"{name}.shp", [line((-9, 50), (120, 50))], kind="LineString")
    for names in (("one",), ("one", "two")):
        with zipfile.ZipFile(tmp_path / f"{len(names)}.zip", "w") as archive:
            for path in sorted(path for name in names for path in tmp_path.glob(f"{name}.*")):
                archive.write(path, f"data/{path.name}")
    assert (burnt(roads=str(tmp_path / "1.zip"))[0] == BUILT).sum() == 600
    assert "2 vector files" in refusal(roads=str(tmp_path / "2.zip"))
    (tmp_path / "bad.zip").write_text("no archive")
    assert "cannot be read" in refusal(roads=str(tmp_path / "bad.zip"))


def test_a_layer_is_chosen_by_its_name(tmp_path):
    path = tmp_path / "town.gpkg"
    for name, y in (("streets", 20), ("paths", 70)):
        wkb = np.array([shapely.to_wkb(line((-9, y), (120, y)))], dtype=object)
        options = dict(layer=name, geometry_type="LineString", crs=UTM, driver="GPKG", append=path.exists())
        pyogrio.raw.write(str(path), wkb, [], [], **options)
    assert burnt(roads=f"{path}|layername=paths")[0][30, 50] == BUILT
    assert burnt(roads=f"{path}|layername=streets")[0][80, 50] == BUILT
    assert "several layers" in refusal(roads=str(path)) and "streets, paths" in refusal(roads=str(path))
    assert "no layer 'rails'" in refusal(roads=f"{path}|layername=rails")
    assert "only |layername" in refusal(roads=f"{path}|layername=paths|subset=a = 1")


def test_the_formats_are_those_that_qgis_passes_by_their_path():
    assert set(vector_file.FORMATS) == set(VECTOR_SUFFIXES)


def test_too_many_vertices_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_surfaces, "MAX_VERTICES", 20)
    houses = write_features(tmp_path / "houses.gpkg", [square(x, 10, 5) for x in (10, 20)])
    roads = write_features(tmp_path / "roads.gpkg", [line(*((x, 0) for x in range(11)))])
    opened(buildings=houses)
    assert "more than 20 vertices" in refusal(buildings=houses, roads=roads)
    far = write_features(tmp_path / "far.gpkg", [square(x, 50_000, 5) for x in range(0, 900, 9)])
    opened(buildings=far)


def test_features_are_read_in_batches(tmp_path, monkeypatch):
    path = write_features(tmp_path / "houses.gpkg", [square(x, 10, 5) for x in range(0, 90, 10)])
    expected = burnt(buildings=path)
    for size in (1, 4, 9):
        monkeypatch.setattr(vector_file, "BATCH", size)
        assert np.array_equal(burnt(buildings=path), expected)


def test_the_settings_name_the_files_and_change_with_the_features(tmp_path):
    path = write_features(tmp_path / "roads.gpkg", [line((-9, 50), (120, 50))], width=[4.0])
    layers, _ = opened(roads=path, roads_width="width")
    assert layers.settings["roads"] == "roads.gpkg" and layers.settings["roads_width"] == "width"
    assert len(layers.settings["features_sha256"]) == 64 and str(tmp_path) not in json.dumps(layers.settings)
    (tmp_path / "other").mkdir()
    other = write_features(tmp_path / "other" / "roads.gpkg", [line((-9, 50), (120, 50))], width=[5.0])
    changed, _ = opened(roads=other, roads_width="width")
    assert changed.settings["features_sha256"] != layers.settings["features_sha256"]
    assert changed.stamps != layers.stamps
    assert opened(roads=path, roads_width="width")[0].stamps == layers.stamps


def zeros(windows, *patches):
    return np.zeros((len(windows), 1, windows[0].height, windows[0].width), np.uint8)


def first_band(pixels):
    return pixels[0]


def test_a_land_cover_cell_takes_the_class_that_covers_half_of_it(tmp_path):
    houses = [square(10, 10, 10), shapely.box(LEFT + 30, BOTTOM + 10, LEFT + 35, BOTTOM + 20)]
    houses.append(shapely.box(LEFT + 50, BOTTOM + 10, LEFT + 54.4, BOTTOM + 20))
    layers, _ = opened(
        buildings=write_features(tmp_path / "houses.gpkg", houses),
        water=write_features(tmp_path / "water.gpkg", [square(70, 50, 20)]),
    )
    cover = LazyRaster("cover", WindowOp(Lattice(8, 8), zeros, first_band))
    raster = vector_layers.burn_landcover(cover, layers.source, 10)
    assert pickle.loads(pickle.dumps(raster.op)) == raster.op, "it runs on a cluster's workers"
    region = box_of_grid(grid.geobox(Extent(LEFT, BOTTOM, LEFT + 100, BOTTOM + 100, UTM), 10.0, UTM))
    cells = np.full((10, 10), 99, np.uint8)

    def write(box, pixels):
        shared = box.intersection(region)
        cells[shared.slices_in(region)] = pixels[shared.slices_in(box)]

    render([Output(raster, region, Everywhere(), 10.0, write, frozenset())], "", RecordingReporter())
    expected = np.zeros((10, 10), np.uint8)
    expected[8, 1] = expected[8, 3] = BUILT
    expected[3:5, 7:9] = WATER
    assert np.array_equal(cells, expected)


def test_nodata_stays_nodata():
    cover, over = np.array([[NONE, 1, 1]], np.uint8), np.array([[BUILT, BUILT, NONE]], np.uint8)
    assert legend.burn(cover, over).tolist() == [[NONE, BUILT, 1]]
