"""The stages of a generator's training, one after another in a folder that resumes and ends as a model.

The folder holds the components, `model_index.json`, a model card, `report.html`, `samples/`, and in `checkpoints/` the
files that only the training needs: its settings, each stage's checkpoint and result, packed data and latents.
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

from backend.datasets.layout import DataKind
from backend.datasets.packed import PackedLandCover, PackedTiles
from backend.datasets.packed_cache import Data, check_training_data, dataset_hashes, index_entry, packed_folders
from backend.geo import legend
from backend.models import device, model_folder
from backend.protocol import CHECKPOINTS, BackendError, Reporter, TrainImage, TrainLandCover, silent
from backend.reports.model_card import generator_card
from backend.reports.training_report import FILE, write_report
from backend.training.generator import Budget, TrainingPlan, TrainingResult
from backend.training.loop import process_state

FINE_TUNING_LR_SCALE = 0.2  # a higher learning rate loses what the model has learned, a lower one barely changes it
FINE_TUNING_WARMUP_STEPS = 30
AUTOENCODER, DECODER, DENOISER = "autoencoder", "decoder", "denoiser"
"""The stages of a latent model's training."""
CHANGEABLE_FIELDS = ("output", "stage", "minutes", "steps")
"""The fields of a job that may differ between the runs of one training."""

Job = TrainLandCover | TrainImage


@dataclass(frozen=True)
class Stage:
    """A stage: its share of the minutes, the headings of its samples, and the function that trains it.

    `continues_previous`: the stage trains the same components as the stage before it, further.
    """

    share: float
    columns: tuple[str, ...]
    train: Callable[[Training, TrainingPlan, Reporter], TrainingResult]
    continues_previous: bool = False


@dataclass(frozen=True)
class GeneratorSpec:
    """How a kind of generator is trained.

    `data_kind` is `tiles` or `landcover`, `crop_px` a training crop's side, `loaders` the classes of the components by
    name. `save` writes the model's index; it is called with the training, the figures and further entries.
    """

    kind: str
    data_kind: DataKind
    crop_px: int
    loaders: Mapping[str, Any]
    stages: Mapping[str, Stage]
    save: Callable[..., None]


