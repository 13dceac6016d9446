"""Active learning: rounds of selecting tiles from a pool and training with them, compared with as many random tiles."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from backend.datasets import label_offset, subset
from backend.datasets.reader import FileTile, Tile, TileSet, counts_of, only, tiles_of
from backend.geo import legend
from backend.geo.raster import check_writable
from backend.metrics.names import unique_names
from backend.models import architectures, device, model_folder
from backend.protocol import CHECKPOINTS, BackendError, ChooseTiles, Reporter, partial_path
from backend.reports import contact_sheet
from backend.studies import acquisition, active_learning_report, runner
from backend.studies.active_learning_report import Context, RoundResult
from backend.studies.mixtures import crops_of
from backend.studies.runner import TEST_PX, StudyModel, StudyRunner
from backend.training import segmentation

CHOSEN = "chosen"  # the folder of the data set of selected tiles
SAMPLES, SAMPLE_PX = 10, 96  # tiles on the page, and the side of what is shown of each


def check_settings(job: ChooseTiles) -> None:
    """BackendError for settings that no training could use."""
    segmentation.check_settings(runner.training_job(job))
    if job.count < 1 or job.rounds < 1:
        raise BackendError("A study chooses at least 1 tile a round, in at least 1 round.")


def open_study(job: ChooseTiles, report: Reporter) -> ActiveLearningStudy:
    """Open and check the data sets of a study; BackendError where they do not suffice or do not fit together."""
    real = runner.open_training_sets(job.real, "real", job.legend)
    pool = runner.open_training_sets(job.pool, "pool", "worldcover")
    subset.check_built([tiles.folder for tiles in pool])
    segmentation.check_gsd([*real, *pool])
    runner.check_crops([*real, *pool], job.crop_px)
    tests = runner.open_test_sets(job.test, real, job.legend)
    segmentation.check_gsd([real[0], *tests])
    label_offset.warn([*real, *pool, *(tests if job.test else [])], report)
    study = ActiveLearningStudy(job, runner.combined(real), pool, tests)
    available, needed = len(study.candidates), job.count * job.rounds
    if needed > available:
        raise BackendError(
            f"{job.rounds} rounds of {job.count} are {needed} tiles, but the pool has {available} training tiles. "
            "Choose fewer or shorter rounds, or give a larger pool."
        )
    study.model("round0", []).check()
    segmentation.build_module(runner.training_job(job))
    return study


def pool_tiles(pool: list[TileSet]) -> list[FileTile]:
    """The pool's training tiles, with unique names."""
    tiles = []
    for number, own in enumerate(pool):
        prefix = f"{number}_" if len(pool) > 1 else ""
        files = (tile for tile in tiles_of([own], "train") if isinstance(tile, FileTile))
        tiles += [replace(tile, name=f"{prefix}{tile.name}") for tile in files]
    return tiles


