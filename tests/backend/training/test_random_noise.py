"""The noise of training batches has the distribution of the noise of the world."""

import numpy as np
import torch

from backend.tiling import noise
from backend.tiling.lattice import Box
from backend.training import random_noise

CPU = torch.device("cpu")


def test_smooth_noise_varies_as_in_the_world():
    torch.manual_seed(0)
    drawn = random_noise.smooth((1500, 2, 8, 12), 6, CPU)
    world = np.stack([noise.smooth(seed, "w", 2, Box(7 * seed, 5 * seed, 8, 12), 6) for seed in range(300)])
    assert drawn.shape == (1500, 2, 8, 12) and abs(drawn.std() - 1) < 0.05 and abs(drawn.mean()) < 0.05
    for axis in (2, 3):
        assert abs(drawn.diff(dim=axis).std() / np.diff(world, axis=axis).std() - 1) < 0.05
    assert abs(torch.corrcoef(drawn[:, :, 0, 0].T)[0, 1]) < 0.1, "channels differ"


def test_parcels_are_as_large_as_in_the_world():
    torch.manual_seed(0)
    drawn = random_noise.parcels((200, 3, 24, 30), 12, CPU).numpy()
    world = np.stack([noise.parcels(seed, "w", 2, Box(7 * seed, 5 * seed, 24, 30), 12) for seed in range(200)])
    assert drawn.shape == world.shape and abs(drawn[:, :2].std() - 1) < 0.05
    assert abs(drawn[:, 2].mean() / world[:, 2].mean() - 1) < 0.05, "as much border"
    for axis in (1, 2):
        drawn_changes, world_changes = ((np.diff(x[:, 0], axis=axis) != 0).mean() for x in (drawn, world))
        assert abs(drawn_changes / world_changes - 1) < 0.05, "as many borders"
