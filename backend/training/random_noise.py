"""The noise of training batches, drawn on the training's device: `tiling.noise` of random seeds at random places.

`tiling.noise` computes whole blocks of the world's lattice on the CPU, which would take longer than a GPU's step.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional


def smooth(shape: Sequence[int], cells: int, device: torch.device) -> torch.Tensor:
    """Float32 noise of a shape (n, channels, height, width), as `noise.smooth`: a seed and place for each of n."""
    count, channels, height, width = shape
    rows, cols = (_interpolation(count, side, cells, device) for side in (height, width))
    knots = torch.randn(count, channels, rows.shape[2], cols.shape[2], device=device)
    with torch.autocast(device.type, enabled=False):
        return rows[:, None] @ knots @ cols[:, None].mT


def _interpolation(count: int, side: int, cells: int, device: torch.device) -> torch.Tensor:
    """(count, side, knots) the weights of the knots, of which each cell has two; the squares of a cell's sum to 1."""
    start = torch.randint(cells, (count, 1), device=device)
    halves = 2 * (start + torch.arange(side, device=device)) + 1 + cells
    part = halves % (2 * cells) / (2 * cells)
    part = (part * part * (3 - 2 * part))[..., None]
    knots = (3 * cells + 2 * side - 3) // (2 * cells) + 2
    first = functional.one_hot(halves // (2 * cells), knots).float()
    return (first * (1 - part) + first.roll(1, 2) * part) / torch.hypot(1 - part, part)


def parcels(shape: Sequence[int], cells: int, device: torch.device) -> torch.Tensor:
    """Float32 noise of a shape (n, channels, height, width), as `noise.parcels`: the last channel is 1 at borders."""
    count, channels, height, width = shape
    rows, cols = (
        (torch.randint(cells, (count, 1), device=device) + torch.arange(side, device=device) + 0.5) / cells
        for side in (height, width)
    )
    # one site in each square; the first square is that before the first cell's
    squares = [(cells + side - 2) // cells + 3 for side in (height, width)]
    sites = torch.randn(count, channels + 1, *squares, device=device)
    grid = torch.stack(torch.meshgrid(*(torch.arange(side, device=device) - 0.5 for side in squares), indexing="ij"))
    centres = (grid + 0.5 * torch.tanh(sites[:, :2])).flatten(2)
    around = torch.arange(3, device=device)
    site_rows = rows.long()[:, None, None, :, None] + around[:, None, None, None]
    site_cols = cols.long()[:, None, None, None, :] + around[None, :, None, None]
    candidates = (site_rows * squares[1] + site_cols).reshape(count, 9, height, width)
    places = torch.gather(centres, 2, candidates.flatten(1)[:, None].expand(-1, 2, -1))
    places = places.reshape(count, 2, 9, height, width)
    distances = torch.hypot(rows[:, None, :, None] - places[:, 0], cols[:, None, None, :] - places[:, 1])
    nearest, order = distances.topk(2, dim=1, largest=False)
    owner = torch.gather(candidates, 1, order[:, :1]).flatten(2).expand(-1, channels - 1, -1)
    numbers = torch.gather(sites[:, 2:].flatten(2), 2, owner).reshape(count, channels - 1, height, width)
    border = (1 - 10 * (nearest[:, 1:] - nearest[:, :1])).clamp(0, 1)
    return torch.cat([numbers, border], dim=1)
