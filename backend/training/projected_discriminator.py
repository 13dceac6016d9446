"""A judge that sees through a trained network's eyes (Sauer et al. 2021, written from the paper).

The features of a frozen encoder are mixed across channels and scales by random weights that stay as they are; small
heads tell real from made in each scale. What an encoder has learned of edges, textures and things need not be
learned anew by an adversary, which makes of an hour's training what else takes days.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from backend.geo import legend
from backend.models import architectures, base
from backend.models.segmentation import SegmentationModel

ENCODER = "tu-tf_efficientnet_lite0"  # its weights know RGB in -1..1
FINEST = 1  # of the encoder's stages: 2 px a cell, where a painter's grid of 4 px shows
WIDTHS = (24, 32, 48, 64, 64)  # of the mixed features, by scale from 2 to 32 px a cell
THINNED = 2  # scales, the finest, whose heads look at every other cell
KEPT = 0.875  # of each side, of which the judge sees a part
ZOOMS = (1, 2)  # it sees the whole of that part or, enlarged, the half: what is known of things was learned from close
VARIETY, APART = 3.0, 0.95  # what likeness of two pictures of one map costs; how far apart they are to be, of real ones
SAME = 0.05  # is added to how far apart they are: the cost of one picture made twice has an end
MINGLED = 0.5  # of the conditions under which is made, in the styles of others
LIGHT, SATURATION, CONTRAST = 0.1, 0.2, 0.2  # how far the judge's images are recoloured either way


def encoder(weights: str = "") -> nn.Module:
    """The frozen encoder: that of the bundled segmentation model, or one with ImageNet weights.

    `weights`: '', 'imagenet' (fetched) or the path of a .safetensors file. Raises BackendError where they cannot be
    had.
    """
    whole: Any
    if weights:
        whole = architectures.build("unet", ENCODER, weights)
    else:
        whole = base.load(SegmentationModel, "segmentation").segmenter.module
    return whole.encoder.eval().requires_grad_(False).to(memory_format=torch.channels_last)


class Mixing(nn.Module):
    """Random frozen weights that mix an encoder's features: each scale's channels, and each scale with the coarser."""

    def __init__(self, channels: list[int], widths: tuple[int, ...]) -> None:
        super().__init__()
        self.across = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in zip(channels, widths))
        self.upward = nn.ModuleList(nn.Conv2d(b, a, 3, padding=1, bias=False) for a, b in zip(widths, widths[1:]))
        for conv in (*self.across, *self.upward):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
        self.requires_grad_(False)

    def forward(self, features: list[torch.Tensor]) -> list[torch.Tensor]:
        """(n, c, h, w) of each scale, the finest first, to the mixed features of as many."""
        mixed = [conv(each) for conv, each in zip(self.across, features)]
        for scale in range(len(mixed) - 2, -1, -1):
            coarser = functional.interpolate(mixed[scale + 1], size=mixed[scale].shape[-2:], mode="bilinear")
            mixed[scale] = (mixed[scale] + self.upward[scale](coarser)) * 0.5**0.5
        return mixed


class Head(nn.Module):
    """Scores of each place of one scale: is it real, and is it what was asked for there (Miyato and Koyama 2018)?

    The batch norms look at real and made together: their colours are told apart too.
    """

    def __init__(self, channels: int, condition: int, stride: int, hidden: int = 64) -> None:
        super().__init__()
        self.outer = spectral_norm(nn.Conv2d(channels, hidden, 4 if stride > 1 else 3, stride=stride, padding=1))
        self.inner = spectral_norm(nn.Conv2d(hidden, hidden, 3, padding=1))
        self.norms = nn.ModuleList(nn.BatchNorm2d(hidden, track_running_stats=False) for _ in range(2))
        self.asked, self.last = nn.Conv2d(condition, hidden, 1), spectral_norm(nn.Conv2d(hidden, 1, 1))

    def forward(self, features: torch.Tensor, *conditions: torch.Tensor) -> list[torch.Tensor]:
        """(n, c, h, w), and conditions of (n, condition, H, W) each, to the scores (n, 1, h', w') under each."""
        found = features
        for conv, norm in zip((self.outer, self.inner), self.norms):
            found = functional.leaky_relu(norm(conv(found)), 0.2)
        plain, scale = self.last(found), found.shape[1] ** -0.5
        asked = (self.asked(_like(told, found)) for told in conditions)
        return [(plain + scale * (found * each).sum(1, keepdim=True)).float() for each in asked]


class ProjectedDiscriminator(nn.Module):
    """Hinge losses of pixels (n, 3, h, w) in -1..1, real ones and made ones under the same conditions.

    A step looks once: the judge learns from what it has just been shown.
    """

    def __init__(self, condition: int, weights: str = "") -> None:
        super().__init__()
        eyes: Any = encoder(weights)
        channels = list(eyes.out_channels)[FINEST:]
        widths = WIDTHS[: len(channels)]
        self.mixing = Mixing(channels, widths)
        self.heads = nn.ModuleList(
            nn.ModuleList(Head(width, condition, 2 if scale < THINNED else 1) for scale, width in enumerate(widths))
            for _ in ZOOMS
        )
        self.eyes = [eyes]  # in a list: it is no part of what is trained and saved
        self._seen: tuple[int, list[torch.Tensor], torch.Tensor]  # by the last opinion

    def opinion(self, made: torch.Tensor, asked: torch.Tensor, real: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """What the maker is taught, a scalar: how little it fools the judge, and how alike it paints what is alike.

        `told` (n, condition, H, W) is under the real images, `asked` of that shape under those made, in `pairs`.
        """
        which = int(torch.randint(len(ZOOMS), ()))
        zoom = ZOOMS[which]
        moved = [_varied(images, planes, zoom) for images, planes in ((real, told), (made, asked))]
        with torch.no_grad():
            true = self._look(moved[0][0], zoom)
        fake = self._look(moved[1][0], zoom)
        both = [torch.cat(pair) for pair in zip(true, fake)]
        conditions = functional.avg_pool2d(torch.cat([each for _, each in moved]), 1 << FINEST)
        self._seen = which, [each.detach() for each in both], conditions
        opinions = [head(each, conditions)[0] for head, each in zip(self._heads(which), both)]
        fooled = torch.stack([each[len(real) :].mean() for each in opinions]).sum()
        return VARIETY * torch.stack([_alike(*pair) for pair in zip(fake, true)]).mean() - fooled

    def loss(self) -> torch.Tensor:
        """The judge's own loss of what it gave its last opinion on, a scalar: low where it tells the two apart.

        Real images under another's conditions count as made ones (Reed et al. 2016): what is made shall be what was
        asked for.
        """
        which, features, told = self._seen
        others, losses = told.roll(1, 0), []
        apart = (0.5 * (told - others).abs().sum(1, keepdim=True)).clamp(max=1)
        for head, each in zip(self._heads(which), features):
            (true, made), (misled, _) = (scores.chunk(2) for scores in head(each, told, others))
            wrong = _like(apart, misled)[: len(misled)] * functional.relu(1 + misled)
            losses.append(functional.relu(1 - true).mean() + 0.5 * (functional.relu(1 + made).mean() + wrong.mean()))
        return torch.stack(losses).sum()

    def _heads(self, which: int) -> nn.ModuleList:
        return cast("nn.ModuleList", self.heads[which])

    def _look(self, images: torch.Tensor, zoom: int) -> list[torch.Tensor]:
        eyes = self.eyes[0].to(images.device)
        images = functional.interpolate(images, scale_factor=float(zoom), mode="bilinear") if zoom > 1 else images
        with torch.autocast(images.device.type, enabled=False):  # CPUs are slow at depthwise convolutions in bf16
            features = eyes(images.float().contiguous(memory_format=torch.channels_last))[FINEST:]
        return self.mixing(features)


def repeat_conditions(told: torch.Tensor) -> torch.Tensor:
    """What to make, so that an opinion can be had of it: the first half of the conditions (n, c, h, w), twice."""
    return told[: (len(told) + 1) // 2].repeat(2, 1, 1, 1)[: len(told)]


def shuffle_styles(told: torch.Tensor) -> torch.Tensor:
    """Conditions (n, 11 + styles, h, w), some of them in the styles of another.

    A maker is asked for looks that no tile of such ground has: a coast inland, a town in the light of the country.
    """
    landcover, styles = told[:, : legend.COUNT], told[:, legend.COUNT :]
    others = torch.rand(len(told), 1, 1, 1, device=told.device) < MINGLED
    return torch.cat([landcover, torch.where(others, styles.roll(1, 0), styles)], 1)


def _alike(made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """How much less the pairs among features (n, c, h, w) differ than real ones do from each other (Mao et al. 2019).

    A maker whom nobody asks for variety paints one picture of each map. The logarithm of each pair's share is averaged:
    differing towns do not make up for fields that are all alike.
    """
    half = (len(made) + 1) // 2
    if half == len(made):
        return made.new_zeros(())
    apart = (made[half:] - made[: len(made) - half]).abs().mean((1, 2, 3))
    usual = (real - real.roll(1, 0)).abs().mean()
    return functional.relu(torch.log(APART / (apart / (usual + 1e-6) + SAME))).mean()


def _like(planes: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Planes averaged to the height and width of another tensor."""
    return functional.adaptive_avg_pool2d(planes, (other.shape[-2], other.shape[-1]))


def _varied(images: torch.Tensor, told: torch.Tensor, zoom: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A part of each image in another light, with their conditions (Zhao et al. 2020): few tiles last longer.

    Two pictures of one map are in the same light: it would pass for variety.
    """
    count, _, height, width = images.shape
    light, saturation, contrast = (
        strength * repeat_conditions(2 * torch.rand(count, 1, 1, 1, device=images.device) - 1)
        for strength in (LIGHT, SATURATION, CONTRAST)
    )
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (1 + saturation)
    mean = images.mean((1, 2, 3), keepdim=True)
    images = mean + (images - mean) * (1 + contrast) + light
    sides = [int(side * KEPT) // zoom for side in (height, width)]
    row, col = (int(torch.randint(side - kept + 1, ())) for side, kept in zip((height, width), sides))
    part = (..., slice(row, row + sides[0]), slice(col, col + sides[1]))
    return images[part], told[part]
