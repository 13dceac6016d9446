"""DeepLabV3+ (Chen et al. 2018, arXiv:1802.02611)."""

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
    """DeepLabV3+; `decoder_channels` is one number, the width of the pyramid and the decoder."""
    (width,) = decoder_channels or (256,)
    return smp.DeepLabV3Plus(
        encoder, encoder_depth=encoder_depth, encoder_weights=encoder_weights, decoder_channels=width, classes=classes
    )
