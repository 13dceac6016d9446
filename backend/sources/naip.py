"""NAIP aerial imagery from Planetary Computer."""

from __future__ import annotations

from odc.geo.geobox import GeoBox
from odc.geo.geom import unary_union
from pystac import Item

from backend.geo import provenance
from backend.protocol import BackendError, Reporter
from backend.sources import stac
from backend.sources.mosaic import Mosaic

PIXEL_M = 1.0  # the pixel size of the grid until the source's own is known
FULL_COVERAGE = 0.9999  # footprints are rounded
NODATA = 0  # NAIP declares none; outside the flight lines all four bands are 0


def _coverage(items: list[Item], box: GeoBox) -> float:
    """The share of a grid that items cover, 0 to 1."""
    covered = unary_union([stac.footprint(item, box) for item in items])
    return 0.0 if covered is None else covered.intersection(box.extent).area / box.extent.area


def choose(items: list[Item], box: GeoBox, year: int | None, report: Reporter) -> list[Item]:
    """The items of `year`; without one, of the newest year that covers the grid, or else of the one that covers most.

    Raises BackendError where there are none.
    """
    years: dict[int, list[Item]] = {}
    for item in items:
        years.setdefault(stac.year(item), []).append(item)
    if not years:
        raise BackendError(
            "NAIP has no image here: it covers the United States without Alaska. Move the extent or choose a layer."
        )
    if year is not None and year not in years:
        raise BackendError(f"NAIP has no image of {year} here, but of {', '.join(map(str, sorted(years)))}.")
    shares = {y: _coverage(years[y], box) for y in ([year] if year is not None else sorted(years, reverse=True))}
    chosen = next(
        (y for y, share in shares.items() if share >= FULL_COVERAGE), max(shares, key=lambda y: (shares[y], y))
    )
    if shares[chosen] < FULL_COVERAGE:
        report.log(f"NAIP {chosen} covers {shares[chosen]:.0%} of the extent; the rest has no data.")
    else:
        report.log(f"NAIP {chosen} covers the extent.")
    return years[chosen]


def find(box: GeoBox, year: int | None, report: Reporter) -> tuple[Mosaic, dict[str, str]]:
    """The mosaic of a grid's image (R, G, B), and the tags of a clip from it.

    Raises BackendError for an extent or year without an image, and for a server that does not answer.
    """
    items = choose(stac.search("naip", box), box, year, report)
    tags = provenance.clipped(f"NAIP {stac.year(items[0])}", provenance.NAIP_ATTRIBUTION, [item.id for item in items])
    return Mosaic([stac.piece(item, "image", box, nodata=NODATA) for item in items], "rgb", stac.sign), tags
