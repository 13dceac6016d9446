"""What the stages of the ControlNet image generator minimise."""

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
from backend.models.controlnet import GUIDANCE_SCALE, STEPS, controlled, low_frequency_noise
from backend.models.patch_autoencoder import PatchAutoencoder
from backend.tiling import noise
from backend.training import projected_discriminator
from backend.training.generator import Batch, Objective

HIDDEN_SHARE = 0.1

LEARNED = (1.0, 1.0, 3.0)  # how often each of a few steps is trained: what the last one makes is what is kept


def psnr(again: torch.Tensor, image: torch.Tensor) -> float:
    """Peak signal-to-noise ratio in dB of an image (n, 3, h, w) in -1..1 that came back."""
    return float(10 * torch.log10(4 / functional.mse_loss(again.detach().float(), image)))


class Denoising(Objective):
    """v-prediction on latents, denoiser and ControlNet together; the conditions are hidden now and then.

    The autoencoder is not trained: it makes the latents and shows them.
    """

    learning_rate = 6e-4
    columns = ("land cover", "real", "generated on it")

    def __init__(
        self, denoiser: UNet2DConditionModel, controlnet: ControlNetModel, autoencoder: PatchAutoencoder
    ) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({"denoiser": denoiser, "controlnet": controlnet})
        self.scheduler = diffusion.schedule()
        self.autoencoder = [autoencoder]  # in a list: it is no part of what is trained and saved

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """Both networks."""
        return self.parts

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`pixels` (n, 3, h, w) in -1..1, `one_hot` (n, 11, h, w), `styles` (n, s) to the loss of the predicted v."""
        latents = latent_generator.encoded(self.autoencoder[0], batch["pixels"])
        known = condition_planes_with_dropout(batch["one_hot"], batch["styles"])
        shown = known * (torch.rand(len(latents), 1, 1, 1, device=latents.device) > HIDDEN_SHARE)

        def denoise(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
            return controlled(self.parts["denoiser"], self.parts["controlnet"], noisy, times, shown)

        return diffusion.v_loss(denoise, self.scheduler, latents), {}

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        autoencoder, one_hot = self.autoencoder[0], batch["one_hot"]
        latents = latent_generator.encoded(autoencoder, batch["pixels"])
        predict = partial(controlled, self.parts["denoiser"], self.parts["controlnet"])
        known = condition_planes(one_hot, batch["styles"])
        denoise = diffusion.guided(predict, known, torch.zeros_like(known), GUIDANCE_SCALE)
        real = latent_generator.decoded(autoencoder, latents)
        made = latent_generator.drawn(autoencoder, denoise, latents)
        return [legend.pictures(one_hot.cpu().numpy()), rgb.pictures(real), rgb.pictures(made)]


class Distillation(Objective):
    """A few steps that do the work of many: each ends in what a judge takes for real (Sauer et al. 2023).

    A step begins where those before it end, as it does in painting (Yin et al. 2024): one that had begun in real
    images with noise would know nothing of what it has to mend.
    """

    optimizer_keys = ("generator", "judge")
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
        self.parts = nn.ModuleDict({"denoiser": denoiser, "controlnet": controlnet})
        self.judge = projected_discriminator.ProjectedDiscriminator(legend.COUNT + styles, encoder_weights)
        self.scheduler, self.sampler = diffusion.schedule(), diffusion.sampler(order=1)
        self.sampler.set_timesteps(STEPS)
        self.autoencoder = [autoencoder]  # in a list: it is no part of what is trained and saved
        self._evenness = autoencoder.evenness()

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """Denoiser and ControlNet together, or their judge."""
        return self.judge if optimizer_key == "judge" else self.parts

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """`pixels` (n, 3, h, w) in -1..1, `one_hot` (n, 11, h, w), `styles` (n, s) to the loss of that optimizer.

        The judge is shown real images through the code too: what it cannot hold, the generator cannot learn.
        """
        if optimizer_key == "judge":
            return self.judge.loss(), {}
        told = condition_planes_with_dropout(batch["one_hot"], batch["styles"])
        asked = projected_discriminator.repeat_conditions(projected_discriminator.shuffle_styles(told))
        denoise = partial(self._denoise, asked)
        step = int(torch.multinomial(torch.tensor(LEARNED), 1))
        true = latent_generator.encoded(self.autoencoder[0], batch["pixels"])
        with torch.no_grad():
            latents = diffusion.run_steps(denoise, self.sampler, STEPS, self.noise(true), range(step))
        now = self.sampler.timesteps[step].to(told.device).expand(len(latents))
        made = diffusion.clean(self.scheduler, latents, now, denoise(latents, now).float())
        pixels, real = (latent_generator.decoded(self.autoencoder[0], each) for each in (made, true))
        return self.judge.opinion(pixels, asked, real, told), {}

    def noise(self, like: torch.Tensor) -> torch.Tensor:
        """Noise with tones, as the generator draws it, in the shape (n, 8, h, w) of latents."""
        places = noise.random_boxes(torch.randint(2**31, (len(like), 3)).tolist(), *like.shape[-2:])
        tones = np.stack([low_frequency_noise(seed, "training", self._evenness, box) for seed, box in places])
        return torch.randn_like(like) + torch.from_numpy(tones).to(like)

    def _denoise(self, told: torch.Tensor, noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        return controlled(self.parts["denoiser"], self.parts["controlnet"], noisy, times, told)

    def preview(self, batch: Batch) -> list[np.ndarray]:  # noqa: D102
        denoise = partial(self._denoise, condition_planes(batch["one_hot"], batch["styles"]))
        true = latent_generator.encoded(self.autoencoder[0], batch["pixels"])
        made = diffusion.run_steps(denoise, self.sampler, STEPS, self.noise(true), range(STEPS))
        pixels = (rgb.pictures(latent_generator.decoded(self.autoencoder[0], each)) for each in (true, made))
        return [legend.pictures(batch["one_hot"].cpu().numpy()), *pixels]
