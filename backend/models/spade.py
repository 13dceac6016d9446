"""Aerial images at 1 m in one pass: spatially adaptive normalisation (Park et al. 2019), trained as a GAN.

Written from the paper. Features are upsampled from cells of 16 m to cells of 4 m, whose channels hold 4 x 4 pixels each
(pixel shuffle, Shi et al. 2016). A few narrow layers at 2 m with noise of their own add detail; without them edges have
steps of 4 m. Inputs are noise and the conditions of `conditioning`. What a condition has inside a cell of 4 m reaches
the network by an encoder of its pixels. Batch statistics are frozen after training, so a pixel depends on its receptive
field alone.
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
from backend.models.conditioning import (
    CONDITIONS,
    ImageConditions,
    copy_planes,
    plane_count,
    style_table,
    style_vector,
)
from backend.models.image_inputs import ImageInputs, ImageRequest
from backend.tiling import noise
from backend.tiling.lattice import Box, Lattice
from backend.tiling.lazy_raster import LazyRaster, Patch, WindowOp, unchanged

KIND = "spade"
PIXEL_M = 1.0
CELL_PX = 4
COARSE = 4  # cells along the side of a coarse cell, 16 m
COARSE_CHANNELS, CELL_CHANNELS, HALF_CHANNELS = 16, 4, 2  # of the noise at 16 m, 4 m and 2 m
FINE_CHANNELS = CELL_CHANNELS + 4 * HALF_CHANNELS  # the noise at 2 m is stored as 4 quarters in channels of a cell
WINDOW, STRIDE = 192, 128  # cells; the difference is the margin, as wide as the receptive field
SMOOTH_CHANNELS, SMOOTH_CELLS = 4, 12  # of the coarse noise: its low-frequency channels, and their grid in cells: 192 m
PARCEL_CHANNELS, PARCEL_CELLS = 4, 40  # of the noise that is constant in parcels of some 160 m, as tones of fields are
PARCEL_PLANES = PARCEL_CHANNELS + 1  # with the parcels' borders
SIDE, BATCH = 2, 1
NORM_MOMENTUM = 0.01  # the weight of a batch in the running statistics of the norms
WIDTHS, DEPTHS = (128, 128, 96, 96), (2, 1, 1)  # of a new network: channels from scale to scale, blocks at each
ENCODED_CHANNELS = 48


class SpatialNorm(nn.Module):
    """Batch normalisation, then a scale and a shift of each pixel, computed from the condition by convolutions."""

    def __init__(self, channels: int, condition: int, kernel: int = 3, hidden: int = 24) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False, momentum=NORM_MOMENTUM)
        self.padding = kernel // 2
        self.shared = nn.Sequential(nn.Conv2d(condition, hidden, kernel, padding=self.padding), nn.ReLU())
        self.scale_shift = nn.Conv2d(hidden, 2 * channels, kernel, padding=self.padding)

    def forward(self, features: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) features and (n, condition, h, w) to (n, channels, h, w)."""
        hidden = self.shared(condition)
        # two convolutions instead of one whose output is split: halves of a channels-last tensor are slow to read
        biases = cast("torch.Tensor", self.scale_shift.bias)
        (scale_weight, shift_weight), (scale_bias, shift_bias) = self.scale_shift.weight.chunk(2), biases.chunk(2)
        scale = functional.conv2d(hidden, scale_weight, scale_bias + 1, padding=self.padding)
        shift = functional.conv2d(hidden, shift_weight, shift_bias, padding=self.padding)
        return shift.addcmul_(self.norm(features), scale)


def _conv(channels: int, out: int) -> nn.Conv2d:
    """A 3 x 3 convolution with reflection padding: zeros would mark the edge of a training crop; the world has none."""
    return nn.Conv2d(channels, out, 3, padding=1, padding_mode="reflect")


