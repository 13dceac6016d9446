"""Aerial images at 1 m in one pass: spatially adaptive normalisation (Park et al. 2019), trained as a GAN.

Written from the paper. Noise and land cover are the only inputs, and the batch statistics are frozen once
trained, so a pixel depends on its neighbourhood alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import nn
from torch.nn import functional

from backend import checkpoint, classes, device, noise, rgb
from backend.field import Field, Input, Patch, Source, Windows, as_they_are
from backend.lattice import Box, Lattice
from backend.model import Model
from backend.training import perceptual
from backend.training.judge import Judge
from backend.training.loop import Batch, Objective

KIND = "spade"
PIXEL_M = 1.0
CELL_PX = 8
CHANNELS = 16  # of the coarse noise, one value a cell
FINE_CHANNELS = 1  # of the fine noise, one value a pixel
WINDOW, STRIDE = 42, 32  # cells; what surrounds the stride is a margin, as wide as a pixel sees
FEATURE_WEIGHT, PERCEPTUAL_WEIGHT = 5.0, 3.0
SIDE, BATCH = 4, 2


class SpatialNorm(nn.Module):
    """Normalise by batch statistics, then scale and shift by what the condition says at each place."""

    def __init__(self, channels: int, condition: int, hidden: int = 24) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
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


class Block(nn.Module):
    """A residual block of two normalised convolutions."""

    def __init__(self, channels: int, out: int, condition: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([SpatialNorm(channels, condition), SpatialNorm(out, condition)])
        self.convs = nn.ModuleList([nn.Conv2d(channels, out, 3, padding=1), nn.Conv2d(out, out, 3, padding=1)])
        self.skip = nn.Conv2d(channels, out, 1) if channels != out else nn.Identity()

    def forward(self, features: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) to (n, out, h, w)."""
        inner = features
        for norm, conv in zip(self.norms, self.convs):
            inner = conv(functional.leaky_relu(norm(inner, condition), 0.2))
        return self.skip(features) + inner


class Painter(ModelMixin, ConfigMixin):
    """Coarse noise, fine noise and one-hot land cover to RGB; four scales from 8 m to 1 m."""

    @register_to_config
    def __init__(self, widths: tuple[int, ...] = (96, 96, 64, 40, 24)) -> None:
        super().__init__()
        condition = classes.COUNT + FINE_CHANNELS
        self.head = nn.Conv2d(CHANNELS, widths[0], 3, padding=1)
        self.blocks = nn.ModuleList(Block(a, b, condition) for a, b in zip(widths, widths[1:]))
        self.last = nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, coarse: torch.Tensor, fine: torch.Tensor, one_hot: torch.Tensor) -> torch.Tensor:
        """(n, 16, h, w), (n, 1, 8h, 8w) and (n, 11, 8h, 8w) to (n, 3, 8h, 8w) RGB in -1..1."""
        features = self.head(coarse)
        for number, block in enumerate(self.blocks):
            factor = CELL_PX >> number
            # noise is thinned out rather than averaged, which would take its strength at the coarse scales
            condition = torch.cat([functional.avg_pool2d(one_hot, factor), fine[..., ::factor, ::factor]], dim=1)
            features = block(features, condition)
            if factor > 1:
                features = functional.interpolate(features, scale_factor=2.0, mode="nearest")
        return torch.tanh(self.last(functional.leaky_relu(features, 0.2)))


