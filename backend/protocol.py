"""The boundary between QGIS and the backend: one JSON job in, one JSON event a line out.

The only module that both sides import, so it needs the standard library alone. A job is a frozen
dataclass named like its algorithm (`ClipWorldCover` is `clipworldcover`), its fields named like the
algorithm's parameters in lower case. Pixels never cross the boundary, only paths.
"""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import json
import math
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Optional, TextIO

DEFAULT_MAX_AREA_KM2 = 2500.0
CHECKPOINTS = "checkpoints"
"""The folder in a training's output of what only the training needs."""
LEGEND: dict[int, tuple[str, str]] = {
    10: ("Tree cover", "006400"),
    20: ("Shrubland", "FFBB22"),
    30: ("Grassland", "FFFF4C"),
    40: ("Cropland", "F096FF"),
    50: ("Built-up", "FA0000"),
    60: ("Bare / sparse vegetation", "B4B4B4"),
    70: ("Snow and ice", "F0F0F0"),
    80: ("Permanent water bodies", "0064C8"),
    90: ("Herbaceous wetland", "0096A0"),
    95: ("Mangroves", "00CF75"),
    100: ("Moss and lichen", "FAE6A0"),
}
"""WorldCover's codes, names and official colours (ESA WorldCover Product User Manual v2.0, table 3)."""
WORLDCOVER_CODES = tuple(LEGEND)


class BackendError(Exception):
    """Something the user can mend: the message says what happened and what to do."""


@dataclass(frozen=True)
class Extent:
    """A rectangle in its own CRS; `crs` is anything PROJ reads (`EPSG:32618`, WKT)."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float
    crs: str

    def __post_init__(self) -> None:
        if not str(self.crs).strip():
            raise BackendError("The extent has no CRS. Give it one, for instance '0,1,0,1 [EPSG:4326]'.")
        if not all(math.isfinite(v) for v in (self.xmin, self.ymin, self.xmax, self.ymax)):
            raise BackendError("The extent has coordinates that are not finite numbers.")
        if self.xmin == self.xmax or self.ymin == self.ymax:
            raise BackendError("The extent is empty: its width or height is zero. Draw a larger one.")
        if self.xmin > self.xmax or self.ymin > self.ymax:
            raise BackendError(
                "The extent is inverted: its minimum lies beyond its maximum. Where it crosses the "
                "antimeridian, draw one extent on either side of it."
            )


def parse_shares(text: str) -> dict[int, float]:
    """Class shares as typed, "10:60, 50:20", to percentages by WorldCover code; BackendError where it says no such."""
    shares: dict[int, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        code, _, percent = part.partition(":")
        try:
            number, share = int(code), float(percent.strip().rstrip("%"))
        except ValueError as error:
            raise BackendError(
                f"{part!r} is no class share. Type code:percent, parted by commas, for instance '10:60, 50:20'."
            ) from error
        if number in shares:
            raise BackendError(f"The class {number} is asked for twice. Give each class one share.")
        shares[number] = share
    check_shares(shares)
    return shares


def parse_numbers(text: str, what: str = "mix") -> tuple[float, ...]:
    """Numbers as typed, "25, 75"; BackendError where there are none, which says `what` they should be."""
    try:
        return tuple(float(part.strip().rstrip("%")) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise BackendError(f"{text!r} is no {what}. Type numbers, parted by commas: 25, 75.") from error


def check_shares(shares: dict[int, float]) -> None:
    """BackendError for a code outside the legend, a share below 0, and shares that sum to more than 100 percent."""
    for code, share in shares.items():
        if code not in WORLDCOVER_CODES:
            known = ", ".join(map(str, WORLDCOVER_CODES))
            raise BackendError(f"There is no class {code} in WorldCover's legend. Choose among {known}.")
        if not 0 <= share <= 100:
            raise BackendError(f"The share of class {code} is {share:g}. A share is a percentage from 0 to 100.")
    if sum(shares.values()) > 100 + 1e-6:
        raise BackendError(f"The class shares sum to {sum(shares.values()):g} percent. Lower them to 100 at most.")


@dataclass(frozen=True)
class ClipWorldCover:
    """Clip ESA WorldCover to an extent's 10 m grid."""

    extent: Extent
    output: str
    source: Literal["esa", "planetarycomputer", "layer"] = "esa"
    year: int = 2021
    layer: str = ""
    grid_crs: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class ClipNaip:
    """Clip NAIP aerial imagery (RGB) to an extent's grid; no year: the newest that covers it."""

    extent: Extent
    output: str
    source: Literal["planetarycomputer", "layer"] = "planetarycomputer"
    year: Optional[int] = None  # noqa: UP045 (QGIS may read it with Python 3.9)
    pixel_m: Optional[float] = None  # noqa: UP045
    layer: str = ""
    grid_crs: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class BuildDataset:
    """Cut aligned image and label rasters into pairs of tiles with a manifest; without images, labels alone.

    With `extents` each of them is clipped first: NAIP of a `year` (none: the newest) and WorldCover from
    `landcover_source`, or the one raster that `image` or `label` names; the image to pixels of `pixel_m`.
    `style` are words for the look of all images, parted by commas, which an image generator learns, and in which
    standard sets are painted: "coastal, 2018".
    """

    label: tuple[str, ...]
    output: str
    image: tuple[str, ...] = ()
    tile_px: int = 512
    stride_px: int = 0
    min_valid: float = 0.5
    val_share: float = 0.15
    test_share: float = 0.15
    seed: int = 0
    style: str = ""
    extents: tuple[Extent, ...] = ()
    landcover_source: Literal["esa", "planetarycomputer"] = "esa"
    year: Optional[int] = None  # noqa: UP045 (QGIS may read it with Python 3.9)
    pixel_m: float = 1.0


