"""The judge of an adversarial training: it tells real images from made ones, patch by patch, with hinge losses."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm


class Judge(nn.Module):
    """A patch discriminator (Isola et al. 2017) of images of so many channels, conditions among them."""

    def __init__(
        self, channels: int, strides: tuple[int, ...] = (2, 2, 2, 1), widths: tuple[int, ...] = (32, 64, 128, 128)
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4 if stride > 1 else 3, stride=stride, padding=1))
            for a, b, stride in zip((channels, *widths), widths, strides)
        )
        # Without norms the scores of a spectrally normalised stack stay near 0 and teach nothing, nor with norms of all
        # channels together. With these the judge does not see colours: something else must mind them.
        self.norms = nn.ModuleList(
            nn.InstanceNorm2d(width) if number else nn.Identity() for number, width in enumerate(widths)
        )
        self.last = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """(n, channels, h, w) to the features of each layer; the last are the scores."""
        found = [images]
        for layer, norm in zip(self.layers, self.norms):
            found.append(functional.leaky_relu(norm(layer(found[-1])), 0.2))
        return [*found[1:], self.last(found[-1])]

    def loss(self, made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """The judge's own loss, a scalar: low where it tells the two apart."""
        fake, true = (self(images)[-1].float() for images in (made, real))
        return functional.relu(1 + fake).mean() + functional.relu(1 - true).mean()

    def opinion(self, made: torch.Tensor, real: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the maker is taught, two scalars: how little it fools the judge, and how far the features lie apart."""
        fake = self(made)
        with torch.no_grad():
            true = self(real)
        apart = [functional.l1_loss(a.float(), b.float()) for a, b in zip(fake[:-1], true[:-1])]
        return -fake[-1].float().mean(), torch.stack(apart).mean()
