"""Latent diffusion: the steps of each phase, the solver, and the normalisation of latents."""

import pytest
import torch

from backend.models import diffusion


@pytest.mark.parametrize("phases", [1, 3, 4])
@pytest.mark.parametrize("steps", [1, 2, 5, 12, 50])
def test_phases_take_every_step_once(steps, phases):
    parts = diffusion.phase_steps(steps, phases)
    assert [step for part in parts for step in part] == list(range(steps))
    assert all(len(part) for part in parts) and len(parts) <= phases
    assert sorted(map(len, parts)) == list(map(len, parts)), "windows are blended early"


def test_a_window_takes_its_steps_as_if_it_were_alone():
    from diffusers import DPMSolverMultistepScheduler

    solver = DPMSolverMultistepScheduler.from_config(diffusion.schedule().config, timestep_spacing="trailing")
    latents = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))

    def denoise(noisy, times):
        return torch.tanh(noisy) * times.view(-1, 1, 1, 1) / 1000

    together = diffusion.run_steps(denoise, solver, 12, latents, range(3, 8))
    alone = [diffusion.run_steps(denoise, solver, 12, window[None], range(3, 8)) for window in latents]
    assert torch.equal(together, torch.cat(alone))
    assert torch.equal(together, diffusion.run_steps(denoise, solver, 12, latents, range(3, 8))), (
        "the solver keeps no state between calls"
    )


def test_the_solver_ends_on_a_constant_image():
    scheduler_config = diffusion.schedule().config
    from diffusers import DPMSolverMultistepScheduler

    solver = DPMSolverMultistepScheduler.from_config(scheduler_config, timestep_spacing="trailing")
    clean = torch.full((2, 1, 4, 4), 0.5)
    schedule = diffusion.schedule()

    def perfect(noisy, times):  # the v of a network that always predicts an image of 0.5
        alpha = schedule.alphas_cumprod[times].view(-1, 1, 1, 1)
        noise = (noisy - alpha.sqrt() * clean) / (1 - alpha).sqrt()
        return alpha.sqrt() * noise - (1 - alpha).sqrt() * clean

    latents = torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    for part in (range(0, 4), range(4, 8), range(8, 12)):
        latents = diffusion.run_steps(perfect, solver, 12, latents, part)
    assert torch.allclose(latents, clean, atol=1e-3)


def test_the_clean_latents_follow_from_a_perfect_prediction():
    schedule, image = diffusion.schedule(), torch.randn(2, 1, 4, 4)
    times, noise = torch.tensor([10, 900]), torch.randn(2, 1, 4, 4)
    noisy, velocity = schedule.add_noise(image, noise, times), schedule.get_velocity(image, noise, times)
    assert torch.allclose(diffusion.predict_clean(diffusion.sampler(), noisy, times, velocity), image, atol=1e-4)


def test_denormalising_inverts_normalising():
    class Config:
        latents_mean, latents_std = [1.0, -2.0], [0.5, 3.0]

    class Autoencoder:
        config = Config

    latents = torch.randn(3, 2, 4, 4)
    restored = diffusion.denormalize(Autoencoder, diffusion.normalize(Autoencoder, latents))
    assert torch.allclose(restored, latents, atol=1e-5)
    ones = torch.ones(1, 2, 1, 1)
    assert torch.allclose(diffusion.normalize(Autoencoder, ones).flatten(), torch.tensor([0.0, 1.0]))
