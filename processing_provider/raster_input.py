"""RasterInput: a QGIS raster layer as a path that the backend can read, its own or that of an exported GeoTIFF."""

from __future__ import annotations

import json
import math
from pathlib import Path

from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsContrastEnhancement,
    QgsCoordinateTransformContext,
    QgsDistanceArea,
    QgsMultiBandColorRenderer,
    QgsPointXY,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProviderRegistry,
    QgsRasterBlockFeedback,
    QgsRasterFileWriter,
    QgsRasterLayer,
    QgsRasterPipe,
    QgsRectangle,
)

from ..backend.protocol import Extent
from ..plugin import grids
from ..plugin.raster_files import open_raster, raster_tags
from .extents import crs_text, extent_of_box, grid_bounds, rectangle, reprojected, shifted, turns

# Formats that the backend's own GDAL reads on every machine; files in other formats are exported.
SUFFIXES = (".tif", ".tiff", ".vrt", ".png", ".jpg", ".jpeg", ".jp2", ".img")
# Tags that an export keeps, so that a synthetic raster stays marked as synthetic.
KEPT_TAGS = ("LANDFORGE_", "TIFFTAG_COPYRIGHT", "TIFFTAG_IMAGEDESCRIPTION")
PICTURES = (Qgis.DataType.ARGB32, Qgis.DataType.ARGB32_Premultiplied)


def local_path(layer: QgsRasterLayer) -> str:
    """The absolute path of a layer that is a local file in a common format, just as the layer shows it; else empty.

    A layer with a CRS or nodata values that were set in QGIS, or placed by ground control points, is not.
    """
    if layer.providerType() != "gdal" or layer.dataProvider().crs() != layer.crs() or _has_own_nodata(layer):
        return ""
    parts = QgsProviderRegistry.instance().decodeUri("gdal", layer.source())
    path = Path(parts.get("path") or "")
    is_plain_file = not parts.get("layerName") and not parts.get("openOptions")
    if not is_plain_file or path.suffix.lower() not in SUFFIXES or not path.is_file():
        return ""
    dataset = open_raster(layer.source())
    return "" if dataset is not None and dataset.GetGCPCount() else str(path.absolute())


def _has_own_nodata(layer: QgsRasterLayer) -> bool:
    """Whether values were added to the file's nodata in QGIS, or the file's nodata was switched off."""
    provider = layer.dataProvider()
    bands = range(1, provider.bandCount() + 1)
    unused = (provider.sourceHasNoDataValue(band) and not provider.useSourceNoDataValue(band) for band in bands)
    return any(provider.userNoDataValues(band) for band in bands) or any(unused)


def export_tags(layer: QgsRasterLayer) -> dict[str, str]:
    """The tags of an export of the layer: those of KEPT_TAGS, and the layer's name as the source item."""
    tags = {key: value for key, value in raster_tags(layer).items() if key.startswith(KEPT_TAGS)}
    return {"LANDFORGE_ITEMS": json.dumps([layer.name()]), **tags}


def drawn_bands_and_stretch(layer: QgsRasterLayer) -> tuple[str, str]:
    """BANDS and STRETCH with which a layer of other values than 8-bit ones is drawn; empty where it has no stretch."""
    renderer, provider = layer.renderer(), layer.dataProvider()
    if not isinstance(renderer, QgsMultiBandColorRenderer):
        return "", ""
    bands = renderer.redBand(), renderer.greenBand(), renderer.blueBand()
    stretches = (
        renderer.redContrastEnhancement(),
        renderer.greenContrastEnhancement(),
        renderer.blueContrastEnhancement(),
    )
    if not all(bands) or all(provider.sourceDataType(band) == Qgis.DataType.Byte for band in bands):
        return "", ""
    none = QgsContrastEnhancement.ContrastEnhancementAlgorithm.NoEnhancement  # type: ignore[attr-defined]
    if any(stretch is None or stretch.contrastEnhancementAlgorithm() == none for stretch in stretches):
        return "", ""
    bounds = [(stretch.minimumValue(), stretch.maximumValue()) for stretch in stretches]
    if not all(math.isfinite(low) and math.isfinite(high) and low < high for low, high in bounds):
        return "", ""
    return ", ".join(map(str, bands)), "; ".join(f"{low!r}, {high!r}" for low, high in bounds)