class Training:
    """A generator's training in its output folder: its data, components and files.

    `base` is the folder and the index of the model that the training starts from, None without one.
    """

    def __init__(self, job: Job, spec: GeneratorSpec) -> None:
        """Raises BackendError where the job's numbers, its model or its output cannot be used."""
        self.job, self.spec, self.output = job, spec, Path(job.output)
        _check_numbers(job)
        self.stage_names = _stage_names(job, spec)
        self.base = model_folder.find(job.model, spec.kind) if job.model else None
        self.settings = self._settings()
        self._check_output()

    @property
    def checkpoints(self) -> Path:
        """The folder of the files that only the training needs."""
        return self.output / CHECKPOINTS

    @property
    def _settings_path(self) -> Path:
        return self.checkpoints / "job.json"

    def _settings(self) -> dict[str, Any]:
        """What must not change between the runs of this training."""
        fields = {key: value for key, value in dataclasses.asdict(self.job).items() if key not in CHANGEABLE_FIELDS}
        fields |= {"data": dataset_hashes(self.job.dataset)}
        if self.base:
            fields |= {"model": model_folder.model_hash(self.base[0])}
        return json.loads(json.dumps(fields))

    def _check_output(self) -> None:
        """BackendError where the output holds anything but an earlier run of this training."""
        if self._settings_path.is_file():
            if json.loads(self._settings_path.read_text(encoding="utf-8")) != self.settings:
                raise BackendError(
                    f"{self.output} holds a training with other settings, data or model. Choose another output, or "
                    "give the same to resume it."
                )
        elif self.output.is_dir() and any(self.output.iterdir()):
            raise BackendError(f"The output folder {self.output} is not empty. Choose a new one.")

    def prepare(self, report: Reporter) -> None:
        """Pack and check the data, and copy the model to start from; a new output is removed again where that fails."""
        process_state().wait_for_everyone()
        with process_state().main_process_first(), self._remove_new_output_on_failure():
            folders = packed_folders(self.job.dataset, self.spec.data_kind, self.checkpoints / "data", report)
            self.data: Any = _data(self.spec.data_kind, folders)
            self.class_counts = check_training_data(self.data, self.job.dataset, self.spec.crop_px, report)
            if not self._settings_path.is_file():
                self._copy_base()
                self._settings_path.write_text(json.dumps(self.settings, indent=1), encoding="utf-8")

    @contextmanager
    def _remove_new_output_on_failure(self) -> Iterator[None]:
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            raise BackendError(f"Cannot write to {self.output}: {error}. Choose another output.") from error
        finally:
            if not self._settings_path.is_file():
                shutil.rmtree(self.output, ignore_errors=True)

    def _copy_base(self) -> None:
        if self.base:
            model_folder.components(self.base[0], torch.float32, **self.spec.loaders)  # raises where one is damaged
            for name in self.spec.loaders:
                shutil.copytree(self.base[0] / name, self.output / name)

    @cached_property
    def validation_data(self) -> Any:
        """The data of the split 'val'; None where there is none."""
        data = type(self.data)(self.data.folders, "val")
        return data if data.has_crop(self.spec.crop_px) else None

    def initial_component(self, name: str, new: Callable[[], Any]) -> Any:
        """A component to be trained, in fp32: the base model's, or a new one without a base model."""
        return self.load_component(name) if self.base else new()

    def load_component(self, name: str) -> Any:
        """A component from the output folder, in fp32; BackendError where it is not there yet."""
        if not (self.output / name).is_dir():
            raise BackendError(
                f"{self.output} holds no {name} yet. Train that stage first, or all of them, or give a MODEL to start "
                "from."
            )
        return model_folder.components(self.output, torch.float32, **{name: self.spec.loaders[name]})[name]

    def save(self, stage: str, **components: Any) -> None:
        """Write the components that a stage has trained, in fp16; the other processes wait.

        Invalidates the index and the results of dependent stages: every stage depends on the first, none on another.
        """
        if process_state().is_main_process:
            (self.output / model_folder.INDEX).unlink(missing_ok=True)
            stages = list(self.spec.stages)
            for stale in stages if stage == stages[0] else [stage]:
                self.result_path(stale).unlink(missing_ok=True)
            for name, component in components.items():
                component.register_to_config(_name_or_path="")  # diffusers would write where it was loaded from
                component.half().save_pretrained(self.output / name)
        process_state().wait_for_everyone()

    def result_path(self, stage: str) -> Path:
        """The file of a finished stage's figures and history."""
        return self.checkpoints / f"{stage}.json"

    def checkpoint_path(self, stage: str) -> Path:
        """The checkpoint that a stage resumes from."""
        return self.checkpoints / f"{stage}.safetensors"

    def plan(self, name: str, report: Reporter) -> TrainingPlan:
        """How a stage is trained: for its share of the minutes, with a lower learning rate on a base model."""
        job, stages = self.job, [self.spec.stages[stage_name] for stage_name in self.stage_names]
        minutes = job.minutes * self.spec.stages[name].share / sum(stage.share for stage in stages)
        budget = Budget(minutes, job.steps or float("inf"))
        count = self.data.crop_count(self.spec.crop_px)
        if count < job.batch:
            report.log(f"The data sets hold {count} crops to train on: the batch is {count}, not {job.batch}.")
        plan = TrainingPlan(
            budget,
            self.checkpoint_path(name),
            min(job.batch, count),
            job.seed,
            learning_rate=job.learning_rate,
            samples=self.output / "samples",
        )
        if not self.base:
            return plan
        return dataclasses.replace(plan, lr_scale=FINE_TUNING_LR_SCALE, warmup_steps=FINE_TUNING_WARMUP_STEPS)

    def run_stage(self, name: str, report: Reporter) -> None:
        """Train a stage and write its figures and history; one that has used up its budget is left alone."""
        plan = self.plan(name, report)
        if self._is_finished(name, plan.budget):
            report.log(f"stage {name} is finished")
            return
        report.log(f"stage {name}, {plan.budget.minutes:.3g} minutes on {device.best().type}")
        set_seed(self.job.seed)  # of the first weights; the steps are seeded by the plan
        path = self.result_path(name)
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        result = self.spec.stages[name].train(self, plan, report)
        if process_state().is_main_process:
            text = json.dumps({**dataclasses.asdict(result), "budget": dataclasses.asdict(plan.budget)})
            path.write_text(text, encoding="utf-8")
            if text != before:
                self._reset_continuing_stage(name)
        process_state().wait_for_everyone()

    def _is_finished(self, name: str, budget: Budget) -> bool:
        """Whether a stage has a result of as large a budget; training it again would discard the stages after it."""
        path = self.result_path(name)
        before = json.loads(path.read_text(encoding="utf-8")).get("budget") if path.is_file() else None
        if not before:
            return False
        return before["minutes"] >= budget.minutes * (1 - 1e-6) and before["steps"] >= budget.steps

    def _reset_continuing_stage(self, name: str) -> None:
        """Remove the result and checkpoint of the stage that continues this one: it must start from the new weights."""
        stages = list(self.spec.stages)
        for following in stages[stages.index(name) + 1 :][:1]:
            if self.spec.stages[following].continues_previous:
                self.result_path(following).unlink(missing_ok=True)
                self.checkpoint_path(following).unlink(missing_ok=True)

    def write_model(self, report: Reporter) -> None:
        """Write the report, and the index and model card once every stage is trained, here or in the base model."""
        if not process_state().is_main_process:
            return
        results = self._results()
        figures = {name: result.figures for name, result in results.items()}
        index = {"figures": figures, **self._index_entries()}
        missing = [] if self.base else [name for name in self.spec.stages if name not in results]
        if missing:
            report.log(f"{self.output} is no model yet: it lacks the stages {', '.join(missing)}. Train them next.")
        else:
            self.spec.save(self, figures, **self._index_entries())
            _, index = model_folder.find(str(self.output), self.spec.kind)
            text = generator_card(index, f"Landforge {self.spec.kind}: {self.output.name}")
            (self.output / "README.md").write_text(text, encoding="utf-8")
        columns = {name: stage.columns for name, stage in self.spec.stages.items()}
        write_report(self.output, self.spec.kind, index, results, columns)
        report.log(f"report: {self.output / FILE}")

    def _results(self) -> dict[str, TrainingResult]:
        """The results of the stages that are trained."""
        files = {name: self.result_path(name) for name in self.spec.stages}
        results = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items() if file.is_file()}
        return {name: TrainingResult(result["figures"], result["history"]) for name, result in results.items()}

    def _index_entries(self) -> dict[str, Any]:
        """The index's entries beside the figures: the data, the settings and the classes seen in any training."""
        data = index_entry(self.job.dataset, self.data, self.class_counts, self.spec.crop_px)
        before: dict[str, Any] = self.base[1] if self.base else {"seen": []}
        usual_codes = [int(code) for code in legend.CODES if int(code) not in legend.FALLBACK_CLASS]
        training = {key: getattr(self.job, key) for key in ("batch", "learning_rate", "seed", "minutes", "steps")}
        return {
            "seen": sorted({*before.get("seen", usual_codes), *data["codes"]}),
            "shares": data.pop("shares"),
            "started_from": Path(self.job.model).name,
            "data": data,
            "training": {**training, "device": device.best().type},
        }


