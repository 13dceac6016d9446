"""The loop under every training: steps, callbacks between them, and a checkpoint to resume from.

accelerate gives it CPU, GPU, several processes and bf16.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import KwargsHandler

from backend.models import device
from backend.protocol import BackendError, Reporter
from backend.training.state import Stateful, load_state, save_state

STOP = threading.Event()
"""Once set, by a signal handler for example, a training ends after the present step with a checkpoint."""


class TrainingStopped(BackendError):
    """A training was stopped by STOP before its budget was used up."""


class Callback:
    """An action between steps: due when `interval_s` seconds have passed since it last ran, and after the last step."""

    def __init__(self, interval_s: float, action: Callable[[], None]) -> None:
        self.interval_s, self.action, self.last_run = interval_s, action, time.monotonic()

    def run_if_due(self, finished: bool) -> None:
        """Run the action where it is due; the interval begins when the action has ended."""
        if finished or time.monotonic() - self.last_run >= self.interval_s:
            self.action()
            self.last_run = time.monotonic()


class TrainingLoop(ABC):
    """A training that runs step by step and resumes from its checkpoint.

    What a step is depends on the training: one batch for a generator, one epoch for a segmentation model.
    """

    def __init__(self, checkpoint: Path, report: Reporter, *handlers: KwargsHandler) -> None:
        device.keep_freed_memory()
        best = device.best()
        self.accelerator = Accelerator(
            cpu=best.type == "cpu",
            mixed_precision="bf16" if device.fast_bf16(best) else "no",
            kwargs_handlers=list(handlers),
        )
        self.device = self.accelerator.device
        self.checkpoint, self.report = checkpoint, report

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether no step is left."""

    @abstractmethod
    def step(self) -> None:
        """Train for one step."""

    @abstractmethod
    def callbacks(self) -> list[Callback]:
        """What happens between steps (logging, checkpoints, samples), in this order, in the main process alone."""

    @abstractmethod
    def stateful_parts(self) -> dict[str, Stateful]:
        """The modules, optimizers and schedules whose state the checkpoint holds."""

    @abstractmethod
    def counters(self) -> dict[str, Any]:
        """What the checkpoint holds beside the parts: JSON and tensors."""

    def save_checkpoint(self) -> None:
        """Write the checkpoint; BackendError where the disk is full."""
        save_state(self.checkpoint, self.stateful_parts(), self.counters())

    def load_checkpoint(self) -> dict[str, Any] | None:
        """Restore the parts and the random generators and return the counters; None without a checkpoint.

        Raises BackendError where the checkpoint is damaged or another training's.
        """
        return load_state(self.checkpoint, self.stateful_parts()) if self.checkpoint.is_file() else None

    def train(self) -> None:
        """Run the steps that are left. Raises TrainingStopped after the step in which STOP is set."""
        callbacks = self.callbacks() if self.accelerator.is_main_process else []
        while not self.finished:
            self.step()
            for callback in callbacks:
                callback.run_if_due(self.finished)
            if STOP.is_set() and not self.finished:
                if self.accelerator.is_main_process:
                    self.save_checkpoint()
                raise TrainingStopped(f"The training was stopped. Run it again to resume from {self.checkpoint}.")


def process_state() -> PartialState:
    """The processes of this training, of which accelerate may have started several."""
    return PartialState(cpu=device.best().type == "cpu")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the machine's or the GPU's memory is full."""
    messages = ("not enough memory", "can't allocate memory")
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(text in str(error) for text in messages)
