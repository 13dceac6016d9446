"""VRTs as texts, which GDAL opens like a path: a raster read with other bands, values, masks or at another place.

Pixels are converted as they are read, so that a raster of any size needs no copy.
"""

from __future__ import annotations

import copy
import math
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT

from backend.protocol import BackendError, shifted_longitudes

EVERYWHERE = ((0, 255), (1, 255))
"""A table of one value for all."""
TURN = 360.0  # degrees
OPAQUE = ((0, 0), (1e-6, 255))
"""The table of an alpha band of any type: whatever is not fully transparent is valid."""


def shifted_transform(source: rasterio.DatasetReader) -> Affine:
    """The raster's transform; where all of it lies beyond 180 degrees of longitude, moved by a turn."""
    transform = source.transform
    if source.crs is None or not source.crs.is_geographic:
        return transform
    west, east = sorted((source.bounds.left, source.bounds.right))
    try:
        shifted_west, _ = shifted_longitudes(west, east)
    except BackendError:  # across 180 degrees
        return transform
    return Affine.translation(TURN * round((shifted_west - west) / TURN), 0) @ transform


def has_own_place(source: rasterio.DatasetReader) -> bool:
    """Whether a raster lies where its transform says, on longitudes of -180 to 180 degrees."""
    return not has_only_control_points(source) and shifted_transform(source) == source.transform


def has_only_control_points(source: rasterio.DatasetReader) -> bool:
    """Whether a raster's place is given by ground control points instead of a transform."""
    points, crs = source.gcps
    return bool(points) and crs is not None and source.crs is None


def at_its_place(source: rasterio.DatasetReader, text: str, has_mask: bool) -> str:
    """A VRT of a raster, warped by nearest neighbour where it has ground control points; `has_mask` adds alpha."""
    if not has_only_control_points(source):
        return text
    with (
        rasterio.open(text) as unwarped,
        WarpedVRT(unwarped, resampling=Resampling.nearest, add_alpha=has_mask) as warped,
        MemoryFile(ext=".vrt") as file,
    ):
        rasterio.shutil.copy(warped, file.name, driver="VRT")
        return str(file.read().decode())


def document(source: rasterio.DatasetReader, bands: Iterable[ET.Element], mask: ET.Element | None = None) -> str:
    """A VRT of the raster's size, place and tags with these bands, and a mask band that holds for all of them."""
    root = ET.Element("VRTDataset", rasterXSize=str(source.width), rasterYSize=str(source.height))
    points, points_crs = source.gcps
    if has_only_control_points(source):
        gcps = ET.SubElement(root, "GCPList", Projection=points_crs.to_wkt())
        for number, point in enumerate(points):
            place = {"Pixel": point.col, "Line": point.row, "X": point.x, "Y": point.y, "Z": point.z or 0.0}
            ET.SubElement(gcps, "GCP", {"Id": str(number), **{key: repr(float(v)) for key, v in place.items()}})
    elif source.crs is not None:
        ET.SubElement(root, "SRS", dataAxisToSRSAxisMapping="1,2").text = source.crs.to_wkt()
        transform = shifted_transform(source).to_gdal()
        ET.SubElement(root, "GeoTransform").text = ", ".join(repr(float(value)) for value in transform)
    metadata = ET.SubElement(root, "Metadata")
    for key, value in source.tags().items():
        ET.SubElement(metadata, "MDI", key=key).text = value
    for number, band in enumerate(bands, 1):
        band.set("band", str(number))
        root.append(band)
    if mask is not None:
        ET.SubElement(root, "MaskBand").append(mask)
    return ET.tostring(root, encoding="unicode")


def band(data_type: str, parts: Iterable[ET.Element], nodata: float | None = None, colour: str = "") -> ET.Element:
    """A band of a GDAL type, such as 'Byte', that shows `parts`; `colour` is its interpretation, such as 'Red'."""
    element = ET.Element("VRTRasterBand", dataType=data_type)
    if nodata is not None:
        ET.SubElement(element, "NoDataValue").text = repr(float(nodata))
    if colour:
        ET.SubElement(element, "ColorInterp").text = colour
    element.extend(parts)
    return element