def _data(kind: DataKind, folders: tuple[Path, ...]) -> Data:
    return PackedTiles(folders) if kind == "tiles" else PackedLandCover(folders)


def _check_numbers(job: Job) -> None:
    if not (job.minutes > 0 and job.batch >= 1 and (job.steps or 1) >= 1 and np.isfinite(job.minutes)):
        raise BackendError(
            "Training needs MINUTES above 0, a BATCH of at least 1 and, where given, STEPS of at least 1."
        )
    if job.learning_rate is not None and not 0 < job.learning_rate < 1:
        raise BackendError(f"The learning rate must lie between 0 and 1, not {job.learning_rate:g}.")


def _stage_names(job: Job, spec: GeneratorSpec) -> list[str]:
    """The stages that the job trains."""
    if job.stage != "all" and job.stage not in spec.stages:
        raise BackendError(f"A {spec.kind} generator has no stage {job.stage!r}: it has {', '.join(spec.stages)}.")
    return list(spec.stages) if job.stage == "all" else [job.stage]


def train(job: Job, spec: GeneratorSpec, report: Reporter) -> dict[str, str]:
    """Train the job's stages, each for its share of the minutes, and write the model folder."""
    report = report if process_state().is_main_process else silent()
    training = Training(job, spec)
    training.prepare(report.part(0, 0.05))
    total_share = sum(spec.stages[name].share for name in training.stage_names)
    done = 0.0
    for name in training.stage_names:
        share = spec.stages[name].share / total_share
        training.run_stage(name, report.part(0.05 + 0.95 * done, 0.05 + 0.95 * (done + share)))
        done += share
    training.write_model(report)
    return {"output": job.output}
