"""What the latent diffusion models share: autoencoder scaling, the denoising objective, the sampler's phases.

Denoising follows v-prediction (Salimans and Ho 2022) on a cosine schedule and DPM-Solver++ (Lu et al. 2022).
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
"""Noisy latents (n, c, h, w) and timesteps (n,) to the predicted v, same shape."""


def schedule() -> DDPMScheduler:
    """The noise schedule of training."""
    return DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")


def sampler(order: int = 2) -> DPMSolverMultistepScheduler:
    """The sampler of that schedule; of order 1 it is DDIM (Song et al. 2021), which needs no step before."""
    return DPMSolverMultistepScheduler.from_config(schedule().config, timestep_spacing="trailing", solver_order=order)


def scaled(autoencoder: Any, latents: torch.Tensor, back: bool = False) -> torch.Tensor:
    """Latents (n, c, h, w) to mean 0 and deviation 1 a channel, or back, by the autoencoder's own statistics."""
    mean, std = (
        torch.tensor(values, dtype=latents.dtype, device=latents.device)[:, None, None]
        for values in (autoencoder.config.latents_mean, autoencoder.config.latents_std)
    )
    return latents * std + mean if back else (latents - mean) / std


def v_loss(denoise: Denoise, scheduler: DDPMScheduler, latents: torch.Tensor) -> torch.Tensor:
    """Mean squared error of v at random times, a scalar; `latents` (n, c, h, w) are clean and scaled."""
    times = torch.randint(0, scheduler.config.num_train_timesteps, (len(latents),), device=latents.device)
    added = torch.randn_like(latents)
    noisy = scheduler.add_noise(latents, added, times)
    target = scheduler.get_velocity(latents, added, times)
    return functional.mse_loss(denoise(noisy, times).float(), target)


def clean(scheduler: Any, noisy: torch.Tensor, times: torch.Tensor, predicted: torch.Tensor) -> torch.Tensor:
    """What noisy latents (n, c, h, w) at timesteps (n,) would become in one step of a predicted v of that shape."""
    alpha = scheduler.alphas_cumprod.to(noisy.device)[times.long()].to(noisy.dtype)[:, None, None, None]
    return alpha.sqrt() * noisy - (1 - alpha).sqrt() * predicted


def guided(
    predict: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
    shown: torch.Tensor,
    hidden: torch.Tensor,
    scale: float,
) -> Denoise:
    """The denoising function pushed `scale` times from what a hidden condition gives towards what a shown one gives.

    `predict` takes noisy latents, times and conditions; both guesses of a window are made in one pass (Ho and
    Salimans 2022). With a scale of 1 nothing is pushed and the hidden condition is not asked.
    """
    condition = shown if scale == 1 else torch.cat([shown, hidden])

    def denoise(noisy: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        repeats = len(condition) // len(noisy)
        found = predict(noisy.repeat(repeats, 1, 1, 1), times.repeat(repeats), condition).float()
        if repeats == 1:
            return found
        given, free = found.chunk(2)
        return free + scale * (given - free)

    return denoise


def run_steps(
    denoise: Denoise, sampler: DPMSolverMultistepScheduler, steps: int, latents: torch.Tensor, part: range
) -> torch.Tensor:
    """Take one phase's part of so many steps; latents (n, c, h, w) float32."""
    solver = copy.deepcopy(sampler)  # a solver remembers its last steps: each window starts with none
    solver.set_timesteps(steps)
    solver.set_begin_index(part.start)
    for time in solver.timesteps[part.start : part.stop]:
        predicted = denoise(latents, time.expand(len(latents)).to(latents.device)).float()
        latents = solver.step(predicted, time, latents, return_dict=False)[0]
    return latents


def parts(steps: int, phases: int) -> list[range]:
    """The steps of each phase, the first phases shorter; fewer phases where there are few steps.

    The first steps decide what is where: windows that are blended early agree on it.
    """
    bounds = np.unique((steps * np.linspace(0, 1, phases + 1) ** 2).round().astype(int))
    return [range(start, stop) for start, stop in zip(bounds, bounds[1:])]
