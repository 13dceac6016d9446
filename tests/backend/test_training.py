"""The training loop: it learns, it resumes to the step, it stops when the loss is no number."""

import numpy as np
import pytest
import torch
from torch import nn

from backend.protocol import BackendError, silent
from backend.training import Budget, Objective, fit


class Line(Objective):
    """y = 2 x + 1, as one linear layer."""

    learning_rate = 0.05

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def trained(self, turn):
        return self.layer

    def forward(self, batch, turn):
        loss = ((self.layer(batch["x"]) - batch["y"]) ** 2).mean()
        return loss, {"error": loss.item()}


class Pair(Line):
    """Two turns, each with its own layer, as a GAN has."""

    turns = ("one", "two")

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict({"one": nn.Linear(1, 1), "two": nn.Linear(1, 1)})

    def trained(self, turn):
        return self.layers[turn]

    def forward(self, batch, turn):
        return ((self.layers[turn](batch["x"]) - batch["y"]) ** 2).mean(), {}


def draw(rng):
    x = torch.from_numpy(rng.normal(size=(32, 1)).astype(np.float32))
    return {"x": x, "y": 2 * x + 1}


def seeded(kind):
    torch.manual_seed(7)
    return kind()


def test_learns(tmp_path):
    line = seeded(Line)
    figures = fit(line, draw, Budget(10, 600), tmp_path / "state.safetensors", 0, silent())
    assert line.layer.weight.item() == pytest.approx(2, abs=0.15)
    assert line.layer.bias.item() == pytest.approx(1, abs=0.15)
    assert figures["steps"] == 600
    assert figures["error"] < 0.05


@pytest.mark.parametrize("kind", [Line, Pair])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, kind):
    class Stop(Exception):
        pass

    def interrupted(rng):
        interrupted.calls += 1
        if interrupted.calls == 8:
            raise Stop
        return draw(rng)

    interrupted.calls = 0
    straight = seeded(kind)
    fit(straight, draw, Budget(10, 12), tmp_path / "straight.safetensors", 3, silent())
    halved = seeded(kind)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stop):
        patch.setattr("backend.training.CHECKPOINT_S", 0.0)  # after every step
        fit(halved, interrupted, Budget(10, 12), tmp_path / "halved.safetensors", 3, silent())
    torch.manual_seed(99)
    resumed = kind()
    fit(resumed, draw, Budget(10, 12), tmp_path / "halved.safetensors", 3, silent())
    for one, two in zip(straight.parameters(), resumed.parameters()):
        assert torch.equal(one, two)


def test_a_finished_run_is_not_trained_further(tmp_path):
    line = seeded(Line)
    fit(line, draw, Budget(10, 5), tmp_path / "state.safetensors", 0, silent())
    again = seeded(Line)
    assert fit(again, draw, Budget(10, 5), tmp_path / "state.safetensors", 0, silent())["steps"] == 5
    assert torch.equal(line.layer.weight, again.layer.weight)


def test_a_loss_that_is_no_number_stops_it(tmp_path):
    def broken(rng):
        return {"x": torch.full((4, 1), torch.nan), "y": torch.zeros(4, 1)}

    with pytest.raises(BackendError, match="no longer a number at step 0"):
        fit(Line(), broken, Budget(10, 5), tmp_path / "state.safetensors", 0, silent())


def test_another_configurations_checkpoint_is_refused(tmp_path):
    fit(Line(), draw, Budget(10, 2), tmp_path / "state.safetensors", 0, silent())
    with pytest.raises(BackendError, match="belongs to another training"):
        fit(Pair(), draw, Budget(10, 4), tmp_path / "state.safetensors", 0, silent())
