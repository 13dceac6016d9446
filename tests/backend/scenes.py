"""Small rasters and STAC items that tests make for themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
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


def write_raster(
    path: Path,
    data: np.ndarray,
    left: float = 500_000.0,
    top: float = 4_000_000.0,
    pixel: float = 1.0,
    crs: str | None = "EPSG:32618",
    **options: object,
) -> Path:
    """Write (bands, height, width) as a GeoTIFF; a fourth band is near-infrared, not transparency."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bands, height, width = data.shape
    if bands >= 3:
        options = {"photometric": "RGB", "alpha": "NO", **options}
    profile = dict(driver="GTiff", count=bands, height=height, width=width, dtype=data.dtype, crs=crs)
    with rasterio.open(path, "w", **profile, transform=from_origin(left, top, pixel, pixel), **options) as target:
        target.write(data)
    return path


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
