"""Samples tiles at random from real and synthetic layers, with equal probability and equal pixel size."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from qgis.core import (
    Qgis,
    QgsBilinearRasterResampler,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QObject, QSize, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QColor, QImage

from .. import layers
from ..grids import is_metric, utm_zone
from ..translation import tr
from .trial import Tile

MAX_ATTEMPTS = 60
"""How many positions in a layer are tried for a tile without nodata."""


def metric_crs(layer: QgsRasterLayer) -> QgsCoordinateReferenceSystem:
    """The layer's CRS where it is projected in metres, otherwise the UTM zone of the layer's centre."""
    crs = layer.crs()
    return crs if is_metric(crs) else QgsCoordinateReferenceSystem(utm_zone(layer.wgs84Extent().center()))


@dataclass(frozen=True)
class TileSource:
    """A layer to sample from: a styled copy, and its bounds and pixel size in a CRS in metres."""

    layer: QgsRasterLayer
    copy: QgsRasterLayer
    crs: QgsCoordinateReferenceSystem
    bounds: QgsRectangle
    pixel_m: float


def tile_source(layer: QgsRasterLayer) -> TileSource:
    """Copy and style a layer; all images get the same stretch, so that the style does not reveal the synthetic ones."""
    copy, crs = layer.clone(), metric_crs(layer)
    if copy.dataProvider().dataType(1) == Qgis.DataType.Byte:
        layers.style(copy, layer.name())
    if copy.bandCount() > 1:  # classes must not be averaged
        copy.resampleFilter().setZoomedOutResampler(QgsBilinearRasterResampler())
        copy.resampleFilter().setZoomedInResampler(QgsBilinearRasterResampler())
    bounds = QgsCoordinateTransform(layer.crs(), crs, QgsProject.instance()).transformBoundingBox(layer.extent())
    return TileSource(layer, copy, crs, bounds, round(bounds.width() / max(layer.width(), 1), 2))


class TileSampler(QObject):
    """Renders the tiles in the background.

    Emits `progressed` with the number of tiles so far, then `finished` with all tiles, or `failed` with an error
    message.
    """

    progressed = pyqtSignal(int)
    finished = pyqtSignal(list)
    failed = pyqtSignal(str)

    def __init__(
        self,
        real: Sequence[QgsRasterLayer],
        synthetic: Sequence[QgsRasterLayer],
        count: int,
        size_px: int,
        pixel_m: float,
        seed: int,
    ) -> None:
        """`pixel_m` 0 stands for the coarsest layer's pixel size."""
        super().__init__()
        self._sources = [[tile_source(layer) for layer in group] for group in (real, synthetic)]
        coarsest = max(source.pixel_m for group in self._sources for source in group)
        self.pixel_m, self.size_px, self.count = pixel_m or coarsest, size_px, count
        self.tiles: list[Tile] = []
        self._random = random.Random(seed)  # noqa: S311 (no secret)
        self._job: QgsMapRendererParallelJob | None = None
        self._stopped = False

    def start(self) -> None:
        """Sample the first tile; the others follow."""
        self._sample_tile()

    def stop(self) -> None:
        """Stop; no further signal is emitted."""
        self._stopped = True
        if self._job is not None:
            self._job.finished.disconnect(self._store_tile)
            self._job.cancelWithoutBlocking()
            self._job = None

    def _sample_tile(self) -> None:
        self._synthetic = self._random.random() < 0.5
        self._source, self._attempts = self._random.choice(self._sources[self._synthetic]), 0
        self._render()

    def _render(self) -> None:
        """Render the layer at a random position."""
        if self._stopped:
            return
        self._attempts += 1
        side = self.size_px * self.pixel_m
        bounds = self._source.bounds
        if self._attempts > MAX_ATTEMPTS or side > min(bounds.width(), bounds.height()):
            self.failed.emit(_too_small(self._source.layer.name(), side))
            return
        left = bounds.xMinimum() + self._random_offset(bounds.width() - side)
        top = bounds.yMaximum() - self._random_offset(bounds.height() - side)
        self._bounds = QgsRectangle(left, top - side, left + side, top)
        self._job = QgsMapRendererParallelJob(self._settings())
        self._job.finished.connect(self._store_tile)
        self._job.start()

    def _random_offset(self, limit: float) -> float:
        """A random distance in metres that is a multiple of the layer's pixel size."""
        return round(self._random.uniform(0, limit) // self._source.pixel_m * self._source.pixel_m, 6)

    def _settings(self) -> QgsMapSettings:
        settings = QgsMapSettings()
        settings.setLayers([self._source.copy])
        settings.setDestinationCrs(self._source.crs)
        settings.setTransformContext(QgsProject.instance().transformContext())
        settings.setOutputSize(QSize(self.size_px, self.size_px))
        settings.setExtent(self._bounds)
        settings.setBackgroundColor(QColor(Qt.GlobalColor.transparent))
        settings.setOutputImageFormat(QImage.Format.Format_ARGB32)
        return settings

    def _store_tile(self) -> None:
        """Store the rendered tile if it has no nodata pixel; otherwise try another position."""
        job, self._job = self._job, None
        if job is None:
            return
        image = job.renderedImage()
        if not is_opaque(image):
            QTimer.singleShot(0, self._render)
            return
        box, layer, crs = self._bounds, self._source.layer, self._source.crs
        bounds = (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
        crs_text = crs.authid() or crs.toWkt()
        self.tiles.append(Tile(layer.id(), layer.name(), self._synthetic, bounds, crs_text, self.pixel_m, image))
        self.progressed.emit(len(self.tiles))
        if len(self.tiles) < self.count:
            QTimer.singleShot(0, self._sample_tile)
        else:
            self.finished.emit(self.tiles)


def is_opaque(image: QImage) -> bool:
    """Whether all pixels of an image are opaque."""
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    pixels = image.constBits().asstring(image.width() * image.height() * 4)
    return not pixels[3::4].strip(b"\xff")


def _too_small(name: str, side_m: float) -> str:
    return tr(
        "In the layer {name} no place of {side} x {side} m without nodata was found. Choose smaller tiles, or leave "
        "the layer out."
    ).format(name=repr(name), side=f"{side_m:,.0f}")
