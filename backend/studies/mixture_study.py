"""A study of mixtures: its models, checked before the first training, their results, and the notes of its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.datasets import label_offset
from backend.datasets.reader import TileSet, codes_of, tiles_of
from backend.geo import legend
from backend.metrics.names import unique_names
from backend.protocol import BackendError, MixtureStudy, Reporter
from backend.studies import mixture_report, runner
from backend.studies.mixture_report import MixtureResult
from backend.studies.mixtures import Mixture, crops_of, mixtures, training_sets
from backend.studies.runner import StudyModel, StudyRunner
from backend.training import segmentation


@dataclass(frozen=True)
class StudyData:
    """The data of a study: real and synthetic tiles to train on, and test sets."""

    real: TileSet
    synthetic: TileSet
    tests: list[TileSet]


@dataclass(frozen=True)
class MixtureModel:
    """A model with its architecture and mixture."""

    architecture: str
    mixture: Mixture
    model: StudyModel


def check_settings(job: MixtureStudy) -> None:
    """BackendError for settings that no training could use."""
    if not job.architecture or job.repetitions < 1:
        raise BackendError("A study needs at least one architecture and one repetition.")
    for architecture in job.architecture:
        segmentation.check_settings(runner.training_job(job, architecture=architecture))


def open_data(job: MixtureStudy, report: Reporter) -> StudyData:
    """Open and check the data sets of a study; BackendError where they do not suffice or do not fit together."""
    real_sets = runner.open_training_sets(job.real, "real", job.legend)
    synthetic_sets = runner.open_training_sets(job.synthetic, "synthetic", job.legend)
    segmentation.check_gsd([*real_sets, *synthetic_sets])
    runner.check_crops([*real_sets, *synthetic_sets], job.crop_px)
    if not tiles_of(real_sets, "val"):
        raise BackendError("The real data sets hold no 'val' tiles, which choose the best epoch of every model.")
    tests = runner.open_test_sets(job.test, real_sets, job.legend)
    segmentation.check_gsd([real_sets[0], *tests])
    label_offset.warn([*real_sets, *synthetic_sets, *(tests if job.test else [])], report)
    real, synthetic = runner.combined(real_sets), runner.combined(synthetic_sets)
    if synthetic.folder == real.folder:
        raise BackendError("The real and the synthetic data sets are the same. Choose different ones.")
    if crops_of(real, job.crop_px) < 2:
        raise BackendError(f"{real.folder} holds a single training tile; a study needs at least two.")
    return StudyData(real, synthetic, tests)


def plan(job: MixtureStudy, data: StudyData) -> list[MixtureModel]:
    """All models of a study, checked: every architecture and mixture, then their repetitions with other seeds."""
    models, dataset = [], (*job.real, *job.synthetic)
    crops = job.crops or crops_of(data.real, job.crop_px)
    for repetition in range(job.repetitions):
        seed = job.seed + repetition
        for architecture in dict.fromkeys(job.architecture):
            for mixture in mixtures(job.shares, job.additions):
                sets, mix = training_sets(mixture, data.real, data.synthetic, job.crop_px, seed)
                changes = {"architecture": architecture, "mix": mix, "seed": seed, "crops": crops, "output": ""}
                training = runner.training_job(job, dataset=dataset, **changes)
                model = StudyModel(f"{architecture}_{mixture.name}_{repetition + 1}", training, sets)
                model.check()
                models.append(MixtureModel(architecture, mixture, model))
    for architecture in dict.fromkeys(job.architecture):
        segmentation.build_module(runner.training_job(job, architecture=architecture))
    return models


def run(job: MixtureStudy, models: Sequence[MixtureModel], data: StudyData, report: Reporter) -> None:
    """Train and test model after model, and write the page after each."""
    held_equal, notes = _held_equal(job, data), _notes(job, data)
    for line in [f"{len(models)} models", held_equal[0], *notes]:
        report.log(line)
    output = Path(job.output)
    study_runner = StudyRunner(output, data.tests, len(models), report)
    done: list[tuple[MixtureModel, list[np.ndarray]]] = []
    for model in models:
        done.append((model, study_runner.run(model.model)))
        left = [f"So far {len(done)} of {len(models)} models are trained."] if len(done) < len(models) else []
        mixture_report.write(output, _results(done, data), held_equal, [*left, *notes], job.legend)


def _results(done: Sequence[tuple[MixtureModel, list[np.ndarray]]], data: StudyData) -> list[MixtureResult]:
    """The results so far, the repetitions of one mixture together."""
    groups: dict[tuple[str, Mixture], list[tuple[MixtureModel, list[np.ndarray]]]] = {}
    for model, matrices in done:
        groups.setdefault((model.architecture, model.mixture), []).append((model, matrices))
    results = []
    for number, test_set in enumerate(unique_names([tiles.folder for tiles in data.tests])):
        for (architecture, mixture), repetitions in groups.items():
            first, _ = repetitions[0]
            results.append(
                MixtureResult(
                    architecture,
                    test_set,
                    mixture.label,
                    mixture.real,
                    mixture.synthetic,
                    _count(first.model, data.real),
                    _count(first.model, data.synthetic),
                    tuple(matrices[number] for _, matrices in repetitions),
                )
            )
    return results


def _count(model: StudyModel, tiles: TileSet) -> int:
    """The number of training tiles of a model that are from a set."""
    return sum(len(tiles_of([own], "train")) for own in model.sets if own.folder == tiles.folder)


def _notes(job: MixtureStudy, data: StudyData) -> list[str]:
    """What a reader of the study must know of its data."""
    real, synthetic, notes = data.real, data.synthetic, []
    if real.synthetic:
        notes.append(f"Of the real data sets ({real.folder.name}) at least one says that it is synthetic.")
    if not synthetic.synthetic:
        notes.append(f"The synthetic data sets ({synthetic.folder.name}) do not say that they are synthetic.")
    most = max(mixture.synthetic for mixture in mixtures(job.shares, job.additions))
    if most * crops_of(real, job.crop_px) > crops_of(synthetic, job.crop_px):
        ours, theirs = (len(tiles_of([tiles], "train")) for tiles in (real, synthetic))
        notes.append(
            f"There are fewer synthetic tiles ({theirs}) than {most:g} times the real ones ({ours}): where more are "
            "asked for, all are used, and each is seen more often."
        )
    names = legend.names_of(job.legend)
    tested = set().union(*(codes_of(tiles.tiles) for tiles in data.tests))
    for tiles in (real, synthetic):
        if missing := sorted(tested - set(codes_of(tiles_of([tiles], "train")))):
            listed = ", ".join(f"{code} {names[code]}" for code in missing)
            notes.append(f"The test tiles show classes that no training tile of {tiles.folder.name} shows: {listed}.")
    return notes


def _held_equal(job: MixtureStudy, data: StudyData) -> list[str]:
    """What the models have in common, in words."""
    crops = job.crops or crops_of(data.real, job.crop_px)
    steps = job.epochs * (crops // min(job.batch, crops))
    return [
        f"Every model: {job.epochs} epochs of {crops:,} crops of {job.crop_px} px in batches of {job.batch}, {steps:,} "
        f"steps; learning rate {job.learning_rate:g} by the same one-cycle schedule; class weighting "
        f"'{job.class_weighting}'; the same first weights for the same architecture and repetition.",
        "Real shares are at constant size: the training tiles are together as many as all real ones, so that 25 % real "
        "means a quarter of the real tiles and synthetic ones in the place of the others, and a quarter of the crops "
        "of every epoch is real. Smaller shares are part of larger ones.",
        "'real + 1x synthetic' means all real tiles and as many synthetic ones on top, seen in the same number of "
        "steps: half of the crops are real. Tiles count by their area.",
        f"The best epoch of every model is chosen on the {len(tiles_of([data.real], 'val'))} val tiles of the real "
        "data, also where none of the training tiles is real.",
        f"Real: {data.real.folder.name}. Synthetic: {data.synthetic.folder.name}. Seed {job.seed}; each repetition "
        "takes the next, for first weights, choice of tiles and order.",
    ]
