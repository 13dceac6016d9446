"""The training objectives of the land cover generator's stages."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DModel
from torch import nn
from torch.nn import functional

from backend.geo import legend
from backend.models import diffusion, landcover, latent_generator
from backend.training.generator import Batch, Objective

KL_WEIGHT = 1e-4  # of the KL divergence, the mean over all latents


class Autoencoding(Objective):
    """Cross-entropy of the reconstructed classes plus a small KL divergence."""

    learning_rate = 1e-3
    columns = ("real", "through the autoencoder")

    def __init__(self, autoencoder: AutoencoderKL) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """The autoencoder."""
        return self.autoencoder

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`classes` (n, h, w) uint8 and `one_hot` (n, 11, h, w) to the loss of their reconstruction."""
        target = batch["classes"].long()
        posterior = self.autoencoder.encode(batch["one_hot"]).latent_dist
        logits = self.autoencoder.decode(posterior.sample()).sample.float()
        target[target == legend.IGNORE] = -100
        entropy = functional.cross_entropy(logits, target)
        accuracy = (logits.argmax(1) == target)[target >= 0].float().mean()
        return entropy + KL_WEIGHT * posterior.kl().sum() / posterior.mean.numel(), {"accuracy": accuracy.item()}

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        reconstructed = self.autoencoder.decode(self.autoencoder.encode(batch["one_hot"]).latent_dist.mode()).sample
        return [_pictures(batch["one_hot"]), _pictures(reconstructed)]


class Decoding(Autoencoding):
    """The same loss for the decoder alone; the encoder stays, because the denoiser is trained on its latents."""

    learning_rate = 4e-4

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """The decoder."""
        return self.autoencoder.decoder


class Denoising(Objective):
    """The v-prediction loss of cached latents; windows whose shares are all 0 are unconditional.

    The autoencoder decodes the preview; it is not trained.
    """

    learning_rate = 6e-4
    columns = ("real", "generated with its class shares", "generated freely")

    def __init__(self, denoiser: UNet2DModel, autoencoder: AutoencoderKL) -> None:
        super().__init__()
        self.denoiser, self.scheduler = denoiser, diffusion.schedule()
        self.autoencoder = [autoencoder]  # in a list, so that it is neither trained nor saved

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """The denoiser."""
        return self.denoiser

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """Normalised `latents` (n, 4, h, w) and `shares` (n, 11) to the loss of the predicted v."""
        denoise = self._denoise(landcover.share_planes(batch["shares"], batch["latents"].shape[-1]))
        return diffusion.v_loss(denoise, self.scheduler, batch["latents"]), {}

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        autoencoder, size = self.autoencoder[0], batch["latents"].shape[-1]
        real = latent_generator.decode(autoencoder, batch["latents"])
        shares = torch.stack([(real.argmax(1) == index).float().mean((1, 2)) for index in range(legend.COUNT)], 1)
        samples = [
            latent_generator.sample(
                autoencoder, self._denoise(landcover.share_planes(condition, size)), batch["latents"]
            )
            for condition in (shares, torch.zeros_like(shares))
        ]
        return [_pictures(logits) for logits in (real, *samples)]

    def _denoise(self, planes: torch.Tensor) -> diffusion.Denoise:
        return lambda noisy, times: landcover.predict_v(self.denoiser, noisy, times, planes)


def _pictures(logits: torch.Tensor) -> np.ndarray:
    return legend.pictures(logits.float().cpu().numpy())
