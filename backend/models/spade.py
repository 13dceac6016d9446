"""Aerial images at 1 m in one pass: spatially adaptive normalisation (Park et al. 2019), trained as a GAN.

Written from the paper. Features are upsampled from cells of 16 m to cells of 4 m, whose channels hold 4 x 4 pixels each
(pixel shuffle, Shi et al. 2016). A few narrow layers at 2 m with noise of their own add detail; without them edges have
steps of 4 m. Inputs are noise, land cover and styles. Batch statistics are frozen after training, so a pixel depends on
its receptive field alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import nn
from torch.nn import functional

from backend.geo import legend
from backend.models import device, model_folder, rgb
from backend.models.base import Model
from backend.models.conditioning import condition_planes, style_vector
from backend.tiling import noise
from backend.tiling.lattice import Box, Lattice
from backend.tiling.lazy_raster import Input, LazyRaster, Patch, RasterSource, WindowOp, unchanged

KIND = "spade"
PIXEL_M = 1.0
CELL_PX = 4
COARSE = 4  # cells along the side of a coarse cell, 16 m
COARSE_CHANNELS, CELL_CHANNELS, HALF_CHANNELS = 16, 4, 2  # of the noise at 16 m, 4 m and 2 m
FINE_CHANNELS = CELL_CHANNELS + 4 * HALF_CHANNELS  # the noise at 2 m is stored as 4 quarters in channels of a cell
WINDOW, STRIDE = 168, 128  # cells; the difference is the margin, as wide as the receptive field
SMOOTH_CHANNELS, SMOOTH_CELLS = 4, 12  # of the coarse noise: its low-frequency channels, and their grid in cells: 192 m
SIDE, BATCH = 2, 1
NORM_MOMENTUM = 0.01  # the weight of a batch in the running statistics of the norms


class SpatialNorm(nn.Module):
    """Batch normalisation, then a scale and a shift of each pixel, computed from the condition by convolutions."""

    def __init__(self, channels: int, condition: int, hidden: int = 24) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False, momentum=NORM_MOMENTUM)
        self.shared = nn.Sequential(nn.Conv2d(condition, hidden, 3, padding=1), nn.ReLU())
        self.scale_shift = nn.Conv2d(hidden, 2 * channels, 3, padding=1)

    def forward(self, features: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) features and (n, condition, h, w) to (n, channels, h, w)."""
        hidden = self.shared(condition)
        # two convolutions instead of one whose output is split: halves of a channels-last tensor are slow to read
        biases = cast("torch.Tensor", self.scale_shift.bias)
        (scale_weight, shift_weight), (scale_bias, shift_bias) = self.scale_shift.weight.chunk(2), biases.chunk(2)
        scale = functional.conv2d(hidden, scale_weight, scale_bias + 1, padding=1)
        return functional.conv2d(hidden, shift_weight, shift_bias, padding=1).addcmul_(self.norm(features), scale)


def _conv(channels: int, out: int) -> nn.Conv2d:
    """A 3 x 3 convolution with reflection padding: zeros would mark the edge of a training crop; the world has none."""
    return nn.Conv2d(channels, out, 3, padding=1, padding_mode="reflect")


