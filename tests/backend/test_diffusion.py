"""World-locked rendering of latent models: phases, regions, and equality on shared ground."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import diffusion
from backend.lattice import Box, Lattice
from backend.protocol import silent

PLAN = diffusion.WorldPlan(Lattice(8, 6), steps=5, phases=3, channels=2, cell_px=4)


def render(region, seed=1, batch=3, place=None):
    """A small stand-in for a network: it mixes over the window and, where asked, knows the window's place."""

    def phase_of(latents, boxes, part):
        offset = torch.tensor([0.0 if place is None else place(box) for box in boxes])[:, None, None, None]
        return torch.tanh(latents + latents.mean((1, 2, 3), keepdim=True) + len(part) * 0.1 + offset)

    def decode(latents, boxes):
        return latents.sum(1, keepdim=True).repeat_interleave(4, 2).repeat_interleave(4, 3)

    bands = list(diffusion.render(PLAN, region, seed, "w", phase_of, decode, batch, silent()))
    data = np.concatenate([data for _, data in bands], axis=1)
    held = Box(bands[0][0].row, bands[0][0].col, data.shape[1], data.shape[2])
    return data[(slice(None), *region.within(held))]


@settings(max_examples=25, deadline=None)
@given(*[st.integers(-60, 60)] * 2, *[st.integers(1, 50)] * 2, st.integers(1, 7))
def test_shared_ground_is_equal_whatever_the_extent_and_batch(row, col, height, width, batch):
    part, whole = Box(row, col, height, width), Box(row - 9, col - 2, height + 13, width + 31)
    found, expected = render(part, batch=batch), render(whole)[(slice(None), *part.within(whole))]
    assert np.allclose(found, expected, atol=1e-5)


def test_four_quarters_are_the_whole():
    whole = Box(-16, -24, 40, 48)
    quarters = [[render(Box(row, col, 20, 24)) for col in (-24, 0)] for row in (-16, 4)]
    assert np.allclose(render(whole), np.block(quarters), atol=1e-5)


def test_a_pixel_depends_on_no_window_out_of_reach():
    region = Box(0, 0, 8, 8)
    reach = PLAN.reach(region).coarsened(PLAN.cell_px)

    def outside(box):
        shared = box.intersection(reach)
        return 0.0 if (shared.height, shared.width) == (box.height, box.width) else 5.0

    assert np.array_equal(render(region, place=outside), render(region))
    assert not np.allclose(render(region, place=lambda box: 5.0 * (box.row < 0)), render(region))


def test_seeds_differ():
    assert not np.allclose(render(Box(0, 0, 16, 16), 1), render(Box(0, 0, 16, 16), 2), atol=0.1)


@pytest.mark.parametrize(("steps", "phases"), [(1, 3), (2, 3), (12, 3), (50, 4)])
def test_phases_take_every_step_once(steps, phases):
    parts = diffusion.WorldPlan(Lattice(8, 6), steps, phases, 1, 4).parts()
    assert [step for part in parts for step in part] == list(range(steps))
    assert all(len(part) for part in parts)


def test_progress_counts_every_window():
    seen = []

    class Heard(type(silent())):
        def progress(self, fraction, message=""):
            seen.append((fraction, message))

    def phase_of(latents, boxes, part):
        return latents

    def decode(latents, boxes):
        return torch.zeros(len(latents), 1, 32, 32)

    list(diffusion.render(PLAN, Box(0, 0, 30, 30), 0, "w", phase_of, decode, 4, Heard(None)))
    assert seen[-1] == (1.0, f"window {PLAN.count(Box(0, 0, 30, 30))} of {PLAN.count(Box(0, 0, 30, 30))}")


def test_the_solver_ends_on_a_constant_image():
    scheduler_config = diffusion.schedule().config
    from diffusers import DPMSolverMultistepScheduler

    solver = DPMSolverMultistepScheduler.from_config(scheduler_config, timestep_spacing="trailing")
    solver.set_timesteps(12)
    clean = torch.full((2, 1, 4, 4), 0.5)
    schedule = diffusion.schedule()

    def perfect(noisy, times):  # the v of a network that knows that the image is 0.5 everywhere
        alpha = schedule.alphas_cumprod[times].view(-1, 1, 1, 1)
        noise = (noisy - alpha.sqrt() * clean) / (1 - alpha).sqrt()
        return alpha.sqrt() * noise - (1 - alpha).sqrt() * clean

    latents = torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    for part in (range(0, 4), range(4, 8), range(8, 12)):
        latents = diffusion.run_steps(perfect, solver, latents, part)
    assert torch.allclose(latents, clean, atol=1e-3)


def test_scaling_goes_there_and_back():
    class Config:
        latents_mean, latents_std = [1.0, -2.0], [0.5, 3.0]

    class Autoencoder:
        config = Config

    latents = torch.randn(3, 2, 4, 4)
    assert torch.allclose(
        diffusion.scaled(Autoencoder, diffusion.scaled(Autoencoder, latents), back=True), latents, atol=1e-5
    )
    assert torch.allclose(diffusion.scaled(Autoencoder, torch.ones(1, 2, 1, 1)).flatten(), torch.tensor([0.0, 1.0]))
