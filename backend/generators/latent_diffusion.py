"""Land cover maps at 10 m by latent diffusion (Rombach et al. 2022).

The autoencoder takes one-hot classes and is trained with cross-entropy; the denoiser may be told the class
shares of the window, as constant planes beside the latents (Ho and Salimans 2022 for the guidance).
"""

from __future__ import annotations

from typing import ClassVar

import torch
from diffusers import AutoencoderKL, UNet2DModel
from torch import nn
from torch.nn import functional

from backend import classes, diffusion, latent_model
from backend.field import Field, Patch
from backend.lattice import Box
from backend.training import Batch, Objective

KIND = "landcover"
PIXEL_M = 10.0
CELL_PX = 4
CHANNELS = 4
WINDOW = 32  # latent cells, 128 px, 1.28 km
PHASES = 4
KL_WEIGHT = 1e-5
SHARE_PLANES = classes.COUNT + 1  # the shares, and one that says whether they are given


def new_autoencoder() -> AutoencoderKL:
    """An untrained autoencoder: (n, 11, h, w) one-hot to (n, 4, h/4, w/4) latents and back to logits."""
    return latent_model.new_autoencoder(classes.COUNT, CHANNELS, (24, 32, 48), 8, WINDOW * CELL_PX)


def new_denoiser() -> UNet2DModel:
    """An untrained denoiser of (n, 4 + 12, 32, 32): noisy latents and share planes to v."""
    return UNet2DModel(
        sample_size=WINDOW,
        in_channels=CHANNELS + SHARE_PLANES,
        out_channels=CHANNELS,
        block_out_channels=(40, 64, 80),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
        attention_head_dim=16,
    )


class Autoencoding(Objective):
    """Cross-entropy of the reconstructed classes, and a trace of KL divergence."""

    learning_rate = 1e-3

    def __init__(self, autoencoder: AutoencoderKL) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def trained(self, turn: str) -> nn.Module:
        """The autoencoder."""
        return self.autoencoder

    def forward(self, batch: Batch, turn: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`classes` (n, h, w) uint8 and `one_hot` (n, 11, h, w) to the loss of their reconstruction."""
        target = batch["classes"].long()
        posterior = self.autoencoder.encode(batch["one_hot"]).latent_dist
        logits = self.autoencoder.decode(posterior.sample()).sample.float()
        target[target == classes.IGNORE] = -100
        entropy = functional.cross_entropy(logits, target)
        right = (logits.argmax(1) == target)[target >= 0].float().mean()
        return entropy + KL_WEIGHT * posterior.kl().mean(), {"accuracy": right.item()}


class Denoising(Objective):
    """v-prediction on cached latents; the shares are hidden in a third of the batch."""

    learning_rate = 6e-4

    def __init__(self, denoiser: UNet2DModel) -> None:
        super().__init__()
        self.denoiser, self.scheduler = denoiser, diffusion.schedule()

    def trained(self, turn: str) -> nn.Module:
        """The denoiser."""
        return self.denoiser

    def forward(self, batch: Batch, turn: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`latents` (n, 4, h, w) scaled and `shares` (n, 11) to the loss of the predicted v."""
        planes = share_planes(batch["shares"], batch["latents"].shape[-1])

        def denoise(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
            return self.denoiser(torch.cat([noisy, planes], dim=1), times).sample

        return diffusion.v_loss(denoise, self.scheduler, batch["latents"]), {}


def share_planes(shares: torch.Tensor, size: int) -> torch.Tensor:
    """(n, 11) class shares to (n, 12, size, size) planes; a row that sums to 0 means that none are asked for."""
    given = (shares.sum(1, keepdim=True) > 0).to(shares.dtype)
    return torch.cat([shares, given], dim=1)[:, :, None, None].expand(-1, -1, size, size)


class LandCoverGenerator(latent_model.LatentGenerator):
    """A trained land cover model, ready to render any region of the world's 10 m grid."""

    kind, pixel_m, cell_px, side = KIND, PIXEL_M, CELL_PX, 6
    components: ClassVar = {"denoiser": UNet2DModel}

    def denoiser(self, windows: list[Box], *conditions: Patch) -> diffusion.Denoise:  # noqa: D102
        planes = share_planes(torch.zeros(len(windows), classes.COUNT, device=self.device), WINDOW)

        def denoise(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
            return self.networks["denoiser"](self.placed(torch.cat([noisy, planes], dim=1)), times).sample

        return denoise

    def field(self, world: str, seed: int, steps: int) -> Field:
        """The land cover of the whole world: (height, width) uint8 class indices at 10 m."""
        return self.rendered(world, seed, steps, (), classes.likeliest)