class ActiveLearningStudy:
    """The state of a study: its data, the tiles selected so far in their order, all rankings and all results."""

    def __init__(self, job: ChooseTiles, real: TileSet, pool: list[TileSet], tests: list[TileSet]) -> None:
        self.job, self.real, self.tests = job, only(real, "train", "val"), tests
        self.pool, self.candidates = runner.combined(pool), pool_tiles(pool)
        self.crops = job.crops or crops_of(real, job.crop_px)
        self.selected: list[FileTile] = []
        order = np.random.default_rng(job.seed).permutation(len(self.candidates))
        self.random_order = [self.candidates[number] for number in order]
        self.ranking: list[list[str]] = []
        self.results: list[RoundResult] = []

    def model(self, name: str, added: list[FileTile]) -> StudyModel:
        """A model that is trained on the real tiles and the added ones."""
        job = self.job
        sets = [self.real, replace(self.pool, tiles=self.in_legend(added))] if added else [self.real]
        training = runner.training_job(job, dataset=(*job.real, *job.pool), crops=self.crops, output="")
        return StudyModel(name, training, sets)

    def in_legend(self, tiles: list[FileTile]) -> list[Tile]:
        """Tiles of the pool in the study's legend."""
        return replace(self.pool, tiles=list[Tile](tiles)).merged(self.job.legend).tiles

    def rounds(self, report: Reporter) -> Iterator[int]:
        """Train on the real tiles; then in each round select tiles, and train with them and with as many random ones.

        Yields the number of each finished round.
        """
        study_runner = StudyRunner(Path(self.job.output), self.tests, 1 + 2 * self.job.rounds, report)
        self._train("chosen", 0, [], study_runner)
        for number in range(1, self.job.rounds + 1):
            previous = study_runner.folder(f"round{number - 1}_chosen" if number > 1 else "round0")
            now = study_runner.done / study_runner.count
            self._select(number, previous, report.part(now, now))
            self._train("chosen", number, self.selected, study_runner)
            self._train("random", number, self.random_order[: number * self.job.count], study_runner)
            yield number

    def _train(self, strategy: str, number: int, added: list[FileTile], study_runner: StudyRunner) -> None:
        """Train and test a round's model, and keep its results."""
        matrices = study_runner.run(self.model(f"round{number}_{strategy}" if number else "round0", added))
        names = unique_names([tiles.folder for tiles in self.tests])
        self.results += [RoundResult(strategy, name, number, len(added), own) for name, own in zip(names, matrices)]

    def _select(self, number: int, previous: Path, report: Reporter) -> None:
        """Rank the rest of the pool with the previous round's model and select the first tiles.

        The ranking is kept in a file, which a resumed study reads.
        """
        selected = {tile.name for tile in self.selected}
        rest = {tile.name: tile for tile in self.candidates if tile.name not in selected}
        settings = [model_folder.model_hash(previous), self.job.measure, self.job.count, *self.job.pool, *rest]
        key = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]
        path = Path(self.job.output) / CHECKPOINTS / "rankings" / f"{key}.csv"
        if not path.is_file():
            rows = self._rank(number, previous, list(rest.values()), report)
            check_writable(path)
            with open(partial_path(path), "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(rows)
            partial_path(path).replace(path)
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        self.ranking += rows
        self.selected += [rest[row[3]] for row in rows[: self.job.count]]
        report.log(f"round {number}: {self.job.count} of {len(rest)} tiles chosen by '{self.job.measure}'")

    def _rank(self, number: int, previous: Path, rest: list[FileTile], report: Reporter) -> list[list[str]]:
        """The rows of a round's ranking, with the columns `active_learning_report.RANKING_COLUMNS`."""
        best_device = device.best()
        segmenter = architectures.load(*model_folder.find(str(previous), "segmentation")).to(best_device)

        def predict(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            with device.autocast(best_device):
                return segmenter.with_features(image.to(best_device))

        training = [*tiles_of([self.real], "train"), *self.selected]
        pool, known = (acquisition.tile_statistics(predict, tiles, TEST_PX, report) for tiles in (rest, training))
        ranking = acquisition.rank_tiles(self.job.measure, pool, known.features, self.job.count)
        rows = []
        for rank, index in enumerate(ranking.order, start=1):
            distance = "" if np.isnan(ranking.distance[index]) else f"{ranking.distance[index]:.5g}"
            figures = [f"{pool.entropy[index]:.5g}", f"{pool.margin[index]:.5g}", distance]
            names = [rest[index].image.parent.parent.name, rest[index].name]
            rows.append([str(number), str(rank), *names, *figures, str(int(rank <= self.job.count))])
        return rows

    def write(self, output: Path) -> None:
        """Write the page, the tables and the data set of the tiles selected so far."""
        selected, pool = (self.in_legend(tiles) for tiles in (self.selected, self.candidates))
        counts = {f"the {len(selected)} chosen tiles": counts_of(selected), "the whole pool": counts_of(pool)}
        shares = {name: own / max(own.sum(), 1) for name, own in counts.items()}
        context = Context(self.job.measure, self.job.legend, self._held_equal(), shares, _samples(selected))
        picks = [subset.Pick(tile.image.parent.parent, tile.image.stem, tile.name) for tile in self.selected]
        try:
            active_learning_report.write(output, self.results, self.ranking, context)
            subset.write(output / CHOSEN, picks, chosen_by=self.job.measure)
        except OSError as error:
            raise BackendError(f"Cannot write to {output}: {error}. Check the space on its disk.") from error

    def _held_equal(self) -> list[str]:
        """What the models have in common, in words."""
        job, crops = self.job, self.crops
        return [
            f"Every model is a new {job.architecture}: {job.epochs} epochs of {crops:,} crops of {job.crop_px} px in "
            f"batches of {job.batch}, {job.epochs * (crops // min(job.batch, crops)):,} steps, seed {job.seed}, the "
            "same first weights and schedule.",
            "Each learns from all real tiles and as many synthetic ones as stand in the table, in one mix by area: "
            "real or synthetic, a tile is seen as often as any other, and less often the more there are.",
            f"In each round the model that learned from the tiles chosen so far ranks the rest of the pool, and "
            f"{job.count} more are chosen. Chance takes the first of one random order, so that its rounds hold each "
            "other too; another seed takes another order.",
            "The best epoch of every model is chosen on the real val tiles.",
        ]


def _samples(tiles: list[Tile]) -> bytes:
    """A PNG of the first tiles, a corner of each image above its label."""
    columns = []
    for tile in tiles[:SAMPLES]:
        side = min(SAMPLE_PX, *tile.shape)
        image, label = tile.read(0, 0, side, side)
        columns.append(np.stack([image, legend.picture(label)]))
    return contact_sheet.png(contact_sheet.sheet(columns))
