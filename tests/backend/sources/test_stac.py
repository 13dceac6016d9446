"""Items from a real STAC API on loopback, and what is said when it is not one."""

import http.server
import json
import threading
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import numpy as np
import pytest
from odc.geo.geobox import GeoBox
from planetary_computer import sas
from planetary_computer.settings import Settings
from pystac import Item

from backend.geo import grid
from backend.protocol import BackendError, Extent
from backend.sources import stac
from tests import servers
from tests.backend import stac_items
from tests.backend.rasters import write_raster


def box() -> GeoBox:
    return grid.geobox(Extent(500_000, 3_999_900, 500_100, 4_000_000, "EPSG:32618"), 1)


@pytest.fixture(scope="module")
def rasters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rasters")
    black = np.zeros((4, 100, 100), np.uint8)
    return {
        "here": write_raster(folder / "here.tif", black),
        "far": write_raster(folder / "far.tif", black, left=600_000),
    }


def test_the_items_that_touch_the_grid_come_newest_first(rasters, tmp_path, monkeypatch):
    items = [
        stac_items.item(rasters[name], str(rasters[name]), "image", "naip", f"{year}-07-01")
        for name, year in [("here", 2016), ("far", 2020), ("here", 2018), ("here", 2014)]
    ]
    with servers.rustac(stac_items.collection("naip"), items, tmp_path / "stac") as url:
        monkeypatch.setenv("LANDFORGE_STAC_URL", url)
        assert [item.id for item in stac.search("naip", box())] == ["here-2018", "here-2016", "here-2014"]


def test_an_item_stands_for_its_named_year_else_for_its_date(rasters):
    item = stac_items.item(rasters["here"], "a.tif", "image", "naip", "2019-01-03")
    assert stac.year(Item.from_dict(item)) == 2019
    item["properties"]["naip:year"] = "2018"
    assert stac.year(Item.from_dict(item)) == 2018
    item["properties"] = {
        "datetime": None,
        "start_datetime": "2021-01-01T00:00:00Z",
        "end_datetime": "2021-12-31T23:59:59Z",
    }
    assert stac.year(Item.from_dict(item)) == 2021


def test_an_item_without_the_asset_is_refused(rasters):
    item = Item.from_dict(stac_items.item(rasters["here"], "a.tif", "thumbnail", "naip", "2019-01-03"))
    with pytest.raises(BackendError, match="has no asset 'image'"):
        stac.piece(item, "image", box())


def item_at(rasters, href, **changed):
    return {**stac_items.item(rasters["here"], href, "image", "naip", "2019-01-03"), **changed}


@pytest.mark.parametrize(
    ("href", "words"),
    [
        ("/data/a.tif", "at /data/a.tif. .*only http and https"),
        ("file:///data/a.tif", "at file:///data/a.tif. .*only http and https"),
        ("FILE:///data/a.tif", "only http and https"),
        ("/vsicurl/http://example.org/a.tif", "only http and https"),
        ("/vsizip//vsicurl/http://example.org/a.zip/a.tif", "only http and https"),
        ("zip+https://example.org/a.zip!a.tif", "only http and https"),
        ("vrt://http://example.org/a.tif", "only http and https"),
        ("data:image/tiff;base64,SUkqAA==", "only http and https"),
        ("<VRTDataset rasterXSize='1' rasterYSize='1'/>", "only http and https"),
        ("ftp://example.org/a.tif", "only http and https"),
        ("C:\\data\\a.tif", "only http and https"),
        ("a.tif", "only http and https"),  # the item has no address of its own
        ("", "only http and https"),
        ("s3://bucket/a.tif", r"in an S3 bucket \(s3://bucket/a.tif\).*Planetary Computer's, or download"),
        ("S3://bucket/a.tif", "in an S3 bucket"),
    ],
)
def test_an_address_that_is_not_one_of_the_web_is_refused(rasters, href, words):
    with pytest.raises(BackendError, match=words):
        stac.piece(Item.from_dict(item_at(rasters, href)), "image", box())


def test_a_long_address_is_shortened_in_the_message(rasters):
    with pytest.raises(BackendError) as caught:
        stac.piece(Item.from_dict(item_at(rasters, "data:" + "A" * 10_000)), "image", box())
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("own", "href", "address"),
    [
        ("https://a.org/naip/item.json", "../a.tif", "https://a.org/a.tif"),
        ("https://a.org/naip/item.json", "./a.tif", "https://a.org/naip/a.tif"),
        ("https://a.org/naip/item.json", "HTTPS://b.org/A.tif", "https://b.org/A.tif"),
        ("/data/item.json", "a.tif", None),
        ("file:///data/item.json", "a.tif", None),
    ],
)
def test_a_relative_address_continues_the_items_own(rasters, own, href, address):
    item = Item.from_dict(item_at(rasters, href, links=[{"rel": "self", "href": own}]))
    if address is None:
        with pytest.raises(BackendError, match="only http and https"):
            stac.piece(item, "image", box())
    else:
        assert stac.piece(item, "image", box()).address == address


