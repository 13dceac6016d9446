"""Writes and reads the small rasters of the tests in QGIS's Python."""

import numpy as np
from osgeo import gdal, osr

CODES = np.array([10, 30, 40, 50, 80], dtype=np.uint8)
# An extent inside the rasters of the fixtures below.
EXTENT = "778100,778500,9984500,9984900 [EPSG:32717]"
# The extent of generated scenes: 320 m a side, on the 10 m grid.
SCENE_EXTENT = "778000,778320,9984680,9985000 [EPSG:32717]"


def write_raster(path, pixels, crs=32717, origin=(778000.0, 9985000.0), pixel=10.0, tags=None):
    """Write (bands, height, width) uint8 or uint16 as a GeoTIFF, without a CRS where that is None; returns its path."""
    bands, height, width = pixels.shape
    kind = gdal.GDT_UInt16 if pixels.dtype == np.uint16 else gdal.GDT_Byte
    target = gdal.GetDriverByName("GTiff").Create(str(path), width, height, bands, kind)
    target.SetGeoTransform((origin[0], pixel, 0, origin[1], 0, -pixel))
    if crs:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(crs)
        target.SetProjection(reference.ExportToWkt())
    for band in range(bands):
        target.GetRasterBand(band + 1).WriteArray(pixels[band])
    target.SetMetadata(tags or {})
    return str(path)


def read_raster(path):
    """(bands, height, width) of a raster."""
    data = gdal.Open(str(path)).ReadAsArray()
    return data[None] if data.ndim == 2 else data
