"""Aerial images at 1 m by latent diffusion with a ControlNet on land cover (Zhang et al. 2023).

Trained to denoise in many steps, then distilled to a few against a judge. Styles (a climate, a vintage), as far as
training data names them, are constant planes beside the land cover.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import nn

from backend.geo import legend
from backend.models import diffusion, latent_generator, rgb
from backend.models.conditioning import condition_planes, style_vector
from backend.models.patch_autoencoder import PatchAutoencoder
from backend.tiling import noise
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import Input, LazyRaster, Patch, RasterSource

KIND = "controlnet"
PIXEL_M = 1.0
CELL_PX = 4
CHANNELS = 8
WINDOW = 32  # latent cells, 128 m
PHASES = 6  # with fewer, each window gives a meadow a tone of its own
TONE, TONE_CELLS = 0.08, 48  # how strong a place's tone is in the noise, and over how many cells it changes, 192 m
STEPS = 3  # that a distilled model takes at most
GUIDANCE_SCALE = 2.0  # how far the image is pushed towards its land cover (Ho and Salimans 2022); 1 is not at all


def new_autoencoder() -> PatchAutoencoder:
    """An autoencoder without a code yet: (n, 3, h, w) RGB in -1..1 to (n, 8, h/4, w/4) latents and back."""
    return PatchAutoencoder(3, CHANNELS, CELL_PX)


def new_denoiser() -> UNet2DConditionModel:
    """An untrained denoiser of (n, 8, 32, 32) noisy latents; land cover reaches it through the ControlNet alone."""
    return UNet2DConditionModel(
        sample_size=WINDOW,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        mid_block_type="UNetMidBlock2D",
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        block_out_channels=(64, 64, 96),  # CPUs multiply whole blocks of 32 channels
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=16,
        cross_attention_dim=8,
    )


def new_controlnet(denoiser: UNet2DConditionModel, styles: int) -> ControlNetModel:
    """A ControlNet of (n, 11 + styles, h * 4, w * 4) conditions, its encoder copied from the denoiser's."""
    return ControlNetModel.from_unet(
        denoiser, conditioning_channels=legend.COUNT + styles, conditioning_embedding_out_channels=(16, 32, 48)
    )


def low_frequency_noise(seed: int, world: str, evenness: np.ndarray, box: Box) -> np.ndarray:
    """(channels, height, width) float32: a tone of each place for noise, which a few steps would not find in it.

    The tone of a window is the mean of its noise, which says nothing once the first of a few steps is taken: all
    fields get the mean tone of fields (Lin et al. 2024 on a schedule's ends). An offset that windows share stays.
    """
    smooth = noise.smooth(seed, f"{world} tone", len(evenness), box, TONE_CELLS)
    return TONE * evenness[:, None, None] * smooth


def controlled(
    denoiser: nn.Module, controlnet: nn.Module, noisy: torch.Tensor, times: torch.Tensor, told: torch.Tensor
) -> torch.Tensor:
    """The denoiser's v with the ControlNet's residuals of its conditions; neither attends to a text."""
    down, mid = controlnet(noisy, times, None, controlnet_cond=told, return_dict=False)
    return denoiser(noisy, times, None, down_block_additional_residuals=down, mid_block_additional_residual=mid).sample


def _style_classes(index: dict[str, Any]) -> torch.Tensor:
    """(styles, 11) float32: 1 where training tiles of a style have a class; all 1 without such an entry in the index.

    A style learned in towns alone turns a wide meadow into scrub: a style's plane is 0 on classes that its tiles lack.
    """
    styles, style_classes = index.get("styles", []), index.get("style_classes", {})
    codes = legend.CODES.tolist()
    rows = [[float(code in style_classes.get(style, codes)) for code in codes] for style in styles]
    return torch.tensor(rows).reshape(len(styles), legend.COUNT)


@dataclass(frozen=True)
class StyleConditioning:
    """The styles of a rendering as the network's style planes take them: a number for each style of the model."""

    styles: tuple[float, ...]


class ImageGenerator(latent_generator.LatentGenerator[StyleConditioning]):
    """A trained ControlNet stack, ready to paint any region of the world's 1 m grid."""

    kind, pixel_m, coder = KIND, PIXEL_M, PatchAutoencoder
    components: ClassVar = {"denoiser": UNet2DConditionModel, "controlnet": ControlNetModel}

    def __init__(self, name: str = KIND) -> None:
        super().__init__(name)
        # The embedding of land cover is the same at every step: it is taken out and computed once a window.
        self._embedding = self.networks["controlnet"].controlnet_cond_embedding
        self.networks["controlnet"].controlnet_cond_embedding = nn.Identity()
        self._evenness = self.autoencoder.evenness()
        self._style_classes = _style_classes(self.index)

    def noise(self, world: str, seed: int, box: Box) -> np.ndarray:
        """White noise with the tone of each place."""
        return super().noise(world, seed, box) + low_frequency_noise(seed, world, self._evenness, box)

    def denoiser(self, windows: list[Box], conditioning: StyleConditioning, *patches: Patch) -> diffusion.Denoise:  # noqa: D102
        (landcover,) = patches
        found = [legend.encode_condition(landcover.read(window.scaled(CELL_PX)), self.seen) for window in windows]
        styles = torch.tensor(conditioning.styles).expand(len(windows), -1)
        told = condition_planes(torch.from_numpy(np.stack(found)), styles, self._style_classes)
        shown = self._embedding(self.placed(told))
        hidden = self._embedding(self.placed(torch.zeros_like(told[:1]))).expand_as(shown)
        parts = self.networks["denoiser"], self.networks["controlnet"]

        def predict(noisy: torch.Tensor, times: torch.Tensor, embedded: torch.Tensor) -> torch.Tensor:
            return controlled(*parts, self.placed(noisy), times, embedded.contiguous(memory_format=torch.channels_last))

        return diffusion.guided(predict, shown, hidden, self.index["guidance_scale"])

    def field(
        self,
        world: str,
        seed: int,
        steps: int,
        landcover: LazyRaster | RasterSource,
        coarse: int = 1,
        styles: Sequence[str] = (),
    ) -> LazyRaster:
        """The image of the whole world, (3, height, width) uint8 RGB at 1 m.

        `landcover` has class indices in pixels `coarse` m wide. `styles` are some of the model's.
        """
        conditioning = StyleConditioning(style_vector(styles, self.index.get("styles", [])))
        return self.rendered(world, seed, steps, (Input(landcover, CELL_PX, coarse),), conditioning, rgb.to_bytes)
