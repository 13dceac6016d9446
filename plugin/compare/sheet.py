"""One layer drawn for a canvas in the background, whatever else the canvas shows."""

from __future__ import annotations

from qgis.core import QgsMapLayer, QgsMapRendererParallelJob, QgsMapSettings, QgsRectangle
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtGui import QImage


class Sheet(QObject):
    """The newest picture of a layer, and the extent that it shows; `drawn` says that there is a newer one."""

    drawn = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas, layer: QgsMapLayer) -> None:
        super().__init__()
        self.canvas, self.layer = canvas, layer
        self.image, self.extent = QImage(), QgsRectangle()
        self._job: QgsMapRendererParallelJob | None = None

    def draw(self) -> None:
        """Draw what the canvas shows now; the picture before stays until this one is there."""
        self.stop()
        settings = QgsMapSettings(self.canvas.mapSettings())
        settings.setLayers([self.layer])
        settings.setBackgroundColor(self.canvas.canvasColor())
        self._job = QgsMapRendererParallelJob(settings)
        self._job.finished.connect(self._take)
        self._job.start()

    def stop(self) -> None:
        """End a drawing that is under way."""
        if self._job is not None:
            self._job.finished.disconnect(self._take)
            self._job.cancelWithoutBlocking()
            self._job = None

    def _take(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            self.image, self.extent = job.renderedImage(), job.mapSettings().visibleExtent()
            self.drawn.emit()
