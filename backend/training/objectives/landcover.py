"""The training objectives of the land cover generator's stages."""

from __future__ import annotations

import copy

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DModel
from torch import nn
from torch.nn import functional

from backend.geo import legend
from backend.models import diffusion, landcover, latent_generator
from backend.training.distillation import DistilledSteps
from backend.training.generator import Batch, Objective

KL_WEIGHT = 1e-4  # of the KL divergence, the mean over all latents
TEACHER_STEPS = 6  # that a step of the distilled denoiser replaces
OWN_STATES_SHARE = 0.5  # of the distillation's batches


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

    def _denoise(
        self, shares: torch.Tensor, styles: torch.Tensor, denoiser: UNet2DModel | None = None
    ) -> diffusion.Denoise:
        network = denoiser or self.denoiser
        return lambda noisy, times: landcover.predict_v(network, noisy, times, shares, styles)


class Distillation(Denoising):
    """Progressive distillation to a few steps: each replaces several steps of the teacher (Salimans and Ho 2022).

    Half of the batches start a step from noised training latents, and half from the student's own steps before it, so
    that it learns to correct their errors.
    """

    learning_rate = 4e-4

    def __init__(self, denoiser: UNet2DModel, autoencoder: AutoencoderKL) -> None:
        super().__init__(denoiser, autoencoder)
        self.teacher = copy.deepcopy(denoiser).requires_grad_(False)  # saved, as the result replaces its weights
        self.distilled = DistilledSteps(landcover.STEPS)

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """Normalised `latents` (n, c, h, w), `shares` (n, 11) and `styles` (n, s) to the loss of the clean latents."""
        latents, condition = batch["latents"], (batch["shares"], batch["styles"])
        student, teacher = self._denoise(*condition), self._denoise(*condition, self.teacher)
        step, noise = self.distilled.random_step(), torch.randn_like(latents)
        own = bool(torch.rand(()) < OWN_STATES_SHARE)
        noisy = self.distilled.start(student, noise, step) if own else self.distilled.noised(latents, noise, step)
        target = self.distilled.teacher_clean(teacher, noisy, step, TEACHER_STEPS)
        predicted = self.distilled.clean(student, noisy, step)
        return self.distilled.weight(step) * functional.mse_loss(predicted, target), {}

    def _sample(self, denoise: diffusion.Denoise, like: torch.Tensor) -> torch.Tensor:
        return latent_generator.decode(self.autoencoder[0], self.distilled.run(denoise, torch.randn_like(like)))


def _pictures(logits: torch.Tensor) -> np.ndarray:
    return legend.pictures(logits.float().cpu().numpy())
