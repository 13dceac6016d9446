"""Any QGIS raster layer as a path that the backend can read: its own, or a GeoTIFF exported for the run."""

from __future__ import annotations

import json
import math
from pathlib import Path

from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsCoordinateTransformContext,
    QgsDistanceArea,
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
from .extents import crs_text, grid_box

# What the backend's own GDAL surely reads; other formats, even local ones, are exported.
SUFFIXES = (".tif", ".tiff", ".vrt", ".png", ".jpg", ".jpeg", ".jp2", ".img")
# What a raster says about itself, so that a synthetic one stays one.
TAGS = ("LANDFORGE_", "TIFFTAG_COPYRIGHT", "TIFFTAG_IMAGEDESCRIPTION")
PICTURES = (Qgis.DataType.ARGB32, Qgis.DataType.ARGB32_Premultiplied)


def local_path(layer: QgsRasterLayer) -> str:
    """The path of a layer that is a local file in a common format and in the layer's CRS; else empty."""
    if layer.providerType() != "gdal" or layer.dataProvider().crs() != layer.crs():
        return ""
    parts = QgsProviderRegistry.instance().decodeUri("gdal", layer.source())
    path = Path(parts.get("path") or "")
    whole = not parts.get("layerName") and not parts.get("openOptions")
    return str(path.absolute()) if whole and path.suffix.lower() in SUFFIXES and path.is_file() else ""


def own_tags(layer: QgsRasterLayer) -> dict[str, str]:
    """The tags that an export of the layer keeps, and its name as the item that it was cut from."""
    source = gdal.Open(layer.source()) if layer.providerType() == "gdal" else None
    tags = source.GetMetadata() if source else {}
    return {"LANDFORGE_ITEMS": json.dumps([layer.name()]), **{k: v for k, v in tags.items() if k.startswith(TAGS)}}


class RasterInput:
    """A layer as an input of a job.

    Made where the layer lives, in the main thread; `export` may then run once, in any thread. Raises
    QgsProcessingException for a layer without CRS.
    """

    def __init__(self, layer: QgsRasterLayer, transforms: QgsCoordinateTransformContext) -> None:
        self.name, self.transforms = layer.name(), transforms
        if not layer.crs().isValid():
            raise QgsProcessingException(
                f"The layer {self.name!r} has no CRS, so its place is unknown. Set it first (Layer, Set CRS)."
            )
        self.path = local_path(layer)
        self._crs, self._bounds = layer.crs(), layer.extent()
        self._provider = None if self.path else layer.dataProvider().clone()
        self._tags = {} if self.path else own_tags(layer)
        self.is_picture = layer.dataProvider().dataType(1) in PICTURES

    def export(
        self, target: Path, place: Extent | None, grid_crs: str, pixel_m: float, feedback: QgsProcessingFeedback
    ) -> str:
        """Write what the job needs of the layer to a GeoTIFF and return its path.

        In the layer's own pixels, or, where it has none (a web map), in pixels of about `pixel_m` metres.
        Without a `place` the whole layer.
        """
        box = self._bounds
        if place is not None:
            box = grid_box(place, grid_crs, crs_text(self._crs), self.transforms).intersect(self._bounds)
        if box.isEmpty():
            raise QgsProcessingException(f"The layer {self.name!r} does not reach into the extent.")
        if self._provider.xSize() > 0:
            box, columns, rows = self._own_pixels(box)
        elif place is not None:
            columns, rows = self._ground_pixels(box, pixel_m)
        else:
            raise QgsProcessingException(
                f"The layer {self.name!r} is a web map without pixels of its own. Clip it to an extent first, with "
                "Clip NAIP and the layer as its source."
            )
        feedback.pushInfo(f"Exporting the layer {self.name!r}: {columns:,} x {rows:,} pixels.")
        self._write(target, box, columns, rows, feedback)
        return str(target)

    def _own_pixels(self, box: QgsRectangle) -> tuple[QgsRectangle, int, int]:
        """The box widened to the layer's own pixels, and their number."""
        whole, provider = self._bounds, self._provider
        width, height = whole.width() / provider.xSize(), whole.height() / provider.ySize()
        left = max(math.floor((box.xMinimum() - whole.xMinimum()) / width), 0)
        right = min(math.ceil((box.xMaximum() - whole.xMinimum()) / width), provider.xSize())
        top = max(math.floor((whole.yMaximum() - box.yMaximum()) / height), 0)
        bottom = min(math.ceil((whole.yMaximum() - box.yMinimum()) / height), provider.ySize())
        snapped = QgsRectangle(
            whole.xMinimum() + left * width,
            whole.yMaximum() - bottom * height,
            whole.xMinimum() + right * width,
            whole.yMaximum() - top * height,
        )
        return snapped, right - left, bottom - top

    def _ground_pixels(self, box: QgsRectangle, pixel_m: float) -> tuple[int, int]:
        """How many pixels of about that size on the ground the box holds."""
        ground = QgsDistanceArea()
        ground.setSourceCrs(self._crs, self.transforms)
        ground.setEllipsoid(self._crs.ellipsoidAcronym())
        centre = box.center()
        width_m = ground.measureLine(QgsPointXY(box.xMinimum(), centre.y()), QgsPointXY(box.xMaximum(), centre.y()))
        height_m = ground.measureLine(QgsPointXY(centre.x(), box.yMinimum()), QgsPointXY(centre.x(), box.yMaximum()))
        return math.ceil(width_m / pixel_m), math.ceil(height_m / pixel_m)

    def _write(self, target: Path, box: QgsRectangle, columns: int, rows: int, feedback: QgsProcessingFeedback) -> None:
        pipe = QgsRasterPipe()
        pipe.set(self._provider)  # which now belongs to the pipe; a clone of a clone reads garbage from virtual rasters
        blocks = QgsRasterBlockFeedback()
        feedback.canceled.connect(blocks.cancel)
        writer = QgsRasterFileWriter(str(target))
        status = writer.writeRaster(pipe, columns, rows, box, self._crs, self.transforms, blocks)
        if feedback.isCanceled():
            raise QgsProcessingException("Cancelled.")
        if status != QgsRasterFileWriter.WriterError.NoError or not target.is_file():
            raise QgsProcessingException(
                f"QGIS could not export the layer {self.name!r}. Check that it draws, and the space on the disk."
            )
        written = gdal.Open(str(target), gdal.GA_Update)
        written.SetMetadata({**written.GetMetadata(), **self._tags})
        if self.is_picture:
            self._check_drawn(written, feedback)

    def _check_drawn(self, written: gdal.Dataset, feedback: QgsProcessingFeedback) -> None:
        """QGIS calls a map whose server did not answer a success, only a transparent one."""
        _, most, mean, _ = written.GetRasterBand(written.RasterCount).ComputeStatistics(False)
        if most == 0:
            raise QgsProcessingException(
                f"The web map {self.name!r} drew nothing over the extent. Check that it draws there and that its "
                "server can be reached."
            )
        if mean < 255:
            feedback.pushWarning(f"{1 - mean / 255:.0%} of the web map {self.name!r} was not drawn; it stays empty.")
