"""Trains the models of a study with the same settings on different tiles, and tests them on the same tiles.

Each model has its own folder below the study's. A stopped study can be resumed: trained models are not trained again,
a half-trained one resumes, and the test results of trained ones are kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from backend.datasets.reader import TileSet, check_labelled, only, open_tiles, tiles_of
from backend.geo.raster import check_writable
from backend.metrics.bootstrap import tile_matrices
from backend.metrics.cross_test import predict
from backend.models import architectures, device, model_folder
from backend.protocol import CHECKPOINTS, BackendError, Reporter, TrainSegmentation, partial_path
from backend.training import segmentation

MODELS = "models"
TEST_PX = 512  # the largest side of the crops in which test tiles are predicted


@dataclasses.dataclass(frozen=True)
class StudyModel:
    """A model to train: the name of its folder, its settings and its data."""

    name: str
    job: TrainSegmentation
    sets: list[TileSet]

    def check(self) -> None:
        """BackendError where the model cannot be trained."""
        try:
            segmentation.check(self.job, self.sets)
        except BackendError as error:
            raise BackendError(f"{self.name}: {error}") from error


def training_job(study: Any, **changes: Any) -> TrainSegmentation:
    """A training with the settings of a study's job, and changes; without encoder settings for LALE, which has none."""
    names = {field.name for field in dataclasses.fields(TrainSegmentation)}
    settings = {name: value for name, value in vars(study).items() if name in names} | {"dataset": (), **changes}
    if not architectures.has_encoder(settings["architecture"]):
        settings |= {"encoder": "", "encoder_weights": ""}
    return TrainSegmentation(**settings)


def open_training_sets(folders: tuple[str, ...], what: str, legend_name: str) -> list[TileSet]:
    """The data sets of a study; `what` names them in errors.

    Raises BackendError where there is none, or no training tile in one.
    """
    if not folders:
        raise BackendError(f"No {what} data set was given. Choose one or more that 'Build data set' wrote.")
    sets = [open_tiles(folder).merged(legend_name) for folder in folders]
    for tiles in sets:
        if not tiles_of([tiles], "train"):
            raise BackendError(f"The {what} data set {tiles.folder} holds no 'train' tiles.")
    return sets


def open_test_sets(folders: tuple[str, ...], real: list[TileSet], legend_name: str) -> list[TileSet]:
    """The `test` tiles of each folder, or of the real sets together where there is no folder.

    Raises BackendError where there are none: `val` tiles cannot replace them, because they select each model's best
    epoch.
    """
    sets = [only(open_tiles(folder).merged(legend_name), "test") for folder in folders]
    sets = sets or [combined([only(tiles, "test") for tiles in real])]
    for tiles in sets:
        if not tiles.tiles:
            raise BackendError(
                f"The data set {tiles.folder} holds no 'test' tiles to test on, and its 'val' tiles choose the best "
                "epoch. Build it with a share of test tiles, or name a test set that has some."
            )
        check_labelled(tiles, "test")
    return sets


def combined(sets: list[TileSet]) -> TileSet:
    """Several sets as one, named by all of them."""
    folder = sets[0].folder.with_name(" + ".join(dict.fromkeys(tiles.folder.name for tiles in sets)))
    all_tiles = [tile for tiles in sets for tile in tiles.tiles]
    return TileSet(folder, sets[0].pixel_m, any(tiles.synthetic for tiles in sets), all_tiles)


def check_crops(sets: list[TileSet], crop_px: int) -> None:
    """BackendError for a crop larger than a training tile: other tiles, of any set, would fill it."""
    for tiles in sets:
        smallest = min(min(tile.shape) for tile in tiles_of([tiles], "train"))
        if smallest < crop_px:
            raise BackendError(
                f"The tiles of {tiles.folder} are {smallest} pixels wide, less than the crop of {crop_px}. Choose a "
                f"crop of at most {smallest // architectures.SIZE_STEP_PX * architectures.SIZE_STEP_PX}, or build "
                "larger tiles."
            )


def claim_output(output: Path, study: Any) -> None:
    """Make the output a study's folder; BackendError where it holds something else or cannot be written."""
    record = output / CHECKPOINTS / "study.json"
    if output.is_file() or (output.is_dir() and any(output.iterdir()) and not record.is_file()):
        raise BackendError(f"The output {output} is not empty. Choose a new folder.")
    check_writable(record)
    settings = {"study": type(study).__name__.lower(), **dataclasses.asdict(study)}
    if record.is_file() and json.loads(record.read_text(encoding="utf-8")).get("study") != settings["study"]:
        raise BackendError(f"The output {output} holds another kind of study. Choose another folder.")
    record.write_text(json.dumps(settings, indent=1), encoding="utf-8")


class StudyRunner:
    """Trains and tests the models of a study one after another, `count` in all."""

    def __init__(self, output: Path, tests: list[TileSet], count: int, report: Reporter) -> None:
        self.output, self.tests, self.count, self.report = output, tests, count, report
        self.done, self.seconds = 0, list[float]()

    def run(self, model: StudyModel) -> list[np.ndarray]:
        """Train a model unless it is trained; returns its confusion matrices, (tiles, COUNT, COUNT), by test set."""
        part = self.report.part(self.done / self.count, (self.done + 1) / self.count)
        self.report.log(f"model {self.done + 1} of {self.count}: {model.name}")
        job = dataclasses.replace(model.job, output=str(self.folder(model.name)))
        is_new, start = not segmentation.finished(Path(job.output)), time.monotonic()
        try:
            segmentation.fit(job, model.sets, part.part(0, 0.95))
        except BackendError as error:
            raise BackendError(f"{model.name}: {error}") from error
        matrices = [self._test(model.name, tiles) for tiles in self.tests]
        self.done += 1
        if is_new:
            self.seconds.append(time.monotonic() - start)
        self._log_estimate()
        part.progress(1.0, f"{self.done} of {self.count} models")
        return matrices

    def folder(self, name: str) -> Path:
        """The folder of a model."""
        return self.output / MODELS / name

    def _log_estimate(self) -> None:
        left = self.count - self.done
        if self.seconds and left:
            minutes = np.mean(self.seconds) / 60
            self.report.log(f"{minutes:.1f} minutes a model: about {minutes * left:.0f} more for the {left} left")

    def _test(self, name: str, tiles: TileSet) -> np.ndarray:
        """The confusion matrices of a model on a test set, read from the file of an earlier test if there is one."""
        folder, index = model_folder.find(str(self.folder(name)), "segmentation")
        listed = [f"{tile.name} {tile.shape}" for tile in tiles.tiles]
        key = json.dumps([model_folder.model_hash(folder), str(tiles.folder), listed, TEST_PX])
        path = self.output / CHECKPOINTS / "tests" / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"
        if not path.is_file():
            segmenter = architectures.load(folder, index).to(device.best())
            matrices = tile_matrices(partial(predict, segmenter), tiles.tiles, TEST_PX)
            check_writable(path)
            np.save(partial_path(path), matrices)
            partial_path(path).replace(path)
        return np.load(path, allow_pickle=False)