@dataclass(frozen=True)
class BuildStandardSets:
    """Make of a real data set the four sets of a study: real, ControlNet and SPADE on its land cover, and synthetic.

    `composition`: each place of the synthetic land cover is asked for the class shares of the real tiles there, or for
    none.
    """

    dataset: str
    output: str
    composition: Literal["real", "free"] = "real"
    seed: int = 0
    steps: int = 12
    landcover_model: str = "landcover"
    controlnet_model: str = "controlnet"
    spade_model: str = "spade"
    scheduler: str = ""


@dataclass(frozen=True)
class GenerateLandCover:
    """Generate a synthetic land cover map at 10 m over an extent.

    `area` is the WKT of a polygon in the extent's CRS: outside it is nodata. `scheduler` is a Dask scheduler's address.
    `shares` are the percentages asked for, by WorldCover code; the model divides what they leave.
    """

    extent: Extent
    output: str
    seed: int = 0
    steps: int = 12
    shares: dict[int, float] = field(default_factory=dict)
    guidance_scale: float = 1.0
    model: str = "landcover"
    area: str = ""
    scheduler: str = ""
    grid_crs: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class GenerateImage:
    """Paint an aerial image at 1 m on a land cover map.

    `style` names styles that the model knows, parted by commas: "coastal, 2018". What it leaves open the seed draws.
    """

    landcover: str
    output: str
    generator: Literal["controlnet", "spade"] = "spade"
    seed: int = 0
    steps: int = 12
    model: str = ""
    style: str = ""
    scheduler: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class GenerateScene:
    """Generate a land cover map and the aerial image on it, in one go.

    `area`, `shares` and `guidance_scale` (the land cover's) as in GenerateLandCover, `style` as in GenerateImage.
    """

    extent: Extent
    output_landcover: str
    output_image: str
    generator: Literal["controlnet", "spade"] = "spade"
    seed: int = 0
    steps: int = 12
    shares: dict[int, float] = field(default_factory=dict)
    guidance_scale: float = 1.0
    style: str = ""
    area: str = ""
    scheduler: str = ""
    grid_crs: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class RegenerateArea:
    """Make a synthetic raster again by its own tags: the same ground or another extent, the same seed or a new one.

    `landcover` is what an image was painted on, where that was a raster. `output_landcover` is wanted, or not, of the
    image of a scene.
    """

    raster: str
    output: str
    extent: Optional[Extent] = None  # noqa: UP045
    seed: Optional[int] = None  # noqa: UP045
    landcover: str = ""
    output_landcover: str = ""
    scheduler: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


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

    ControlNet has the stages autoencoder, denoiser and distillation, SPADE painter alone. `encoder_weights`
    are those that the judge sees through: of an EfficientNet-Lite0 by path or 'imagenet' (fetched); else those of the
    bundled segmentation model.
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

    `legend`: the 11 classes of WorldCover, or the 7 of them that RGB can tell apart (`backend.classes.MERGED`).
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
class SegmentImage:
    """Predict land cover from an RGB image."""

    image: str
    output: str
    model: str = "segmentation"
    scheduler: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


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


