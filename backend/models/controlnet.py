"""Aerial images at 1 m by latent diffusion with a ControlNet on land cover (Zhang et al. 2023).

Trained as a diffusion model of many steps, then distilled to STEPS steps with an adversarial loss. The ControlNet's
condition are the planes of `conditioning`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import nn

from backend.models import diffusion, latent_generator, rgb
from backend.models.conditioning import (
    CONDITIONS,
    copy_planes,
    keep_known,
    plane_count,
    style_table,
    style_vector,
)
from backend.models.image_inputs import ImageInputs, ImageRequest, known_planes
from backend.models.patch_autoencoder import PatchAutoencoder
from backend.tiling import noise
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import Input, LazyRaster, Patch

KIND = "controlnet"
PIXEL_M = 1.0
CELL_PX = 4
CHANNELS = 8
WINDOW = 32  # latent cells, 128 m
PHASES = 6  # with fewer, the tone of a meadow changes at window borders
LOW_FREQUENCY_STRENGTH, LOW_FREQUENCY_CELLS = 0.08, 48  # standard deviation, and the grid's spacing: 192 m
STEPS = 3  # the most denoising steps of a distilled model
GUIDANCE_SCALE = 2.0  # of classifier-free guidance (Ho and Salimans 2022); 1 is no guidance


def new_autoencoder() -> PatchAutoencoder:
    """An autoencoder before `fit`: (n, 3, h, w) RGB in -1..1 to (n, 8, h/4, w/4) latents and back."""
    return PatchAutoencoder(3, CHANNELS, CELL_PX)


def new_denoiser() -> UNet2DConditionModel:
    """An untrained denoiser of (n, 8, 32, 32) noisy latents; the ControlNet alone gets the land cover."""
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
    """A ControlNet for condition planes (n, planes, h * 4, w * 4); its encoder is a copy of the denoiser's."""
    return ControlNetModel.from_unet(
        denoiser,
        conditioning_channels=plane_count(styles, CONDITIONS),
        conditioning_embedding_out_channels=(24, 48, 64),
    )


@torch.no_grad()
def grown(controlnet: ControlNetModel, style_columns: Sequence[int | None]) -> ControlNetModel:
    """A ControlNet with all conditions that controls as one without them does, until it is trained further.

    `style_columns` has a number for each style of the new ControlNet: that of the old one's, None for a new style. The
    weights of new planes start at 0.
    """
    config = {**controlnet.config, "conditioning_channels": plane_count(len(style_columns), CONDITIONS)}
    new = ControlNetModel.from_config(config)
    state = controlnet.state_dict()
    for name, values in new.state_dict().items():
        if name == "controlnet_cond_embedding.conv_in.weight":
            copy_planes(values, state[name], style_columns)
        else:
            values.copy_(state[name])
    return new


def low_frequency_noise(seed: int, world: str, dc_share: np.ndarray, box: Box) -> np.ndarray:
    """(channels, height, width) float32: smooth noise that is added to the initial noise of a box of latent cells.

    A window's white noise hardly varies in its mean, so a model of few steps gives all fields of a class the same tone
    (Lin et al. 2024). Smooth noise gives each place a tone that overlapping windows share. It is scaled by `dc_share`
    (channels,), because only components that are constant over a patch carry tone.
    """
    smooth = noise.smooth(seed, f"{world} tone", len(dc_share), box, LOW_FREQUENCY_CELLS)
    return LOW_FREQUENCY_STRENGTH * dc_share[:, None, None] * smooth


def predict_v(
    denoiser: nn.Module, controlnet: nn.Module, noisy: torch.Tensor, times: torch.Tensor, condition: torch.Tensor
) -> torch.Tensor:
    """The v of noisy latents (n, 8, h, w) at timesteps (n,) on condition planes (n, planes, h * 4, w * 4).

    The denoiser gets the ControlNet's residuals. Neither network has a text to attend to.
    """
    down, mid = controlnet(noisy, times, None, controlnet_cond=condition, return_dict=False)
    return denoiser(noisy, times, None, down_block_additional_residuals=down, mid_block_additional_residual=mid).sample


class ImageGenerator(latent_generator.LatentGenerator[ImageRequest]):
    """A trained denoiser with its ControlNet, which renders images of any region of the world's 1 m grid."""

    kind, pixel_m, autoencoder_class = KIND, PIXEL_M, PatchAutoencoder
    components: ClassVar = {"denoiser": UNet2DConditionModel, "controlnet": ControlNetModel}

    def __init__(self, name: str = KIND) -> None:
        super().__init__(name)
        # The embedding of the condition is the same at every step: it is computed once for each window.
        self._embedding = self.networks["controlnet"].controlnet_cond_embedding
        self.networks["controlnet"].controlnet_cond_embedding = nn.Identity()
        self._dc_share = self.autoencoder.dc_share()
        self._style_table = style_table(self.index)

    def noise(self, world: str, seed: int, box: Box) -> np.ndarray:
        """The initial noise: white noise plus low-frequency noise."""
        return super().noise(world, seed, box) + low_frequency_noise(seed, world, self._dc_share, box)

    def denoiser(self, windows: list[Box], conditioning: ImageRequest, *patches: Patch) -> diffusion.Denoise:  # noqa: D102
        boxes = [window.scaled(CELL_PX) for window in windows]
        conditions = conditioning.conditions(boxes, patches, self.trained_codes)
        planes = conditions.planes(self._style_table, self.conditions)
        condition = self._embedding(self.to_device(planes))
        null_condition = self._embedding(self.to_device(torch.zeros_like(planes[:1]))).expand_as(condition)
        networks = self.networks["denoiser"], self.networks["controlnet"]

        def predict(noisy: torch.Tensor, times: torch.Tensor, embedded: torch.Tensor) -> torch.Tensor:
            embedded = embedded.contiguous(memory_format=torch.channels_last)
            return predict_v(*networks, self.to_device(noisy), times, embedded)

        return diffusion.guided(predict, condition, null_condition, self.index["guidance_scale"])

    def decode(self, windows: list[Box], denoised: Patch, *known: Patch) -> np.ndarray:
        """The pixels of a batch of windows, (n, 3, window * 4, window * 4) float32, with known pixels in place."""
        pixels = super().decode(windows, denoised)
        for patch in known:
            planes = known_planes(patch, [window.scaled(CELL_PX) for window in windows])
            pixels = keep_known(torch.from_numpy(pixels), planes).numpy()
        return pixels

    def lazy_raster(
        self, world: str, seed: int, steps: int, inputs: ImageInputs, styles: Sequence[str] = ()
    ) -> LazyRaster:
        """The image of the whole world, (3, height, width) uint8 RGB at 1 m; `styles` are some of the model's."""
        inputs = inputs.with_street_plan(self.index, world, seed)
        request = ImageRequest(style_vector(styles, self.index.get("styles", [])), inputs.names)
        known = () if inputs.known is None else (Input(inputs.known, CELL_PX),)
        return self.decoded_raster(world, seed, steps, inputs.inputs(CELL_PX), request, rgb.to_bytes, known)
