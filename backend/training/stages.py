"""A generator's training: its stages one after another, in one folder that resumes and ends as a model.

The folder holds the components, `model_index.json`, a model card, `report.html`, `samples/`, and `checkpoints/` for
what only the training needs: its settings, the state and history of each stage, packed data and latents.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import set_seed

from backend.datasets import packed_cache
from backend.geo import legend
from backend.models import device, model_folder
from backend.protocol import CHECKPOINTS, BackendError, Reporter, TrainImage, TrainLandCover, silent
from backend.reports.model_card import generator_card
from backend.reports.training_report import FILE, write_report
from backend.training.loop import Budget, Outcome, TrainingPlan, processes

FINE_TUNING = 0.2  # of the learning rate from nothing: more forgets how to draw, less never learns the new look
FINE_TUNING_WARMUP = 30
HEAD_START = 0.1
AUTOENCODER, DECODER, DENOISER = "autoencoder", "decoder", "denoiser"
"""The stages of a latent model's training."""
FREE = ("output", "stage", "minutes", "steps")
"""The fields of a job that may change from one run to the next in the same output."""

Job = TrainLandCover | TrainImage


@dataclass(frozen=True)
class Stage:
    """One stage: how it is trained, its share of the minutes, and what its samples show.

    One that `goes_on` trains what the stage before it has trained.
    """

    share: float
    columns: tuple[str, ...]
    train: Callable[[Training, TrainingPlan, Reporter], Outcome]
    goes_on: bool = False


@dataclass(frozen=True)
class GeneratorSpec:
    """How a kind of generator is trained.

    `loaders` are its components' classes, `save` writes the index of a training from figures and further entries.
    """

    kind: str
    what: packed_cache.What
    crop_px: int
    loaders: Mapping[str, Any]
    stages: Mapping[str, Stage]
    save: Callable[..., None]


