"""Renders one layer in the background for the extent of a canvas."""

from __future__ import annotations

from qgis.core import QgsMapLayer, QgsMapRendererParallelJob, QgsMapSettings, QgsRectangle
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtGui import QImage


class LayerRenderer(QObject):
    """The latest image of a layer and its extent; `rendered` follows each new image."""

    rendered = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas, layer: QgsMapLayer) -> None:
        super().__init__()
        self.canvas, self.layer = canvas, layer
        self.image, self.extent = QImage(), QgsRectangle()
        self._job: QgsMapRendererParallelJob | None = None

    def render(self) -> None:
        """Render the canvas's extent; the previous image is kept until the new one is complete."""
        self.stop()
        settings = QgsMapSettings(self.canvas.mapSettings())
        settings.setLayers([self.layer])
        settings.setBackgroundColor(self.canvas.canvasColor())
        self._job = QgsMapRendererParallelJob(settings)
        self._job.finished.connect(self._store_image)
        self._job.start()

    def stop(self) -> None:
        """Cancel a running render job."""
        if self._job is not None:
            self._job.finished.disconnect(self._store_image)
            self._job.cancelWithoutBlocking()
            self._job = None

    def _store_image(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            self.image, self.extent = job.renderedImage(), job.mapSettings().visibleExtent()
            self.rendered.emit()
