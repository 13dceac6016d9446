"""Jobs that measure synthetic data and the models trained on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class CrossTest:
    """Score every segmentation model on the held-out tiles of every data set, in one table."""

    model: tuple[str, ...]
    dataset: tuple[str, ...]
    output: str
    split: Literal["test", "val"] = "test"
    crop_px: int = 512


@dataclass(frozen=True)
class ImageQuality:
    """Compare synthetic images with real ones, and check how far the metrics can be trusted there.

    `real` is one set from one or more sources (data sets, RGB rasters, folders of images); each of `synthetic` is a
    set of its own. `crosstest` is a cross-test's folder, whose table is shown first. At most `count` crops of each set.
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
    """Compare class shares and landscape metrics of synthetic and real land cover, window by window.

    `real` and `synthetic` are rasters, the `dataset` fields folders. At most `count` windows of `window_m` metres each.
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
    """Train on several mixtures of real and synthetic tiles, with equal numbers of steps, and test on real tiles.

    `shares` are the percentages of real tiles in mixtures of constant size; `additions` are the numbers of synthetic
    tiles added for each real one, to all real tiles (0: none). `test` are the data sets whose test tiles are scored;
    without it, the real ones. `crops` is the number of crops in an epoch; 0: as many as fit into the real tiles. Other
    fields as in TrainSegmentation.
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
    """Active learning: choose the most useful synthetic tiles round by round, and compare with a random choice.

    In each of `rounds`, `count` of the `pool`'s training tiles are added to the real ones. `measure` is how they are
    chosen: by the entropy or margin of the model's prediction, by the diversity of its features, or the most diverse
    of the most uncertain ("combined"). Other fields as in MixtureStudy.
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
    """Compare two land cover maps on the grid of the first; the table as CSV and as HTML page."""

    reference: str
    compared: str
    output: str
    output_table: str
    output_report: str
