"""Rounds of choosing tiles from a pool and learning from them, beside as many at random; resumed where they stopped."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from backend.datasets.layout import Tile
from backend.datasets.reader import FileTile, TileSet, only, tiles_of
from backend.geo.raster import check_writable
from backend.models import architectures, device, model_folder
from backend.protocol import CHECKPOINTS, ChooseTiles, Reporter, partial_path
from backend.studies import acquisition, runner
from backend.studies.active_learning_report import Step
from backend.studies.mixtures import crops_of
from backend.studies.runner import TEST_PX, Trial, Trials


def candidates(pool: list[TileSet]) -> list[FileTile]:
    """The pool's training tiles, under names of their own."""
    found = []
    for number, tiles in enumerate(pool):
        first = f"{number}_" if len(pool) > 1 else ""
        own = (tile for tile in tiles_of([tiles], "train") if isinstance(tile, FileTile))
        found += [replace(tile, name=f"{first}{tile.name}") for tile in own]
    return found


class Choice:
    """What is learned from, what may be chosen, and what has been: in the order of choice, with all rankings."""

    def __init__(self, job: ChooseTiles, real: TileSet, pool: list[TileSet], tests: list[TileSet]) -> None:
        self.job, self.real, self.tests = job, only(real, "train", "val"), tests
        self.pool, self.candidates = runner.joined(pool), candidates(pool)
        self.crops = job.crops or crops_of(real, job.crop_px)
        self.chosen: list[FileTile] = []
        order = np.random.default_rng(job.seed).permutation(len(self.candidates))
        self.at_random = [self.candidates[number] for number in order]
        self.ranking: list[list[str]] = []
        self.steps: list[Step] = []

    def trial(self, name: str, added: list[FileTile]) -> Trial:
        """A model that learns from the real tiles and those added."""
        job = self.job
        sets = [self.real, replace(self.pool, tiles=self.learned(added))] if added else [self.real]
        return Trial(name, runner.lesson(job, dataset=(*job.real, *job.pool), crops=self.crops, output=""), sets)

    def learned(self, tiles: list[FileTile]) -> list[Tile]:
        """Tiles of the pool as models learn them, in the study's legend."""
        return replace(self.pool, tiles=list[Tile](tiles)).merged(self.job.legend).tiles

    def rounds(self, report: Reporter) -> Iterator[int]:
        """Train on the real tiles; then, in each round, choose, and train with what is chosen and with chance."""
        trained = Trials(Path(self.job.output), self.tests, 1 + 2 * self.job.rounds, report)
        self._step("chosen", 0, [], trained)
        for number in range(1, self.job.rounds + 1):
            judge = trained.folder(f"round{number - 1}_chosen" if number > 1 else "round0")
            now = trained.done / trained.count
            self._choose(number, judge, report.part(now, now))
            self._step("chosen", number, self.chosen, trained)
            self._step("random", number, self.at_random[: number * self.job.count], trained)
            yield number

    def _step(self, arm: str, number: int, added: list[FileTile], trained: Trials) -> None:
        matrices = trained.run(self.trial(f"round{number}_{arm}" if number else "round0", added))
        names = runner.names(self.tests)
        self.steps += [Step(arm, name, number, len(added), found) for name, found in zip(names, matrices)]

    def _choose(self, number: int, judge: Path, report: Reporter) -> None:
        """Rank what is left by the model of the round before and take the first; a ranking once made is kept."""
        taken = {tile.name for tile in self.chosen}
        left = {tile.name: tile for tile in self.candidates if tile.name not in taken}
        asked = [model_folder.model_hash(judge), self.job.measure, self.job.count, *self.job.pool, *left]
        key = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
        kept = Path(self.job.output) / CHECKPOINTS / "rankings" / f"{key}.csv"
        if not kept.is_file():
            rows = self._ranked(number, judge, list(left.values()), report)
            check_writable(kept)
            with open(partial_path(kept), "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(rows)
            partial_path(kept).replace(kept)
        with open(kept, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        self.ranking += rows
        self.chosen += [left[row[3]] for row in rows[: self.job.count]]
        report.log(f"round {number}: {self.job.count} of {len(left)} tiles chosen by '{self.job.measure}'")

    def _ranked(self, number: int, judge: Path, left: list[FileTile], report: Reporter) -> list[list[str]]:
        """The rows of a round's ranking, see `choice_study.RANKED`."""
        where = device.best()
        segmenter = architectures.load(*model_folder.find(str(judge), "segmentation")).to(where)

        def look(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            with device.autocast(where):
                return segmenter.with_features(image.to(where))

        taught = [*tiles_of([self.real], "train"), *self.chosen]
        seen, learned = (acquisition.views(look, tiles, TEST_PX, report) for tiles in (left, taught))
        found = acquisition.ranked(self.job.measure, seen, learned.features, self.job.count)
        rows = []
        for rank, row in enumerate(found.order, start=1):
            far = "" if np.isnan(found.distance[row]) else f"{found.distance[row]:.5g}"
            figures = [f"{seen.entropy[row]:.5g}", f"{seen.margin[row]:.5g}", far]
            place = [left[row].image.parent.parent.name, left[row].name]
            rows.append([str(number), str(rank), *place, *figures, str(int(rank <= self.job.count))])
        return rows
