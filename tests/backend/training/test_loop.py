"""The loop under every training: steps until none is left, callbacks between them, a checkpoint to resume from."""

import pytest
import torch

from backend.protocol import silent
from backend.training.loop import STOP, Callback, TrainingLoop, TrainingStopped


class Counting(TrainingLoop):
    """Counts to three, in its only weight."""

    def __init__(self, path, interval_s=0.0):
        super().__init__(path, silent())
        self.weight, self.count, self.calls, self.interval_s = torch.nn.Linear(1, 1), 0, [], interval_s

    @property
    def finished(self):
        return self.count >= 3

    def step(self):
        self.count += 1
        torch.nn.init.constant_(self.weight.weight, self.count)

    def callbacks(self):
        names = ("log", "save")
        return [Callback(self.interval_s, lambda name=name: self.calls.append((self.count, name))) for name in names]

    def stateful_parts(self):
        return {"weight": self.weight}

    def counters(self):
        return {"count": self.count}


def test_callbacks_run_in_order_after_each_step(tmp_path):
    loop = Counting(tmp_path / "state.safetensors")
    loop.train()
    assert loop.calls == [(count, name) for count in (1, 2, 3) for name in ("log", "save")]


def test_callbacks_that_are_not_due_still_run_after_the_last_step(tmp_path):
    loop = Counting(tmp_path / "state.safetensors", interval_s=3600)
    loop.train()
    assert loop.calls == [(3, "log"), (3, "save")]


def test_a_finished_training_runs_no_step(tmp_path):
    loop = Counting(tmp_path / "state.safetensors")
    loop.count = 3
    loop.train()
    assert loop.count == 3 and not loop.calls


def test_a_checkpoint_restores_parts_and_counters(tmp_path):
    loop = Counting(tmp_path / "state.safetensors")
    assert loop.load_checkpoint() is None
    loop.step()
    loop.save_checkpoint()
    other = Counting(tmp_path / "state.safetensors")
    assert other.load_checkpoint() == {"count": 1} and other.weight.weight.item() == 1


def test_a_stopped_training_writes_a_checkpoint_after_its_step(tmp_path):
    loop = Counting(tmp_path / "state.safetensors", interval_s=3600)
    try:
        STOP.set()
        with pytest.raises(TrainingStopped, match="Run it again"):
            loop.train()
    finally:
        STOP.clear()
    assert Counting(tmp_path / "state.safetensors").load_checkpoint() == {"count": 1} and not loop.calls
