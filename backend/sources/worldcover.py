"""ESA WorldCover: from the public bucket, from Planetary Computer, or from a layer."""

from __future__ import annotations

import math
import os
from pathlib import Path

from odc.geo import geom
from odc.geo.geobox import GeoBox

from backend.geo import grid, provenance
from backend.protocol import BackendError, Reporter
from backend.sources import stac
from backend.sources.mosaic import Mosaic, Piece

ESA_URL = "https://esa-worldcover.s3.eu-central-1.amazonaws.com"
VERSIONS = {2020: "v100", 2021: "v200"}
CELL_DEG = 3


def check_year(year: int) -> None:
    """BackendError for a year without a WorldCover."""
    if year not in VERSIONS:
        raise BackendError(f"There is no WorldCover of {year}. Choose {' or '.join(map(str, VERSIONS))}.")


def cells(box: GeoBox) -> dict[str, tuple[int, int]]:
    """The names and lower-left corners (longitude, latitude) of the 3-degree cells that a grid touches."""
    west, south, east, north = (v / CELL_DEG for v in grid.lonlat_span(box))
    corners = {}
    for lat in range(CELL_DEG * math.floor(south), CELL_DEG * math.ceil(north), CELL_DEG):
        for lon in range(CELL_DEG * math.floor(west), CELL_DEG * math.ceil(east), CELL_DEG):
            lon = (lon + 180) % 360 - 180
            corners[f"{'S' if lat < 0 else 'N'}{abs(lat):02d}{'W' if lon < 0 else 'E'}{abs(lon):03d}"] = lon, lat
    return corners


def _esa(box: GeoBox, year: int, report: Reporter) -> Mosaic:
    """The tiles of the public bucket that a grid touches; there is none for open sea."""
    base = (os.environ.get("LANDFORGE_ESA_URL") or ESA_URL).rstrip("/")
    version = VERSIONS[year]
    names = cells(box)
    pieces = []
    for name, (lon, lat) in names.items():
        cell = geom.box(lon, lat, lon + CELL_DEG, lat + CELL_DEG, "EPSG:4326").to_crs(str(box.crs), resolution=0.1)
        tile = f"{version}/{year}/map/ESA_WorldCover_10m_{year}_{version}_{name}_Map.tif"
        pieces.append(Piece(f"{base}/{tile}", cell))
    mosaic = Mosaic(pieces, "classes")
    mosaic.forget_missing(report)
    if not mosaic.pieces:
        raise BackendError(
            f"ESA WorldCover {year} has no tile here ({', '.join(names)} at {base}): the extent is open sea or outside "
            "the coverage (60 S to 83 N). Move it onto land."
        )
    return mosaic


def _planetarycomputer(box: GeoBox, year: int) -> Mosaic:
    items = [item for item in stac.search("esa-worldcover", box) if stac.year(item) == year]
    if not items:
        raise BackendError(
            f"Planetary Computer has no WorldCover {year} here: the extent is open sea or outside the coverage. "
            "Move it onto land."
        )
    return Mosaic([stac.piece(item, "map", box) for item in items], "classes", stac.sign)


def find(source: str, box: GeoBox, year: int, report: Reporter) -> tuple[Mosaic, dict[str, str]]:
    """The mosaic of a grid's land cover, and the tags of a clip from it.

    Raises BackendError for a year or an extent without a map, and for a server that does not answer.
    """
    check_year(year)
    mosaic = _esa(box, year, report) if source == "esa" else _planetarycomputer(box, year)
    names = [Path(piece.address).stem for piece in mosaic.pieces]
    return mosaic, provenance.clipped(f"ESA WorldCover {year}", provenance.ESA_ATTRIBUTION.format(year=year), names)