class RasterInput:
    """A raster layer as a job's input: `path` of a local file, or empty for a layer that must be exported.

    Create it in the layer's thread, the main one; `export` may be called once, in any thread. Raises
    QgsProcessingException for a layer without CRS. `is_picture`: a rendered map, without the values behind it. `bands`
    and `stretch` are those of `drawn_bands_and_stretch`.
    """

    def __init__(self, layer: QgsRasterLayer, transforms: QgsCoordinateTransformContext) -> None:
        self.name, self.transforms = layer.name(), transforms
        if not layer.crs().isValid():
            raise QgsProcessingException(
                f"The layer {self.name!r} has no CRS, so its place is unknown. Set it first (Layer, Set CRS)."
            )
        self.path = local_path(layer)
        self._source = layer.source() if layer.providerType() == "gdal" else ""
        self._crs, self._bounds = layer.crs(), layer.extent()
        self._provider = None if self.path else layer.dataProvider().clone()
        self._tags = {} if self.path else export_tags(layer)
        self.bands, self.stretch = drawn_bands_and_stretch(layer)
        self.is_picture = layer.dataProvider().dataType(1) in PICTURES

    @property
    def extent(self) -> Extent:
        """The layer's bounds in its CRS."""
        return extent_of_box(self._bounds, self._crs)

    def files(self) -> list[str]:
        """The files that GDAL reads for the layer, also those that a virtual raster refers to."""
        dataset = open_raster(self._source) if self._source else None
        return [*filter(None, [self.path]), *((dataset.GetFileList() or []) if dataset else [])]

    def export(
        self, target: Path, extent: Extent | None, grid_crs: str, pixel_m: float, feedback: QgsProcessingFeedback
    ) -> str:
        """Write the layer's part under the grid over an extent to a GeoTIFF and return its path.

        The GeoTIFF has the layer's own pixels, or pixels of about `pixel_m` metres where the layer has none (a web
        map). Without an extent the whole layer is written. Raises QgsProcessingException where that fails.
        """
        box, turn = self._bounds, self._turn(extent)
        if extent is not None:
            box = grid_bounds(extent, grid_crs, crs_text(self._crs), self.transforms)
            box = shifted(box, turn).intersect(self._bounds)
        if box.isEmpty():
            raise QgsProcessingException(f"The layer {self.name!r} does not reach into the extent.")
        if self._provider.xSize() > 0:
            box, columns, rows = self._snapped_to_pixels(box)
        elif extent is not None:
            columns, rows = self._size_on_ground(box, pixel_m)
        else:
            raise QgsProcessingException(
                f"The layer {self.name!r} is a web map without pixels of its own. Clip it to an extent first, with "
                "Clip NAIP and the layer as its source."
            )
        feedback.pushInfo(f"Exporting the layer {self.name!r}: {columns:,} x {rows:,} pixels.")
        self._write(target, box, columns, rows, turn, feedback)
        return str(target)

    def _turn(self, extent: Extent | None) -> float:
        """How many degrees east of its place between -180 and 180 the layer lies: 360 in longitudes of 180 to 360."""
        if extent is None:
            return self._bounds.xMinimum() - grids.within_180(self._bounds, self._crs).xMinimum()
        box = reprojected(rectangle(extent), extent.crs, crs_text(self._crs), self.transforms)
        shifts = [turn for turn in turns(self._crs, self._bounds) if shifted(box, turn).intersect(self._bounds).width()]
        if len(shifts) > 1:
            raise QgsProcessingException(
                f"The layer {self.name!r} begins and ends at a longitude within the extent. Draw one extent on either "
                "side of it."
            )
        return shifts[0] if shifts else 0.0

    def _snapped_to_pixels(self, box: QgsRectangle) -> tuple[QgsRectangle, int, int]:
        """The box widened to whole pixels of the layer, and its columns and rows."""
        bounds, provider = self._bounds, self._provider
        width, height = bounds.width() / provider.xSize(), bounds.height() / provider.ySize()
        left = max(math.floor((box.xMinimum() - bounds.xMinimum()) / width), 0)
        right = min(math.ceil((box.xMaximum() - bounds.xMinimum()) / width), provider.xSize())
        top = max(math.floor((bounds.yMaximum() - box.yMaximum()) / height), 0)
        bottom = min(math.ceil((bounds.yMaximum() - box.yMinimum()) / height), provider.ySize())
        snapped = QgsRectangle(
            bounds.xMinimum() + left * width,
            bounds.yMaximum() - bottom * height,
            bounds.xMinimum() + right * width,
            bounds.yMaximum() - top * height,
        )
        return snapped, right - left, bottom - top

    def _size_on_ground(self, box: QgsRectangle, pixel_m: float) -> tuple[int, int]:
        """The columns and rows of a box at a pixel size in metres on the ground."""
        ellipsoid = QgsDistanceArea()
        ellipsoid.setSourceCrs(self._crs, self.transforms)
        ellipsoid.setEllipsoid(self._crs.ellipsoidAcronym())
        centre = box.center()
        west, east = (QgsPointXY(x, centre.y()) for x in (box.xMinimum(), box.xMaximum()))
        south, north = (QgsPointXY(centre.x(), y) for y in (box.yMinimum(), box.yMaximum()))
        width_m, height_m = ellipsoid.measureLine(west, east), ellipsoid.measureLine(south, north)
        return math.ceil(width_m / pixel_m), math.ceil(height_m / pixel_m)

    def _write(
        self, target: Path, box: QgsRectangle, columns: int, rows: int, turn: float, feedback: QgsProcessingFeedback
    ) -> None:
        pipe = QgsRasterPipe()
        # The pipe takes the provider over. It must not get a clone: a clone of a clone of a virtual raster is garbage.
        pipe.set(self._provider)
        blocks = QgsRasterBlockFeedback()
        feedback.canceled.connect(blocks.cancel)
        writer = QgsRasterFileWriter(str(target))
        status = writer.writeRaster(pipe, columns, rows, box, self._crs, self.transforms, blocks)
        if feedback.isCanceled():
            raise QgsProcessingException("Cancelled.")
        if status != QgsRasterFileWriter.WriterError.NoError or not target.is_file():  # type: ignore[attr-defined]
            raise QgsProcessingException(
                f"QGIS could not export the layer {self.name!r}. Check that it draws, and the space on the disk."
            )
        dataset = open_raster(str(target), update=True)
        if dataset is None:
            raise QgsProcessingException(f"QGIS's export of the layer {self.name!r} cannot be read: {target}.")
        if turn:
            left, *rest = dataset.GetGeoTransform()
            dataset.SetGeoTransform((left - turn, *rest))
        self._set_nodata(dataset)
        dataset.SetMetadata({**dataset.GetMetadata(), **self._tags})
        if self.is_picture:
            self._check_coverage(dataset, feedback)

    def _set_nodata(self, dataset: gdal.Dataset) -> None:
        """Give an export the layer's own nodata; QGIS writes only the file's, even where that is switched off."""
        provider, bands = self._provider, range(1, self._provider.bandCount() + 1)
        uses_own = provider.sourceHasNoDataValue(1) and provider.useSourceNoDataValue(1)
        ranges = {band: provider.userNoDataValues(band) for band in bands}
        first = next((values[0].min() for values in ranges.values() if values), None)
        if uses_own or (first is None and not provider.sourceHasNoDataValue(1)):
            return  # with the file's nodata, QGIS has written the layer's too
        for number, values in ranges.items():
            band = dataset.GetRasterBand(number)
            band.DeleteNoDataValue()
            for row in range(dataset.RasterYSize if values else 0):
                pixels = band.ReadAsArray(0, row, dataset.RasterXSize, 1)
                for interval in values:
                    pixels[(pixels >= interval.min()) & (pixels <= interval.max())] = first
                band.WriteArray(pixels, 0, row)
        if first is not None:
            dataset.GetRasterBand(1).SetNoDataValue(first)

    def _check_coverage(self, dataset: gdal.Dataset, feedback: QgsProcessingFeedback) -> None:
        """Refuse an export that is transparent throughout, and warn of one in parts.

        QGIS reports success for a web map whose server did not answer.
        """
        _, maximum, mean, _ = dataset.GetRasterBand(dataset.RasterCount).ComputeStatistics(False)
        if maximum == 0:
            raise QgsProcessingException(
                f"The web map {self.name!r} drew nothing over the extent. Check that it draws there and that its "
                "server can be reached."
            )
        if mean < 255:
            feedback.pushWarning(f"{1 - mean / 255:.0%} of the web map {self.name!r} was not drawn; it stays empty.")
