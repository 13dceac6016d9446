"""Conversion between 8-bit RGB and the image networks' value range, -1..1."""

from __future__ import annotations

import numpy as np
import torch


def to_unit(pixels: np.ndarray) -> np.ndarray:
    """uint8 RGB of any shape to float32 in -1..1."""
    return pixels.astype(np.float32) / 127.5 - 1


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Float RGB in -1..1 of any shape to uint8; values outside the range are clipped."""
    return np.clip(np.rint((values + 1) * 127.5), 0, 255).astype(np.uint8)


def pictures(images: torch.Tensor) -> np.ndarray:
    """(n, 3, h, w) RGB in -1..1 on any device to (n, h, w, 3) uint8."""
    return to_bytes(images.float().cpu().numpy()).transpose(0, 2, 3, 1)
