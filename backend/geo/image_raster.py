"""Images as analysts have them, read as three bands of 8 bits: red, green, blue, and a mask.

Bands may come in any order. Imagery of 11 to 16 bits or float is stretched to 8 bits, in one way for the whole raster.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import MaskFlags

from backend.geo import virtual_raster
from backend.geo.raster import Log, check_crs, raster_errors
from backend.protocol import BackendError

RGB = (1, 2, 3)
COLOURS = ("Red", "Green", "Blue")
PERCENTILES = (2.0, 98.0)  # of a band's values, which become black and white without other bounds
SAMPLE_PX = 1024  # the largest side of the sample that is searched for percentiles and for near infrared
NIR_SHARE = 0.1  # of an alpha band's values between 0 and 255: with more it is near infrared, wrongly tagged
SYNTAX = "Type a lower and an upper bound for all bands, '0, 2000', or for each, parted by semicolons"
Bounds = tuple[float, float]


def parse_bands(text: str) -> tuple[int, ...]:
    """Parse three band numbers such as '4, 1, 2', red first; empty for an empty text. BackendError for any other."""
    if not text.strip():
        return ()
    try:
        numbers = tuple(int(part) for part in re.split(r"[,;\s]+", text.strip().strip("()[]")))
    except ValueError:
        numbers = ()
    if len(numbers) != 3 or min(numbers) < 1:
        raise BackendError(f"BANDS {text!r} are not three band numbers. Type those of red, green and blue: '4, 1, 2'.")
    return numbers


def parse_stretch(text: str) -> tuple[Bounds, ...]:
    """Parse the bounds of a stretch: of all bands, or of each of three; empty for an empty text."""
    if not text.strip():
        return ()
    try:
        pairs = [tuple(map(float, part.split(","))) for part in text.split(";") if part.strip()]
    except ValueError:
        pairs = []
    valid = all(len(pair) == 2 and all(map(math.isfinite, pair)) and pair[0] < pair[1] for pair in pairs)
    if len(pairs) not in (1, 3) or not valid:
        raise BackendError(f"STRETCH {text!r} is not understood. {SYNTAX}: '0, 2000; 0, 1800; 0, 1500'.")
    return tuple((pair[0], pair[1]) for pair in (pairs * 3 if len(pairs) == 1 else pairs))


@dataclass(frozen=True)
class ImageReading:
    """How an image is read: the numbers of its red, green and blue bands, and the bounds of each band's stretch.

    Empty bands are the first three. Without bounds 8-bit bands stay as they are, and others are stretched from the 2nd
    to the 98th percentile.
    """

    bands: tuple[int, ...] = ()
    stretch: tuple[Bounds, ...] = ()

    @classmethod
    def parse(cls, bands: str, stretch: str) -> ImageReading:
        """From texts as users type them; BackendError where one is not understood."""
        return cls(parse_bands(bands), parse_stretch(stretch))


AS_IT_IS = ImageReading()


def image_address(
    path: str | Path,
    role: str,
    log: Log,
    reading: ImageReading = AS_IT_IS,
    needs_place: bool = True,
) -> str:
    """What GDAL opens as three bands of uint8 with a mask: the raster itself, or a VRT of it.

    `log` gets a sentence on a stretch and on near infrared: a fourth band of it is never taken for transparency. Raises
    BackendError, which names `role`, for a raster with fewer bands than needed or without numbers and, unless it is not
    needed, for one without a place.
    """
    with raster_errors(path, role), rasterio.open(path) as source:
        if needs_place:
            check_crs(source, role, path)
        bands = _check_bands(source, path, role, reading)
        is_nir = _has_nir_as_alpha(source)
        if is_nir:
            log(f"The fourth band of the {role} {Path(path).name} is near infrared, tagged as transparency: not used.")
        stretch = _stretch(source, path, role, bands, reading)
        if stretch:
            log(f"The {role} {Path(path).name} is stretched to 8 bits: {describe(stretch)}.")
        if _is_plain(source, bands, stretch):
            return str(path)
        return virtual_raster.at_its_place(source, _as_rgb(source, bands, stretch, is_nir), has_mask=True)


@contextmanager
def open_image(
    path: str | Path, role: str, log: Log, reading: ImageReading = AS_IT_IS
) -> Iterator[rasterio.DatasetReader]:
    """Open the `image_address` of a raster; BackendError also while it is read."""
    address = image_address(path, role, log, reading)
    with raster_errors(path, role), rasterio.open(address) as source:
        yield source


def describe(stretch: Sequence[Bounds]) -> str:
    """The bounds of a stretch in words, band by band."""
    return "; ".join(f"{colour.lower()} {low:g} to {high:g}" for colour, (low, high) in zip(COLOURS, stretch))


def _check_bands(source: rasterio.DatasetReader, path: str | Path, role: str, reading: ImageReading) -> tuple[int, ...]:
    bands = reading.bands or RGB
    if source.count < max(bands):
        wanted = f"band {max(bands)} was asked for" if reading.bands else "an image needs red, green and blue"
        raise BackendError(f"The {role} {path} has {source.count} band(s), but {wanted}. Choose other BANDS or raster.")
    if any("complex" in source.dtypes[number - 1] for number in bands):
        raise BackendError(f"The {role} {path} has complex numbers, which are no image. Choose another.")
    return bands


def _has_nir_as_alpha(source: rasterio.DatasetReader) -> bool:
    """Whether the band that is tagged as alpha holds an image; a real one is 0 or opaque nearly everywhere."""
    alpha = virtual_raster.alpha_number(source)
    if alpha is None:
        return False
    values = _sample(source, alpha)
    opaque = values.max(initial=0) if source.dtypes[alpha - 1] != "uint8" else 255
    return bool(values.size and ((values > 0) & (values < opaque)).mean() > NIR_SHARE)


def _sample(source: rasterio.DatasetReader, number: int) -> np.ndarray:
    """The values of a band at equal distances; of the full resolution, as overviews hold means."""
    step = max(1, math.ceil(max(source.height, source.width) / SAMPLE_PX))
    with rasterio.open(source.name, OVERVIEW_LEVEL="NONE") as full:
        shape = (max(1, source.height // step), max(1, source.width // step))
        values: np.ndarray = full.read(number, out_shape=shape)
        return values


def _stretch(
    source: rasterio.DatasetReader, path: str | Path, role: str, bands: Sequence[int], reading: ImageReading
) -> tuple[Bounds, ...]:
    """The bounds of each band that become 0 and 255; empty where the values stay as they are."""
    if reading.stretch:
        return reading.stretch
    if all(source.dtypes[number - 1] == "uint8" for number in bands):
        return ()
    return tuple(_percentiles(source, path, role, number) for number in bands)


def _percentiles(source: rasterio.DatasetReader, path: str | Path, role: str, number: int) -> Bounds:
    values = _sample(source, number).astype(np.float64)
    valid = np.isfinite(values)
    nodata = source.nodatavals[number - 1]
    if nodata is not None:
        valid &= values != nodata
    if not valid.any():
        raise BackendError(f"The {role} {path} holds no data: all of its pixels are masked.")
    low, high = np.percentile(values[valid], PERCENTILES)
    return (float(low), float(high)) if low < high else (float(low), float(low) + 1.0)


def _is_plain(source: rasterio.DatasetReader, bands: Sequence[int], stretch: Sequence[Bounds]) -> bool:
    """Whether a raster can be read as it is."""
    return (
        source.count == len(RGB)
        and tuple(bands) == RGB
        and not stretch
        and virtual_raster.alpha_number(source) is None
        and all(MaskFlags.all_valid in flags for flags in source.mask_flag_enums)
        and virtual_raster.has_own_place(source)
    )


def _as_rgb(source: rasterio.DatasetReader, bands: Sequence[int], stretch: Sequence[Bounds], is_nir: bool) -> str:
    """A VRT of the raster as RGB of 8 bits with a mask."""
    tables = [[(low, 0), (high, 255)] for low, high in stretch] or [[]] * len(RGB)
    shown = [
        virtual_raster.band("Byte", [virtual_raster.part(source.name, number, table)], colour=colour)
        for number, table, colour in zip(bands, tables, COLOURS)
    ]
    alpha = None if is_nir else virtual_raster.alpha_number(source)
    return virtual_raster.document(source, shown, virtual_raster.mask(source, bands, alpha))
