"""The grid of an extent, in a CRS in metres, snapped so that land cover and images of one extent line up.

Pixels lie at multiples of the pixel size from the CRS's origin, and extents snap outward to multiples of 10 m, so that
the 10 m grid of land cover and the 1 m grid of images cover exactly the same ground.
"""

from __future__ import annotations

import math

import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from backend.protocol import (
    ANTIMERIDIAN,
    BackendError,
    Extent,
    outward_multiples,
    shifted_longitudes,
    snapped_bounds,
)

LANDCOVER_PIXEL_M = 10.0


def parse_crs(text: str, role: str) -> CRS:
    """The horizontal CRS of a text (`EPSG:32618`, WKT); a BackendError about `role` where it is missing or unknown."""
    try:
        crs = horizontal(CRS.from_user_input(text))
    except CRSError as error:
        raise BackendError(f"The CRS of {role} is missing or unknown: {text!r}. Set it first.") from error
    if crs.is_vertical or crs.is_geocentric:
        raise BackendError(f"The CRS of {role} has no horizontal coordinates: {crs.name}. Set another one.")
    return crs


def horizontal(crs: CRS) -> CRS:
    """The horizontal part of a CRS that also has heights; any other CRS as it is."""
    return crs.to_2d() if crs.is_compound or len(crs.axis_info) > 2 else crs


def own_bounds(extent: Extent, crs: CRS) -> tuple[float, float, float, float]:
    """xmin, ymin, xmax, ymax of an extent in its CRS, with longitudes from -180 to 180.

    Raises BackendError for an extent in longitudes that crosses the antimeridian.
    """
    if not crs.is_geographic:
        return extent.xmin, extent.ymin, extent.xmax, extent.ymax
    turn = 2 * math.pi / crs.axis_info[0].unit_conversion_factor
    west, east = shifted_longitudes(extent.xmin, extent.xmax, turn)
    return west, extent.ymin, east, extent.ymax


def lonlat_bounds(extent: Extent) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees (EPSG:4326); BackendError across the antimeridian."""
    crs = parse_crs(extent.crs, "the extent")
    try:
        west, south, east, north = Transformer.from_crs(crs, 4326, always_xy=True).transform_bounds(
            *own_bounds(extent, crs), densify_pts=21
        )
    except ProjError as error:
        raise BackendError(f"The extent lies outside what its CRS ({crs.name}) can describe.") from error
    if not all(math.isfinite(v) for v in (west, south, east, north)) or south < -90 or north > 90:
        raise BackendError(
            f"The extent lies outside the Earth in its CRS ({crs.name}): check that its coordinates and CRS "
            "belong together."
        )
    if west > east or west < -180 or east > 180:
        raise BackendError(ANTIMERIDIAN)
    return west, south, east, north


def is_metric(crs: CRS) -> bool:
    """Whether a CRS is projected in metres eastward and northward that are metres on the ground.

    Web Mercator's are not.
    """
    crs = horizontal(crs)
    # Where axes count westward (South Africa's Lo zones), rows and columns would run backwards.
    metres = all(axis.unit_conversion_factor == 1.0 and axis.direction != "west" for axis in crs.axis_info)
    return crs.is_projected and metres and crs.to_epsg() != 3857


def grid_crs(extent: Extent, preferred: str = "") -> CRS:
    """The grid's CRS: `preferred` where that is metric, else the UTM zone of the extent's centre."""
    west, south, east, north = lonlat_bounds(extent)
    if preferred:
        crs = parse_crs(preferred, "the grid")
        if is_metric(crs):
            return crs
    lon, lat = (west + east) / 2, (south + north) / 2
    if not -80 <= lat <= 84:
        raise BackendError("The extent lies nearer to a pole than UTM reaches (80 S to 84 N).")
    # Not odc-geo's CRS.utm: for a centre exactly on a zone's border it chooses the other zone than rasters have so far.
    zone = min(math.floor((lon + 180) / 6), 59) + 1
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


def projected_bounds(extent: Extent, target: CRS | str) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of an extent in another CRS; BackendError where it cannot be projected."""
    crs = parse_crs(target, "the grid") if isinstance(target, str) else target
    extent_crs = parse_crs(extent.crs, "the extent")
    try:
        bounds = Transformer.from_crs(extent_crs, crs, always_xy=True).transform_bounds(
            *own_bounds(extent, extent_crs), densify_pts=21
        )
    except ProjError as error:
        raise BackendError(f"The extent cannot be projected to {crs.name}.") from error
    if not all(math.isfinite(v) for v in bounds):
        raise BackendError(f"The extent cannot be projected to {crs.name}: it is too large or too far off.")
    left, bottom, right, top = bounds
    return left, bottom, right, top


def geobox(extent: Extent, pixel_m: float, preferred_crs: str = "", max_area_km2: float = math.inf) -> GeoBox:
    """The grid of an extent at a pixel size in metres, in `preferred_crs` where that is metric.

    Raises BackendError for an extent outside its CRS, across the antimeridian or larger than `max_area_km2`, and for a
    pixel size that is not positive.
    """
    if not 0 < pixel_m < math.inf:
        raise BackendError(f"The pixel size must be positive, not {pixel_m} m.")
    crs = grid_crs(extent, preferred_crs)
    snapped = snapped_bounds(projected_bounds(extent, crs))
    # Pixel sizes that do not divide 10 m (0.6 m) keep their own multiples and cover the snapped extent.
    left, bottom, right, top = outward_multiples(snapped, pixel_m)
    area_km2 = (snapped[2] - snapped[0]) * (snapped[3] - snapped[1]) / 1e6
    if area_km2 > max_area_km2:
        pixels = (right - left) * (top - bottom)
        raise BackendError(
            f"The extent covers {area_km2:,.0f} km2 ({right - left:,} x {top - bottom:,} pixels of {pixel_m:g} m, "
            f"about {pixels / 1e6:,.0f} MB a band), more than the limit of {max_area_km2:,.0f} km2. "
            "Draw a smaller extent or raise the limit (advanced parameter MAX_AREA_KM2)."
        )
    return GeoBox(
        (top - bottom, right - left),
        Affine(pixel_m, 0, left * pixel_m, 0, -pixel_m, top * pixel_m),
        f"EPSG:{crs.to_epsg()}" if crs.to_epsg() else crs.to_wkt(),
    )


def raster_extent(source: rasterio.DatasetReader) -> Extent:
    """The extent of a raster of any orientation in its own CRS."""
    left, bottom, right, top = source.bounds
    return Extent(min(left, right), min(bottom, top), max(left, right), max(bottom, top), source.crs.to_wkt())


def lonlat_span(box: GeoBox) -> tuple[float, float, float, float]:
    """West, south, east, north of a grid in degrees; east is beyond 180 where the grid crosses the antimeridian."""
    to_lonlat = Transformer.from_crs(CRS.from_user_input(str(box.crs)), 4326, always_xy=True)
    left, bottom, right, top = box.boundingbox
    west, south, east, north = to_lonlat.transform_bounds(left, bottom, right, top, densify_pts=21)
    return west, south, east + 360 * (east < west), north


def world_offset(box: GeoBox) -> tuple[int, int]:
    """The world row and column of a grid's first pixel: pixels south and east of the CRS's origin."""
    pixel_m = box.resolution.x
    return round(-box.affine.f / pixel_m), round(box.affine.c / pixel_m)
