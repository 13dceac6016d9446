"""How much images repeat themselves: the highest autocorrelation of their texture at a distance.

Patches of corduroy or plaid pass for real with a discriminator of patches. Stripes and grids have high peaks.
"""

from __future__ import annotations

import torch
from torch.nn import functional

HIGH_PASS_PX, LOW_PASS_PX = 8.0, 1.0  # standard deviations of the filters: texture without tone and without noise
NEAREST_PX, FARTHEST_PX = 6, 48  # the distances at which repetition counts
TOP_LAGS = 8  # whose mean is the peak: all of them get a gradient


def autocorrelation_peaks(images: torch.Tensor) -> torch.Tensor:
    """(n,) the highest normalised autocorrelation of the luminance of (n, 3, h, w) images, 0 to about 1."""
    grey = images.float().mean(1, keepdim=True)
    texture = _blurred(grey - _blurred(grey, HIGH_PASS_PX), LOW_PASS_PX)
    texture = texture - texture.mean((2, 3), keepdim=True)
    rows, cols = (torch.hann_window(side, periodic=False, device=images.device) for side in texture.shape[2:])
    window = rows[:, None] * cols
    correlation = _autocorrelation(texture * window) / _autocorrelation(window[None, None]).clamp(min=0.05)
    lags = [torch.fft.fftfreq(side, 1 / side, device=images.device) for side in texture.shape[2:]]
    distance = torch.hypot(lags[0][:, None], lags[1][None, :])
    ring = (distance >= NEAREST_PX) & (distance <= FARTHEST_PX)
    return correlation[:, 0, ring].topk(TOP_LAGS).values.mean(1)


def _autocorrelation(values: torch.Tensor) -> torch.Tensor:
    """(..., h, w) circular autocorrelation, 1 at lag 0."""
    correlation = torch.fft.ifft2(torch.fft.fft2(values).abs().square()).real
    return correlation / correlation[..., :1, :1].clamp(min=1e-9)


def _blurred(values: torch.Tensor, sigma: float) -> torch.Tensor:
    """(n, 1, h, w) after a Gaussian filter."""
    radius = min(int(3 * sigma), min(values.shape[2:]) - 1)
    steps = torch.arange(-radius, radius + 1, device=values.device, dtype=values.dtype)
    kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
    kernel = kernel / kernel.sum()
    padded = functional.pad(values, (radius,) * 4, mode="reflect")
    return functional.conv2d(functional.conv2d(padded, kernel[None, None, None]), kernel[None, None, :, None])
