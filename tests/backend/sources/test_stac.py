"""Items from a real STAC API on loopback, and what is said when it is not one."""

import http.server
import json
import threading
from datetime import datetime, timedelta, timezone

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
