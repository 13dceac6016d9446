"""What both sides know of vector layers: roads, buildings and water."""

from __future__ import annotations

FEATURE_MARGIN_M = 2600.0
"""Features up to this distance around an extent are read with it: an image's pixels depend on what lies around them."""
CLASS_FIELDS: dict[str, tuple[str, ...]] = {
    "ROADS": ("highway", "fclass"),
    "BUILDINGS": (),
    "WATER": ("waterway", "fclass"),
}
"""By parameter, the fields that a line's class is read from. Geofabrik's extracts name OpenStreetMap's class fclass."""
VECTOR_SUFFIXES = (".gpkg", ".fgb", ".geojson", ".json", ".shp")
"""The vector files that the backend reads."""
