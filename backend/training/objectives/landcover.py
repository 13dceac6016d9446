"""The training objectives of the land cover generator's stages."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DModel
from torch import nn
from torch.nn import functional

from backend.geo import legend
from backend.models import diffusion, landcover, latent_generator
from backend.training import projected_discriminator
from backend.training.distillation import DistilledSteps
from backend.training.generator import Batch, Objective

KL_WEIGHT = 1e-4  # of the KL divergence, the mean over all latents
SHARE_WEIGHT = 5.0  # of the error in the class shares, in the distilled generator's loss


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
    """The v-prediction loss of cached latents; windows whose shares or styles are all 0 are unconditional in these.

    The autoencoder decodes the preview; it is not trained.
    """

    learning_rate = 6e-4
    columns = ("real", "generated with its class shares and style", "generated freely")

    def __init__(self, denoiser: UNet2DModel, autoencoder: AutoencoderKL) -> None:
        super().__init__()
        self.denoiser, self.scheduler = denoiser, diffusion.schedule()
        self.autoencoder = [autoencoder]  # in a list, so that it is neither trained nor saved

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """The denoiser."""
        return self.denoiser

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """Normalised `latents` (n, c, h, w), `shares` (n, 11) and `styles` (n, s) to the loss of the predicted v."""
        denoise = self._denoise(batch["shares"], batch["styles"])
        return diffusion.v_loss(denoise, self.scheduler, batch["latents"]), {}

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        autoencoder, latents = self.autoencoder[0], batch["latents"]
        real = latent_generator.decode(autoencoder, latents)
        shares = torch.softmax(real.float(), 1).mean((2, 3))
        conditions = (shares, batch["styles"]), (torch.zeros_like(shares), torch.zeros_like(batch["styles"]))
        samples = [self._sample(self._denoise(*condition), latents) for condition in conditions]
        return [_pictures(logits) for logits in (real, *samples)]

    def _sample(self, denoise: diffusion.Denoise, like: torch.Tensor) -> torch.Tensor:
        """Logits (n, 11, h, w) of maps generated from noise of the shape of `like`."""
        return latent_generator.sample(self.autoencoder[0], denoise, like)

    def _denoise(self, shares: torch.Tensor, styles: torch.Tensor) -> diffusion.Denoise:
        return lambda noisy, times: landcover.predict_v(self.denoiser, noisy, times, shares, styles)


class Distillation(Denoising):
    """Adversarial distillation of a denoiser to a few steps: the map of each step is scored (Sauer et al. 2023).

    The discriminator's images are maps in the legend's colours: real ones, which also pass through the autoencoder, and
    generated ones, in which a pixel has the colour of its likeliest class and the gradient of the mean colour of all.
    """

    optimizer_keys = ("generator", "discriminator")
    learning_rate = 2e-4

    def __init__(
        self, denoiser: UNet2DModel, autoencoder: AutoencoderKL, styles: int, encoder_weights: str = ""
    ) -> None:
        super().__init__(denoiser, autoencoder)
        condition_channels = landcover.SHARE_PLANES + styles
        self.discriminator = projected_discriminator.ProjectedDiscriminator(condition_channels, encoder_weights)
        self.distilled = DistilledSteps(landcover.STEPS)

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """The denoiser or the discriminator."""
        return self.discriminator if optimizer_key == "discriminator" else self.denoiser

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """Normalised `latents` (n, c, h, w), `shares` (n, 11) and `styles` (n, s) to the loss of that optimizer."""
        if optimizer_key == "discriminator":
            return self.discriminator.loss(), {}
        latents, size_px = batch["latents"], (landcover.WINDOW_PX, landcover.WINDOW_PX)
        real = _colours(latent_generator.decode(self.autoencoder[0], latents).float()).detach()
        real_condition = landcover.condition_planes(batch["shares"], batch["styles"], *size_px)
        shares, styles = (projected_discriminator.repeat_conditions(batch[key]) for key in ("shares", "styles"))
        denoise = self._denoise(shares, styles)
        step = self.distilled.random_step()
        clean = self.distilled.predict(denoise, torch.randn_like(latents), step)
        logits = latent_generator.decode(self.autoencoder[0], clean).float()
        share_error = _share_error(logits, shares)
        condition = landcover.condition_planes(shares, styles, *size_px)
        loss = self.discriminator.generator_loss(_colours(logits), condition, real, real_condition)
        return loss + SHARE_WEIGHT * share_error, {"share_error": share_error.item()}

    def _sample(self, denoise: diffusion.Denoise, like: torch.Tensor) -> torch.Tensor:
        return latent_generator.decode(self.autoencoder[0], self.distilled.run(denoise, torch.randn_like(like)))


def _share_error(logits: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """The mean difference between the class shares of logits (n, 11, h, w) and requested ones (n, 11), a scalar.

    The difference of two rows is the share of pixels that would have to change; rows without shares do not count.
    """
    difference = 0.5 * (torch.softmax(logits, 1).mean((2, 3)) - shares).abs().sum(1)
    requested = (shares.sum(1) > 0).to(difference)
    return (difference * requested).sum() / requested.sum().clamp(min=1)


def _colours(logits: torch.Tensor) -> torch.Tensor:
    """Logits (n, 11, h, w) to RGB (n, 3, h, w) in -1..1: the colours of the likeliest classes."""
    probabilities = torch.softmax(logits, 1)
    likeliest = functional.one_hot(probabilities.argmax(1), legend.COUNT).movedim(3, 1).to(probabilities)
    colours = torch.tensor([legend.rgb(int(code)) for code in legend.CODES], device=logits.device) / 127.5 - 1
    return torch.einsum("nchw,cr->nrhw", likeliest + probabilities - probabilities.detach(), colours.to(probabilities))


def _pictures(logits: torch.Tensor) -> np.ndarray:
    return legend.pictures(logits.float().cpu().numpy())
