"""The condition of the image networks: one-hot land cover, and a constant plane for each style."""

from __future__ import annotations

from collections.abc import Sequence

import torch

STYLE_DROPOUT = 0.3
"""The probability in training that a style of an image is dropped, so that each style works without the others."""
ALL_STYLES_DROPOUT = 0.3
"""The probability in training that all styles of an image are dropped: no style is the most common request."""


def condition_planes(
    one_hot: torch.Tensor, styles: torch.Tensor, style_classes: torch.Tensor | None = None
) -> torch.Tensor:
    """The condition (n, 11 + s, h, w) from one-hot land cover (n, 11, h, w) and style vectors (n, s).

    `style_classes` (s, 11) is 1 where a style was learned on a class: its plane is then 0 on all other classes.
    """
    planes = styles.to(one_hot)[:, :, None, None].expand(-1, -1, *one_hot.shape[2:])
    if style_classes is not None:
        planes = planes * torch.einsum("nchw,sc->nshw", one_hot.to(style_classes), style_classes).to(planes)
    return torch.cat([one_hot, planes], dim=1)


def condition_planes_with_dropout(one_hot: torch.Tensor, styles: torch.Tensor) -> torch.Tensor:
    """The condition of a training batch, with styles dropped at random; shapes as in `condition_planes`."""
    kept = (torch.rand_like(styles) > STYLE_DROPOUT) & (torch.rand_like(styles[:, :1]) > ALL_STYLES_DROPOUT)
    return condition_planes(one_hot, styles * kept)


def style_vector(styles: Sequence[str], known: Sequence[str]) -> tuple[float, ...]:
    """One value for each style that a model knows: 1 where it is among `styles`, else 0."""
    return tuple(float(name in styles) for name in known)
