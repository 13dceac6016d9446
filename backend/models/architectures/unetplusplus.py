"""U-Net++ (Zhou et al. 2018, arXiv:1807.10165)."""

from collections.abc import Sequence

import segmentation_models_pytorch as smp
from torch import nn


def build(
    encoder: str,
    encoder_weights: str | None,
    classes: int = 11,
    encoder_depth: int = 5,
    decoder_channels: Sequence[int] = (),
) -> nn.Module:
    """U-Net++; `decoder_channels` are the widths of its `encoder_depth` (3 to 5) stages, from the deepest up."""
    widths = tuple(decoder_channels) or (256, 128, 64, 32, 16)[:encoder_depth]
    return smp.UnetPlusPlus(
        encoder, encoder_depth=encoder_depth, encoder_weights=encoder_weights, decoder_channels=widths, classes=classes
    )
