"""Land cover read from images by a trained segmentation model, as a field on the world's lattice."""

from __future__ import annotations

import numpy as np
import torch

from backend import architectures, classes, device
from backend.field import Field, Input, Patch, Source, Windows
from backend.lattice import Box, Lattice
from backend.model import Model

LATTICE = Lattice(window=512, stride=416)
SIDE, BATCH = 2, 2


class SegmentationModel(Model):
    """A trained segmentation model, ready to read any image of its GSD."""

    kind = "segmentation"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.segmenter = architectures.load(self.folder, self.index).to(self.device)

    def field(self, image: Source) -> Field:
        """The land cover of an image (3, height, width) uint8: (height, width) uint8 class indices."""
        work = Windows(LATTICE, self.call("logits"), classes.likeliest, side=SIDE, batch=BATCH)
        return Field("segmentation", work, (Input(image),))

    def logits(self, windows: list[Box], image: Patch) -> np.ndarray:
        """The logits of a batch of windows, (n, 11, window, window) float32."""
        pixels = torch.from_numpy(np.stack([image.read(window) for window in windows]))
        with torch.inference_mode(), device.autocast(self.device):
            return self.segmenter(pixels.to(self.device)).cpu().numpy()
