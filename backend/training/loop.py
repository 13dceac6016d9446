"""One training loop for every generator: objectives in, weights out, resumable to the step.

An objective is a module that holds what is trained and turns a batch into losses; the loop knows nothing
of what it trains. accelerate gives it CPU, GPU, several processes and bf16; diffusers the running mean of weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import DistributedDataParallelKwargs, broadcast, set_seed
from diffusers.training_utils import EMAModel
from torch import nn

from backend.models import device
from backend.protocol import BackendError, Reporter
from backend.reports import contact_sheet
from backend.training.state import Stateful, load_state, save_state

CHECKPOINT_S = 120.0
LOG_S = 15.0
SAMPLE_S = 180.0
WARMUP_STEPS = 100
EXAMPLES = 4  # rows of a sheet of samples
HELD_OUT_BATCHES = 8

Batch = dict[str, torch.Tensor]
Draw = Callable[[np.random.Generator, int], Batch]
"""A batch of so many examples, drawn at random."""


class Objective(nn.Module):
    """What the loop trains. Each turn has its own optimizer: one for most models, two for a GAN.

    `columns` name the pictures that `shown` gives; without them there are none. From the share `settles_at` of the
    budget on, `settle` has been called: what varies in training alone comes to rest.
    """

    turns: tuple[str, ...] = ("loss",)
    learning_rate = 3e-4
    columns: tuple[str, ...] = ()
    settles_at = math.inf

    def settle(self) -> None:
        """Come to rest; called again where it already has."""

    def trained(self, turn: str) -> nn.Module:
        """The module whose parameters the turn's optimizer moves."""
        raise NotImplementedError

    def forward(self, batch: Batch, turn: str) -> tuple[torch.Tensor, dict[str, float]]:
        """The turn's loss, a scalar, and figures worth logging."""
        raise NotImplementedError

    def shown(self, batch: Batch) -> list[np.ndarray]:
        """What the averaged weights make of a batch: for each of `columns` (n, h, w, 3) uint8 RGB."""
        raise NotImplementedError


@dataclass(frozen=True)
class Budget:
    """When a training ends: after so many minutes or so many steps, whichever comes first."""

    minutes: float
    steps: float = math.inf

    def spent(self, seconds: float, step: int) -> float:
        """The share of the budget that is used up, 1 when it is."""
        return min(max(seconds / (60 * self.minutes), step / self.steps), 1.0)


@dataclass(frozen=True)
class TrainingPlan:
    """How an objective is trained.

    `state` is the checkpoint, from which a run goes on; `samples` the folder for sheets of samples, named after the
    state. `learning_rate` replaces the objective's own, of which else the first turn takes the part `gentleness`.
    `head_start` is the share of the budget in which the first turn waits for the others, to begin gently in as much
    again: a new judge must learn before it teaches.
    """

    budget: Budget
    state: Path
    batch: int
    seed: int = 0
    learning_rate: float | None = None
    gentleness: float = 1.0
    warmup: int = WARMUP_STEPS
    head_start: float = 0.0
    samples: Path | None = None

    def rate(self, spent: float, step: int) -> float:
        """The learning rate's factor: a short warm-up, then half a cosine over the budget."""
        return min(1.0, (step + 1) / self.warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * spent)))

    def waiting(self, spent: float) -> float:
        """The factor of the first turn's rate while it waits for the others, and as it begins."""
        return min(max(spent / self.head_start - 1, 0.0), 1.0) if self.head_start else 1.0


@dataclass
class Outcome:
    """What a training came to: its last figures, and how they came about (step, minutes and figures by time)."""

    figures: dict[str, float]
    history: list[dict[str, float]] = field(default_factory=list)


