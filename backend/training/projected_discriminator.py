"""A discriminator on the features of a frozen pretrained encoder (Sauer et al. 2021, written from the paper).

Random frozen weights mix the encoder's features across channels and scales; small heads classify real and generated
images at each scale. The pretrained features of edges and textures need not be learned by the discriminator: an hour of
training then gives what otherwise takes days.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from backend.models import architectures, base
from backend.models.segmentation import SegmentationModel

ENCODER = "tu-tf_efficientnet_lite0"  # its weights expect RGB in -1..1
FIRST_STAGE = 1  # of the encoder, the first that is used: 2 px a cell, which shows the generator's grid of 4 px
WIDTHS = (24, 32, 48, 64, 64)  # channels of the mixed features, by scale from 2 to 32 px a cell
STRIDED_SCALES = 2  # the finest scales, whose heads have a stride of 2
CROP_SHARE = 0.875  # of an image's height and width: the discriminator gets random crops of this size
ZOOMS = (1, 2)  # the crop, or half of it enlarged: the encoder was trained on images of close objects
DIVERSITY_WEIGHT = 3.0  # of the diversity loss in the generator's loss
DIVERSITY_TARGET = 0.95  # the distance of two images of one map, relative to real images, above which it costs nothing
DIVERSITY_EPSILON = 0.05  # is added to that relative distance, so that the loss of identical images is finite
BRIGHTNESS, SATURATION, CONTRAST = 0.1, 0.2, 0.2  # the largest changes of the discriminator's images, either way


def frozen_encoder(weights: str = "") -> nn.Module:
    """The encoder of the bundled segmentation model, or one with ImageNet weights; its parameters are frozen.

    `weights` is '' for the bundled model, 'imagenet' (downloaded), or the path of a .safetensors file. Raises
    BackendError where they cannot be loaded.
    """
    model: Any
    if weights:
        model = architectures.build("unet", ENCODER, weights)
    else:
        model = base.load(SegmentationModel, "segmentation").segmenter.module
    return model.encoder.eval().requires_grad_(False).to(memory_format=torch.channels_last)


class Mixing(nn.Module):
    """Random frozen weights that mix the channels of each scale, and add the features of the next coarser scale."""

    def __init__(self, channels: list[int], widths: tuple[int, ...]) -> None:
        super().__init__()
        self.across_channels = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in zip(channels, widths))
        self.across_scales = nn.ModuleList(
            nn.Conv2d(b, a, 3, padding=1, bias=False) for a, b in zip(widths, widths[1:])
        )
        for conv in (*self.across_channels, *self.across_scales):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
        self.requires_grad_(False)

    def forward(self, features: list[torch.Tensor]) -> list[torch.Tensor]:
        """Features (n, c, h, w) of each scale, the finest first, to the mixed features of the same scales."""
        mixed = [conv(scale_features) for conv, scale_features in zip(self.across_channels, features)]
        for scale in range(len(mixed) - 2, -1, -1):
            coarser = functional.interpolate(mixed[scale + 1], size=mixed[scale].shape[-2:], mode="bilinear")
            mixed[scale] = (mixed[scale] + self.across_scales[scale](coarser)) * 0.5**0.5
        return mixed


class Head(nn.Module):
    """A conditional patch discriminator of one scale, by projection of the condition (Miyato and Koyama 2018).

    The batch norms get real and generated images in one batch: separate batches would hide a difference in colour.
    """

    def __init__(self, channels: int, condition: int, stride: int, hidden: int = 64) -> None:
        super().__init__()
        self.outer = spectral_norm(nn.Conv2d(channels, hidden, 4 if stride > 1 else 3, stride=stride, padding=1))
        self.inner = spectral_norm(nn.Conv2d(hidden, hidden, 3, padding=1))
        self.norms = nn.ModuleList(nn.BatchNorm2d(hidden, track_running_stats=False) for _ in range(2))
        self.projection, self.last = nn.Conv2d(condition, hidden, 1), spectral_norm(nn.Conv2d(hidden, 1, 1))

    def forward(self, features: torch.Tensor, *conditions: torch.Tensor) -> list[torch.Tensor]:
        """Scores (n, 1, h', w') of features (n, c, h, w) under each of the conditions (n, condition, H, W)."""
        for conv, norm in zip((self.outer, self.inner), self.norms):
            features = functional.leaky_relu(norm(conv(features)), 0.2)
        unconditional, scale = self.last(features), features.shape[1] ** -0.5
        projections = (self.projection(_pooled_to(condition, features)) for condition in conditions)
        return [
            (unconditional + scale * (features * projection).sum(1, keepdim=True)).float() for projection in projections
        ]


class ProjectedDiscriminator(nn.Module):
    """Hinge losses of real and generated images (n, 3, h, w) in -1..1 and of their conditions.

    A training step calls `generator_loss` first and then `loss`, which reuses the features of that call.
    """

    def __init__(self, condition: int, weights: str = "") -> None:
        super().__init__()
        encoder: Any = frozen_encoder(weights)
        channels = list(encoder.out_channels)[FIRST_STAGE:]
        widths = WIDTHS[: len(channels)]
        self.mixing = Mixing(channels, widths)
        self.heads = nn.ModuleList(
            nn.ModuleList(
                Head(width, condition, 2 if scale < STRIDED_SCALES else 1) for scale, width in enumerate(widths)
            )
            for _ in ZOOMS
        )
        self.encoder = [encoder]  # in a list, so that it is neither trained nor saved
        self._last_features: tuple[int, list[torch.Tensor], torch.Tensor]
        """Of the last call of `generator_loss`: zoom's index, features by scale, conditions; real then generated."""

    def generator_loss(
        self,
        generated: torch.Tensor,
        condition: torch.Tensor,
        real: torch.Tensor,
        real_condition: torch.Tensor,
        free_share: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The generator's loss, a scalar: the hinge loss minus the scores, plus the weighted diversity loss.

        `condition` (n, condition, H, W) of the generated images comes from `repeat_conditions`; `real_condition` of the
        same shape is that of the real images. `free_share` (n,) is the share of a generated image in which it may
        differ from the other image of its condition; all of it by default.
        """
        zoom_index = int(torch.randint(len(ZOOMS), ()))
        zoom = ZOOMS[zoom_index]
        real, real_condition = _augment(real, real_condition, zoom)
        generated, condition = _augment(generated, condition, zoom)
        with torch.no_grad():
            real_features = self._features(real, zoom)
        features = self._features(generated, zoom)
        joint = [torch.cat(pair) for pair in zip(real_features, features)]
        conditions = functional.avg_pool2d(torch.cat([real_condition, condition]), 1 << FIRST_STAGE)
        self._last_features = zoom_index, [scale_features.detach() for scale_features in joint], conditions
        scores = [
            head(scale_features, conditions)[0] for head, scale_features in zip(self._zoom_heads(zoom_index), joint)
        ]
        realism = torch.stack([scale_scores[len(real) :].mean() for scale_scores in scores]).sum()
        diversities = [_diversity_loss(*pair, free_share) for pair in zip(features, real_features)]
        diversity = torch.stack(diversities).mean()
        return DIVERSITY_WEIGHT * diversity - realism

    def loss(self) -> torch.Tensor:
        """The discriminator's hinge loss on the images of the last `generator_loss`, a scalar.

        Real images under another example's condition count as generated, half of that side (Reed et al. 2016): the
        discriminator learns whether an image fits its condition.
        """
        zoom_index, features, conditions = self._last_features
        others, losses = conditions.roll(1, 0), []
        difference = (0.5 * (conditions - others).abs().sum(1, keepdim=True)).clamp(max=1)
        for head, scale_features in zip(self._zoom_heads(zoom_index), features):
            (real, generated), (mismatched, _) = (
                scores.chunk(2) for scores in head(scale_features, conditions, others)
            )
            weights = _pooled_to(difference, mismatched)[: len(mismatched)]
            fake_loss = functional.relu(1 + generated).mean() + (weights * functional.relu(1 + mismatched)).mean()
            losses.append(functional.relu(1 - real).mean() + 0.5 * fake_loss)
        return torch.stack(losses).sum()

    def _zoom_heads(self, zoom_index: int) -> nn.ModuleList:
        return cast("nn.ModuleList", self.heads[zoom_index])

    def _features(self, images: torch.Tensor, zoom: int) -> list[torch.Tensor]:
        """The mixed features of images that are enlarged by `zoom`, the finest scale first."""
        encoder = self.encoder[0].to(images.device)
        images = functional.interpolate(images, scale_factor=float(zoom), mode="bilinear") if zoom > 1 else images
        with torch.autocast(images.device.type, enabled=False):  # CPUs are slow at depthwise convolutions in bf16
            features = encoder(images.float().contiguous(memory_format=torch.channels_last))[FIRST_STAGE:]
        return self.mixing(features)


def repeat_conditions(conditions: torch.Tensor) -> torch.Tensor:
    """The first half of conditions (n, ...) twice, so that there are two images of each for the diversity loss."""
    first_half = conditions[: (len(conditions) + 1) // 2]
    return torch.cat([first_half, first_half])[: len(conditions)]


def _diversity_loss(
    generated: torch.Tensor, real: torch.Tensor, free_share: torch.Tensor | None = None
) -> torch.Tensor:
    """The cost of pairs of generated features (n, c, h, w) that differ less than real ones do (Mao et al. 2019).

    Without it a generator makes the same image of a map from any noise. The logarithm is averaged over pairs, so that a
    pair that differs more does not compensate for one that differs less. Of a pair only the `free_share` (n,) of its
    pixels must differ.
    """
    half = (len(generated) + 1) // 2
    if half == len(generated):
        return generated.new_zeros(())
    distance = (generated[half:] - generated[: len(generated) - half]).abs().mean((1, 2, 3))
    real_distance = (real - real.roll(1, 0)).abs().mean()
    relative = distance / (real_distance + 1e-6)
    if free_share is None:
        return functional.relu(torch.log(DIVERSITY_TARGET / (relative + DIVERSITY_EPSILON))).mean()
    free = free_share[half:].clamp(min=DIVERSITY_EPSILON)
    return (free * functional.relu(torch.log(DIVERSITY_TARGET / (relative / free + DIVERSITY_EPSILON)))).mean()


def _pooled_to(planes: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Planes averaged to the height and width of another tensor."""
    return functional.adaptive_avg_pool2d(planes, (target.shape[-2], target.shape[-1]))


def _augment(images: torch.Tensor, conditions: torch.Tensor, zoom: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A random crop of images and conditions, with random colours: few tiles then last longer (Zhao et al. 2020).

    Two images of one map get the same colours; different ones would count as diversity.
    """
    count, _, height, width = images.shape
    brightness, saturation, contrast = (
        strength * repeat_conditions(2 * torch.rand(count, 1, 1, 1, device=images.device) - 1)
        for strength in (BRIGHTNESS, SATURATION, CONTRAST)
    )
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (1 + saturation)
    mean = images.mean((1, 2, 3), keepdim=True)
    images = mean + (images - mean) * (1 + contrast) + brightness
    sides = [int(side * CROP_SHARE) // zoom for side in (height, width)]
    row, col = (int(torch.randint(side - length + 1, ())) for side, length in zip((height, width), sides))
    crop = (..., slice(row, row + sides[0]), slice(col, col + sides[1]))
    return images[crop], conditions[crop]
