"""Class rasters: land cover and labels as analysts have them, read as WorldCover codes or class indices.

One band of whole numbers of any type, with or without alpha; masked pixels and nodata of any kind become 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import MaskFlags
from rasterio.windows import Window

from backend.geo import legend, other_legends, virtual_raster
from backend.geo.raster import Log, check_crs, raster_errors
from backend.protocol import BackendError

UNKNOWN_SHARE = 0.01  # of the pixels with data: more values outside the legend mean that it is another one
COUNTED_PX = 32_000_000  # of a larger raster, rows at equal distances are counted
COUNTED_ROWS = 256
LISTED_VALUES = 6  # in a message
Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top in a raster's CRS."""


def class_address(path: str | Path, role: str, legend_name: str = "worldcover") -> str:
    """What GDAL opens as one band of uint8 WorldCover codes, in which 0 is nodata: the raster itself, or a VRT of it.

    `legend_name` is the legend of the raster's codes. Codes outside WorldCover's own legend are passed on, those of no
    class in another one become 0: `check_codes` counts them. Raises BackendError, which names `role`, for a raster
    without a place, of several bands beside alpha, or of values that are not numbers.
    """
    with raster_errors(path, role), rasterio.open(path) as source:
        _check_bands(source, path, role)
        if _is_plain(source, legend_name):
            return str(path)
        return virtual_raster.at_its_place(source, _as_codes(source, legend_name), has_mask=False)


@contextmanager
def open_class_raster(path: str | Path, role: str, legend_name: str = "worldcover") -> Iterator[rasterio.DatasetReader]:
    """Open the `class_address` of a raster; BackendError also while it is read."""
    address = class_address(path, role, legend_name)
    with raster_errors(path, role), rasterio.open(address) as source:
        yield source


def _check_bands(source: rasterio.DatasetReader, path: str | Path, role: str) -> None:
    has_alpha = source.count == 2 and virtual_raster.alpha_number(source) == 2
    data_type = np.dtype(source.dtypes[0]) if "complex" not in source.dtypes[0] else None
    if not (source.count == 1 or has_alpha) or data_type is None:
        raise BackendError(
            f"The {role} {path} has {source.count} band(s) of {source.dtypes[0]}; one band of class codes (10 to 100) "
            "is needed. An image of a land cover map, or a map in colours, is none."
        )
    check_crs(source, role, path)


def _is_plain(source: rasterio.DatasetReader, legend_name: str) -> bool:
    """Whether a raster can be read as it is."""
    flags = source.mask_flag_enums[0]
    return (
        legend_name == "worldcover"
        and source.count == 1
        and source.dtypes[0] == "uint8"
        and (flags == [MaskFlags.all_valid] or (flags == [MaskFlags.nodata] and source.nodata == legend.NODATA))
        and virtual_raster.has_own_place(source)
    )


def _as_codes(source: rasterio.DatasetReader, legend_name: str) -> str:
    """A VRT of the raster as WorldCover codes."""
    if legend_name == "worldcover":
        table = [(-1, legend.NODATA), *((value, value) for value in range(256)), (256, legend.NODATA)]
    else:
        table = other_legends.lookup_table(legend_name)
    codes = virtual_raster.part(_values(source), 1, table, masked=True)
    return virtual_raster.document(source, [virtual_raster.band("Byte", [codes], nodata=legend.NODATA)])


def _values(source: rasterio.DatasetReader) -> str:
    """A VRT of the raster's own values with the mask of all pixels without data."""
    mask = virtual_raster.mask(source, [1], virtual_raster.alpha_number(source))
    values = virtual_raster.band("Float64", [virtual_raster.part(source.name, 1)])
    return virtual_raster.document(source, [values], mask)


def to_codes(values: np.ndarray) -> np.ndarray:
    """Integers of any type as uint8 codes; those outside 0 to 255 become NODATA."""
    if values.dtype == np.uint8:
        return values
    return np.where((values >= 0) & (values <= 255), values, legend.NODATA).astype(np.uint8)


def to_indices(values: np.ndarray) -> np.ndarray:
    """Integers of any type as uint8 class indices; those that are no WorldCover code become IGNORE."""
    return legend.to_index(to_codes(values))


def read_indices(source: rasterio.DatasetReader, window: Window | None = None) -> np.ndarray:
    """(height, width) uint8 class indices of a window of an open class raster, or of all of it."""
    return to_indices(source.read(1, window=window))


