"""Vector files that tests write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import shapely


def write_features(
    path: Path, geometries: list, crs: str | None = "EPSG:32618", kind: str = "Unknown", **fields: list
) -> str:
    """Write geometries (shapely, or None), with a list of values a field, in the format of the path's suffix."""
    wkb = np.array([None if geometry is None else shapely.to_wkb(geometry) for geometry in geometries], dtype=object)
    drivers = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON", ".fgb": "FlatGeobuf"}
    pyogrio.raw.write(
        str(path),
        wkb,
        [np.array(values) for values in fields.values()],
        list(fields),
        driver=drivers[path.suffix],
        geometry_type=kind,
        crs=crs,
    )
    return str(path)
