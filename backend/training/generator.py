"""The training of a generator: an objective in, averaged weights out, resumable to the step.

An objective is a module that holds what is trained and turns a batch into losses; the trainer knows nothing else of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import DistributedDataParallelKwargs, broadcast, set_seed
from diffusers.training_utils import EMAModel
from torch import nn

from backend.models import device
from backend.protocol import BackendError, Reporter
from backend.reports import contact_sheet
from backend.training.loop import Callback, TrainingLoop, is_out_of_memory
from backend.training.state import Stateful

CHECKPOINT_S = 120.0
LOG_S = 15.0
SAMPLE_S = 180.0
WARMUP_STEPS = 100
SAMPLE_ROWS = 4
VALIDATION_BATCHES = 8

Batch = dict[str, torch.Tensor]
DrawBatch = Callable[[np.random.Generator, int], Batch]
"""Draws a batch of that many examples at random."""


class Objective(nn.Module):
    """What a training minimises, with the modules that it trains.

    Each of `optimizer_keys` names a loss with an optimizer of its own: one for most models, two for a GAN, of which
    the generator's is the first. `columns` are the headings of the preview; without any there is no preview. Once the
    share `freeze_statistics_at` of the budget is used up, `freeze_statistics` is called before each step.
    """

    optimizer_keys: tuple[str, ...] = ("loss",)
    learning_rate = 3e-4
    columns: tuple[str, ...] = ()
    freeze_statistics_at = math.inf

    def freeze_statistics(self) -> None:
        """Stop updating running statistics; calling it again changes nothing."""

    def trained_module(self, optimizer_key: str) -> nn.Module:
        """The module whose parameters that optimizer updates."""
        raise NotImplementedError

    def forward(self, batch: Batch, optimizer_key: str) -> tuple[torch.Tensor, dict[str, float]]:
        """The loss of that optimizer, a scalar, and figures worth logging."""
        raise NotImplementedError

    def preview(self, batch: Batch) -> list[np.ndarray]:
        """Images of a batch for each of `columns`, (n, h, w, 3) uint8 RGB; called with the averaged weights."""
        raise NotImplementedError


@dataclass(frozen=True)
class Budget:
    """When a training ends: after so many minutes or so many steps, whichever comes first."""

    minutes: float
    steps: float = math.inf

    def progress(self, seconds: float, step: int) -> float:
        """The share of the budget that is used up, from 0 to 1."""
        return min(max(seconds / (60 * self.minutes), step / self.steps), 1.0)


@dataclass(frozen=True)
class TrainingPlan:
    """How an objective is trained.

    `checkpoint` is the file that a run resumes from; sheets of samples go to the folder `samples`, named after it.
    `learning_rate` replaces the objective's own. Without it, the generator's learning rate is scaled by `lr_scale`.
    During the share `generator_delay` of the budget a GAN trains its discriminator alone; the generator's learning
    rate then rises linearly over the same share again.
    """

    budget: Budget
    checkpoint: Path
    batch_size: int
    seed: int = 0
    learning_rate: float | None = None
    lr_scale: float = 1.0
    warmup_steps: int = WARMUP_STEPS
    generator_delay: float = 0.0
    samples: Path | None = None

    def lr_factor(self, progress: float, step: int) -> float:
        """The factor of all learning rates: linear warm-up, then half a cosine over the budget."""
        return min(1.0, (step + 1) / self.warmup_steps) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))

    def delay_factor(self, progress: float) -> float:
        """The further factor of a GAN's generator: 0 during the delay, then rising to 1."""
        return min(max(progress / self.generator_delay - 1, 0.0), 1.0) if self.generator_delay else 1.0


@dataclass
class TrainingResult:
    """The last figures of a training, and the history: step, minutes and figures at each log line."""

    figures: dict[str, float]
    history: list[dict[str, float]] = field(default_factory=list)


