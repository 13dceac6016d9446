"""Train on real and synthetic tiles in several mixtures, the same number of steps each, and test them on real tiles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend import protocol
from backend.datasets import label_offset
from backend.datasets.reader import TileSet, codes_of, tiles_of
from backend.geo import legend
from backend.protocol import BackendError
from backend.studies import mixture_report, runner
from backend.studies.mixture_report import Point
from backend.studies.mixtures import Mixture, crops_of, mixtures, trained_on
from backend.studies.runner import Trial, Trials
from backend.training import segmentation


@dataclass(frozen=True)
class _Place:
    """A trial and where it stands in the study."""

    architecture: str
    mixture: Mixture
    trial: Trial


def _check_job(job: protocol.MixtureStudy) -> None:
    if not job.architecture or job.repetitions < 1:
        raise BackendError("A study needs at least one architecture and one repetition.")
    for architecture in job.architecture:
        segmentation.check_settings(runner.lesson(job, architecture=architecture))


def _places(job: protocol.MixtureStudy, real: TileSet, synthetic: TileSet) -> list[_Place]:
    """All trials, checked: a whole study first, then its repetitions with other seeds."""
    found, data = [], (*job.real, *job.synthetic)
    crops = job.crops or crops_of(real, job.crop_px)
    for repetition in range(job.repetitions):
        seed = job.seed + repetition
        for architecture in dict.fromkeys(job.architecture):
            for mixture in mixtures(job.shares, job.additions):
                sets, mix = trained_on(mixture, real, synthetic, job.crop_px, seed)
                changes = {"architecture": architecture, "mix": mix, "seed": seed, "crops": crops, "output": ""}
                lesson = runner.lesson(job, dataset=data, **changes)
                trial = Trial(f"{architecture}_{mixture.name}_{repetition + 1}", lesson, sets)
                trial.check()
                found.append(_Place(architecture, mixture, trial))
    return found


def _notes(job: protocol.MixtureStudy, real: TileSet, synthetic: TileSet, tests: list[TileSet]) -> list[str]:
    """What a reader of the study must know of its data."""
    notes = []
    if real.synthetic:
        notes.append(f"Of the real data sets ({real.folder.name}) at least one says that it is synthetic.")
    if not synthetic.synthetic:
        notes.append(f"The synthetic data sets ({synthetic.folder.name}) do not say that they are synthetic.")
    most = max(mixture.synthetic for mixture in mixtures(job.shares, job.additions))
    if most * crops_of(real, job.crop_px) > crops_of(synthetic, job.crop_px):
        there, ours = (len(tiles_of([tiles], "train")) for tiles in (synthetic, real))
        notes.append(
            f"There are fewer synthetic tiles ({there}) than {most:g} times the real ones ({ours}): where more are "
            "asked for, all are used, and each is seen more often."
        )
    names = legend.names_of(job.legend)
    tested = set().union(*(codes_of(tiles.tiles) for tiles in tests))
    for tiles in (real, synthetic):
        if missing := sorted(tested - set(codes_of(tiles_of([tiles], "train")))):
            listed = ", ".join(f"{code} {names[code]}" for code in missing)
            notes.append(f"The test tiles show classes that no training tile of {tiles.folder.name} shows: {listed}.")
    return notes


def _of(trial: Trial, kind: TileSet) -> int:
    """How many tiles of a kind a trial is trained on."""
    return sum(len(tiles_of([tiles], "train")) for tiles in trial.sets if tiles.folder == kind.folder)


def _equal(job: protocol.MixtureStudy, real: TileSet, synthetic: TileSet) -> list[str]:
    """What the models have in common, in words."""
    crops = job.crops or crops_of(real, job.crop_px)
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
        f"The best epoch of every model is chosen on the {len(tiles_of([real], 'val'))} val tiles of the real data, "
        "also where none of the training tiles is real.",
        f"Real: {real.folder.name}. Synthetic: {synthetic.folder.name}. Seed {job.seed}; each repetition takes the "
        "next, for first weights, choice of tiles and order.",
    ]


def _points(tests: list[TileSet], done: list[tuple[_Place, list[np.ndarray]]], kinds: list[TileSet]) -> list[Point]:
    """The results so far, the repetitions of one mixture together."""
    groups: dict[tuple[str, Mixture], list[tuple[_Place, list[np.ndarray]]]] = {}
    for place, matrices in done:
        groups.setdefault((place.architecture, place.mixture), []).append((place, matrices))
    found: list[Point] = []
    for number, name in enumerate(runner.names(tests)):
        for (architecture, mixture), own in groups.items():
            counts = [_of(own[0][0].trial, kind) for kind in kinds]
            mixed = (mixture.label, mixture.real, mixture.synthetic)
            found.append(
                Point(architecture, name, *mixed, counts[0], counts[1], tuple(each[number] for _, each in own))
            )
    return found


def run(job: protocol.MixtureStudy, report: protocol.Reporter) -> dict[str, str]:
    """Train and test model after model; the page is written anew after each, so that a stopped study shows what it has.

    Run again with the same output it goes on, also with more shares, additions, architectures, repetitions or tests.
    """
    _check_job(job)
    sets = [runner.opened(job.real, "real", job.legend), runner.opened(job.synthetic, "synthetic", job.legend)]
    segmentation.check_gsd([*sets[0], *sets[1]])
    runner.check_crops([*sets[0], *sets[1]], job.crop_px)
    if not tiles_of(sets[0], "val"):
        raise BackendError("The real data sets hold no 'val' tiles, which choose the best epoch of every model.")
    tests = runner.held_out(job.test, sets[0], job.legend)
    segmentation.check_gsd([sets[0][0], *tests])
    label_offset.warn([*sets[0], *sets[1], *(tests if job.test else [])], report)
    real, synthetic = map(runner.joined, sets)
    if synthetic.folder == real.folder:
        raise BackendError("The real and the synthetic data sets are the same. Choose different ones.")
    if crops_of(real, job.crop_px) < 2:
        raise BackendError(f"{real.folder} holds a single training tile; a study needs at least two.")
    places, output = _places(job, real, synthetic), Path(job.output)
    runner.claim(output, job)
    equal, notes = _equal(job, real, synthetic), _notes(job, real, synthetic, tests)
    for line in [f"{len(places)} models", equal[0], *notes]:
        report.log(line)
    done, trained = [], Trials(output, tests, len(places), report)
    for place in places:
        done.append((place, trained.run(place.trial)))
        left = [f"So far {len(done)} of {len(places)} models are trained."] if len(done) < len(places) else []
        points = _points(tests, done, [real, synthetic])
        mixture_report.write(output, points, equal, [*left, *notes], job.legend)
    report.log(f"study: {output / 'mixturestudy.html'}")
    return {"output": job.output}
