"""Jobs that train generators and segmentation models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional


@dataclass(frozen=True)
class TrainLandCover:
    """Train the land cover generator on data sets, stage after stage; resumes where it stopped.

    It starts from nothing, or from the weights of `model`. `minutes` are shared by the stages; `steps` limits each.
    """

    dataset: tuple[str, ...]
    output: str
    model: str = ""
    stage: Literal["all", "autoencoder", "decoder", "denoiser"] = "all"
    minutes: float = 60.0
    steps: Optional[int] = None  # noqa: UP045
    batch: int = 16
    learning_rate: Optional[float] = None  # noqa: UP045
    seed: int = 0


@dataclass(frozen=True)
class TrainImage:
    """Train an image generator on data sets: fields as in TrainLandCover.

    ControlNet has the stages autoencoder, denoiser and distillation, SPADE has painter alone. `encoder_weights` are
    those of the discriminator's frozen encoder, an EfficientNet-Lite0: the path of a .safetensors file or 'imagenet'
    (downloaded); '' is the encoder of the bundled segmentation model.
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

    `legend`: the 11 classes of WorldCover, or the 7 of them that RGB can tell apart (`backend.geo.legend.MERGED`).
    `mix` has a number for each data set, their shares of every epoch; without it they are as large as they are.
    `crops` is the length of an epoch, whatever the data; 0: as many as the tiles hold.
    `patience` ends the training after so many epochs without a better one; 0 never.
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
