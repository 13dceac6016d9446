"""What the distillations of the latent generators share: the steps of a distilled denoiser, trained one at a time.

A step starts from the latents of the steps before it, as in inference (Yin et al. 2024). Starting from noised real
latents would not train it to correct the errors of the earlier steps.
"""

from __future__ import annotations

import torch

from backend.models import diffusion

LAST_STEP_WEIGHT = 3.0  # how often the last step is trained, which gives the result, for once of each other step


class DistilledSteps:
    """The few steps of a distilled denoiser, without guidance."""

    def __init__(self, steps: int) -> None:
        self.steps, self._schedule = steps, diffusion.schedule()
        self._sampler = diffusion.sampler(order=1)
        self._sampler.set_timesteps(steps)
        self._weights = torch.tensor([*(1.0,) * (steps - 1), LAST_STEP_WEIGHT])

    def random_step(self) -> int:
        """The number of the step to train."""
        return int(torch.multinomial(self._weights, 1))

    def predict(self, denoise: diffusion.Denoise, noise: torch.Tensor, step: int) -> torch.Tensor:
        """The clean latents (n, c, h, w) that a step predicts; the steps before it, from noise, have no gradient."""
        with torch.no_grad():
            noisy = diffusion.run_steps(denoise, self._sampler, self.steps, noise, range(step))
        times = self._sampler.timesteps[step].to(noisy.device).expand(len(noisy))
        return diffusion.predict_clean(self._schedule, noisy, times, denoise(noisy, times).float())

    def run(self, denoise: diffusion.Denoise, noise: torch.Tensor) -> torch.Tensor:
        """The latents (n, c, h, w) after all steps from noise."""
        return diffusion.run_steps(denoise, self._sampler, self.steps, noise, range(self.steps))
