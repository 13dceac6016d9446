"""Aerial images at 1 m in one pass: spatially adaptive normalisation (Park et al. 2019), trained as a GAN.

Written from the paper. Features grow from 16 m to 4 m a cell; the last ones hold the 4 x 4 pixels of each cell (Shi et
al. 2016). To these is added what a few narrow layers at 2 m draw, with noise of their own: without, edges are stepped
by 4 m. Noise, land cover and styles are the only inputs, and the batch statistics are frozen once trained, so a pixel
depends on its neighbourhood alone.
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
COARSE = 4  # cells along the side of a cell of the coarse noise, 16 m
COARSE_CHANNELS, CELL_CHANNELS, HALF_CHANNELS = 16, 4, 2  # of the noise, at 16 m, 4 m and 2 m
FINE_CHANNELS = CELL_CHANNELS + 4 * HALF_CHANNELS  # that of a cell's quarters lies in channels of the cell
WINDOW, STRIDE = 168, 128  # cells; what surrounds the stride is a margin, as wide as a pixel sees
TONES, TONE_CELLS = 4, 12  # channels of the coarse noise that change over so many coarse cells, 192 m
SIDE, BATCH = 2, 1
STATISTICS = 0.01  # of the norms: what a batch adds to them


class SpatialNorm(nn.Module):
    """Normalise by batch statistics, then scale and shift by what the condition says at each place."""

    def __init__(self, channels: int, condition: int, hidden: int = 24) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False, momentum=STATISTICS)
        self.shared = nn.Sequential(nn.Conv2d(condition, hidden, 3, padding=1), nn.ReLU())
        self.scale_shift = nn.Conv2d(hidden, 2 * channels, 3, padding=1)

    def forward(self, features: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) features and (n, condition, h, w) to (n, channels, h, w)."""
        hidden = self.shared(condition)
        # two convolutions, because halves of one are slow to read where channels come last
        both = cast("torch.Tensor", self.scale_shift.bias)
        (weight, shift_weight), (bias, shift_bias) = self.scale_shift.weight.chunk(2), both.chunk(2)
        scale = functional.conv2d(hidden, weight, bias + 1, padding=1)
        return functional.conv2d(hidden, shift_weight, shift_bias, padding=1).addcmul_(self.norm(features), scale)


def _conv(channels: int, out: int) -> nn.Conv2d:
    """Zeros about a training crop would tell each place how far it lies from the edge; in the world there is none."""
    return nn.Conv2d(channels, out, 3, padding=1, padding_mode="reflect")