class Block(nn.Module):
    """A residual block of two convolutions, each after a spatial normalisation."""

    def __init__(self, channels: int, out: int, condition: int, kernel: int = 3) -> None:
        super().__init__()
        self.norms = nn.ModuleList([SpatialNorm(width, condition, kernel) for width in (channels, out)])
        self.convs = nn.ModuleList([_conv(channels, out), _conv(out, out)])
        self.skip = nn.Conv2d(channels, out, 1) if channels != out else nn.Identity()

    def forward(self, features: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) to (n, out, h, w)."""
        inner = features
        for norm, conv in zip(self.norms, self.convs):
            inner = conv(functional.leaky_relu(norm(inner, condition), 0.2))
        return self.skip(features) + inner


class Encoder(nn.Module):
    """Features of the conditions' pixels at each scale, the coarsest first: 1 m planes to cells of 16, 8 and 4 m."""

    def __init__(self, planes: int, width: int) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(planes * CELL_PX**2, width, 1)
        self.cells = nn.ModuleList([_conv(width, width), nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)])

    def forward(self, planes: torch.Tensor) -> list[torch.Tensor]:
        """(n, planes, 4h, 4w) to (n, width, h / 4, w / 4), (n, width, h / 2, w / 2) and (n, width, h, w)."""
        cells = functional.pixel_unshuffle(planes, CELL_PX).contiguous(memory_format=torch.channels_last)
        features, scales = self.pixels(cells), list[torch.Tensor]()
        for conv in self.cells:
            features = conv(functional.leaky_relu(functional.avg_pool2d(features, 2 if scales else 1), 0.2))
            scales.insert(0, features)
        return scales