def _to_device(batch: Batch, target: torch.device) -> Batch:
    layouts = {4: torch.channels_last}
    return {k: v.to(target, memory_format=layouts.get(v.ndim, torch.contiguous_format)) for k, v in batch.items()}


class BatchesAhead:
    """Draws each batch in a thread while the one before it is trained on, so that a GPU does not wait for it.

    The batches are those that would be drawn without the thread.
    """

    def __init__(self, draw: DrawBatch, rng: np.random.Generator) -> None:
        self._draw, self._rng = draw, rng
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._ahead: Future[Batch] | None = None
        self._state = rng.bit_generator.state

    @property
    def state(self) -> Any:
        """The random state before the batch that `next` returns."""
        return self._state

    @state.setter
    def state(self, state: Any) -> None:
        self.discard()
        self._state = self._rng.bit_generator.state = state

    def next(self, size: int) -> Batch:
        """A batch of that size, of which the size of the batch ahead is expected; raises what drawing it raises."""
        batch = (self._ahead or self._pool.submit(self._draw, self._rng, size)).result()
        self._state = self._rng.bit_generator.state
        self._ahead = self._pool.submit(self._draw, self._rng, size)
        return batch

    def discard(self) -> None:
        """Forget the batch ahead; it is drawn again, as another size may be needed."""
        if self._ahead:
            self._ahead.exception()  # waits
            self._ahead, self._rng.bit_generator.state = None, self._state

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(cancel_futures=True)


