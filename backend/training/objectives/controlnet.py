"""The training objectives of the ControlNet image generator's stages."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import nn
from torch.nn import functional

from backend.models import diffusion, latent_generator
from backend.models.conditioning import CONDITIONS, ImageConditions
from backend.models.controlnet import GUIDANCE_SCALE, LOW_FREQUENCY_CELLS, LOW_FREQUENCY_STRENGTH, STEPS, predict_v
from backend.models.patch_autoencoder import PatchAutoencoder
from backend.training import random_noise
from backend.training.distillation import DistilledSteps
from backend.training.generator import Batch, Objective
from backend.training.objectives.image_adversary import (
    PREVIEW_COLUMNS,
    ImageAdversary,
    preview,
    random_conditions,
    random_known,
)

CONDITION_DROPOUT = 0.1  # the probability that an example is trained without its condition, for guidance
LAST_STEP_WEIGHT = 3.0  # of the last step, which gives the result, among the distilled steps that are trained


def psnr(reconstructed: torch.Tensor, image: torch.Tensor) -> float:
    """Peak signal-to-noise ratio in dB of reconstructed images (n, 3, h, w) in -1..1."""
    return float(10 * torch.log10(4 / functional.mse_loss(reconstructed.detach().float(), image)))


class Denoising(Objective):
    """The v-prediction loss of latents for denoiser and ControlNet together, with condition dropout.

    The autoencoder encodes the images and decodes the preview; it is not trained.
    """

    learning_rate = 6e-4
    columns = PREVIEW_COLUMNS
    style_table: torch.Tensor

    def __init__(
        self,
        denoiser: UNet2DConditionModel,
        controlnet: ControlNetModel,
        autoencoder: PatchAutoencoder,
        style_table: torch.Tensor,
    ) -> None:
        super().__init__()
        self.register_buffer("style_table", style_table, persistent=False)
        self.networks = nn.ModuleDict({"denoiser": denoiser, "controlnet": controlnet})
        self.scheduler = diffusion.schedule()
        self.autoencoder = [autoencoder]  # in a list, so that it is neither trained nor saved

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """Both networks."""
        return self.networks

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`pixels`, `one_hot`, `styles` and `lines` of `recipes.image.batches` to the loss of the predicted v.

        The loss is also that of known pixels: what lies there is predicted from the condition.
        """
        latents = latent_generator.encode(self.autoencoder[0], batch["pixels"])
        conditions = replace(random_conditions(batch), known=random_known(batch["pixels"]))
        condition = conditions.planes(self.style_table, CONDITIONS)
        condition = condition * (torch.rand(len(latents), 1, 1, 1, device=latents.device) > CONDITION_DROPOUT)

        def denoise(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
            return predict_v(self.networks["denoiser"], self.networks["controlnet"], noisy, times, condition)

        return diffusion.v_loss(denoise, self.scheduler, latents), {}

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        autoencoder = self.autoencoder[0]
        latents = latent_generator.encode(autoencoder, batch["pixels"])
        predict = partial(predict_v, self.networks["denoiser"], self.networks["controlnet"])

        def generate(conditions: ImageConditions) -> torch.Tensor:
            condition = conditions.planes(self.style_table, CONDITIONS)
            denoise = diffusion.guided(predict, condition, torch.zeros_like(condition), GUIDANCE_SCALE)
            return conditions.keep_known(latent_generator.sample(autoencoder, denoise, latents))

        return preview(batch, generate)


class Distillation(Objective):
    """Adversarial distillation of a denoiser to a few steps: the image of each step is scored (Sauer et al. 2023)."""

    optimizer_keys = ("generator", "discriminator")
    learning_rate = 2e-4
    columns = PREVIEW_COLUMNS

    def __init__(
        self,
        denoiser: UNet2DConditionModel,
        controlnet: ControlNetModel,
        autoencoder: PatchAutoencoder,
        style_table: torch.Tensor,
        encoder_weights: str = "",
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleDict({"denoiser": denoiser, "controlnet": controlnet})
        self.adversary = ImageAdversary(style_table, encoder_weights)
        self.distilled = DistilledSteps(STEPS, LAST_STEP_WEIGHT)
        self.autoencoder = [autoencoder]  # in a list, so that it is neither trained nor saved
        self._dc_share = autoencoder.dc_share()

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """Denoiser and ControlNet together, or the discriminator."""
        return self.adversary if optimizer_key == "discriminator" else self.networks

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`pixels`, `one_hot`, `styles` and `lines` of `recipes.image.batches` to the loss of that optimizer.

        Real images also pass through the autoencoder, so its artefacts give the discriminator no cue.
        """
        if optimizer_key == "discriminator":
            return self.adversary.discriminator.loss(), {}
        autoencoder, real_conditions = self.autoencoder[0], random_conditions(batch)
        real_latents = latent_generator.encode(autoencoder, batch["pixels"])
        real = latent_generator.decode(autoencoder, real_latents)
        conditions = self.adversary.generated_conditions(real_conditions, real)
        denoise = self._denoise(conditions)
        step = self.distilled.random_step()
        latents = self.distilled.predict(denoise, self.noise(real_latents), step)
        generated = conditions.keep_known(latent_generator.decode(autoencoder, latents))
        return self.adversary.generator_loss(generated, conditions, real, real_conditions)

    def noise(self, like: torch.Tensor) -> torch.Tensor:
        """Random initial noise in the shape of latents (n, 8, h, w), white plus low-frequency as in inference."""
        scale = LOW_FREQUENCY_STRENGTH * torch.from_numpy(self._dc_share).to(like)[:, None, None]
        count, channels, height, width = like.shape
        smooth = random_noise.smooth((count, channels, height, width), LOW_FREQUENCY_CELLS, like.device)
        return torch.randn_like(like) + scale * smooth

    def _denoise(self, conditions: ImageConditions) -> diffusion.Denoise:
        planes = conditions.planes(self.adversary.style_table, CONDITIONS)
        return lambda noisy, times: predict_v(
            self.networks["denoiser"], self.networks["controlnet"], noisy, times, planes
        )

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        noise = self.noise(latent_generator.encode(self.autoencoder[0], batch["pixels"]))

        def generate(conditions: ImageConditions) -> torch.Tensor:
            latents = self.distilled.run(self._denoise(conditions), noise)
            return conditions.keep_known(latent_generator.decode(self.autoencoder[0], latents))

        return preview(batch, generate)
