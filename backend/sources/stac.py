"""Items of a STAC API: Planetary Computer's, or that at LANDFORGE_STAC_URL."""

from __future__ import annotations

import math
import os
import re
from json import JSONDecodeError
from multiprocessing.pool import ThreadPool
from typing import Any
from urllib.parse import urlparse

import numpy as np
import shapely
from odc.geo.geobox import GeoBox
from odc.geo.geom import Geometry
from pystac import Item
from pystac_client import Client
from pystac_client.stac_api_io import StacApiIO
from shapely.affinity import translate
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry
from urllib3.util import Retry

from backend.geo import grid
from backend.protocol import BackendError
from backend.sources import RETRIES, is_remote, patience_s
from backend.sources.mosaic import Piece

URL = "https://planetarycomputer.microsoft.com/api/stac/v1"
SIGNED_HOSTS = ".blob.core.windows.net"
MOST_ITEMS = 20_000
NEAR_DEG = 1.0  # footprints are cut this far from a grid, beyond which its CRS may not describe them


def _reason(error: Exception) -> str:
    """The innermost message of an error that requests, urllib3 and pystac-client have wrapped."""
    status = getattr(error, "status_code", None)
    if status or isinstance(error, JSONDecodeError):
        return f"status {status}" if status else "it sent no JSON"
    core = re.split(r"Error\(|\): ", str(error))[-1].split(". (")[0].strip("()'\" ")[:120]
    return core + ")" * (core.count("(") - core.count(")"))  # its own bracket may have been stripped too


def forbid_ftp() -> None:
    """Let this process's GDAL follow no redirect to ftp, as libcurl does and no setting of GDAL's forbids."""
    os.environ.setdefault("ftp_proxy", "none://")  # a proxy that cannot be reached


def search(collection: str, box: GeoBox) -> list[Item]:
    """The collection's items that touch a grid, newest first; BackendError where the API does not answer."""
    url = os.environ.get("LANDFORGE_STAC_URL") or URL
    forbid_ftp()
    passing = [429, 500, 502, 503, 504]
    retry = Retry(total=RETRIES, read=0, backoff_factor=0.5, status_forcelist=passing, allowed_methods=None)
    west, south, east, north = grid.lonlat_span(box)
    try:
        client = Client.open(url, stac_io=StacApiIO(max_retries=retry), timeout=patience_s())
        results = client.search(
            collections=[collection], bbox=(west, south, min(east, 180.0), north), limit=250, max_items=MOST_ITEMS
        )
        return sorted(results.items(), key=lambda item: (-year(item), item.id))
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


def _eastward(lonlat: np.ndarray) -> np.ndarray:
    """(n, 2) longitudes and latitudes, the western longitudes beyond 180."""
    return np.column_stack([lonlat[:, 0] % 360, lonlat[:, 1]])


def _polygons(shape: BaseGeometry) -> BaseGeometry:
    """The polygons of a geometry, valid ones; empty where it has none."""
    parts = shapely.get_parts(shapely.force_2d(shape))
    # A ring that goes from 179 to -179 degrees is meant across the antimeridian, not around the Earth.
    parts = [shapely.transform(part, _eastward) if np.ptp(part.bounds[::2]) > 180 else part for part in parts]
    # Four corners in a wrong order make a bow tie of half the area: their hull is the rectangle that was meant.
    mended = [
        part.convex_hull if not part.is_valid and shapely.get_num_coordinates(part) == 5 else shapely.make_valid(part)
        for part in parts
    ]
    pieces = shapely.get_parts(shapely.get_parts(mended))  # a collection may hold multipolygons
    return shapely.union_all([piece for piece in pieces if piece.geom_type == "Polygon"])


def _bbox(item: Item) -> BaseGeometry:
    """An item's bounding box in degrees, in two parts across the antimeridian; empty where it has none."""
    bounds = item.bbox or []
    if len(bounds) not in (4, 6) or not all(isinstance(v, (int, float)) and math.isfinite(v) for v in bounds):
        return shapely.Polygon()
    west, south, east, north = (bounds[0], bounds[1], bounds[len(bounds) // 2], bounds[len(bounds) // 2 + 1])
    if west > east:
        return shapely.union(shapely.box(west, south, 180, north), shapely.box(-180, south, east, north))
    return shapely.box(west, south, east, north)


def footprint(item: Item, box: GeoBox) -> Geometry | None:
    """An item's footprint near a grid, in its CRS: its geometry, mended, or else its bounding box.

    None where it has neither; empty where it lies elsewhere.
    """
    try:
        shape = _polygons(shapely.geometry.shape(item.geometry)) if item.geometry else shapely.Polygon()
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        shape = shapely.Polygon()
    shape = _bbox(item) if shape.is_empty else shape
    if shape.is_empty:
        return None
    west, south, east, north = grid.lonlat_span(box)
    near = shapely.box(west - NEAR_DEG, south - NEAR_DEG, east + NEAR_DEG, north + NEAR_DEG)
    parts = [translate(shape, turn).intersection(near) for turn in (-360, 0, 360)]
    polygons = _polygons(shapely.union_all(parts))
    return Geometry(polygons, "EPSG:4326").to_crs(str(box.crs), resolution=0.1)  # an empty one stays empty


def _web_address(item: Item, asset: str) -> str:
    """The URL of an item's asset; BackendError for any address but one of http or https."""
    address = (item.assets[asset].get_absolute_href() or item.assets[asset].href or "").strip()
    if is_remote(address):
        scheme, rest = address.split(":", 1)
        return f"{scheme.lower()}:{rest}"
    name = address if len(address) <= 100 else f"{address[:100]}…"
    if address.lower().startswith("s3://"):
        raise BackendError(
            f"The STAC item {item.id} has its raster in an S3 bucket ({name}), whose readers often have to pay. It is "
            "not read over http. Set another STAC API, such as Planetary Computer's, or download the raster and choose "
            "it as a layer."
        )
    raise BackendError(
        f"The STAC item {item.id} has its raster at {name or 'no address'}. From a STAC API only http and https "
        "addresses are read. Set another STAC API, or choose the raster as a layer."
    )


def piece(item: Item, asset: str, box: GeoBox, **options: Any) -> Piece:
    """An item's asset as a piece of a mosaic, with its unsigned URL.

    Raises BackendError for an item without the asset, and for an address that is not one of http or https.
    """
    if asset not in item.assets:
        others = f" but {', '.join(map(repr, item.assets))}" if item.assets else ""
        raise BackendError(
            f"The STAC item {item.id} has no asset {asset!r}{others}. Check the address of the STAC API."
        )
    return Piece(_web_address(item, asset), footprint(item, box), name=item.id, year=year(item), **options)


def sign(address: str) -> str:
    """The URL to read with: Planetary Computer's with a fresh token, any other unchanged."""
    if not (urlparse(address).hostname or "").endswith(SIGNED_HOSTS):
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
