"""The highest autocorrelation of texture: high for stripes and grids, low for noise, whatever the tone."""

import math

import pytest
import torch

from backend.training.repetition import autocorrelation_peaks


def images():
    """(4, 3, 128, 128): white noise, stripes, a grid, and a smooth ramp with noise."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(128, 128, generator=generator) * 0.3
    cols = torch.arange(128.0).expand(128, 128)
    stripes = torch.sin(2 * math.pi * (cols + cols.T) / 12)
    grid = torch.sin(2 * math.pi * cols / 16) * torch.sin(2 * math.pi * cols.T / 16)
    return torch.stack([noise, stripes + noise, grid + noise, cols / 64 + noise])[:, None].expand(-1, 3, -1, -1)


def test_stripes_and_grids_have_high_peaks():
    noise, stripes, grid, ramp = autocorrelation_peaks(images()).tolist()
    assert stripes > 0.7 and grid > 0.7
    assert noise < 0.3 and ramp == pytest.approx(noise, abs=0.05), "tone does not count"


def test_less_repetition_is_learned():
    image = images()[1:2].clone().requires_grad_(True)
    before = autocorrelation_peaks(image).sum()
    before.backward()
    with torch.no_grad():
        after = autocorrelation_peaks(image - 20 * image.grad / image.grad.abs().max()).sum()
    assert after < before - 0.05
