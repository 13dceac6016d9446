"""Land cover maps of images by a trained segmentation model, rendered window by window."""

from __future__ import annotations

from operator import itemgetter

import numpy as np
import torch

from backend.models import architectures, device
from backend.models.base import Model
from backend.tiling.lattice import Box, Lattice
from backend.tiling.lazy_raster import Input, LazyRaster, Patch, RasterSource, WindowOp

MARGIN = 48  # pixels on each side of a window that are read with it: predictions near the border are poor
LATTICE = Lattice(window=architectures.WINDOW_PX - 2 * MARGIN, stride=architectures.WINDOW_PX - 2 * MARGIN)
SIDE, BATCH = 4, 2


class SegmentationModel(Model):
    """A trained segmentation model, which maps the land cover of images with its GSD."""

    kind = "segmentation"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.segmenter = architectures.load(self.folder, self.index).to(self.device)

    @property
    def legend(self) -> str:
        """The name, among `legend.LEGENDS`, of the legend that the model predicts."""
        return str(self.index.get("legend", "worldcover"))

    def lazy_raster(self, image: RasterSource) -> LazyRaster:
        """The land cover of an image (3, height, width) uint8: (height, width) uint8 class indices."""
        op = WindowOp(
            LATTICE,
            self.call(type(self).classes),
            itemgetter(0),
            side=SIDE,
            batch=BATCH,
            margin=MARGIN,
            batch_multiple=device.batch_multiple,
        )
        return LazyRaster("segmentation", op, (Input(image),))

    def classes(self, windows: list[Box], image: Patch) -> np.ndarray:
        """The class indices of a batch of windows, (n, 1, window, window) uint8."""
        pixels = torch.from_numpy(np.stack([image.read(window.grown(MARGIN)) for window in windows]))
        with torch.inference_mode(), device.autocast(self.device):
            logits = self.segmenter(pixels.to(self.device))[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
            return logits.argmax(1, keepdim=True).to(torch.uint8).cpu().numpy()
