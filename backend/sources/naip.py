"""NAIP aerial imagery from Planetary Computer."""

from __future__ import annotations

from collections import defaultdict

from odc.geo.geobox import GeoBox
from odc.geo.geom import unary_union
from pystac import Item

from backend.geo import provenance
from backend.protocol import BackendError, Reporter
from backend.sources import stac
from backend.sources.mosaic import Mosaic, Piece

PIXEL_M = 1.0  # the pixel size of the grid until the source's own is known
FULL_COVERAGE = 0.9999  # footprints are rounded
NODATA = 0  # NAIP declares none; outside the flight lines all four bands are 0


def _coverage(items: list[Item], box: GeoBox) -> float:
    """The share of a grid that items cover, 0 to 1; one without a footprint covers it."""
    footprints = [stac.footprint(item, box) for item in items]
    covered = unary_union([box.extent if footprint is None else footprint for footprint in footprints])
    return 0.0 if covered is None else covered.intersection(box.extent).area / box.extent.area


def choose(items: list[Item], box: GeoBox, year: int | None, report: Reporter, fill_years: bool = False) -> list[Item]:
    """The items of `year`; without one, of the newest year that covers the grid, or else of the one that covers most.

    With `fill_years` and without a year those of the other years follow, the newest first: they fill what is left.
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
    others = [y for y in shares if y != chosen] if fill_years else []
    if shares[chosen] >= FULL_COVERAGE:
        report.log(f"NAIP {chosen} covers the extent.")
    elif others:
        names = ", ".join(map(str, others))
        report.log(f"NAIP {chosen} covers {shares[chosen]:.0%} of the extent; the rest is filled from {names}.")
    else:
        report.log(f"NAIP {chosen} covers {shares[chosen]:.0%} of the extent; the rest has no data.")
    return [item for y in (chosen, *others) for item in years[y]]


def _tags(pieces: list[Piece]) -> dict[str, str]:
    years = ", ".join(dict.fromkeys(str(piece.year) for piece in pieces))
    return provenance.clipped(f"NAIP {years}", provenance.NAIP_ATTRIBUTION, [piece.name for piece in pieces])


def contributions(mosaic: Mosaic, box: GeoBox, report: Reporter) -> dict[str, str]:
    """The tags of a clip that name the items whose pixels are in it; logs the years' shares where there are more.

    To be called after the last block.
    """
    for reason in mosaic.left_out.values():
        report.log(f"Not used to fill: {reason}")
    pieces = [piece for piece in mosaic.pieces if mosaic.pixels[piece.address]]
    by_year: defaultdict[int | None, int] = defaultdict(int)
    for address, year in {piece.address: piece.year for piece in pieces}.items():
        by_year[year] += mosaic.pixels[address]
    if len(by_year) > 1:
        total = box.height * box.width
        shares = [f"{year} {pixels / total:.1%}" for year, pixels in by_year.items()]
        if sum(by_year.values()) < total:
            shares.append(f"without data {1 - sum(by_year.values()) / total:.1%}")
        report.log(f"The image is of several years: {', '.join(shares)}.")
    return _tags(pieces)


def find(box: GeoBox, year: int | None, report: Reporter, fill_years: bool = False) -> tuple[Mosaic, dict[str, str]]:
    """The mosaic of a grid's image (R, G, B), and the tags of a clip from it.

    Raises BackendError for an extent or year without an image, and for a server that does not answer.
    """
    items = choose(stac.search("naip", box), box, year, report, fill_years)
    pieces = []
    for item in items:
        try:
            pieces.append(stac.piece(item, "image", box, nodata=NODATA, is_aerial=True))
        except BackendError as error:
            if stac.year(item) == stac.year(items[0]):
                raise
            report.log(f"Not used to fill: {error}")
    return Mosaic(pieces, "rgb", stac.sign), _tags(pieces)
