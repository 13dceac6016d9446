"""Tiles drawn at random from real and synthetic layers, with equal chance and equal pixels."""

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
    QgsUnitTypes,
)
from qgis.PyQt.QtCore import QObject, QSize, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QColor, QImage

from .. import layers
from ..translation import tr
from .trial import Tile

MOST_TRIES = 60  # places of a layer that may be without data, one after the other


def metric_crs(layer: QgsRasterLayer) -> QgsCoordinateReferenceSystem:
    """The layer's CRS where it is in true metres, else the UTM zone of its centre."""
    crs = layer.crs()
    metres = crs.mapUnits() == QgsUnitTypes.DistanceUnit.DistanceMeters
    if metres and not crs.isGeographic() and crs.authid() != "EPSG:3857":
        return crs
    centre = layer.wgs84Extent().center()
    zone = min(int((centre.x() + 180) // 6), 59) + 1
    return QgsCoordinateReferenceSystem(f"EPSG:{(32600 if centre.y() >= 0 else 32700) + zone}")


@dataclass(frozen=True)
class Ground:
    """A layer as tiles are cut from it: a styled copy, and where it lies in a CRS in metres."""

    layer: QgsRasterLayer
    copy: QgsRasterLayer
    crs: QgsCoordinateReferenceSystem
    bounds: QgsRectangle
    pixel_m: float


def ground(layer: QgsRasterLayer) -> Ground:
    """A layer made ready: images in the stretch that real and synthetic share, so that no style tells them apart."""
    copy, crs = layer.clone(), metric_crs(layer)
    if copy.dataProvider().dataType(1) == Qgis.DataType.Byte:
        layers.style(copy, layer.name())
    if copy.bandCount() > 1:  # classes are not averaged
        copy.resampleFilter().setZoomedOutResampler(QgsBilinearRasterResampler())
        copy.resampleFilter().setZoomedInResampler(QgsBilinearRasterResampler())
    bounds = QgsCoordinateTransform(layer.crs(), crs, QgsProject.instance()).transformBoundingBox(layer.extent())
    return Ground(layer, copy, crs, bounds, round(bounds.width() / max(layer.width(), 1), 2))


class Draw(QObject):
    """Draws the tiles in the background; `drawn` after each, then `finished`, or `failed` with what to do about it."""

    drawn = pyqtSignal(int)
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
        """`pixel_m` 0: the coarsest layer's."""
        super().__init__()
        self._piles = [[ground(layer) for layer in pile] for pile in (real, synthetic)]
        coarsest = max(one.pixel_m for pile in self._piles for one in pile)
        self.pixel_m, self.size_px, self.count = pixel_m or coarsest, size_px, count
        self.tiles: list[Tile] = []
        self._chance = random.Random(seed)  # noqa: S311 (no secret)
        self._job: QgsMapRendererParallelJob | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin with the first tile."""
        self._next()

    def stop(self) -> None:
        """End; nothing more is told."""
        self._stopped = True
        if self._job is not None:
            self._job.finished.disconnect(self._take)
            self._job.cancelWithoutBlocking()
            self._job = None

    def _next(self) -> None:
        self._synthetic = self._chance.random() < 0.5
        self._ground, self._tries = self._chance.choice(self._piles[self._synthetic]), 0
        self._try()

    def _try(self) -> None:
        """Draw the layer at a random place."""
        if self._stopped:
            return
        self._tries += 1
        side = self.size_px * self.pixel_m
        bounds = self._ground.bounds
        if self._tries > MOST_TRIES or side > min(bounds.width(), bounds.height()):
            self.failed.emit(_too_small(self._ground.layer.name(), side))
            return
        left = bounds.xMinimum() + self._snapped(bounds.width() - side)
        top = bounds.yMaximum() - self._snapped(bounds.height() - side)
        self._place = QgsRectangle(left, top - side, left + side, top)
        self._job = QgsMapRendererParallelJob(self._settings())
        self._job.finished.connect(self._take)
        self._job.start()

    def _snapped(self, room: float) -> float:
        """A random distance on the layer's pixels, so that none is shifted by a part of a pixel."""
        return round(self._chance.uniform(0, room) // self._ground.pixel_m * self._ground.pixel_m, 6)

    def _settings(self) -> QgsMapSettings:
        settings = QgsMapSettings()
        settings.setLayers([self._ground.copy])
        settings.setDestinationCrs(self._ground.crs)
        settings.setTransformContext(QgsProject.instance().transformContext())
        settings.setOutputSize(QSize(self.size_px, self.size_px))
        settings.setExtent(self._place)
        settings.setBackgroundColor(QColor(Qt.GlobalColor.transparent))
        settings.setOutputImageFormat(QImage.Format.Format_ARGB32)
        return settings

    def _take(self) -> None:
        """Keep what was drawn if no pixel of it is nodata, else try another place."""
        job, self._job = self._job, None
        if job is None:
            return
        image = job.renderedImage()
        if not is_whole(image):
            QTimer.singleShot(0, self._try)
            return
        place, one = self._place, self._ground
        bounds = (place.xMinimum(), place.yMinimum(), place.xMaximum(), place.yMaximum())
        crs = one.crs.authid() or one.crs.toWkt()
        self.tiles.append(Tile(one.layer.id(), one.layer.name(), self._synthetic, bounds, crs, self.pixel_m, image))
        self.drawn.emit(len(self.tiles))
        if len(self.tiles) < self.count:
            QTimer.singleShot(0, self._next)
        else:
            self.finished.emit(self.tiles)


def is_whole(image: QImage) -> bool:
    """Whether each pixel of an ARGB32 picture is opaque."""
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    bits = image.constBits()
    bits.setsize(image.width() * image.height() * 4)
    return not bytes(bits)[3::4].strip(b"\xff")


def _too_small(name: str, side_m: float) -> str:
    return tr(
        "In the layer {name} no place of {side} x {side} m without nodata was found. Choose smaller tiles, or leave "
        "the layer out."
    ).format(name=repr(name), side=f"{side_m:,.0f}")
