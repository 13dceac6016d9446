"""What the distillations of the latent generators share: the steps of a distilled denoiser, trained one at a time.

A step that starts from the latents of the steps before it, as in inference (Yin et al. 2024), learns to correct their
errors.
"""

from __future__ import annotations

import torch

from backend.models import diffusion


class DistilledSteps:
    """The few steps of a distilled denoiser, without guidance.

    `last_weight` is how often the last step, which gives the result, is trained for once of each other step.
    """

    def __init__(self, steps: int, last_weight: float = 1.0) -> None:
        self.steps, self._schedule = steps, diffusion.schedule()
        self._sampler = diffusion.sampler(order=1)
        self._sampler.set_timesteps(steps)
        self._weights = torch.tensor([*(1.0,) * (steps - 1), last_weight])

    def random_step(self) -> int:
        """The number of the step to train."""
        return int(torch.multinomial(self._weights, 1))

    def start(self, denoise: diffusion.Denoise, noise: torch.Tensor, step: int) -> torch.Tensor:
        """The noisy latents (n, c, h, w) that a step starts from, after the steps before it; they have no gradient."""
        with torch.no_grad():
            return diffusion.run_steps(denoise, self._sampler, self.steps, noise, range(step))

    def noised(self, clean: torch.Tensor, noise: torch.Tensor, step: int) -> torch.Tensor:
        """Clean latents (n, c, h, w) with as much of the noise as a step starts from."""
        return self._schedule.add_noise(clean, noise, self._times(clean, step))

    def clean(self, denoise: diffusion.Denoise, noisy: torch.Tensor, step: int) -> torch.Tensor:
        """The clean latents (n, c, h, w) that a step predicts."""
        times = self._times(noisy, step)
        return diffusion.predict_clean(self._schedule, noisy, times, denoise(noisy, times).float())

    def predict(self, denoise: diffusion.Denoise, noise: torch.Tensor, step: int) -> torch.Tensor:
        """The clean latents (n, c, h, w) that a step predicts after the steps before it, from noise."""
        return self.clean(denoise, self.start(denoise, noise, step), step)

    def teacher_clean(
        self, denoise: diffusion.Denoise, noisy: torch.Tensor, step: int, teacher_steps: int
    ) -> torch.Tensor:
        """The clean latents that a step has to predict to end where `teacher_steps` steps of a teacher do."""
        total, sampler = self.steps * teacher_steps, diffusion.sampler()
        with torch.no_grad():
            phase = range(step * teacher_steps, (step + 1) * teacher_steps)
            end = diffusion.run_steps(denoise, sampler, total, noisy, phase)
        if step == self.steps - 1:
            return end
        (signal, noise), (end_signal, end_noise) = self._levels(step), self._levels(step + 1)
        return (end - end_noise / noise * noisy) / (end_signal - end_noise / noise * signal)

    def weight(self, step: int) -> float:
        """The weight of a step's squared error in the clean latents: the signal-to-noise ratio, at least 1."""
        signal, noise = self._levels(step)
        return max(1.0, (signal / noise) ** 2)

    def run(self, denoise: diffusion.Denoise, noise: torch.Tensor) -> torch.Tensor:
        """The latents (n, c, h, w) after all steps from noise."""
        return diffusion.run_steps(denoise, self._sampler, self.steps, noise, range(self.steps))

    def _times(self, latents: torch.Tensor, step: int) -> torch.Tensor:
        return self._sampler.timesteps[step].to(latents.device).expand(len(latents))

    def _levels(self, step: int) -> tuple[float, float]:
        """The factors of the clean latents and of the noise in the latents that a step starts from."""
        kept = float(self._schedule.alphas_cumprod[self._sampler.timesteps[step]])
        return kept**0.5, (1 - kept) ** 0.5