class Block(nn.Module):
    """A residual block of two convolutions, each after a spatial normalisation."""

    def __init__(self, channels: int, out: int, condition: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([SpatialNorm(channels, condition), SpatialNorm(out, condition)])
        self.convs = nn.ModuleList([_conv(channels, out), _conv(out, out)])
        self.skip = nn.Conv2d(channels, out, 1) if channels != out else nn.Identity()

    def forward(self, features: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) to (n, out, h, w)."""
        inner = features
        for norm, conv in zip(self.norms, self.convs):
            inner = conv(functional.leaky_relu(norm(inner, condition), 0.2))
        return self.skip(features) + inner


class SpadeNetwork(ModelMixin, ConfigMixin):
    """The generator network: coarse noise, fine noise and a condition to RGB in -1..1.

    Three scales from 16 m to 4 m, and a narrow branch at 2 m whose output is added; it is 0 before training.
    """

    @register_to_config
    def __init__(self, styles: int = 0, widths: tuple[int, ...] = (128, 128, 96, 96), detail: int = 32) -> None:
        super().__init__()
        condition = legend.COUNT + styles + CELL_CHANNELS
        self.head = _conv(COARSE_CHANNELS, widths[0])
        self.blocks = nn.ModuleList(Block(a, b, condition) for a, b in zip(widths, widths[1:]))
        self.last = _conv(widths[-1], detail)
        self.pixels = _conv(detail, 3 * CELL_PX**2)  # 3 x 3 cells, so that edges continue from cell to cell
        self.quarters = nn.Conv2d(widths[-1], 4 * detail, 1)
        self.finer = nn.ModuleList(_conv(detail, detail) for _ in range(2))
        self.grain = _conv(HALF_CHANNELS, detail)  # added, not concatenated: CPUs multiply blocks of 32 channels
        self.added = _conv(detail, 3 * (CELL_PX // 2) ** 2)
        for values in self.added.parameters():
            nn.init.zeros_(values)

    def forward(self, coarse: torch.Tensor, fine: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(n, 16, h / 4, w / 4), (n, 12, h, w) and (n, 11 + styles, 4h, 4w) to (n, 3, 4h, 4w) RGB."""
        features = self.head(coarse)
        fine, halves = fine.split((CELL_CHANNELS, 4 * HALF_CHANNELS), dim=1)
        for number, block in enumerate(self.blocks):
            factor = COARSE >> number
            # noise is subsampled at the coarse scales, because averaging would lower its variance
            subsampled, averaged = fine[..., ::factor, ::factor], functional.avg_pool2d(condition, factor * CELL_PX)
            features = block(features, torch.cat([averaged, subsampled], dim=1))
            if factor > 1:
                features = functional.interpolate(features, scale_factor=2.0, mode="nearest")
        features = functional.leaky_relu(features, 0.2)
        pixels = self.pixels(functional.leaky_relu(self.last(features), 0.2))
        finer, halves = (
            functional.pixel_shuffle(cells, 2).contiguous(memory_format=torch.channels_last)
            for cells in (self.quarters(features), halves)
        )
        inner = self.finer[0](functional.leaky_relu(finer, 0.2)) + self.grain(functional.leaky_relu(halves, 0.2))
        inner = self.finer[1](functional.leaky_relu(inner, 0.2))
        added = self.added(functional.leaky_relu(finer + inner, 0.2))
        return functional.pixel_shuffle(pixels, CELL_PX) + functional.pixel_shuffle(added, CELL_PX // 2)


def coarse_noise(seed: int, world: str, box: Box) -> np.ndarray:
    """(16, height, width) float32 noise over a box of coarse cells: 4 low-frequency channels and 12 white ones."""
    smooth = noise.smooth(seed, f"{world} tone", SMOOTH_CHANNELS, box, SMOOTH_CELLS)
    return np.concatenate([smooth, noise.normal(seed, f"{world} coarse", COARSE_CHANNELS - SMOOTH_CHANNELS, box)])


class ImageGenerator(Model):
    """A trained SPADE network, which renders images of any region of the world's 1 m grid."""

    kind, pixel_m = KIND, PIXEL_M

    def __init__(self, name: str = KIND) -> None:
        super().__init__(name)
        self.network: SpadeNetwork = model_folder.components(self.folder, self.dtype, painter=SpadeNetwork)["painter"]
        self.network.to(self.device, memory_format=torch.channels_last).eval()

    @property
    def margin(self) -> int:
        """The cells on each side of a window that are read with it, the receptive field."""
        return (self.index["window"] - self.index["stride"]) // 2

    def lazy_raster(
        self,
        world: str,
        seed: int,
        steps: int,
        landcover: LazyRaster | RasterSource,
        coarse: int = 1,
        styles: Sequence[str] = (),
        features: RasterSource | None = None,
    ) -> LazyRaster:
        """The image of the whole world, (3, height, width) uint8 RGB at 1 m.

        `landcover` has class indices in pixels `coarse` m wide; the classes of `features` (see `vector_layers`) are
        burnt into it. `styles` are some of the model's. `steps` is not used: the network takes one pass.
        """
        stride, margin = self.index["stride"], self.margin
        vector = style_vector(styles, self.index.get("styles", []))
        compute = self.call(type(self).generate, world, seed, vector)
        op = WindowOp(
            Lattice(stride, stride),
            compute,
            unchanged,
            scale=CELL_PX,
            side=SIDE,
            batch=BATCH,
            margin=margin,
            batch_multiple=device.batch_multiple,
        )
        over = (Input(features, CELL_PX),) if features else ()
        return LazyRaster(KIND, op, (Input(landcover, CELL_PX, coarse), *over))

    def generate(
        self, world: str, seed: int, styles: tuple[float, ...], windows: list[Box], landcover: Patch, *features: Patch
    ) -> np.ndarray:
        """The RGB pixels of a batch of windows, (n, 3, window * 4, window * 4) uint8."""
        boxes = [window.grown(self.margin) for window in windows]
        coarse = np.stack([coarse_noise(seed, world, box.coarsened(COARSE)) for box in boxes])
        fine = np.stack([noise.normal(seed, f"{world} fine", FINE_CHANNELS, box) for box in boxes])
        classes = [landcover.read(box.scaled(CELL_PX)) for box in boxes]
        for patch in features:
            classes = [legend.burn(indices, patch.read(box.scaled(CELL_PX))[0]) for indices, box in zip(classes, boxes)]
        one_hot = np.stack([legend.encode_condition(indices, self.trained_codes) for indices in classes])
        inside = slice(self.margin * CELL_PX, -self.margin * CELL_PX or None)
        return self.pixels(coarse, fine, one_hot, styles)[..., inside, inside]

    def pixels(
        self, coarse: np.ndarray, fine: np.ndarray, one_hot: np.ndarray, styles: tuple[float, ...]
    ) -> np.ndarray:
        """(n, 3, 4h, 4w) uint8 RGB of noise (n, 16, h / 4, w / 4) and (n, 12, h, w) on land cover (n, 11, 4h, 4w)."""
        condition = condition_planes(torch.from_numpy(one_hot), torch.tensor(styles).expand(len(one_hot), -1))
        with torch.inference_mode():
            inputs = (
                tensor.to(self.device, self.dtype, memory_format=torch.channels_last)
                for tensor in (torch.from_numpy(coarse), torch.from_numpy(fine), condition)
            )
            return rgb.to_bytes(self.network(*inputs).float().cpu().numpy())


def save(folder: Path, figures: dict[str, Any], **more: Any) -> None:
    """Write the index, with `more` entries, into the folder of a trained network: it is then a model."""
    geometry = {"window": WINDOW, "stride": STRIDE, "steps": 1}
    model_folder.write_index(folder, KIND, pixel_m=PIXEL_M, **geometry, **more, figures=figures)