def alpha_number(source: rasterio.DatasetReader) -> int | None:
    """The number of the band that is tagged as alpha."""
    return next((number for number, colour in enumerate(source.colorinterp, 1) if colour == ColorInterp.alpha), None)


def mask(source: rasterio.DatasetReader, numbers: Sequence[int], alpha: int | None) -> ET.Element | None:
    """A mask band of some bands of a raster; None where all pixels are valid.

    A pixel is valid where the raster's mask and band `alpha` say so, and any of the bands is neither nodata nor NaN.
    GDAL alone heeds the first of mask, nodata and alpha only, and not NaN.
    """
    factors = []
    flags = source.mask_flag_enums[numbers[0] - 1]
    if MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags:
        factors.append(part(source.name, f"mask,{numbers[0]}"))
    if alpha is not None:
        factors.append(part(source.name, alpha, OPAQUE))
    by_band = [_valid_values(source, number) for number in numbers]
    if all(by_band):
        valid = [_combined("mul", parts) for parts in by_band]
        factors.append(part(document(source, [_combined("sum", [_part_of_band(source, band) for band in valid])]), 1))
    return _combined("mul", factors) if factors else None


def _valid_values(source: rasterio.DatasetReader, number: int) -> list[ET.Element]:
    """Parts that are 255 where a band's values are not nodata, and not NaN; none where every value is valid."""
    nodata, is_float = source.nodatavals[number - 1], np.dtype(source.dtypes[number - 1]).kind == "f"
    invalid = [] if nodata is None or math.isnan(nodata) else [nodata]
    invalid += [math.nan] if is_float else []
    return [part(source.name, number, nodata=value, table=EVERYWHERE) for value in invalid]


def _part_of_band(source: rasterio.DatasetReader, element: ET.Element) -> ET.Element:
    return part(document(source, [element]), 1)


def _combined(function: str, parts: Sequence[ET.Element]) -> ET.Element:
    """A band of Byte, 0 to 255, that a pixel function of GDAL computes from parts, such as their sum."""
    element = ET.Element("VRTRasterBand", dataType="Byte", subClass="VRTDerivedRasterBand")
    ET.SubElement(element, "PixelFunctionType").text = function
    ET.SubElement(element, "SourceTransferType").text = "Float32"
    element.extend(parts if len(parts) > 1 else [parts[0], copy.deepcopy(parts[0])])  # the functions need two
    return element


def part(
    name: str,
    number: int | str,
    table: Sequence[tuple[float, float]] = (),
    nodata: float | None = None,
    masked: bool = False,
) -> ET.Element:
    """Band `number` ('mask,1' for the mask of band 1) of a raster or a VRT's text, at full resolution.

    `table` maps values linearly between its pairs, in ascending order, and limits those beyond. Pixels of the value
    `nodata` or, with `masked` and without it, those that the raster masks are not shown. Overviews are not read: those
    of a class raster may hold means of codes, and masks need not have any.
    """
    is_complex = bool(table) or nodata is not None or masked
    element = ET.Element("ComplexSource" if is_complex else "SimpleSource")
    path = os.path.abspath(name) if os.path.exists(name) else name
    ET.SubElement(element, "SourceFilename", relativeToVRT="0").text = path
    options = ET.SubElement(element, "OpenOptions")
    ET.SubElement(options, "OOI", key="OVERVIEW_LEVEL").text = "NONE"
    ET.SubElement(element, "SourceBand").text = str(number)
    if masked:
        ET.SubElement(element, "UseMaskBand").text = "true"
    if nodata is not None:
        ET.SubElement(element, "NODATA").text = repr(float(nodata))
    if table:
        ET.SubElement(element, "LUT").text = ",".join(f"{key!r}:{value!r}" for key, value in table)
    return element
