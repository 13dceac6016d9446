"""Jobs that train generators and segmentation models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional


@dataclass(frozen=True)
class TrainLandCover:
    """Train the land cover generator on data sets, stage by stage; a further run resumes where this one stopped.

    Weights are those of `model`, or random without it. The stages share `minutes`; `steps` limits each of them.
    """

    dataset: tuple[str, ...]
    output: str
    model: str = ""
    stage: Literal["all", "autoencoder", "decoder", "denoiser", "distillation"] = "all"
    minutes: float = 60.0
    steps: Optional[int] = None  # noqa: UP045
    batch: int = 16
    learning_rate: Optional[float] = None  # noqa: UP045
    seed: int = 0


@dataclass(frozen=True)
class TrainImage:
    """Train an image generator on data sets: fields as in TrainLandCover.

    ControlNet has the stages autoencoder, denoiser and distillation, SPADE only painter. `encoder_weights` are those of
    the discriminator's encoder: an EfficientNet-Lite0's by path or 'imagenet' (downloaded); by default the bundled
    segmentation model's.
    """

    dataset: tuple[str, ...]
    output: str
    generator: Literal["controlnet", "spade"] = "controlnet"
    model: str = ""
    stage: Literal["all", "autoencoder", "denoiser", "distillation", "painter"] = "all"
    minutes: float = 60.0
    steps: Optional[int] = None  # noqa: UP045
    batch: int = 16
    encoder_weights: str = ""
    learning_rate: Optional[float] = None  # noqa: UP045
    seed: int = 0


@dataclass(frozen=True)
class TrainSegmentation:
    """Train a segmentation model (RGB to land cover) on one or more data sets.

    `legend`: the 11 classes of WorldCover, or the 7 that RGB can distinguish (`backend.geo.legend.MERGED`).
    `mix` has a number for each data set, its share of every epoch; without it, shares follow the sets' sizes.
    `crops` is the number of crops in an epoch; 0: as many as fit into the tiles.
    `patience` is the number of epochs without improvement after which the training ends; 0: never.
    """

    dataset: tuple[str, ...]
    output: str
    architecture: str = "unet"
    encoder: str = "resnet18"
    encoder_weights: str = ""
    encoder_depth: int = 5
    decoder_channels: tuple[int, ...] = ()
    legend: Literal["worldcover", "merged"] = "worldcover"
    epochs: int = 20
    batch: int = 8
    crop_px: int = 256
    learning_rate: float = 1e-3
    mix: tuple[float, ...] = ()
    crops: int = 0
    class_weighting: Literal["none", "balanced"] = "none"
    patience: int = 0
    seed: int = 0
