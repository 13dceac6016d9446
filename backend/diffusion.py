"""What the latent diffusion models share: autoencoder scaling, the denoising objective, world-locked rendering.

Denoising follows v-prediction (Salimans and Ho 2022) on a cosine schedule and DPM-Solver++ (Lu et al. 2022).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from diffusers import AutoencoderKL, DDPMScheduler, DPMSolverMultistepScheduler
from torch.nn import functional

from backend import noise
from backend.lattice import Box, Compute, Lattice
from backend.protocol import Reporter

Denoise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Noisy latents (n, c, h, w) and timesteps (n,) to the predicted v, same shape."""


def schedule() -> DDPMScheduler:
    """The noise schedule of training."""
    return DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")


def scaled(autoencoder: AutoencoderKL, latents: torch.Tensor, back: bool = False) -> torch.Tensor:
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


def run_steps(
    denoise: Denoise, scheduler: DPMSolverMultistepScheduler, latents: torch.Tensor, part: range
) -> torch.Tensor:
    """Take the steps of one phase, out of all that `scheduler` has set; latents (n, c, h, w) float32."""
    solver = copy.deepcopy(scheduler)  # a solver remembers its last steps: each window starts with none
    solver.set_begin_index(part.start)
    for time in solver.timesteps[part.start : part.stop]:
        predicted = denoise(latents, time.expand(len(latents)).to(latents.device)).float()
        latents = solver.step(predicted, time, latents, return_dict=False)[0]
    return latents


@dataclass(frozen=True)
class WorldPlan:
    """How a latent model renders any region: its lattice in latent cells, and the steps of each phase."""

    lattice: Lattice
    steps: int
    phases: int
    channels: int
    cell_px: int

    def parts(self) -> list[range]:
        """The steps of each phase, the first phases shorter; fewer phases where there are few steps.

        The first steps decide what is where: windows that are blended early agree on it.
        """
        bounds = np.unique((self.steps * np.linspace(0, 1, self.phases + 1) ** 2).round().astype(int))
        return [range(start, stop) for start, stop in zip(bounds, bounds[1:])]

    def regions(self, cells: Box) -> list[Box]:
        """What each phase must give, then what decoding must: each covers the windows of the next."""
        wanted = [cells]
        for phase in range(len(self.parts()), 0, -1):
            wanted.insert(0, self.lattice.support(wanted[0], phase))
        return wanted

    def reach(self, region_px: Box) -> Box:
        """The world pixels of all windows that a rendering of the region computes."""
        return self.lattice.support(self.regions(region_px.coarsened(self.cell_px))[0], 0).scaled(self.cell_px)

    def count(self, region_px: Box) -> int:
        """How many windows will be computed, decoding included."""
        cells = region_px.coarsened(self.cell_px)
        return sum(self.lattice.count(wanted, phase) for phase, wanted in enumerate(self.regions(cells)))


def render(
    plan: WorldPlan,
    region_px: Box,
    seed: int,
    world: str,
    phase_of: Callable[..., torch.Tensor],
    decode: Callable[[torch.Tensor, list[Box]], torch.Tensor],
    batch: int,
    report: Reporter,
) -> Iterator[tuple[Box, np.ndarray]]:
    """Render a region of the world: yields (box, (channels, height, width) float32) bands in world pixels.

    `phase_of(latents, boxes, part)` takes one phase's steps on a batch of windows, `decode(latents, boxes)` gives
    their pixels; boxes are in latent cells. The bands cover the region and up to a cell more.
    """
    cells = region_px.coarsened(plan.cell_px)
    regions, parts = plan.regions(cells), plan.parts()
    count = report.counter(plan.count(region_px))

    def over(latents: np.ndarray, held: Box, work: Callable[[torch.Tensor, list[Box]], torch.Tensor]) -> Compute:
        """The computation of a batch of windows from the latents held over a box."""

        def compute(boxes: list[Box]) -> np.ndarray:
            group = torch.from_numpy(np.stack([latents[(slice(None), *box.within(held))] for box in boxes]))
            with torch.inference_mode():
                result = work(group, boxes).float().cpu().numpy()
            count(len(boxes))
            return result

        return compute

    held = plan.lattice.support(regions[0], 0)
    latents = noise.normal(seed, world, plan.channels, held)
    for phase, part in enumerate(parts):
        compute = over(latents, held, partial(phase_of, part=part))
        latents, held = plan.lattice.blend(regions[phase], compute, phase, batch), regions[phase]
    yield from plan.lattice.stream(cells, over(latents, held, decode), plan.cell_px, len(parts), batch)