class Training:
    """A training in its output folder: data, components, and where things lie."""

    def __init__(self, job: Job, recipe: GeneratorSpec) -> None:
        """Raises BackendError where the job's numbers, its model or its output cannot be used."""
        self.job, self.recipe, self.output = job, recipe, Path(job.output)
        _check_numbers(job)
        self.asked = _asked(job, recipe)
        self.base = model_folder.find(job.model, recipe.kind) if job.model else None
        self.settings = self._settings()
        self._check_output()

    @property
    def checkpoints(self) -> Path:
        """The folder of what only the training needs."""
        return self.output / CHECKPOINTS

    def _settings(self) -> dict[str, Any]:
        fields = {key: value for key, value in dataclasses.asdict(self.job).items() if key not in FREE}
        fields |= {"data": packed_cache.fingerprints(self.job.dataset)}
        if self.base:
            fields |= {"model": model_folder.model_hash(self.base[0])}
        return json.loads(json.dumps(fields))

    def _check_output(self) -> None:
        """BackendError where the output holds anything but an earlier run of this training."""
        known = self.checkpoints / "job.json"
        if known.is_file():
            if json.loads(known.read_text(encoding="utf-8")) != self.settings:
                raise BackendError(
                    f"{self.output} holds a training with other settings, data or model. Choose another output, or "
                    "give the same to resume it."
                )
        elif self.output.is_dir() and any(self.output.iterdir()):
            raise BackendError(f"The output folder {self.output} is not empty. Choose a new one.")

    def prepare(self, report: Reporter) -> None:
        """Pack and check the data, and put the model to start from in its place; nothing is left where that fails."""
        processes().wait_for_everyone()
        with processes().main_process_first(), self._or_nothing():
            folders = packed_cache.packed(self.job.dataset, self.recipe.what, self.checkpoints / "data", report)
            self.data: Any = _data(self.recipe.what, folders)
            self.counts = packed_cache.check(self.data, self.job.dataset, self.recipe.crop_px, report)
            known = self.checkpoints / "job.json"
            if not known.is_file():
                self._copy_base()
                known.write_text(json.dumps(self.settings, indent=1), encoding="utf-8")

    @contextmanager
    def _or_nothing(self) -> Iterator[None]:
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise BackendError(f"Cannot write to {self.output}: {error}. Choose another output.") from error
        finally:
            if not (self.checkpoints / "job.json").is_file():
                shutil.rmtree(self.output, ignore_errors=True)

    def _copy_base(self) -> None:
        if self.base:
            model_folder.components(
                self.base[0], torch.float32, **self.recipe.loaders
            )  # says what is missing or damaged
            for name in self.recipe.loaders:
                shutil.copytree(self.base[0] / name, self.output / name)

    @cached_property
    def held_out(self) -> Any:
        """The data of the split 'val'; None where there is none."""
        data = type(self.data)(self.data.folders, "val")
        return data if data.has(self.recipe.crop_px) else None

    def component(self, name: str, new: Callable[[], Any]) -> Any:
        """A component to be trained, in fp32: that of the model to start from, else a new one."""
        return self.trained(name) if self.base else new()

    def trained(self, name: str) -> Any:
        """A component as it lies in the output, in fp32; BackendError where it is not there yet."""
        if not (self.output / name).is_dir():
            raise BackendError(
                f"{self.output} holds no {name} yet. Train that stage first, or all of them, or give a MODEL to start "
                "from."
            )
        return model_folder.components(self.output, torch.float32, **{name: self.recipe.loaders[name]})[name]

    def save(self, stage: str, **components: Any) -> None:
        """Write what a stage has trained, in fp16; the other processes wait.

        What was made on the stage's earlier result is no longer the folder's: the index, and the figures of the stages
        that build on it. All build on the first, on the others none.
        """
        if processes().is_main_process:
            (self.output / model_folder.INDEX).unlink(missing_ok=True)
            stages = list(self.recipe.stages)
            for stale in stages if stage == stages[0] else [stage]:
                self.record(stale).unlink(missing_ok=True)
            for name, component in components.items():
                component.register_to_config(_name_or_path="")  # diffusers would write where it was loaded from
                component.half().save_pretrained(self.output / name)
        processes().wait_for_everyone()

    def record(self, stage: str) -> Path:
        """Where a finished stage's figures and history are kept."""
        return self.checkpoints / f"{stage}.json"

    def state(self, stage: str) -> Path:
        """Where a stage's state is kept, from which it goes on."""
        return self.checkpoints / f"{stage}.safetensors"

    def plan(self, name: str, report: Reporter) -> TrainingPlan:
        """How a stage is trained: for its share of the minutes, gently where it goes on from a model."""
        job, stages = self.job, [self.recipe.stages[asked] for asked in self.asked]
        minutes = job.minutes * self.recipe.stages[name].share / sum(stage.share for stage in stages)
        budget = Budget(minutes, job.steps or float("inf"))
        count = self.data.crops(self.recipe.crop_px)
        if count < job.batch:
            report.log(f"The data sets hold {count} crops to train on: the batch is {count}, not {job.batch}.")
        samples = self.output / "samples"
        plan = TrainingPlan(
            budget, self.state(name), min(job.batch, count), job.seed, samples=samples, learning_rate=job.learning_rate
        )
        if not self.base:
            return plan
        return dataclasses.replace(plan, gentleness=FINE_TUNING, warmup=FINE_TUNING_WARMUP, head_start=HEAD_START)

    def run(self, name: str, report: Reporter) -> None:
        """Train a stage, and keep its figures and history."""
        plan = self.plan(name, report)
        report.log(f"stage {name}, {plan.budget.minutes:.3g} minutes on {device.best().type}")
        set_seed(self.job.seed)  # of the first weights; the steps are seeded by the plan
        before = self._recorded(name)
        outcome = self.recipe.stages[name].train(self, plan, report)
        if processes().is_main_process:
            self.record(name).write_text(json.dumps(dataclasses.asdict(outcome)), encoding="utf-8")
            if self._recorded(name) != before:
                self._begin_anew_after(name)
        processes().wait_for_everyone()

    def _recorded(self, name: str) -> str:
        record = self.record(name)
        return record.read_text(encoding="utf-8") if record.is_file() else ""

    def _begin_anew_after(self, name: str) -> None:
        """A stage that goes on from one that has learned more has to begin at what that has learned."""
        stages = list(self.recipe.stages)
        for follower in stages[stages.index(name) + 1 :][:1]:
            if self.recipe.stages[follower].goes_on:
                self.record(follower).unlink(missing_ok=True)
                self.state(follower).unlink(missing_ok=True)

    def finish(self, report: Reporter) -> None:
        """Write the report; index and model card where all stages are done, here or by the model it started from."""
        if not processes().is_main_process:
            return
        outcomes = self._outcomes()
        figures = {name: outcome.figures for name, outcome in outcomes.items()}
        index = {"figures": figures, **self._described()}
        missing = [] if self.base else [name for name in self.recipe.stages if name not in outcomes]
        if missing:
            report.log(f"{self.output} is no model yet: it lacks the stages {', '.join(missing)}. Train them next.")
        else:
            self.recipe.save(self, figures, **self._described())
            _, index = model_folder.find(str(self.output), self.recipe.kind)
            text = generator_card(index, f"Landforge {self.recipe.kind}: {self.output.name}")
            (self.output / "README.md").write_text(text, encoding="utf-8")
        columns = {name: stage.columns for name, stage in self.recipe.stages.items()}
        write_report(self.output, self.recipe.kind, index, outcomes, columns)
        report.log(f"report: {self.output / FILE}")

    def _outcomes(self) -> dict[str, Outcome]:
        files = {name: self.record(name) for name in self.recipe.stages}
        return {
            name: Outcome(**json.loads(file.read_text(encoding="utf-8")))
            for name, file in files.items()
            if file.is_file()
        }

    def _described(self) -> dict[str, Any]:
        """What the index says beside the figures: the data, the settings and the classes that were ever seen."""
        data = packed_cache.described(self.job.dataset, self.data, self.counts, self.recipe.crop_px)
        before: dict[str, Any] = self.base[1] if self.base else {"seen": []}
        usual = [int(code) for code in legend.CODES if int(code) not in legend.FALLBACK_CLASS]
        training = {key: getattr(self.job, key) for key in ("batch", "learning_rate", "seed", "minutes", "steps")}
        return {
            "seen": sorted({*before.get("seen", usual), *data["codes"]}),
            "shares": data.pop("shares"),
            "started_from": Path(self.job.model).name,
            "data": data,
            "training": {**training, "device": device.best().type},
        }


