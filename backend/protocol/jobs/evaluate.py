"""Jobs that measure synthetic data and the models trained on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class CrossTest:
    """Score segmentation models on the held-out tiles of data sets: all by all, in one table."""

    model: tuple[str, ...]
    dataset: tuple[str, ...]
    output: str
    split: Literal["test", "val"] = "test"
    crop_px: int = 512


@dataclass(frozen=True)
class ImageQuality:
    """Measure synthetic images beside real ones, and check what the metrics are worth there.

    `real` is one set in one or more sources (data sets, RGB rasters, folders of images), each of `synthetic` a set of
    its own. `crosstest` is a cross-test's folder, whose table is shown first. `count` crops of each set at most.
    """

    real: tuple[str, ...]
    synthetic: tuple[str, ...]
    output: str
    crosstest: str = ""
    split: Literal["all", "train", "val", "test"] = "all"
    crop_px: int = 256
    count: int = 500
    seed: int = 0


@dataclass(frozen=True)
class LandCoverRealism:
    """Compare the class mix and the landscape of synthetic land cover with real land cover's, window by window.

    Rasters, and data sets by their folders; `count` windows of `window_m` metres of each at most.
    """

    output: str
    real: tuple[str, ...] = ()
    synthetic: tuple[str, ...] = ()
    real_dataset: tuple[str, ...] = ()
    synthetic_dataset: tuple[str, ...] = ()
    window_m: float = 1280.0
    count: int = 300
    seed: int = 0


@dataclass(frozen=True)
class MixtureStudy:
    """Train on real and synthetic tiles in several mixtures, all for as many steps, and test on real ones.

    `shares` are percentages of real tiles at constant size, `additions` how many synthetic tiles for each real one come
    on top of all real ones (0: none). `test` are data sets whose test tiles count; without it the real ones'.
    `crops` is the length of an epoch; 0: as many as the real tiles hold. Other fields as in TrainSegmentation.
    """

    real: tuple[str, ...]
    synthetic: tuple[str, ...]
    output: str
    test: tuple[str, ...] = ()
    shares: tuple[float, ...] = (0.0, 25.0, 50.0, 75.0, 100.0)
    additions: tuple[float, ...] = (1.0, 3.0)
    architecture: tuple[str, ...] = ("unet",)
    encoder: str = "resnet18"
    encoder_weights: str = ""
    repetitions: int = 1
    epochs: int = 20
    crops: int = 0
    batch: int = 8
    crop_px: int = 256
    learning_rate: float = 1e-3
    class_weighting: Literal["none", "balanced"] = "none"
    legend: Literal["worldcover", "merged"] = "worldcover"
    seed: int = 0


@dataclass(frozen=True)
class ChooseTiles:
    """Choose the synthetic tiles that teach a segmentation model most, round after round, and compare with chance.

    In each of `rounds`, `count` of the `pool`'s training tiles are added to the real ones. `measure` says which: by the
    entropy or margin of the model's prediction, by diversity of its features, or the most diverse of the most
    uncertain. Other fields as in MixtureStudy.
    """

    real: tuple[str, ...]
    pool: tuple[str, ...]
    output: str
    test: tuple[str, ...] = ()
    count: int = 50
    rounds: int = 3
    measure: Literal["combined", "entropy", "margin", "diversity"] = "combined"
    architecture: str = "unet"
    encoder: str = "resnet18"
    encoder_weights: str = ""
    epochs: int = 20
    crops: int = 0
    batch: int = 8
    crop_px: int = 256
    learning_rate: float = 1e-3
    class_weighting: Literal["none", "balanced"] = "none"
    legend: Literal["worldcover", "merged"] = "worldcover"
    seed: int = 0


@dataclass(frozen=True)
class LandCoverDifference:
    """Where two land cover maps agree, on the grid of the first; the table as CSV and as HTML page."""

    reference: str
    compared: str
    output: str
    output_table: str
    output_report: str
