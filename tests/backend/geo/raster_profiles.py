"""Rasters as analysts have them, drawn by hypothesis, and slow readers of them that are obvious."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from hypothesis import strategies as st
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags, Resampling

from backend.geo import legend

SIDE = 12
LEFT, TOP, PIXEL = 500_000.0, 4_000_000.0, 10.0
CLASS_TYPES = ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
IMAGE_TYPES = ("uint8", "int16", "uint16", "uint32", "float32", "float64")
TRANSFORMS = {
    "north up": Affine(PIXEL, 0, LEFT, 0, -PIXEL, TOP),
    "south up": Affine(PIXEL, 0, LEFT, 0, PIXEL, TOP - SIDE * PIXEL),
    "east left": Affine(-PIXEL, 0, LEFT + SIDE * PIXEL, 0, -PIXEL, TOP),
    "rotated": Affine.translation(LEFT, TOP) @ Affine.rotation(-20) @ Affine.scale(PIXEL, -PIXEL),
    "oblong": Affine(PIXEL, 0, LEFT, 0, -PIXEL / 2, TOP),
}


@dataclass(frozen=True)
class Profile:
    """How a raster is stored."""

    dtype: str
    nodata: float | None
    mask: str  # none, internal, external or alpha
    place: str  # a key of TRANSFORMS, or 'points'
    overviews: bool
    options: dict[str, object]
    seed: int


@st.composite
def profiles(draw: st.DrawFn, dtypes: tuple[str, ...]) -> Profile:
    """Profiles that GeoTIFF can store."""
    dtype = draw(st.sampled_from(dtypes))
    kind = np.dtype(dtype).kind
    nodatas: list[float | None] = [None, 0, 80, 255, 10] if dtype != "int8" else [None, 0, 80, -1]
    nodatas += {"f": [math.nan, -9999.0, 1e30], "i": [-1], "u": []}[kind]
    mask = draw(st.sampled_from(["none", "internal", "external", "alpha"]))
    tiled = draw(st.booleans())
    options = {
        "compress": draw(st.sampled_from(["none", "deflate", "lzw"])),
        "tiled": tiled,
        "interleave": draw(st.sampled_from(["pixel", "band"])),
        **({"blockxsize": 16, "blockysize": 16} if tiled else {}),
    }
    place = draw(st.sampled_from([*TRANSFORMS, "points"]))
    seed = draw(st.integers(0, 2**16))
    return Profile(dtype, draw(st.sampled_from(nodatas)), mask, place, draw(st.booleans()), options, seed)


def write(path: Path, profile: Profile, bands: np.ndarray) -> Path:
    """Write (bands, SIDE, SIDE) values with the profile's nodata, mask, place and overviews."""
    rng = np.random.default_rng(profile.seed)
    valid = rng.random((SIDE, SIDE)) > 0.3
    with_alpha = profile.mask == "alpha"
    if with_alpha:
        opaque = np.iinfo(profile.dtype).max if np.dtype(profile.dtype).kind in "iu" else 255
        bands = np.concatenate([bands, np.where(valid, opaque, 0)[None].astype(bands.dtype)])
    count = len(bands)
    photometric = {"photometric": "RGB"} if count - with_alpha >= 3 else {"photometric": "MINISBLACK"}
    alpha = {"alpha": "YES" if with_alpha else "NO"} if count in (2, 4, 5) else {}
    shape = {"count": count, "height": SIDE, "width": SIDE, "dtype": profile.dtype, "nodata": profile.nodata}
    place = {} if profile.place == "points" else {"crs": "EPSG:32618", "transform": TRANSFORMS[profile.place]}
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=profile.mask == "internal"):
        with rasterio.open(
            path, "w", driver="GTiff", **shape, **place, **photometric, **alpha, **profile.options
        ) as out:
            out.write(bands)
            if profile.place == "points":
                out.gcps = (_control_points(), CRS.from_epsg(32618))
            if profile.mask in ("internal", "external"):
                out.write_mask(valid)
        if profile.overviews and profile.dtype == "uint8" and profile.mask == "none":  # GDAL 3.10 hangs in some others
            with rasterio.open(path, "r+") as out:
                out.build_overviews([2, 4], Resampling.average)
    return path


def _control_points() -> list[GroundControlPoint]:
    return [
        GroundControlPoint(row, col, LEFT + col * PIXEL, TOP - row * PIXEL) for row in (0, SIDE) for col in (0, SIDE)
    ]


def valid_pixels(path: Path, number: int = 1) -> np.ndarray:
    """(SIDE, SIDE) bool: where a band has data by mask, alpha, nodata and NaN, pixel by pixel."""
    with rasterio.open(path) as source:
        values, mask, nodata = source.read(number).tolist(), source.read_masks(number).tolist(), source.nodata
        has_mask = MaskFlags.per_dataset in source.mask_flag_enums[number - 1]
        has_alpha = source.colorinterp[-1] == ColorInterp.alpha
        alpha = source.read(source.count).tolist()

    def is_valid(row: int, col: int) -> bool:
        value = values[row][col]
        if value == nodata or math.isnan(value):
            return False
        return (not has_mask or bool(mask[row][col])) and (not has_alpha or bool(alpha[row][col]))

    return np.array([[is_valid(row, col) for col in range(SIDE)] for row in range(SIDE)])


def class_indices(path: Path) -> np.ndarray:
    """(SIDE, SIDE) class indices, pixel by pixel."""
    with rasterio.open(path) as source:
        values = source.read(1).tolist()
    valid = valid_pixels(path).tolist()
    codes = {int(code): index for index, code in enumerate(legend.CODES)}
    return np.array(
        [[codes.get(v, legend.IGNORE) if ok else legend.IGNORE for v, ok in zip(*rows)] for rows in zip(values, valid)]
    )
