"""The training objectives of the ControlNet image generator's stages."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import nn
from torch.nn import functional

from backend.geo import legend
from backend.models import diffusion, latent_generator, rgb
from backend.models.conditioning import condition_planes, condition_planes_with_dropout
from backend.models.controlnet import GUIDANCE_SCALE, STEPS, low_frequency_noise, predict_v
from backend.models.patch_autoencoder import PatchAutoencoder
from backend.tiling import noise
from backend.training import projected_discriminator
from backend.training.generator import Batch, Objective

CONDITION_DROPOUT = 0.1  # the probability that an example is trained without its condition, for guidance
STEP_WEIGHTS = (*(1.0,) * (STEPS - 1), 3.0)  # how often each distilled step is trained: the last one gives the image


def psnr(reconstructed: torch.Tensor, image: torch.Tensor) -> float:
    """Peak signal-to-noise ratio in dB of reconstructed images (n, 3, h, w) in -1..1."""
    return float(10 * torch.log10(4 / functional.mse_loss(reconstructed.detach().float(), image)))


class Denoising(Objective):
    """The v-prediction loss of latents for denoiser and ControlNet together, with condition dropout.

    The autoencoder encodes the images and decodes the preview; it is not trained.
    """

    learning_rate = 6e-4
    columns = ("land cover", "real", "generated on it")

    def __init__(
        self, denoiser: UNet2DConditionModel, controlnet: ControlNetModel, autoencoder: PatchAutoencoder
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleDict({"denoiser": denoiser, "controlnet": controlnet})
        self.scheduler = diffusion.schedule()
        self.autoencoder = [autoencoder]  # in a list, so that it is neither trained nor saved

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """Both networks."""
        return self.networks

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`pixels` (n, 3, h, w) in -1..1, `one_hot` (n, 11, h, w), `styles` (n, s) to the loss of the predicted v."""
        latents = latent_generator.encode(self.autoencoder[0], batch["pixels"])
        condition = condition_planes_with_dropout(batch["one_hot"], batch["styles"])
        condition = condition * (torch.rand(len(latents), 1, 1, 1, device=latents.device) > CONDITION_DROPOUT)

        def denoise(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
            return predict_v(self.networks["denoiser"], self.networks["controlnet"], noisy, times, condition)

        return diffusion.v_loss(denoise, self.scheduler, latents), {}

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        autoencoder, one_hot = self.autoencoder[0], batch["one_hot"]
        latents = latent_generator.encode(autoencoder, batch["pixels"])
        predict = partial(predict_v, self.networks["denoiser"], self.networks["controlnet"])
        condition = condition_planes(one_hot, batch["styles"])
        denoise = diffusion.guided(predict, condition, torch.zeros_like(condition), GUIDANCE_SCALE)
        reconstructed = latent_generator.decode(autoencoder, latents)
        generated = latent_generator.sample(autoencoder, denoise, latents)
        return [legend.pictures(one_hot.cpu().numpy()), rgb.pictures(reconstructed), rgb.pictures(generated)]


class Distillation(Objective):
    """Adversarial distillation of a denoiser to a few steps: the image of each step is scored (Sauer et al. 2023).

    A step starts from the latents of the steps before it, as in inference (Yin et al. 2024). Starting from noised real
    images would not train it to correct the errors of the earlier steps.
    """

    optimizer_keys = ("generator", "discriminator")
    learning_rate = 2e-4
    columns = ("land cover", "real", "generated on it")

    def __init__(
        self,
        denoiser: UNet2DConditionModel,
        controlnet: ControlNetModel,
        autoencoder: PatchAutoencoder,
        styles: int,
        encoder_weights: str = "",
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleDict({"denoiser": denoiser, "controlnet": controlnet})
        self.discriminator = projected_discriminator.ProjectedDiscriminator(legend.COUNT + styles, encoder_weights)
        self.scheduler, self.sampler = diffusion.schedule(), diffusion.sampler(order=1)
        self.sampler.set_timesteps(STEPS)
        self.autoencoder = [autoencoder]  # in a list, so that it is neither trained nor saved
        self._dc_share = autoencoder.dc_share()

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """Denoiser and ControlNet together, or the discriminator."""
        return self.discriminator if optimizer_key == "discriminator" else self.networks

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`pixels` (n, 3, h, w) in -1..1, `one_hot` (n, 11, h, w), `styles` (n, s) to the loss of that optimizer.

        Real images also pass through the autoencoder, so its artefacts give the discriminator no cue.
        """
        if optimizer_key == "discriminator":
            return self.discriminator.loss(), {}
        real_condition = condition_planes_with_dropout(batch["one_hot"], batch["styles"])
        shuffled = projected_discriminator.shuffle_styles(real_condition)
        condition = projected_discriminator.repeat_conditions(shuffled)
        denoise = partial(self._predict_v, condition)
        step = int(torch.multinomial(torch.tensor(STEP_WEIGHTS), 1))
        real_latents = latent_generator.encode(self.autoencoder[0], batch["pixels"])
        with torch.no_grad():
            noisy = diffusion.run_steps(denoise, self.sampler, STEPS, self.noise(real_latents), range(step))
        times = self.sampler.timesteps[step].to(noisy.device).expand(len(noisy))
        latents = diffusion.predict_clean(self.scheduler, noisy, times, denoise(noisy, times).float())
        generated = latent_generator.decode(self.autoencoder[0], latents)
        real = latent_generator.decode(self.autoencoder[0], real_latents)
        return self.discriminator.generator_loss(generated, condition, real, real_condition), {}

    def noise(self, like: torch.Tensor) -> torch.Tensor:
        """Random initial noise in the shape of latents (n, 8, h, w), white plus low-frequency as in inference."""
        places = noise.random_boxes(torch.randint(2**31, (len(like), 3)).tolist(), *like.shape[-2:])
        smooth = np.stack([low_frequency_noise(seed, "training", self._dc_share, box) for seed, box in places])
        return torch.randn_like(like) + torch.from_numpy(smooth).to(like)

    def _predict_v(self, condition: torch.Tensor, noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        return predict_v(self.networks["denoiser"], self.networks["controlnet"], noisy, times, condition)

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        denoise = partial(self._predict_v, condition_planes(batch["one_hot"], batch["styles"]))
        real = latent_generator.encode(self.autoencoder[0], batch["pixels"])
        generated = diffusion.run_steps(denoise, self.sampler, STEPS, self.noise(real), range(STEPS))
        images = (rgb.pictures(latent_generator.decode(self.autoencoder[0], latents)) for latents in (real, generated))
        return [legend.pictures(batch["one_hot"].cpu().numpy()), *images]