def ring(*corners):
    """A GeoJSON ring around the grid's centre, from corners in multiples of its half size."""
    west, south, east, north = grid.lonlat_span(box())
    lon, lat, half_width, half_height = (west + east) / 2, (south + north) / 2, (east - west) / 2, (north - south) / 2
    return [[lon + x * half_width, lat + y * half_height] for x, y in (*corners, corners[0])]


WHOLE = [(-1, -1), (1, -1), (1, 1), (-1, 1)]


def covered(rasters, geometry, bbox=None):
    """The share of the grid that an item covers."""
    footprint = stac.footprint(Item.from_dict(item_at(rasters, "a.tif", geometry=geometry, bbox=bbox)), box())
    return footprint.intersection(box().extent).area / box().extent.area


class TestFootprints:
    def test_a_bow_tie_is_the_rectangle_of_its_corners(self, rasters):
        bow_tie = ring(*(WHOLE[index] for index in (0, 2, 1, 3)))
        assert covered(rasters, {"type": "Polygon", "coordinates": [bow_tie]}) == pytest.approx(1, abs=0.02)

    def test_a_ring_that_crosses_itself_is_mended(self, rasters):
        crossing = ring((-1, -1), (1, -1), (1, 1), (0, 0), (0.2, -0.5), (-0.2, -0.5), (0, 0), (-1, 1))
        assert 0.4 < covered(rasters, {"type": "Polygon", "coordinates": [crossing]}) < 0.9

    def test_parts_that_overlap_count_once(self, rasters):
        halves = [[ring((-1, -1), (0.2, -1), (0.2, 1), (-1, 1))], [ring((-0.2, -1), (1, -1), (1, 1), (-0.2, 1))]]
        assert covered(rasters, {"type": "MultiPolygon", "coordinates": halves}) == pytest.approx(1, abs=0.02)

    def test_of_a_collection_only_the_polygons_count(self, rasters):
        half = {"type": "Polygon", "coordinates": [ring((-1, -1), (0, -1), (0, 1), (-1, 1))]}
        point = {"type": "Point", "coordinates": ring(*WHOLE)[0]}
        collection = {"type": "GeometryCollection", "geometries": [half, point]}
        assert covered(rasters, collection) == pytest.approx(0.5, abs=0.02)

    @pytest.mark.parametrize(
        "geometry",
        [
            None,
            {"type": "Polygon", "coordinates": []},
            {"type": "Point", "coordinates": [0, 0]},
            {"type": "Polygon", "coordinates": [[[None, 0], [1, 1]]]},
            {"type": "Circle"},
        ],
    )
    def test_without_polygons_the_bounding_box_counts(self, rasters, geometry):
        (west, south), (east, north) = (ring(*WHOLE)[index] for index in (0, 2))
        middle = (west + east) / 2
        assert covered(rasters, geometry, [west, south, middle, north]) == pytest.approx(0.5, abs=0.02)
        assert covered(rasters, geometry, [west, south, 0, middle, north, 9]) == pytest.approx(0.5, abs=0.02)

    def test_without_either_the_item_counts_as_everywhere(self, rasters):
        item = Item.from_dict(item_at(rasters, "a.tif", geometry=None, bbox=None))
        assert stac.footprint(item, box()) is None

    @pytest.mark.parametrize("lon", [179.9, -179.9])
    def test_a_bounding_box_across_the_antimeridian_has_two_sides(self, rasters, lon):
        nearby = grid.geobox(Extent(lon - 0.01, -16.8, lon + 0.01, -16.79, "EPSG:4326"), 10)
        across = Item.from_dict(item_at(rasters, "a.tif", geometry=None, bbox=[179.5, -17.0, -179.5, -16.5]))
        footprint = stac.footprint(across, nearby)
        assert footprint.contains(nearby.extent)
        far = Item.from_dict(item_at(rasters, "a.tif", geometry=None, bbox=[170, -17.0, -179.95, -16.5]))
        assert stac.footprint(far, nearby).intersects(nearby.extent) == (lon > 0)

    @pytest.mark.parametrize("lon", [179.9, -179.9])
    def test_a_ring_across_the_antimeridian_is_not_one_around_the_earth(self, rasters, lon):
        nearby, opposite = (
            grid.geobox(Extent(at - 0.01, -16.8, at + 0.01, -16.79, "EPSG:4326"), 10) for at in (lon, lon / 2)
        )
        ring = [[179.5, -17], [-179.5, -17], [-179.5, -16.5], [179.5, -16.5], [179.5, -17]]
        across = Item.from_dict(item_at(rasters, "a.tif", geometry={"type": "Polygon", "coordinates": [ring]}))
        assert stac.footprint(across, nearby).contains(nearby.extent)
        assert not stac.footprint(across, opposite).intersects(opposite.extent)

    def test_a_footprint_around_the_earth_is_everywhere(self, rasters):
        ring = [[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        assert covered(rasters, geometry, [-180, -90, 180, 90]) == pytest.approx(1)

    def test_a_footprint_on_the_other_side_of_the_earth_is_empty(self, rasters):
        far = Item.from_dict(item_at(rasters, "a.tif", geometry=None, bbox=[100, 30, 103, 33]))
        assert not stac.footprint(far, box()).intersects(box().extent)


def test_items_without_a_geometry_are_not_lost(rasters, monkeypatch):
    with servers.stac_api([item_at(rasters, "a.tif", geometry=None)]) as url:
        monkeypatch.setenv("LANDFORGE_STAC_URL", url)
        assert [item.id for item in stac.search("naip", box())] == ["here-2019"]


@pytest.mark.parametrize("target", ["file://{}", "{}"])
def test_an_api_cannot_lead_to_local_files(rasters, monkeypatch, tmp_path, target):
    """Neither by the link to a next page, nor by a redirect."""
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"type": "FeatureCollection", "features": [item_at(rasters, "a.tif")], "links": []}))
    link = {"rel": "next", "href": target.format(secret), "type": "application/geo+json"}
    first = item_at(rasters, "a.tif")  # an empty page would be the last
    with servers.stac_api([first], [link]) as url, servers.misbehaving() as redirecting:
        monkeypatch.setenv("LANDFORGE_STAC_URL", url)
        with pytest.raises(BackendError, match="did not answer as one"):
            stac.search("naip", box())
        monkeypatch.setenv("LANDFORGE_STAC_URL", f"{redirecting}/redirect/{quote(f'file://{secret}', safe='')}")
        with pytest.raises(BackendError, match="did not answer as one"):
            stac.search("naip", box())


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("404", "status 404"),
        ("500", "too many 500 error responses"),
        ("garbage", "it sent no JSON"),
        ("stall", "Read timed out"),
    ],
)
def test_an_api_that_misbehaves_is_named(bad_server, monkeypatch, mode, reason):
    monkeypatch.setattr(stac, "RETRIES", 1)
    monkeypatch.setenv("LANDFORGE_HTTP_TIMEOUT_S", "1")
    monkeypatch.setenv("LANDFORGE_STAC_URL", f"{bad_server}/{mode}/stac")
    with pytest.raises(BackendError) as caught:
        stac.search("naip", box())
    assert str(caught.value) == (
        f"The STAC API at {bad_server}/{mode}/stac did not answer as one ({reason}). Check the connection and the "
        "address, or try again later."
    )