def _data(what: packed_cache.What, folders: tuple[Path, ...]) -> packed_cache.Data:
    return packed_cache.PackedTiles(folders) if what == "tiles" else packed_cache.PackedLandCover(folders)


def _check_numbers(job: Job) -> None:
    if not (job.minutes > 0 and job.batch >= 1 and (job.steps or 1) >= 1 and np.isfinite(job.minutes)):
        raise BackendError(
            "Training needs MINUTES above 0, a BATCH of at least 1 and, where given, STEPS of at least 1."
        )
    if job.learning_rate is not None and not 0 < job.learning_rate < 1:
        raise BackendError(f"The learning rate must lie between 0 and 1, not {job.learning_rate:g}.")


def _asked(job: Job, recipe: GeneratorSpec) -> list[str]:
    if job.stage != "all" and job.stage not in recipe.stages:
        raise BackendError(f"A {recipe.kind} generator has no stage {job.stage!r}: it has {', '.join(recipe.stages)}.")
    return list(recipe.stages) if job.stage == "all" else [job.stage]


def train(job: Job, recipe: GeneratorSpec, report: Reporter) -> dict[str, str]:
    """Train the stages that are asked for, each for its share of the minutes, and write the model folder."""
    report = report if processes().is_main_process else silent()
    training = Training(job, recipe)
    training.prepare(report.part(0, 0.05))
    stages = training.asked
    whole = sum(recipe.stages[name].share for name in stages)
    done = 0.0
    for name in stages:
        share = recipe.stages[name].share / whole
        training.run(name, report.part(0.05 + 0.95 * done, 0.05 + 0.95 * (done + share)))
        done += share
    training.finish(report)
    return {"output": job.output}
