"""Latent diffusion: normalisation of latents, the denoising loss, guidance, and the steps of the sampler.

v-prediction (Salimans and Ho 2022) on a cosine noise schedule, sampled with DPM-Solver++ (Lu et al. 2022).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler, DPMSolverMultistepScheduler
from torch.nn import functional

Denoise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Predicts v (n, c, h, w) from noisy latents (n, c, h, w) and timesteps (n,)."""


def schedule() -> DDPMScheduler:
    """The noise schedule of training: 1000 timesteps, cosine, v-prediction."""
    return DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")


def sampler(order: int = 2) -> DPMSolverMultistepScheduler:
    """A DPM-Solver++ sampler of the schedule; with order 1 it is DDIM (Song et al. 2021), a single-step solver."""
    return DPMSolverMultistepScheduler.from_config(schedule().config, timestep_spacing="trailing", solver_order=order)


def _latent_statistics(autoencoder: Any, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation (c, 1, 1) of the autoencoder's latents, with the dtype and device of `latents`."""
    mean, std = (
        torch.tensor(values, dtype=latents.dtype, device=latents.device)[:, None, None]
        for values in (autoencoder.config.latents_mean, autoencoder.config.latents_std)
    )
    return mean, std


def normalize(autoencoder: Any, latents: torch.Tensor) -> torch.Tensor:
    """The autoencoder's latents (n, c, h, w), normalised to mean 0 and standard deviation 1 in each channel."""
    mean, std = _latent_statistics(autoencoder, latents)
    return (latents - mean) / std


def denormalize(autoencoder: Any, latents: torch.Tensor) -> torch.Tensor:
    """Normalised latents (n, c, h, w) as the autoencoder decodes them; the inverse of `normalize`."""
    mean, std = _latent_statistics(autoencoder, latents)
    return latents * std + mean


def v_loss(denoise: Denoise, scheduler: DDPMScheduler, latents: torch.Tensor) -> torch.Tensor:
    """Mean squared error of the predicted v at random timesteps, a scalar; `latents` (n, c, h, w) are normalised."""
    times = torch.randint(0, scheduler.config.num_train_timesteps, (len(latents),), device=latents.device)
    noise = torch.randn_like(latents)
    noisy = scheduler.add_noise(latents, noise, times)
    target = scheduler.get_velocity(latents, noise, times)
    return functional.mse_loss(denoise(noisy, times).float(), target)


def predict_clean(scheduler: Any, noisy: torch.Tensor, times: torch.Tensor, predicted: torch.Tensor) -> torch.Tensor:
    """The clean latents implied by a predicted v; `noisy` and `predicted` are (n, c, h, w), timesteps (n,)."""
    alpha = scheduler.alphas_cumprod.to(noisy.device)[times.long()].to(noisy.dtype)[:, None, None, None]
    return alpha.sqrt() * noisy - (1 - alpha).sqrt() * predicted


def guided(
    predict: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
    condition: torch.Tensor,
    null_condition: torch.Tensor,
    scale: float,
) -> Denoise:
    """The denoising function with classifier-free guidance (Ho and Salimans 2022).

    `predict` takes noisy latents, timesteps and conditions. The conditional and the unconditional prediction are
    computed in one pass; a scale of 1 is the conditional prediction alone.
    """
    conditions = condition if scale == 1 else torch.cat([condition, null_condition])

    def denoise(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        repeats = len(conditions) // len(noisy)
        predicted = predict(noisy.repeat(repeats, 1, 1, 1), times.repeat(repeats), conditions).float()
        if repeats == 1:
            return predicted
        conditional, unconditional = predicted.chunk(2)
        return unconditional + scale * (conditional - unconditional)

    return denoise


def run_steps(
    denoise: Denoise, sampler: DPMSolverMultistepScheduler, steps: int, latents: torch.Tensor, phase: range
) -> torch.Tensor:
    """Latents (n, c, h, w) float32 after the steps of one phase, out of `steps` in all."""
    solver = copy.deepcopy(sampler)  # a multistep solver keeps earlier predictions; a phase starts without any
    solver.set_timesteps(steps)
    solver.set_begin_index(phase.start)
    for time in solver.timesteps[phase.start : phase.stop]:
        predicted = denoise(latents, time.expand(len(latents)).to(latents.device)).float()
        latents = solver.step(predicted, time, latents, return_dict=False)[0]
    return latents


def phase_steps(steps: int, phases: int) -> list[range]:
    """The steps of each phase; early phases are shorter, and there are at most as many phases as steps.

    Windows are blended after each phase. The first steps decide the layout, so overlapping windows are blended early.
    """
    bounds = np.unique((steps * np.linspace(0, 1, phases + 1) ** 2).round().astype(int))
    return [range(start, stop) for start, stop in zip(bounds, bounds[1:])]