def test_an_api_where_nobody_listens_is_named(monkeypatch):
    monkeypatch.setattr(stac, "RETRIES", 1)
    monkeypatch.setenv("LANDFORGE_STAC_URL", f"http://127.0.0.1:{servers.free_port()}")
    with pytest.raises(BackendError, match=r"did not answer as one .*Connection refused"):
        stac.search("naip", box())


class TestSigning:
    """Only Planetary Computer's own storage is signed, by its token service on loopback."""

    ADDRESS = "https://naipeuwest.blob.core.windows.net/naip/v002/a.tif"

    @pytest.fixture(autouse=True)
    def forget(self):
        Settings.get.cache_clear()
        sas.TOKEN_CACHE.clear()
        yield
        Settings.get.cache_clear()
        sas.TOKEN_CACHE.clear()

    @pytest.fixture
    def token_requests(self, monkeypatch):
        token_requests = []

        class Tokens(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                token_requests.append(self.path)
                expiry = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
                body = json.dumps({"msft:expiry": expiry, "token": f"sig={len(token_requests)}"}).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        monkeypatch.setenv("PC_SDK_SAS_URL", f"http://127.0.0.1:{server.server_address[1]}/token")
        yield token_requests
        server.shutdown()
        server.server_close()

    def test_storage_of_planetary_computer_gets_a_token_once(self, token_requests):
        assert stac.sign(self.ADDRESS) == self.ADDRESS + "?sig=1"
        assert stac.sign(self.ADDRESS) == self.ADDRESS + "?sig=1"
        assert token_requests == ["/token/naipeuwest/naip"]

    @pytest.mark.parametrize("address", ["http://127.0.0.1:1/a.tif", "/data/a.tif", "https://example.org/a.tif"])
    def test_anything_else_stays_as_it_is(self, token_requests, address):
        assert stac.sign(address) == address
        assert token_requests == []

    @pytest.mark.parametrize("mode", ["garbage", "stall"])
    def test_a_token_service_that_misbehaves_is_an_error_in_bounded_time(self, bad_server, monkeypatch, mode):
        monkeypatch.setenv("LANDFORGE_HTTP_TIMEOUT_S", "1")
        monkeypatch.setenv("PC_SDK_SAS_URL", f"{bad_server}/{mode}")
        with pytest.raises(BackendError, match="gave no token"):
            stac.sign(self.ADDRESS)
