"""Items of a STAC API: Planetary Computer's, or that at LANDFORGE_STAC_URL."""

from __future__ import annotations

import os
import re
from json import JSONDecodeError
from multiprocessing.pool import ThreadPool
from typing import Any
from urllib.parse import urlparse

from odc.geo.geobox import GeoBox
from odc.geo.geom import Geometry
from pystac import Item
from pystac_client import Client
from pystac_client.stac_api_io import StacApiIO
from urllib3.util import Retry

from backend.geo import grid
from backend.protocol import BackendError
from backend.sources import RETRIES, patience_s
from backend.sources.mosaic import Piece

URL = "https://planetarycomputer.microsoft.com/api/stac/v1"
SIGNED_HOSTS = ".blob.core.windows.net"
MOST_ITEMS = 20_000


def _reason(error: Exception) -> str:
    """The innermost message of an error that requests, urllib3 and pystac-client have wrapped."""
    status = getattr(error, "status_code", None)
    if status or isinstance(error, JSONDecodeError):
        return f"status {status}" if status else "it sent no JSON"
    core = re.split(r"Error\(|\): ", str(error))[-1].split(". (")[0].strip("()'\" ")[:120]
    return core + ")" * (core.count("(") - core.count(")"))  # its own bracket may have been stripped too


def search(collection: str, box: GeoBox) -> list[Item]:
    """The collection's items that touch a grid, newest first; BackendError where the API does not answer."""
    url = os.environ.get("LANDFORGE_STAC_URL") or URL
    passing = [429, 500, 502, 503, 504]
    retry = Retry(total=RETRIES, read=0, backoff_factor=0.5, status_forcelist=passing, allowed_methods=None)
    west, south, east, north = grid.lonlat_span(box)
    try:
        client = Client.open(url, stac_io=StacApiIO(max_retries=retry), timeout=patience_s())
        results = client.search(
            collections=[collection], bbox=(west, south, min(east, 180.0), north), limit=250, max_items=MOST_ITEMS
        )
        items = [item for item in results.items() if item.geometry]
        return sorted(items, key=lambda item: (-year(item), item.id))
    except Exception as error:  # a malformed answer makes pystac raise errors of any type
        raise BackendError(
            f"The STAC API at {url} did not answer as one ({_reason(error)}). Check the connection and the address, or "
            "try again later."
        ) from error


def year(item: Item) -> int:
    """The year of an item: NAIP's own, or that of its date; ValueError for an item without one."""
    named = item.properties.get("naip:year")
    moment = item.datetime or item.common_metadata.start_datetime
    return int(named or (moment.year if moment else ""))


def footprint(item: Item, box: GeoBox) -> Geometry:
    """An item's footprint in a grid's CRS."""
    return Geometry(item.geometry, "EPSG:4326").to_crs(str(box.crs), resolution=0.1)


def piece(item: Item, asset: str, box: GeoBox, **options: Any) -> Piece:
    """An item's asset as a piece of a mosaic, with its unsigned URL."""
    if asset not in item.assets:
        raise BackendError(f"The STAC item {item.id} has no asset {asset!r}. Check the address of the STAC API.")
    return Piece(item.assets[asset].get_absolute_href() or "", footprint(item, box), **options)


def sign(address: str) -> str:
    """The URL to read with: Planetary Computer's with a fresh token, any other unchanged."""
    if not urlparse(address).netloc.endswith(SIGNED_HOSTS):
        return address
    from planetary_computer import sign_url

    try:
        with ThreadPool(1) as pool:  # sign_url has no timeout of its own
            return str(pool.apply_async(sign_url, (address,)).get(patience_s()))
    except Exception as error:
        raise BackendError(
            f"Planetary Computer gave no token to read {address} ({_reason(error) or 'it was silent'}). "
            "Try again later."
        ) from error
