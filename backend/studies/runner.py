"""Trials: the models of a study, trained alike on different tiles, then tested on the same ones.

Each has a folder of its own under the study's. A study that was stopped so goes on: a model that is trained is not
trained again, a half-trained one resumes, and the tests of finished ones are kept.
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
import torch

from backend.datasets.reader import TileSet, check_labelled, only, open_tiles, tiles_of
from backend.geo.raster import check_writable
from backend.metrics.bootstrap import tile_matrices
from backend.models import architectures, device, model_folder
from backend.protocol import CHECKPOINTS, BackendError, Reporter, TrainSegmentation, partial_path
from backend.training import segmentation

MODELS = "models"
TEST_PX = 512  # the side of the squares that a test sees at once


@dataclasses.dataclass(frozen=True)
class Trial:
    """A model to be trained: its folder's name, how, and on what."""

    name: str
    job: TrainSegmentation
    sets: list[TileSet]

    def check(self) -> None:
        """BackendError where it cannot be trained."""
        try:
            segmentation.check(self.job, self.sets)
        except BackendError as error:
            raise BackendError(f"{self.name}: {error}") from error


def lesson(study: Any, **changes: Any) -> TrainSegmentation:
    """A study's training: what its job says of it, and the changes. LALE has no encoder that weights could be for."""
    names = {field.name for field in dataclasses.fields(TrainSegmentation)}
    given = {name: value for name, value in vars(study).items() if name in names} | {"dataset": (), **changes}
    if not architectures.has_encoder(given["architecture"]):
        given |= {"encoder": "", "encoder_weights": ""}
    return TrainSegmentation(**given)


def opened(folders: tuple[str, ...], what: str, legend_name: str) -> list[TileSet]:
    """The data sets that a study was given as `what`; BackendError where there is none or no training tile in one."""
    if not folders:
        raise BackendError(f"No {what} data set was given. Choose one or more that 'Build data set' wrote.")
    sets = [open_tiles(folder).merged(legend_name) for folder in folders]
    for tiles in sets:
        if not tiles_of([tiles], "train"):
            raise BackendError(f"The {what} data set {tiles.folder} holds no 'train' tiles.")
    return sets


def held_out(folders: tuple[str, ...], real: list[TileSet], legend_name: str) -> list[TileSet]:
    """What models are tested on: the `test` tiles of each folder, or of the real sets together where none is given.

    BackendError where there are none: `val` tiles cannot stand in, because they choose each model's best epoch.
    """
    given = [only(open_tiles(folder).merged(legend_name), "test") for folder in folders]
    found = given or [joined([only(tiles, "test") for tiles in real])]
    for tiles in found:
        if not tiles.tiles:
            raise BackendError(
                f"The data set {tiles.folder} holds no 'test' tiles to test on, and its 'val' tiles choose the best "
                "epoch. Build it with a share of test tiles, or name a test set that has some."
            )
        check_labelled(tiles, "test")
    return found


def joined(sets: list[TileSet]) -> TileSet:
    """Several sets as one, under all their names."""
    folder = sets[0].folder.with_name(" + ".join(dict.fromkeys(tiles.folder.name for tiles in sets)))
    every = [tile for tiles in sets for tile in tiles.tiles]
    return TileSet(folder, sets[0].pixel_m, any(tiles.synthetic for tiles in sets), every)


def check_crops(sets: list[TileSet], crop_px: int) -> None:
    """BackendError for a crop larger than a training tile: it would be filled up with other tiles, of any set."""
    for tiles in sets:
        smallest = min(min(tile.shape) for tile in tiles_of([tiles], "train"))
        if smallest < crop_px:
            raise BackendError(
                f"The tiles of {tiles.folder} are {smallest} pixels wide, less than the crop of {crop_px}. Choose a "
                f"crop of at most {smallest // architectures.SIZE_STEP_PX * architectures.SIZE_STEP_PX}, or build "
                "larger tiles."
            )


class Trials:
    """Trains and tests the models of a study one after another, `count` in all."""

    def __init__(self, output: Path, tests: list[TileSet], count: int, report: Reporter) -> None:
        self.output, self.tests, self.count, self.report = output, tests, count, report
        self.done, self.seconds = 0, list[float]()

    def run(self, trial: Trial) -> list[np.ndarray]:
        """Train a model where it is not trained yet; its tiles' confusion matrices, (tiles, COUNT, COUNT), by test."""
        part = self.report.part(self.done / self.count, (self.done + 1) / self.count)
        self.report.log(f"model {self.done + 1} of {self.count}: {trial.name}")
        job = dataclasses.replace(trial.job, output=str(self.folder(trial.name)))
        fresh, start = not segmentation.finished(Path(job.output)), time.monotonic()
        try:
            segmentation.fit(job, trial.sets, part.part(0, 0.95))
        except BackendError as error:
            raise BackendError(f"{trial.name}: {error}") from error
        found = [self._tested(trial.name, tiles) for tiles in self.tests]
        self.done += 1
        if fresh:
            self.seconds.append(time.monotonic() - start)
        self._estimate()
        part.progress(1.0, f"{self.done} of {self.count} models")
        return found

    def folder(self, name: str) -> Path:
        """Where a model lies."""
        return self.output / MODELS / name

    def _estimate(self) -> None:
        left = self.count - self.done
        if self.seconds and left:
            minutes = np.mean(self.seconds) / 60
            self.report.log(f"{minutes:.1f} minutes a model: about {minutes * left:.0f} more for the {left} left")

    def _tested(self, name: str, tiles: TileSet) -> np.ndarray:
        """The matrices of a model on a test set, kept under a hash of both."""
        folder, index = model_folder.find(str(self.folder(name)), "segmentation")
        listed = [f"{tile.name} {tile.shape}" for tile in tiles.tiles]
        asked = json.dumps([model_folder.model_hash(folder), str(tiles.folder), listed, TEST_PX])
        kept = self.output / CHECKPOINTS / "tests" / f"{hashlib.sha256(asked.encode()).hexdigest()[:16]}.npy"
        if not kept.is_file():
            segmenter = architectures.load(folder, index).to(device.best())
            found = tile_matrices(partial(_logits, segmenter), tiles.tiles, TEST_PX)
            check_writable(kept)
            np.save(partial_path(kept), found)
            partial_path(kept).replace(kept)
        return np.load(kept, allow_pickle=False)


def _logits(segmenter: architectures.Segmenter, image: torch.Tensor) -> torch.Tensor:
    where = device.best()
    with device.autocast(where):
        return segmenter(image.to(where))


def claim(output: Path, study: Any) -> None:
    """Make the output a study's folder; BackendError where it holds something else or cannot be written."""
    known = output / CHECKPOINTS / "study.json"
    if output.is_file() or (output.is_dir() and any(output.iterdir()) and not known.is_file()):
        raise BackendError(f"The output {output} is not empty. Choose a new folder.")
    check_writable(known)
    told = {"study": type(study).__name__.lower(), **dataclasses.asdict(study)}
    if known.is_file() and json.loads(known.read_text(encoding="utf-8")).get("study") != told["study"]:
        raise BackendError(f"The output {output} holds another kind of study. Choose another folder.")
    known.write_text(json.dumps(told, indent=1), encoding="utf-8")


def names(sets: list[TileSet]) -> list[str]:
    """What sets are called in tables: their folders' names, with the parents' where these agree."""
    found = [tiles.folder.name for tiles in sets]
    return [
        name if found.count(name) == 1 else f"{tiles.folder.parent.name}/{name}" for tiles, name in zip(sets, found)
    ]
