"""How the image networks see RGB: -1..1 for 0..255; and what they are told to paint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

HIDDEN_STYLES = 0.3  # in training, of the styles that are known, so that each works without the others
STYLELESS = 0.3  # in training, of the images: to be asked for none is the commonest of all


def to_unit(pixels: np.ndarray) -> np.ndarray:
    """uint8 RGB of any shape to float32 in -1..1."""
    return pixels.astype(np.float32) / 127.5 - 1


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Float RGB in -1..1 of any shape to uint8; what lies beyond is cut off."""
    return np.clip(np.rint((values + 1) * 127.5), 0, 255).astype(np.uint8)


def conditioning(one_hot: torch.Tensor, styles: torch.Tensor, grounds: torch.Tensor | None = None) -> torch.Tensor:
    """One-hot land cover (n, 11, h, w) and styles (n, s), 1 where given, as the planes that a network is told.

    With `grounds` (s, 11), 1 where a style is known on a class, styles are told on those classes alone.
    """
    planes = styles.to(one_hot)[:, :, None, None].expand(-1, -1, *one_hot.shape[2:])
    if grounds is not None:
        planes = planes * torch.einsum("nchw,sc->nshw", one_hot.to(grounds), grounds).to(planes)
    return torch.cat([one_hot, planes], dim=1)


def drop_conditioning(one_hot: torch.Tensor, styles: torch.Tensor) -> torch.Tensor:
    """The same in training, where some of the styles are hidden, and of some images all."""
    kept = (torch.rand_like(styles) > HIDDEN_STYLES) & (torch.rand_like(styles[:, :1]) > STYLELESS)
    return conditioning(one_hot, styles * kept)


def style_vector(styles: Sequence[str], known: Sequence[str]) -> tuple[float, ...]:
    """Of the styles that a model knows, 1 where one is asked for."""
    return tuple(float(each in styles) for each in known)


def pictures(images: torch.Tensor) -> np.ndarray:
    """(n, 3, h, w) RGB in -1..1 on any device to (n, h, w, 3) uint8."""
    return to_bytes(images.float().cpu().numpy()).transpose(0, 2, 3, 1)
