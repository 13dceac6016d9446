"""STAC collections and items of rasters that a server on loopback offers."""

from __future__ import annotations

from pathlib import Path

import rasterio
from rasterio.warp import transform_geom

COLLECTION = {
    "type": "Collection",
    "stac_version": "1.0.0",
    "description": "items on loopback",
    "license": "proprietary",
    "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [["2010-01-01T00:00:00Z", None]]}},
    "links": [],
}


def collection(name: str) -> dict:
    """A STAC collection."""
    return {"id": name, **COLLECTION}


def item(raster: Path, href: str, asset: str, collection: str, date: str, **properties: object) -> dict:
    """The STAC item of a raster that lies under `href`."""
    with rasterio.open(raster) as source:
        west, south, east, north = source.bounds
        ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
        geometry = transform_geom(source.crs, "EPSG:4326", {"type": "Polygon", "coordinates": [ring]}, precision=8)
    lons, lats = zip(*geometry["coordinates"][0])
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": f"{raster.stem}-{date[:4]}",
        "collection": collection,
        "geometry": geometry,
        "bbox": [min(lons), min(lats), max(lons), max(lats)],
        "properties": {"datetime": f"{date}T00:00:00Z", **properties},
        "links": [],
        "assets": {asset: {"href": href, "type": "image/tiff; application=geotiff; profile=cloud-optimized"}},
    }