class SpadeNetwork(ModelMixin, ConfigMixin):
    """The generator network: coarse noise, fine noise and condition planes to RGB in -1..1.

    Three scales from 16 m to 4 m, and a narrow branch at 2 m whose output is added; it is 0 before training. `styles`
    is the number of style planes and `further` that of the planes after them. `parcels` is the number of channels of
    the parcel noise. With `encoded` channels the planes' pixels are encoded; 0 gives them by their means over cells
    alone. The norms of the first block have kernels of `first_kernel`: 1 keeps the receptive field small.
    """

    @register_to_config
    def __init__(
        self,
        styles: int = 0,
        widths: tuple[int, ...] = (128, 128, 96, 96),
        detail: int = 32,
        depths: tuple[int, ...] = (1, 1, 1),
        further: int = 0,
        parcels: int = 0,
        encoded: int = 0,
        first_kernel: int = 3,
    ) -> None:
        super().__init__()
        condition = legend.COUNT + styles + CELL_CHANNELS + parcels + encoded
        self.head = _conv(COARSE_CHANNELS, widths[0])
        self.blocks, self.scales = nn.ModuleList(), list[int]()
        for scale, (width, out, depth) in enumerate(zip(widths, widths[1:], depths)):
            for number in range(depth):
                kernel = 3 if self.scales else first_kernel
                self.blocks.append(Block(width, out if number == depth - 1 else width, condition, kernel))
                self.scales.append(scale)
        self.last = _conv(widths[-1], detail)
        self.pixels = _conv(detail, 3 * CELL_PX**2)  # 3 x 3 cells, so that edges continue from cell to cell
        self.quarters = nn.Conv2d(widths[-1], 4 * detail, 1)
        self.finer = nn.ModuleList(_conv(detail, detail) for _ in range(2))
        self.grain = _conv(HALF_CHANNELS, detail)  # added, not concatenated: CPUs multiply blocks of 32 channels
        self.added = _conv(detail, 3 * (CELL_PX // 2) ** 2)
        for values in self.added.parameters():
            nn.init.zeros_(values)
        if encoded:
            self.encoder = Encoder(legend.COUNT + further, encoded)
            self.sketch = nn.Conv2d(4 * (legend.COUNT + further), detail, 1)  # of the planes' pixels, at 2 m

    def forward(self, coarse: torch.Tensor, fine: torch.Tensor, planes: torch.Tensor) -> torch.Tensor:
        """(n, 16, h / 4, w / 4), (n, 12 + parcels, h, w) and (n, 11 + styles + further, 4h, 4w) to (n, 3, 4h, 4w)."""
        features, shared = self.head(coarse), legend.COUNT + self.config.styles
        noise, halves, parcels = fine.split((CELL_CHANNELS, 4 * HALF_CHANNELS, self.config.parcels), dim=1)
        # noise is subsampled at the coarse scales, because averaging would lower its variance
        noise = torch.cat([noise, parcels], dim=1)
        pixels = torch.cat([planes[:, : legend.COUNT], planes[:, shared:]], dim=1)
        encoded = self.encoder(pixels) if self.config.encoded else []
        for number, (block, scale) in enumerate(zip(self.blocks, self.scales)):
            factor = COARSE >> scale
            averaged = functional.avg_pool2d(planes[:, :shared], factor * CELL_PX)
            condition = torch.cat([averaged, noise[..., ::factor, ::factor], *encoded[scale : scale + 1]], dim=1)
            features = block(features, condition)
            if factor > 1 and self.scales[number + 1] > scale:
                features = functional.interpolate(features, scale_factor=2.0, mode="nearest")
        features = functional.leaky_relu(features, 0.2)
        image = self.pixels(functional.leaky_relu(self.last(features), 0.2))
        finer, halves = (
            functional.pixel_shuffle(cells, 2).contiguous(memory_format=torch.channels_last)
            for cells in (self.quarters(features), halves)
        )
        if self.config.encoded:
            halves_of_planes = functional.pixel_unshuffle(pixels, 2).contiguous(memory_format=torch.channels_last)
            finer = finer + self.sketch(halves_of_planes)
        inner = self.finer[0](functional.leaky_relu(finer, 0.2)) + self.grain(functional.leaky_relu(halves, 0.2))
        inner = self.finer[1](functional.leaky_relu(inner, 0.2))
        added = self.added(functional.leaky_relu(finer + inner, 0.2))
        return functional.pixel_shuffle(image, CELL_PX) + functional.pixel_shuffle(added, CELL_PX // 2)


def new_network(styles: int, widths: Sequence[int] = WIDTHS, detail: int = 32) -> SpadeNetwork:
    """An untrained network with all conditions."""
    return SpadeNetwork(
        styles,
        tuple(widths),
        detail,
        depths=DEPTHS,
        further=plane_count(0, CONDITIONS) - legend.COUNT,
        parcels=PARCEL_PLANES,
        encoded=ENCODED_CHANNELS,
        first_kernel=1,
    )


@torch.no_grad()
def grown(network: SpadeNetwork, style_columns: Sequence[int | None]) -> SpadeNetwork:
    """A network with all conditions that generates what one without them does, until it is trained further.

    `style_columns` has a number for each style of the new network: that of the old network's, None for a new style.
    What is new starts without effect: a block of zeros in the residual branch, and zero weights for new channels.
    """
    new = new_network(len(style_columns), network.config.widths, network.config.detail)
    state = network.state_dict()
    for name, values in new.state_dict().items():
        part, _, rest = name.partition(".")
        if part == "blocks":
            number, _, rest = rest.partition(".")
            old_name = f"blocks.{int(number) - 1}.{rest}"
            if number == "0":
                if rest.startswith("convs.1."):
                    values.zero_()
            elif rest.endswith("shared.0.weight"):
                copy_planes(values, state[old_name], style_columns, CELL_CHANNELS)
            else:
                values.copy_(state[old_name])
        elif name in state:
            values.copy_(state[name])
        elif part == "sketch":
            values.zero_()
    return new


def coarse_noise(seed: int, world: str, box: Box) -> np.ndarray:
    """(16, height, width) float32 noise over a box of coarse cells: 4 low-frequency channels and 12 white ones."""
    smooth = noise.smooth(seed, f"{world} tone", SMOOTH_CHANNELS, box, SMOOTH_CELLS)
    return np.concatenate([smooth, noise.normal(seed, f"{world} coarse", COARSE_CHANNELS - SMOOTH_CHANNELS, box)])


def fine_noise(seed: int, world: str, parcels: int, box: Box) -> np.ndarray:
    """(12 + parcels, height, width) float32 noise over a box of cells: white noise, then `parcels` channels, if any."""
    white = noise.normal(seed, f"{world} fine", FINE_CHANNELS, box)
    return np.concatenate([white, noise.parcels(seed, world, parcels - 1, box, PARCEL_CELLS)]) if parcels else white


class ImageGenerator(Model):
    """A trained SPADE network, which renders images of any region of the world's 1 m grid."""

    kind, pixel_m = KIND, PIXEL_M

    def __init__(self, name: str = KIND) -> None:
        super().__init__(name)
        self.network: SpadeNetwork = model_folder.components(self.folder, self.dtype, painter=SpadeNetwork)["painter"]
        self.network.to(self.device, memory_format=torch.channels_last).eval()
        self._style_table = style_table(self.index)

    @property
    def margin(self) -> int:
        """The cells on each side of a window that are read with it, the receptive field."""
        return (self.index["window"] - self.index["stride"]) // 2

    def lazy_raster(
        self, world: str, seed: int, steps: int, inputs: ImageInputs, styles: Sequence[str] = ()
    ) -> LazyRaster:
        """The image of the whole world, (3, height, width) uint8 RGB at 1 m.

        `styles` are some of the model's. `steps` is not used: the network takes one pass.
        """
        stride, margin = self.index["stride"], self.margin
        inputs = inputs.with_street_plan(self.index, world, seed)
        request = ImageRequest(style_vector(styles, self.index.get("styles", [])), inputs.names)
        op = WindowOp(
            Lattice(stride, stride),
            self.call(type(self).generate, world, seed, request),
            unchanged,
            scale=CELL_PX,
            side=SIDE,
            batch=BATCH,
            margin=margin,
            batch_multiple=device.batch_multiple,
        )
        return LazyRaster(KIND, op, inputs.inputs(CELL_PX))

    def generate(self, world: str, seed: int, request: ImageRequest, windows: list[Box], *patches: Patch) -> np.ndarray:
        """The RGB pixels of a batch of windows, (n, 3, window * 4, window * 4) uint8."""
        boxes = [window.grown(self.margin) for window in windows]
        coarse = np.stack([coarse_noise(seed, world, box.coarsened(COARSE)) for box in boxes])
        fine = np.stack([fine_noise(seed, world, self.network.config.parcels, box) for box in boxes])
        conditions = request.conditions([box.scaled(CELL_PX) for box in boxes], patches, self.trained_codes)
        inside = slice(self.margin * CELL_PX, -self.margin * CELL_PX or None)
        return self.pixels(coarse, fine, conditions)[..., inside, inside]

    def pixels(self, coarse: np.ndarray, fine: np.ndarray, conditions: ImageConditions) -> np.ndarray:
        """(n, 3, 4h, 4w) uint8 RGB of noise (n, 16, h / 4, w / 4) and (n, 12 + parcels, h, w) under conditions."""
        with torch.inference_mode():
            inputs = (
                tensor.to(self.device, self.dtype, memory_format=torch.channels_last)
                for tensor in (
                    torch.from_numpy(coarse),
                    torch.from_numpy(fine),
                    conditions.planes(self._style_table, self.conditions),
                )
            )
            return rgb.to_bytes(conditions.keep_known(self.network(*inputs).float().cpu()).numpy())


def save(folder: Path, figures: dict[str, Any], **more: Any) -> None:
    """Write the index, with `more` entries, into the folder of a trained network: it is then a model."""
    geometry = {"window": WINDOW, "stride": STRIDE, "steps": 1}
    model_folder.write_index(folder, KIND, pixel_m=PIXEL_M, **geometry, **more, figures=figures)