class Block(nn.Module):
    """A residual block of two normalised convolutions."""

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
    """Coarse noise, fine noise, and land cover with styles, to RGB in -1..1.

    Three scales from 16 m to 4 m, and a narrow one of 2 m that adds to what they have painted, nothing at first.
    """

    @register_to_config
    def __init__(self, styles: int = 0, widths: tuple[int, ...] = (128, 128, 96, 96), detail: int = 32) -> None:
        super().__init__()
        condition = legend.COUNT + styles + CELL_CHANNELS
        self.head = _conv(COARSE_CHANNELS, widths[0])
        self.blocks = nn.ModuleList(Block(a, b, condition) for a, b in zip(widths, widths[1:]))
        self.last = _conv(widths[-1], detail)
        self.pixels = _conv(detail, 3 * CELL_PX**2)  # sees the cells around, so that edges run on from cell to cell
        self.quarters = nn.Conv2d(widths[-1], 4 * detail, 1)
        self.finer = nn.ModuleList(_conv(detail, detail) for _ in range(2))
        self.grain = _conv(HALF_CHANNELS, detail)  # beside the features: CPUs multiply whole blocks of 32 channels
        self.added = _conv(detail, 3 * (CELL_PX // 2) ** 2)
        for values in self.added.parameters():
            nn.init.zeros_(values)

    def forward(self, coarse: torch.Tensor, fine: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """(n, 16, h / 4, w / 4), (n, 12, h, w) and (n, 11 + styles, 4h, 4w) to (n, 3, 4h, 4w) RGB."""
        features = self.head(coarse)
        fine, halves = fine.split((CELL_CHANNELS, 4 * HALF_CHANNELS), dim=1)
        for number, block in enumerate(self.blocks):
            factor = COARSE >> number
            # noise is thinned out rather than averaged, which would take its strength at the coarse scales
            thinned, averaged = fine[..., ::factor, ::factor], functional.avg_pool2d(told, factor * CELL_PX)
            features = block(features, torch.cat([averaged, thinned], dim=1))
            if factor > 1:
                features = functional.interpolate(features, scale_factor=2.0, mode="nearest")
        features = functional.leaky_relu(features, 0.2)
        pixels = self.pixels(functional.leaky_relu(self.last(features), 0.2))
        finer, halves = (
            functional.pixel_shuffle(each, 2).contiguous(memory_format=torch.channels_last)
            for each in (self.quarters(features), halves)
        )
        inner = self.finer[0](functional.leaky_relu(finer, 0.2)) + self.grain(functional.leaky_relu(halves, 0.2))
        inner = self.finer[1](functional.leaky_relu(inner, 0.2))
        added = self.added(functional.leaky_relu(finer + inner, 0.2))
        return functional.pixel_shuffle(pixels, CELL_PX) + functional.pixel_shuffle(added, CELL_PX // 2)


def coarse_noise(seed: int, world: str, box: Box) -> np.ndarray:
    """(16, height, width) float32 over a box of coarse cells: of each place, and of its surroundings as a whole."""
    tones = noise.smooth(seed, f"{world} tone", TONES, box, TONE_CELLS)
    return np.concatenate([tones, noise.normal(seed, f"{world} coarse", COARSE_CHANNELS - TONES, box)])


class ImageGenerator(Model):
    """A trained SPADE painter, ready to paint any region of the world's 1 m grid."""

    kind, pixel_m = KIND, PIXEL_M

    def __init__(self, name: str = KIND) -> None:
        super().__init__(name)
        self.painter: SpadeNetwork = model_folder.components(self.folder, self.dtype, painter=SpadeNetwork)["painter"]
        self.painter.to(self.device, memory_format=torch.channels_last).eval()

    @property
    def margin(self) -> int:
        """The cells around a window that it sees."""
        return (self.index["window"] - self.index["stride"]) // 2

    def field(
        self,
        world: str,
        seed: int,
        steps: int,
        landcover: LazyRaster | RasterSource,
        coarse: int = 1,
        styles: Sequence[str] = (),
    ) -> LazyRaster:
        """The image of the whole world, (3, height, width) uint8 RGB at 1 m; a pixel of land cover is `coarse` m wide.

        It takes one pass, whatever the steps. `styles` are some of those that the model knows.
        """
        stride, margin = self.index["stride"], self.margin
        vector = style_vector(styles, self.index.get("styles", []))
        compute = self.call(type(self).paint, world, seed, vector)
        work = WindowOp(
            Lattice(stride, stride), compute, unchanged, 0, CELL_PX, SIDE, BATCH, margin, device.batch_multiple
        )
        return LazyRaster(KIND, work, (Input(landcover, CELL_PX, coarse),))

    def paint(
        self, world: str, seed: int, styles: tuple[float, ...], windows: list[Box], landcover: Patch
    ) -> np.ndarray:
        """The pixels of a batch of windows, (n, 3, window * 4, window * 4) uint8."""
        boxes = [window.grown(self.margin) for window in windows]
        large = [box.coarsened(COARSE) for box in boxes]
        coarse = np.stack([coarse_noise(seed, world, box) for box in large])
        fine = np.stack([noise.normal(seed, f"{world} fine", FINE_CHANNELS, box) for box in boxes])
        one_hot = np.stack([legend.encode_condition(landcover.read(box.scaled(CELL_PX)), self.seen) for box in boxes])
        inside = slice(self.margin * CELL_PX, -self.margin * CELL_PX or None)
        return self.pixels(coarse, fine, one_hot, styles)[..., inside, inside]

    def pixels(
        self, coarse: np.ndarray, fine: np.ndarray, one_hot: np.ndarray, styles: tuple[float, ...]
    ) -> np.ndarray:
        """(n, 3, 4h, 4w) uint8 RGB of noise (n, 16, h / 4, w / 4) and (n, 4, h, w) on land cover (n, 11, 4h, 4w)."""
        told = condition_planes(torch.from_numpy(one_hot), torch.tensor(styles).expand(len(one_hot), -1))
        with torch.inference_mode():
            inputs = (
                tensor.to(self.device, self.dtype, memory_format=torch.channels_last)
                for tensor in (torch.from_numpy(coarse), torch.from_numpy(fine), told)
            )
            return rgb.to_bytes(self.painter(*inputs).float().cpu().numpy())


def save(folder: Path, figures: dict[str, Any], **more: Any) -> None:
    """Write what makes a folder of a trained painter a model: the index, with `more` entries."""
    geometry = {"window": WINDOW, "stride": STRIDE, "steps": 1}
    model_folder.write_index(folder, KIND, pixel_m=PIXEL_M, **geometry, **more, figures=figures)