JOBS: dict[str, type[Any]] = {
    job.__name__.lower(): job
    for job in (
        ClipWorldCover,
        ClipNaip,
        BuildDataset,
        BuildStandardSets,
        GenerateLandCover,
        GenerateImage,
        GenerateScene,
        RegenerateArea,
        TrainLandCover,
        TrainImage,
        TrainSegmentation,
        SegmentImage,
        CrossTest,
        ImageQuality,
        LandCoverRealism,
        MixtureStudy,
        ChooseTiles,
        LandCoverDifference,
    )
}


def job_name(job: Any) -> str:
    """The job's name, which is its algorithm's id and its module's name in `backend/jobs`."""
    return type(job).__name__.lower()


def dump_job(job: Any) -> str:
    """The job as the JSON text that `python -m backend run` reads."""
    return json.dumps({"job": job_name(job), **dataclasses.asdict(job)}, indent=1)


def partial_path(final: str | Path) -> Path:
    """Where an output is written until it is whole: beside its final name, same suffix.

    The name is predictable so that whoever ends a job by force can remove what it left behind.
    """
    final = Path(final)
    return final.with_name(f".{final.stem}.part{final.suffix}")


def unfinished_path(final: str | Path) -> Path:
    """The folder beside an output that keeps its finished blocks, for a run that goes on where this one ended."""
    return Path(final).with_name(f".{Path(final).stem}.unfinished")


def partial_paths(job: Any) -> list[Path]:
    """Every partial path that the job may have left, for the cleaning after a cancel or a crash."""
    found = []
    for spec in dataclasses.fields(job):
        value = getattr(job, spec.name)
        if spec.name.startswith("output") and value:
            found += sorted(Path(value).parent.glob(glob.escape(f".{Path(value).stem}.part") + "*"))
    return found


def remove_partials(job: Any) -> None:
    """Delete what a job that did not finish has left beside its outputs."""
    for path in partial_paths(job):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):  # whoever still has it open on Windows keeps it
                path.unlink()


@dataclass(frozen=True)
class Event:
    """One line of the backend's standard output.

    A `preview` has in `outputs`, by an output's path, a raster of what is finished of it so far; it grows while the
    job runs and is gone when the job ends.
    """

    kind: Literal["progress", "log", "preview", "result", "error"]
    message: str = ""
    fraction: float = 0.0
    outputs: dict[str, str] = field(default_factory=dict)

    def to_line(self) -> str:
        """The event as one line of JSON, without its newline."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Event:
        """The event of one line; raises ValueError when the line is not one."""
        data = json.loads(line)
        if not isinstance(data, dict) or data.get("kind") not in ("progress", "log", "preview", "result", "error"):
            raise ValueError(f"not an event: {line[:80]!r}")
        try:
            return cls(**data)
        except TypeError as error:
            raise ValueError(f"not an event: {line[:80]!r}") from error


class Reporter:
    """How a job speaks: progress and log lines on a stream, over a share of the whole job."""

    def __init__(self, stream: TextIO, start: float = 0.0, stop: float = 1.0) -> None:
        self._stream, self._start, self._stop = stream, start, stop

    def send(self, event: Event) -> None:
        """Write one event and flush it."""
        self._stream.write(event.to_line() + "\n")
        self._stream.flush()

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far this part of the job is, from 0 to 1."""
        whole = self._start + (self._stop - self._start) * min(max(fraction, 0.0), 1.0)
        self.send(Event("progress", message, round(whole, 4)))

    def log(self, message: str) -> None:
        """Say something worth reading."""
        self.send(Event("log", message))

    def preview(self, output: str | Path, preview: str | Path) -> None:
        """Say that another block of an output is finished, and which raster shows it."""
        self.send(Event("preview", outputs={str(output): str(preview)}))

    def part(self, start: float, stop: float) -> Reporter:
        """A reporter whose 0 to 1 is this one's `start` to `stop`."""
        width = self._stop - self._start
        return Reporter(self._stream, self._start + width * start, self._start + width * stop)


def silent() -> Reporter:
    """A reporter that nobody hears."""
    return Reporter(open(os.devnull, "w"))