class GeneratorTrainer(TrainingLoop):
    """Trains an objective; a step is one batch through each of its optimizers."""

    def __init__(
        self,
        objective: Objective,
        draw_batch: DrawBatch,
        draw_validation: DrawBatch | None,
        plan: TrainingPlan,
        report: Reporter,
    ) -> None:
        is_gan = len(objective.optimizer_keys) > 1
        super().__init__(plan.checkpoint, report, DistributedDataParallelKwargs(find_unused_parameters=is_gan))
        self.objective, self.plan = objective, plan
        self.draw_batch, self.draw_validation = draw_batch, draw_validation
        set_seed(plan.seed, device_specific=True)
        rng = np.random.default_rng([plan.seed, self.accelerator.process_index])
        self.batches = BatchesAhead(self._draw, rng)
        self.modules = {key: objective.trained_module(key) for key in objective.optimizer_keys}
        betas = (0.5 if is_gan else 0.9, 0.99)
        self.optimizers = {
            key: torch.optim.AdamW(module.parameters(), lr=objective.learning_rate, betas=betas)
            for key, module in self.modules.items()
        }
        objective.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = list(self.modules[objective.optimizer_keys[0]].parameters())
        self.ema = EMAModel(self.averaged, decay=0.999, use_ema_warmup=True, power=0.75)
        self.step_number, self.elapsed_s, self.batch_size = 0, 0.0, plan.batch_size
        self.result = TrainingResult({})
        self._resume()
        self.ema.to(self.device)
        self.prepared = self.accelerator.prepare(objective)
        self.progress = self._budget_progress()

    def stateful_parts(self) -> dict[str, Stateful]:  # noqa: D102
        return {"objective": self.objective, "ema": self.ema, **self.optimizers}

    def counters(self) -> dict[str, Any]:  # noqa: D102
        counters = {"step": self.step_number, "elapsed": self.elapsed_s, "batch": self.batch_size}
        return {**counters, **vars(self.result), "rng": self.batches.state}

    def _resume(self) -> None:
        counters = self.load_checkpoint()
        if counters is None:
            return
        self.step_number, self.elapsed_s = counters["step"], counters["elapsed"]
        self.batch_size = counters["batch"]
        self.result = TrainingResult(counters["figures"], counters["history"])
        self.batches.state = counters["rng"]
        if not self.accelerator.is_main_process:  # the checkpoint holds the first process's random numbers
            rng = np.random.default_rng([self.plan.seed, self.accelerator.process_index, self.step_number])
            torch.manual_seed(int(rng.integers(2**31)))
            self.batches.state = rng.bit_generator.state
        self.report.log(f"resumed at step {self.step_number}, {self.elapsed_s / 60:.1f} minutes in")

    def _budget_progress(self) -> float:
        """The share of the budget that is used up, by the clock of the first process."""
        progress = self.plan.budget.progress(self.elapsed_s, self.step_number)
        if self.accelerator.num_processes == 1:
            return progress
        return float(broadcast(torch.tensor(progress, device=self.device)).item())

    @property
    def finished(self) -> bool:  # noqa: D102
        return self.progress >= 1

    def callbacks(self) -> list[Callback]:  # noqa: D102
        return [
            Callback(LOG_S, self._log),
            Callback(CHECKPOINT_S, self.save_checkpoint),
            Callback(SAMPLE_S, self._write_samples),
        ]

    def step(self) -> None:  # noqa: D102
        begun = time.monotonic()
        if self.progress >= self.objective.freeze_statistics_at:
            self.objective.freeze_statistics()
        self._train_on_batch()
        self.ema.step(self.averaged)
        self.step_number += 1
        self.elapsed_s += time.monotonic() - begun
        self.progress = self._budget_progress()

    def _draw(self, rng: np.random.Generator, size: int) -> Batch:
        return _to_device(self.draw_batch(rng, size), self.device)

    def _train_on_batch(self) -> None:
        """One step of each optimizer; where the memory is full, with a smaller batch."""
        while True:
            try:
                batch = self.batches.next(self.batch_size)
                step_figures = [self._optimizer_step(key, batch) for key in self.optimizers]
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self.batch_size == 1:
                    raise BackendError(
                        "The memory is full even with a batch of 1. Close other programs, or train on a machine with "
                        "more memory; LANDFORGE_DEVICE=cpu leaves the GPU's aside."
                    ) from error
            self._halve_batch()
        figures = self.result.figures
        for name, value in (item for one_step in step_figures for item in one_step.items()):
            figures[name] = value if name not in figures else 0.98 * figures[name] + 0.02 * value

    def _optimizer_step(self, optimizer_key: str, batch: Batch) -> dict[str, float]:
        """One step of an optimizer; its loss and figures."""
        optimizer = self.optimizers[optimizer_key]
        for group in optimizer.param_groups:
            group["lr"] = self._learning_rate(optimizer_key)
        loss, figures = self.prepared(batch, optimizer_key)
        value = loss.item()
        if not math.isfinite(value):
            raise BackendError(
                f"The training's {optimizer_key} is no longer a number at step {self.step_number}; use a smaller "
                "learning rate, in another output."
            )
        optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        nn.utils.clip_grad_norm_(self.modules[optimizer_key].parameters(), 1.0)
        optimizer.step()
        return {optimizer_key: value, **figures}

    def _learning_rate(self, optimizer_key: str) -> float:
        """An optimizer's learning rate at this step."""
        plan, is_generator = self.plan, optimizer_key == self.objective.optimizer_keys[0]
        highest = plan.learning_rate or self.objective.learning_rate * (plan.lr_scale if is_generator else 1.0)
        delay = plan.delay_factor(self.progress) if is_generator and len(self.optimizers) > 1 else 1.0
        return highest * plan.lr_factor(self.progress, self.step_number) * delay

    def _halve_batch(self) -> None:
        self.batch_size //= 2
        self.batches.discard()
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self.report.log(f"The memory is full at step {self.step_number}: going on with a batch of {self.batch_size}.")

    def _log(self) -> None:
        """Report the progress and add to the history."""
        figures = ", ".join(f"{name} {value:.4f}" for name, value in self.result.figures.items())
        minutes = self.elapsed_s / 60
        left = minutes * (1 / self.progress - 1) if self.progress else 0.0
        message = f"step {self.step_number}: {figures}" + (f", {left:.0f} min left" if left > 1 else "")
        self.report.progress(self.progress, message)
        self.result.history.append({"step": self.step_number, "minutes": round(minutes, 3), **self.result.figures})

    @contextmanager
    def _averaged_weights(self) -> Iterator[None]:
        """The averaged weights in place, without gradients; the random generators are restored afterwards."""
        self.ema.store(self.averaged)
        self.ema.copy_to(self.averaged)
        self.objective.eval()
        gpus = range(torch.cuda.device_count()) if self.device.type == "cuda" else []
        try:
            with torch.random.fork_rng(gpus), torch.no_grad(), device.autocast(self.device):
                torch.manual_seed(self.plan.seed)
                yield
        finally:
            self.ema.restore(self.averaged)
            self.objective.train()

    def _fixed_batches(self, draw_batch: DrawBatch, count: int) -> Iterator[Batch]:
        """Small batches that are the same at every call."""
        rng, size = np.random.default_rng(self.plan.seed), min(SAMPLE_ROWS, self.batch_size)
        return (_to_device(draw_batch(rng, size), self.device) for _ in range(count))

    def _write_samples(self) -> None:
        """Write a sheet of previews with the present averaged weights."""
        if self.plan.samples is None or not self.objective.columns:
            return
        path = self.plan.samples / f"{self.plan.checkpoint.stem}_{self.step_number:06d}.png"
        try:
            with self._averaged_weights():
                (batch,) = self._fixed_batches(self.draw_validation or self.draw_batch, 1)
                columns = self.objective.preview(batch)
            contact_sheet.write_png(path, contact_sheet.sheet(columns))
            self.report.log(f"samples ({', '.join(self.objective.columns)}): {path}")
        except (RuntimeError, MemoryError, OSError) as error:  # a missing sheet does not end the training
            if not (isinstance(error, OSError) or is_out_of_memory(error)):
                raise
            self.report.log(f"No samples at step {self.step_number}: {error}")

    def _validate(self) -> dict[str, float]:
        """The mean figures of the averaged weights on validation batches, named `held_out_...`."""
        if self.draw_validation is None:
            return {}
        values: dict[str, list[float]] = {}
        key = self.objective.optimizer_keys[0]
        with self._averaged_weights():
            for batch in self._fixed_batches(self.draw_validation, VALIDATION_BATCHES):
                loss, figures = self.objective(batch, key)
                for name, value in {key: loss.item(), **figures}.items():
                    values.setdefault(f"held_out_{name}", []).append(value)
        return {name: float(np.mean(batch_values)) for name, batch_values in values.items()}

    def fit(self) -> TrainingResult:
        """Train until the budget is used up; the objective then holds the averaged weights."""
        self.objective.train()
        try:
            self.train()
        finally:
            self.batches.close()
        figures = {**self.result.figures, **self._validate()}
        self.ema.copy_to(self.averaged)
        self.objective.eval()
        run = {"steps": self.step_number, "minutes": round(self.elapsed_s / 60, 1), "batch": self.batch_size}
        rounded = {name: round(value, 4) for name, value in figures.items()}
        return TrainingResult({**run, **rounded}, self.result.history)


def fit(
    objective: Objective,
    draw_batch: DrawBatch,
    plan: TrainingPlan,
    report: Reporter,
    draw_validation: DrawBatch | None = None,
) -> TrainingResult:
    """Train the objective as planned, with checkpoints, and leave the averaged weights in it.

    A run resumes from the plan's checkpoint where there is one; the time and the steps used before count.
    `draw_validation` draws batches of data that is not trained on, for samples and figures. Where the memory is full,
    the batch is halved. Raises BackendError where the loss stops being a number, the checkpoint is another training's,
    and the memory cannot hold a batch of 1.
    """
    return GeneratorTrainer(objective, draw_batch, draw_validation, plan, report).fit()