def processes() -> PartialState:
    """The processes of this training, of which accelerate may have started several."""
    return PartialState(cpu=device.best().type == "cpu")


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the machine's or the GPU's memory is full."""
    said = ("not enough memory", "can't allocate memory")
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(words in str(error) for words in said)


def _placed(batch: Batch, where: torch.device) -> Batch:
    layouts = {4: torch.channels_last}
    return {k: v.to(where, memory_format=layouts.get(v.ndim, torch.contiguous_format)) for k, v in batch.items()}


class _Run:
    """An objective on its way."""

    def __init__(
        self, objective: Objective, draw: Draw, held_out: Draw | None, plan: TrainingPlan, report: Reporter
    ) -> None:
        self.objective, self.draw, self.held_out, self.plan, self.report = objective, draw, held_out, plan, report
        device.keep_freed_memory()
        where = device.best()
        several = DistributedDataParallelKwargs(find_unused_parameters=len(objective.turns) > 1)
        precision = "bf16" if device.fast_bf16(where) else "no"
        self.accelerator = Accelerator(cpu=where.type == "cpu", mixed_precision=precision, kwargs_handlers=[several])
        self.where = self.accelerator.device
        set_seed(plan.seed, device_specific=True)
        self.rng = np.random.default_rng([plan.seed, self.accelerator.process_index])
        self.trained = {turn: objective.trained(turn) for turn in objective.turns}
        betas = (0.9 if len(self.trained) == 1 else 0.5, 0.99)
        self.optimizers = {
            turn: torch.optim.AdamW(part.parameters(), lr=objective.learning_rate, betas=betas)
            for turn, part in self.trained.items()
        }
        objective.to(self.where).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = list(self.trained[objective.turns[0]].parameters())
        self.ema = EMAModel(self.averaged, decay=0.999, use_ema_warmup=True, power=0.75)
        self.step, self.elapsed, self.batch = 0, 0.0, plan.batch
        self.outcome = Outcome({})
        self._resume()
        self.ema.to(self.where)
        self.prepared = self.accelerator.prepare(objective)
        self.spent = self._spent()

    def _rate(self, turn: str) -> float:
        """The turn's learning rate at this step."""
        plan, first, several = self.plan, turn == self.objective.turns[0], len(self.optimizers) > 1
        largest = plan.learning_rate or self.objective.learning_rate * (plan.gentleness if first else 1.0)
        return largest * plan.rate(self.spent, self.step) * (plan.waiting(self.spent) if first and several else 1.0)

    def _parts(self) -> dict[str, Stateful]:
        return {"objective": self.objective, "ema": self.ema, **self.optimizers}

    def _resume(self) -> None:
        if not self.plan.state.is_file():
            return
        progress = load_state(self.plan.state, self._parts())
        self.step, self.elapsed, self.batch = progress["step"], progress["elapsed"], progress["batch"]
        self.outcome = Outcome(progress["figures"], progress["history"])
        self.rng.bit_generator.state = progress["rng"]
        if not self.accelerator.is_main_process:  # the state holds the first process's random numbers
            self.rng = np.random.default_rng([self.plan.seed, self.accelerator.process_index, self.step])
            torch.manual_seed(int(self.rng.integers(2**31)))
        self.report.log(f"resumed at step {self.step}, {self.elapsed / 60:.1f} minutes in")

    def _save(self) -> None:
        progress = {"step": self.step, "elapsed": self.elapsed, "batch": self.batch, **vars(self.outcome)}
        save_state(self.plan.state, self._parts(), {**progress, "rng": self.rng.bit_generator.state})

    def _spent(self) -> float:
        """The share of the budget that is used up; the first process's clock counts."""
        share = self.plan.budget.spent(self.elapsed, self.step)
        if self.accelerator.num_processes == 1:
            return share
        return float(broadcast(torch.tensor(share, device=self.where)).item())

    def _turn(self, turn: str, batch: Batch) -> dict[str, float]:
        """One optimizer's step; its loss and figures."""
        optimizer = self.optimizers[turn]
        for group in optimizer.param_groups:
            group["lr"] = self._rate(turn)
        loss, found = self.prepared(batch, turn)
        value = loss.item()
        if not math.isfinite(value):
            raise BackendError(
                f"The training's {turn} is no longer a number at step {self.step}; use a smaller learning rate, in "
                "another output."
            )
        optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        nn.utils.clip_grad_norm_(self.trained[turn].parameters(), 1.0)
        optimizer.step()
        return {turn: value, **found}

    def _learn(self) -> None:
        """One step of all turns, of as many examples as the memory holds."""
        while True:
            try:
                batch = _placed(self.draw(self.rng, self.batch), self.where)
                found = [self._turn(turn, batch) for turn in self.optimizers]
                break
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                if self.batch == 1:
                    raise BackendError(
                        "The memory is full even with a batch of 1. Close other programs, or train on a machine with "
                        "more memory; LANDFORGE_DEVICE=cpu leaves the GPU's aside."
                    ) from error
            self._halve()
        figures = self.outcome.figures
        for name, value in (item for one in found for item in one.items()):
            figures[name] = value if name not in figures else 0.98 * figures[name] + 0.02 * value

    def _halve(self) -> None:
        self.batch //= 2
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        if self.where.type == "cuda":
            torch.cuda.empty_cache()
        self.report.log(f"The memory is full at step {self.step}: going on with a batch of {self.batch}.")

    def _say(self) -> None:
        figures = ", ".join(f"{name} {value:.4f}" for name, value in self.outcome.figures.items())
        minutes = self.elapsed / 60
        left = minutes * (1 / self.spent - 1) if self.spent else 0.0
        self.report.progress(
            self.spent, f"step {self.step}: {figures}" + (f", {left:.0f} min left" if left > 1 else "")
        )
        self.outcome.history.append({"step": self.step, "minutes": round(minutes, 3), **self.outcome.figures})

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The averaged weights, without gradients, and with random numbers that the training does not miss."""
        self.ema.store(self.averaged)
        self.ema.copy_to(self.averaged)
        self.objective.eval()
        gpus = range(torch.cuda.device_count()) if self.where.type == "cuda" else []
        try:
            with torch.random.fork_rng(gpus), torch.no_grad(), device.autocast(self.where):
                torch.manual_seed(self.plan.seed)
                yield
        finally:
            self.ema.restore(self.averaged)
            self.objective.train()

    def _examples(self, draw: Draw, count: int) -> Iterator[Batch]:
        """Batches that are the same at every call."""
        rng = np.random.default_rng(self.plan.seed)
        return (_placed(draw(rng, min(EXAMPLES, self.batch)), self.where) for _ in range(count))

    def _sample(self) -> None:
        """Write a sheet of what the averaged weights make now."""
        if self.plan.samples is None or not self.objective.columns:
            return
        path = self.plan.samples / f"{self.plan.state.stem}_{self.step:06d}.png"
        try:
            with self._averaged():
                (batch,) = self._examples(self.held_out or self.draw, 1)
                columns = self.objective.shown(batch)
            contact_sheet.write_png(path, contact_sheet.sheet(columns))
            self.report.log(f"samples ({', '.join(self.objective.columns)}): {path}")
        except (RuntimeError, MemoryError, OSError) as error:  # a training does not end for want of a picture
            if not (isinstance(error, OSError) or out_of_memory(error)):
                raise
            self.report.log(f"No samples at step {self.step}: {error}")

    def _score(self) -> dict[str, float]:
        """The mean figures of the averaged weights on held-out batches."""
        if self.held_out is None:
            return {}
        found: dict[str, list[float]] = {}
        with self._averaged():
            for batch in self._examples(self.held_out, HELD_OUT_BATCHES):
                loss, figures = self.objective(batch, self.objective.turns[0])
                for name, value in {self.objective.turns[0]: loss.item(), **figures}.items():
                    found.setdefault(f"held_out_{name}", []).append(value)
        return {name: float(np.mean(values)) for name, values in found.items()}

    def run(self) -> Outcome:
        """Train until the budget is spent; the objective then holds the averaged weights."""
        saved = logged = sampled = clock = time.monotonic()
        self.objective.train()
        main = self.accelerator.is_main_process
        while self.spent < 1:
            if self.spent >= self.objective.settles_at:
                self.objective.settle()
            self._learn()
            self.ema.step(self.averaged)
            now = time.monotonic()
            self.step, self.elapsed, clock = self.step + 1, self.elapsed + now - clock, now
            self.spent = self._spent()
            ended = self.spent == 1
            if main and (ended or now - logged > LOG_S):
                self._say()
                logged = now
            if main and (ended or now - saved > CHECKPOINT_S):
                self._save()
                saved = time.monotonic()
            if main and (ended or now - sampled > SAMPLE_S):
                self._sample()
                sampled = time.monotonic()
            clock = time.monotonic()  # looking and saving cost the training no time
        return self._end()

    def _end(self) -> Outcome:
        figures = {**self.outcome.figures, **self._score()}
        self.ema.copy_to(self.averaged)
        self.objective.eval()
        own = {"steps": self.step, "minutes": round(self.elapsed / 60, 1), "batch": self.batch}
        return Outcome({**own, **{k: round(v, 4) for k, v in figures.items()}}, self.outcome.history)


def fit(
    objective: Objective, draw: Draw, plan: TrainingPlan, report: Reporter, held_out: Draw | None = None
) -> Outcome:
    """Train the objective as planned, checkpoint as it goes, and leave the averaged weights in it.

    A run that finds the plan's state goes on from it, with what was spent counted. `held_out` draws batches that
    the training does not see, for samples and figures. Where the memory is full, the batch is halved. Raises
    BackendError where the loss stops being a number, the state is another training's, and the memory cannot hold
    a batch of 1.
    """
    return _Run(objective, draw, held_out, plan, report).run()