def check_codes(
    path: str | Path,
    role: str,
    log: Log,
    legend_name: str = "worldcover",
    bounds: Bounds | None = None,
    remedy: str = "Clip it with 'Clip WorldCover' and LEGEND {} first",
) -> np.ndarray:
    """Count the values of a class raster, inside `bounds` where given, that are neither nodata nor in its legend.

    Raises BackendError where they are more than UNKNOWN_SHARE of the pixels with data, with the values, their shares
    and, for a legend that is recognised, `remedy`; also for fractions. Fewer are logged. Large rasters are sampled.
    Returns (COUNT,) the pixels of each WorldCover class.
    """
    all_counts = value_counts(path, role, bounds)
    is_zero_class = other_legends.has_zero_class(legend_name)
    counts = {value: number for value, number in all_counts.items() if value != legend.NODATA or is_zero_class}
    known = other_legends.CODES[legend_name]
    unknown = {value: number for value, number in counts.items() if value not in known}
    total = sum(counts.values())
    share = sum(unknown.values()) / total if total else 0.0
    fractions = [value for value in unknown if value != math.floor(value)]
    if fractions:
        raise BackendError(
            f"The {role} {path} has values with fractions ({fractions[0]:g}), which are no class codes: it was "
            "averaged or interpolated. Resample the original by nearest neighbour or mode."
        )
    classes = np.zeros(legend.COUNT, dtype=np.int64)
    for value, number in counts.items():
        code = other_legends.TO_WORLDCOVER[legend_name].get(int(value), legend.NODATA)
        if code != legend.NODATA:
            classes[legend.index(code)] += number
    if not unknown:
        return classes
    title = other_legends.TITLES[legend_name]
    sentence = f"{share:.2g}" if share < 0.001 else f"{share:.1%}"
    values = f"{sentence} of the {role} {path} have values that {title} does not have: {_listed(unknown, total)}"
    if share <= UNKNOWN_SHARE:
        log(f"{values}. They count as nodata.")
        return classes
    raise BackendError(f"{values}. {_advice(all_counts, legend_name, remedy)}")


def _listed(unknown: dict[float, int], total: int) -> str:
    ordered = sorted(unknown, key=lambda value: -unknown[value])
    texts = [f"{value:g} ({unknown[value] / total:.1%})" for value in ordered[:LISTED_VALUES]]
    rest = len(ordered) - len(texts)
    return ", ".join(texts) + (f" and {rest} more" if rest else "")


def _advice(counts: Counter[float], legend_name: str, remedy: str) -> str:
    """What to do about a raster of another legend."""
    with_data = {value: number for value, number in counts.items() if value != legend.NODATA}
    recognised = other_legends.recognise(with_data) or other_legends.recognise(counts)
    if recognised == "worldcover":
        return "They are ESA WorldCover's: leave LEGEND at WorldCover."
    if recognised in other_legends.TO_WORLDCOVER and recognised != legend_name:
        title = other_legends.TITLES[recognised]
        return f"They look like those of {title}. {remedy.format(recognised)}."
    looks = f"They look like those of {other_legends.TITLES[recognised]}. " if recognised else ""
    return f"{looks}Reclassify it to WorldCover's codes (10, 20 ... 100) first, or declare a value that is nodata."


def value_counts(path: str | Path, role: str, bounds: Bounds | None = None) -> Counter[float]:
    """How many pixels of a class raster with data have each value, inside `bounds` where given."""
    with raster_errors(path, role), rasterio.open(path) as source:
        part = Window(0, 0, source.width, source.height)
        if bounds and not virtual_raster.has_only_control_points(source):
            part = _window_of(source, bounds)
        wrapped = None if source.nodata is None else _wrapped(source.nodata)
        address = str(path) if _is_plain(source, "worldcover") else _values(source)
        step = max(1, math.ceil(part.width * part.height / COUNTED_PX))
        with rasterio.open(address) as values:
            counts = _counts_of_strips(values, part, step, wrapped)
            return counts if counts or step == 1 else _counts_of_strips(values, part, 1, wrapped)


def _counts_of_strips(source: rasterio.DatasetReader, part: Window, step: int, wrapped: float | None) -> Counter[float]:
    """The pixels with data, and other values than `wrapped`, by value in every `step`-th strip of COUNTED_ROWS rows."""
    counts: Counter[float] = Counter()
    strips = range(part.row_off, part.row_off + part.height, COUNTED_ROWS)
    for row in strips[(step - 1) // 2 :: step]:
        window = Window(part.col_off, row, part.width, min(COUNTED_ROWS, part.row_off + part.height - row))
        values = source.read(1, window=window)
        valid = (source.read_masks(1, window=window) > 0) & np.isfinite(values)
        if wrapped is not None:
            valid &= values != wrapped
        for value, number in zip(*np.unique(values[valid], return_counts=True)):
            counts[float(value)] += int(number)
    return counts


def _wrapped(nodata: float) -> float:
    """What a nodata value beyond 8 bits becomes where a program has cast it to them: -9999 becomes 241."""
    is_whole = math.isfinite(nodata) and nodata == math.floor(nodata)
    wrapped = int(nodata) % 256 if is_whole and not 0 <= nodata <= 255 else nodata
    return nodata if wrapped in legend.LEGEND else wrapped


def _window_of(source: rasterio.DatasetReader, bounds: Bounds) -> Window:
    """The pixels of a raster, of any orientation, around bounds in its CRS."""
    left, bottom, right, top = bounds
    inverse = ~virtual_raster.shifted_transform(source)
    cols, rows = zip(*(inverse @ (x, y) for x in (left, right) for y in (bottom, top)))
    first_col, stop_col = max(math.floor(min(cols)), 0), min(math.ceil(max(cols)), source.width)
    first_row, stop_row = max(math.floor(min(rows)), 0), min(math.ceil(max(rows)), source.height)
    return Window(first_col, first_row, max(stop_col - first_col, 0), max(stop_row - first_row, 0))
