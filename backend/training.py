"""One training loop for every generator: objectives in, weights out, resumable to the step.

An objective is a module that holds what is trained and turns a batch into losses; the loop knows nothing
of what it trains. accelerate gives it CPU, GPU, several processes and bf16; diffusers the running mean of weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from diffusers.training_utils import EMAModel
from torch import nn

from backend import checkpoint, device
from backend.protocol import BackendError, Reporter

CHECKPOINT_S = 120.0
LOG_S = 15.0
WARMUP_STEPS = 100

Batch = dict[str, torch.Tensor]
Draw = Callable[[np.random.Generator], Batch]


class Objective(nn.Module):
    """What the loop trains. Each turn has its own optimizer: one for most models, two for a GAN."""

    turns: tuple[str, ...] = ("loss",)
    learning_rate = 3e-4

    def trained(self, turn: str) -> nn.Module:
        """The module whose parameters the turn's optimizer moves."""
        raise NotImplementedError

    def forward(self, batch: Batch, turn: str) -> tuple[torch.Tensor, dict[str, float]]:
        """The turn's loss, a scalar, and figures worth logging."""
        raise NotImplementedError


@dataclass(frozen=True)
class Budget:
    """When a training ends: after so many minutes or so many steps, whichever comes first."""

    minutes: float
    steps: float = math.inf

    def spent(self, seconds: float, step: int) -> float:
        """The share of the budget that is used up, 1 when it is."""
        return min(max(seconds / (60 * self.minutes), step / self.steps), 1.0)


def _rate(spent: float, step: int) -> float:
    """The learning rate's factor: a short warm-up, then half a cosine over the budget."""
    return min(1.0, (step + 1) / WARMUP_STEPS) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * spent)))


def _placed(batch: Batch, where: torch.device) -> Batch:
    layouts = {4: torch.channels_last}
    return {k: v.to(where, memory_format=layouts.get(v.ndim, torch.contiguous_format)) for k, v in batch.items()}


def fit(objective: Objective, draw: Draw, budget: Budget, state: Path, seed: int, report: Reporter) -> dict[str, float]:
    """Train the objective within a budget, checkpoint into `state`, and leave the averaged weights in it.

    A run that finds `state` goes on from it, with what was spent counted. Returns the last figures.
    Raises BackendError when the loss stops being a number.
    """
    where = device.best()
    accelerator = Accelerator(cpu=where.type == "cpu", mixed_precision="bf16" if device.fast_bf16(where) else "no")
    set_seed(seed)
    rng = np.random.default_rng([seed, accelerator.process_index])
    names = {turn: objective.trained(turn) for turn in objective.turns}
    optimizers = {
        turn: torch.optim.AdamW(
            part.parameters(), lr=objective.learning_rate, betas=(0.9 if len(names) == 1 else 0.5, 0.99)
        )
        for turn, part in names.items()
    }
    objective.to(accelerator.device).to(memory_format=torch.channels_last)
    averaged = names[objective.turns[0]]
    ema = EMAModel(averaged.parameters(), decay=0.999, use_ema_warmup=True, power=0.75)
    parts: dict[str, checkpoint.Stateful] = {"objective": objective, "ema": ema, **optimizers}
    step, elapsed, figures = 0, 0.0, {}
    if state.is_file():
        progress = checkpoint.load_state(state, parts)
        step, elapsed, figures = progress["step"], progress["elapsed"], progress["figures"]
        rng.bit_generator.state = progress["rng"]
        report.log(f"resumed at step {step}, {elapsed / 60:.1f} minutes in")
    ema.to(accelerator.device)
    prepared = accelerator.prepare(objective)
    saved = logged = clock = time.monotonic()
    objective.train()
    while budget.spent(elapsed, step) < 1:
        batch = _placed(draw(rng), accelerator.device)
        for turn, optimizer in optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = objective.learning_rate * _rate(budget.spent(elapsed, step), step)
            loss, found = prepared(batch, turn)
            optimizer.zero_grad(set_to_none=True)
            accelerator.backward(loss)
            nn.utils.clip_grad_norm_(names[turn].parameters(), 1.0)
            optimizer.step()
            if not math.isfinite(loss.item()):
                raise BackendError(
                    f"The training's {turn} is no longer a number at step {step}; use a smaller learning rate."
                )
            for name, value in {turn: loss.item(), **found}.items():
                figures[name] = value if name not in figures else 0.98 * figures[name] + 0.02 * value
        ema.step(averaged.parameters())
        now = time.monotonic()
        step, elapsed, clock = step + 1, elapsed + now - clock, now
        spent = budget.spent(elapsed, step)
        if accelerator.is_main_process and (now - saved > CHECKPOINT_S or spent == 1):
            bits = rng.bit_generator.state
            checkpoint.save_state(state, parts, {"step": step, "elapsed": elapsed, "figures": figures, "rng": bits})
            saved = clock = time.monotonic()
        if now - logged > LOG_S or spent == 1:
            shown = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
            report.progress(spent, f"step {step}: {shown}")
            logged = now
    ema.copy_to(averaged.parameters())
    objective.eval()
    return {"steps": step, "minutes": round(elapsed / 60, 1), **{k: round(v, 4) for k, v in figures.items()}}
