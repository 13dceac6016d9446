"""LALE: a light network of ConvMixer stages at high resolution and transformer stages at low, with an all-MLP decoder.

Built from its description, with about 1.6 million parameters: ConvMixer (Trockman and Kolter 2022), RMSNorm (Zhang and
Sennrich 2019), StarReLU (Yu et al. 2022), the decoder of SegFormer (Xie et al. 2021). There is no choice of encoders.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

WIDTHS, DEPTHS = (48, 96, 128, 160), (2, 2, 3, 2)
MIXERS = 2  # the first stages are ConvMixers, the others transformers
KERNEL = 7
HEAD_CHANNELS = 32
EXPANSION = 4
DECODER_CHANNELS = 64
HAS_ENCODER = False


class RMSNorm(nn.Module):
    """Divides each pixel's features by their root mean square and multiplies them by a learned weight."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) to the same shape."""
        last = features.permute(0, 2, 3, 1)
        return functional.rms_norm(last, last.shape[-1:], self.weight.to(last.dtype), 1e-6).permute(0, 3, 1, 2)


class StarReLU(nn.Module):
    """s relu(x) ** 2 + b, with s and b learned."""

    def __init__(self) -> None:
        super().__init__()
        # the output has mean 0 and variance 1 for standard normal input
        self.scale, self.bias = nn.Parameter(torch.tensor(0.8944)), nn.Parameter(torch.tensor(-0.4472))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """A tensor of any shape to the same shape."""
        return self.scale * functional.relu(features).square() + self.bias


class Mixer(nn.Module):
    """A ConvMixer block: a depthwise convolution mixes pixels, a pointwise convolution mixes channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        depthwise = nn.Conv2d(channels, channels, KERNEL, padding=KERNEL // 2, groups=channels)
        self.places = nn.Sequential(RMSNorm(channels), depthwise, StarReLU())
        self.channels = nn.Sequential(RMSNorm(channels), nn.Conv2d(channels, channels, 1), StarReLU())

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) to the same shape."""
        features = features + self.places(features)
        return features + self.channels(features)


class Attention(nn.Module):
    """Self-attention among all pixels of a feature map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = channels // HEAD_CHANNELS
        self.mixed, self.out = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) to the same shape."""
        count, channels, height, width = features.shape
        split = self.mixed(features).reshape(count, 3, self.heads, HEAD_CHANNELS, height * width).transpose(-1, -2)
        attended = functional.scaled_dot_product_attention(*split.unbind(1))
        return self.out(attended.transpose(-1, -2).reshape(count, channels, height, width))


class Transformer(nn.Module):
    """A transformer block on a feature map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = EXPANSION * channels
        self.places = nn.Sequential(RMSNorm(channels), Attention(channels))
        self.channels = nn.Sequential(
            RMSNorm(channels), nn.Conv2d(channels, inner, 1), StarReLU(), nn.Conv2d(inner, channels, 1)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) to the same shape."""
        features = features + self.places(features)
        return features + self.channels(features)


class Lale(nn.Module):
    """Stages at 1/4, 1/8, 1/16 and 1/32 of the image's size, whose features are combined at 1/4."""

    def __init__(self, classes: int, widths: Sequence[int], depths: Sequence[int]) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        channels = 3
        for number, (width, depth) in enumerate(zip(widths, depths)):
            first = number == 0
            down = nn.Conv2d(channels, width, 7 if first else 3, stride=4 if first else 2, padding=3 if first else 1)
            block = Mixer if number < MIXERS else Transformer
            self.stages.append(nn.Sequential(down, *(block(width) for _ in range(depth)), RMSNorm(width)))
            channels = width
        self.levels = nn.ModuleList(nn.Conv2d(width, DECODER_CHANNELS, 1) for width in widths)
        combined = len(widths) * DECODER_CHANNELS
        self.joined = nn.Sequential(nn.Conv2d(combined, DECODER_CHANNELS, 1), RMSNorm(DECODER_CHANNELS), StarReLU())
        self.last = nn.Conv2d(DECODER_CHANNELS, classes, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) normalised RGB to (n, classes, h, w) logits."""
        levels, features = [], image
        for stage, level in zip(self.stages, self.levels):
            features = stage(features)
            levels.append(level(features))
        size = levels[0].shape[-2:]
        upsampled = [functional.interpolate(level, size, mode="bilinear", align_corners=False) for level in levels]
        logits = self.last(self.joined(torch.cat(upsampled, dim=1)))
        return functional.interpolate(logits, image.shape[-2:], mode="bilinear", align_corners=False)


def build(
    encoder: str,
    encoder_weights: str | None,
    classes: int = 11,
    widths: Sequence[int] = WIDTHS,
    depths: Sequence[int] = DEPTHS,
) -> nn.Module:
    """LALE with the channels `widths` and the blocks `depths` of its four stages; the encoder arguments are unused."""
    return Lale(classes, widths, depths)