class Painting(Objective):
    """Hinge loss for painter and judge, feature matching, and perceptual distance where it can be had."""

    turns = ("painter", "judge")
    learning_rate = 4e-4
    columns = ("land cover", "real", "painted on it")

    def __init__(self, painter: Painter) -> None:
        super().__init__()
        self.painter, self.judge = painter, Judge(3 + classes.COUNT)
        self.distance = [perceptual.distance()]  # in a list: it is no part of what is trained and saved

    def trained(self, turn: str) -> nn.Module:
        """The painter or its judge."""
        return self.painter if turn == "painter" else self.judge

    def paint(self, one_hot: torch.Tensor) -> torch.Tensor:
        """(n, 11, h, w) one-hot land cover and fresh noise to an image."""
        count, _, height, width = one_hot.shape
        coarse = one_hot.new_empty(count, CHANNELS, height // CELL_PX, width // CELL_PX).normal_()
        return self.painter(coarse, one_hot.new_empty(count, FINE_CHANNELS, height, width).normal_(), one_hot)

    def forward(self, batch: Batch, turn: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`image` (n, 3, h, w) in -1..1 and `one_hot` (n, 11, h, w) to the loss of the turn."""
        image, one_hot = batch["image"], batch["one_hot"]
        if turn == "judge":
            with torch.no_grad():
                painted = self.paint(one_hot)
            return self.judge.loss(torch.cat([painted, one_hot], 1), torch.cat([image, one_hot], 1)), {}
        painted = self.paint(one_hot)
        fooled, matched = self.judge.opinion(torch.cat([painted, one_hot], 1), torch.cat([image, one_hot], 1))
        loss, figures = fooled + FEATURE_WEIGHT * matched, {"features": matched.item()}
        if self.distance[0] is not None:  # of every other image: it costs more than all the rest
            felt = self.distance[0].to(image.device)(painted[::2], image[::2]).mean()
            loss, figures["perceptual"] = loss + PERCEPTUAL_WEIGHT * felt, felt.item()
        return loss, figures

    def shown(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        painted = self.paint(batch["one_hot"])
        return [classes.pictures(batch["one_hot"].cpu().numpy()), rgb.pictures(batch["image"]), rgb.pictures(painted)]

    def calibrate(self, batches: Iterator[Batch]) -> None:
        """Measure the batch statistics anew for the averaged weights; afterwards they are frozen."""
        norms = [module for module in self.painter.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over all batches
        self.painter.train()
        for batch in batches:
            with torch.no_grad(), device.autocast(batch["one_hot"].device):
                self.paint(batch["one_hot"])
        self.painter.eval()


class ImageGenerator(Model):
    """A trained SPADE painter, ready to paint any region of the world's 1 m grid."""

    kind, pixel_m = KIND, PIXEL_M

    def __init__(self, name: str = KIND) -> None:
        super().__init__(name)
        painter = checkpoint.components(self.folder, self.dtype, painter=Painter)["painter"]
        self.painter = painter.to(self.device, memory_format=torch.channels_last).eval()

    @property
    def margin(self) -> int:
        """The cells around a window that it sees."""
        return (self.index["window"] - self.index["stride"]) // 2

    def field(
        self,
        world: str,
        seed: int,
        steps: int,
        landcover: Field | Source,
        coarse: int = 1,
        styles: Sequence[str] = (),
    ) -> Field:
        """The image of the whole world, (3, height, width) uint8 RGB at 1 m; a pixel of land cover is `coarse` m wide.

        It takes one pass, whatever the steps, and knows no styles.
        """
        stride, margin = self.index["stride"], self.margin
        compute = self.call("paint", world, seed)
        work = Windows(Lattice(stride, stride), compute, as_they_are, 0, CELL_PX, SIDE, BATCH, margin)
        return Field(KIND, work, (Input(landcover, CELL_PX, coarse),))

    def paint(self, world: str, seed: int, windows: list[Box], landcover: Patch) -> np.ndarray:
        """The pixels of a batch of windows, (n, 3, window * 8, window * 8) uint8."""
        boxes = [window.grown(self.margin) for window in windows]
        inputs = (
            np.stack([noise.normal(seed, f"{world} coarse", CHANNELS, box) for box in boxes]),
            np.stack([noise.normal(seed, f"{world} fine", FINE_CHANNELS, box.scaled(CELL_PX)) for box in boxes]),
            np.stack([classes.painted(landcover.read(box.scaled(CELL_PX)), self.seen) for box in boxes]),
        )
        inside = slice(self.margin * CELL_PX, -self.margin * CELL_PX or None)
        with torch.inference_mode():
            tensors = (
                torch.from_numpy(array).to(self.device, self.dtype, memory_format=torch.channels_last)
                for array in inputs
            )
            return rgb.to_bytes(self.painter(*tensors)[..., inside, inside].float().cpu().numpy())


def save(folder: Path, figures: dict[str, Any], **more: Any) -> None:
    """Write what makes a folder of a trained painter a model: the index, with `more` entries."""
    checkpoint.write_index(folder, KIND, pixel_m=PIXEL_M, window=WINDOW, stride=STRIDE, **more, figures=figures)
