"""A perceptual distance for training: shift-tolerant LPIPS (Ghildyal and Liu 2022), where its package is installed.

Only trainings of image generators need it, so it is no requirement of the backend; without it they go on
with their other losses.
"""

from __future__ import annotations

from torch import nn


def distance() -> nn.Module | None:
    """A frozen module of two (n, 3, h, w) images in -1..1 giving (n, 1, 1, 1); None where its package is missing."""
    try:
        from stlpips_pytorch import stlpips
    except ImportError:
        return None
    module = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False)
    return module.eval().requires_grad_(False)
