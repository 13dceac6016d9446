"""A generator's training: it learns, resumes to the step, writes samples, and reports why it stops."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from backend.geo import legend
from backend.models import spade
from backend.models.conditioning import ImageConditions
from backend.protocol import BackendError, silent
from backend.training import generator
from backend.training.generator import Budget, Objective, TrainingPlan, fit
from backend.training.objectives import spade as spade_objective


class Line(Objective):
    """y = 2 x + 1, as one linear layer."""

    learning_rate = 0.05
    columns = ("target", "prediction")

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def trained_module(self, optimizer_key):
        return self.layer

    def forward(self, batch, optimizer_key):
        loss = ((self.layer(batch["x"]) - batch["y"]) ** 2).mean()
        return loss, {"error": loss.item()}

    def preview(self, batch):
        torch.randn(7)  # drawing pictures takes random numbers
        columns = [batch["y"], self.layer(batch["x"])]
        return [
            np.broadcast_to(column.float().clamp(0, 1).numpy()[:, None, None] * 255, (4, 8, 8, 3)).astype("u1")
            for column in columns
        ]


class Pair(Line):
    """Two optimizers, each with its own layer, as a GAN has."""

    optimizer_keys = ("one", "two")
    columns = ()

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict({"one": nn.Linear(1, 1), "two": nn.Linear(1, 1)})

    def trained_module(self, optimizer_key):
        return self.layers[optimizer_key]

    def forward(self, batch, optimizer_key):
        return ((self.layers[optimizer_key](batch["x"]) - batch["y"]) ** 2).mean(), {}


def draw(rng, count):
    x = torch.from_numpy(rng.normal(size=(count, 1)).astype(np.float32))
    return {"x": x, "y": 2 * x + 1}


def plan(tmp_path, steps, name="state", **settings):
    path = tmp_path / f"{name}.safetensors"
    return TrainingPlan(Budget(10, steps), path, **{"batch_size": 32, "seed": 0, **settings})


def seeded(kind):
    torch.manual_seed(7)
    return kind()


def test_learns(tmp_path):
    line = seeded(Line)
    result = fit(line, draw, plan(tmp_path, 600), silent(), draw_validation=draw)
    assert line.layer.weight.item() == pytest.approx(2, abs=0.15)
    assert line.layer.bias.item() == pytest.approx(1, abs=0.15)
    assert result.figures["steps"] == 600 and result.figures["batch"] == 32
    assert result.figures["error"] < 0.05 and result.figures["held_out_error"] < 0.05
    assert result.history[-1]["step"] == 600 and result.history[-1]["error"] < 0.05


@pytest.mark.parametrize("kind", [Line, Pair])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, kind):
    class Stop(Exception):
        pass

    def interrupted(rng, count):
        interrupted.calls += 1
        if interrupted.calls == 8:
            raise Stop
        return draw(rng, count)

    interrupted.calls = 0
    straight = seeded(kind)
    fit(straight, draw, plan(tmp_path, 12, "straight", seed=3), silent())
    halved = seeded(kind)
    settings = {"seed": 3, "samples": tmp_path / "samples"}
    with pytest.MonkeyPatch.context() as patch:
        for clock in ("CHECKPOINT_S", "LOG_S", "SAMPLE_S"):  # after every step
            patch.setattr(generator, clock, 0.0)
        with pytest.raises(Stop):
            fit(halved, interrupted, plan(tmp_path, 12, "halved", **settings), silent())
        torch.manual_seed(99)
        resumed = kind()
        result = fit(resumed, draw, plan(tmp_path, 12, "halved", **settings), silent())
    for one, two in zip(straight.parameters(), resumed.parameters()):
        assert torch.equal(one, two)
    assert [entry["step"] for entry in result.history] == list(range(1, 13)), "the history is whole, too"


def test_batches_ahead_are_those_of_the_same_random_numbers():
    """Also where the batch becomes smaller, and from a state that was noted while a batch was ahead."""
    rng = np.random.default_rng(1)
    expected = [draw(rng, size)["x"] for size in (8, 8, 4, 4)]
    batches = generator.BatchesAhead(draw, np.random.default_rng(1))
    assert all(torch.equal(batches.next(8)["x"], batch) for batch in expected[:2])
    batches.discard()
    assert torch.equal(batches.next(4)["x"], expected[2])
    state = batches.state
    for _ in range(2):
        assert torch.equal(batches.next(4)["x"], expected[3])
        batches.state = state
    batches.close()


def test_a_finished_run_is_not_trained_further_but_a_larger_budget_is(tmp_path):
    line = seeded(Line)
    fit(line, draw, plan(tmp_path, 5), silent())
    again = seeded(Line)
    assert fit(again, draw, plan(tmp_path, 5), silent()).figures["steps"] == 5
    assert torch.equal(line.layer.weight, again.layer.weight)
    assert fit(again, draw, plan(tmp_path, 8), silent()).figures["steps"] == 8


def test_samples_are_pictures_of_the_averaged_weights(tmp_path, reporter):
    fit(seeded(Line), draw, plan(tmp_path, 4, "stage", samples=tmp_path / "samples"), reporter)
    path = tmp_path / "samples" / "stage_000004.png"
    assert Image.open(path).size == (2 * (8 + 4) + 4, 4 * (8 + 4) + 4)
    assert f"samples (target, prediction): {path}" in [event.message for event in reporter.events("log")]


def test_samples_that_cannot_be_written_end_nothing(tmp_path, reporter):
    (tmp_path / "samples").write_text("a file")
    assert fit(seeded(Line), draw, plan(tmp_path, 4, samples=tmp_path / "samples"), reporter).figures["steps"] == 4
    assert any("No samples at step 4" in event.message for event in reporter.events("log"))


def test_a_lower_learning_rate_moves_less_and_a_delayed_generator_waits(tmp_path):
    start = seeded(Line).layer.weight.clone()
    moved = {}
    for name, settings in {"full": {}, "scaled": {"lr_scale": 0.1}, "given": {"learning_rate": 1e-6}}.items():
        line = seeded(Line)
        fit(line, draw, plan(tmp_path, 20, name, **settings), silent())
        moved[name] = (line.layer.weight - start).abs().item()
    assert moved["full"] > 3 * moved["scaled"] > 3 * moved["given"] > 0
    pair, before = seeded(Pair), seeded(Pair)
    fit(pair, draw, plan(tmp_path, 20, "pair", generator_delay=0.96), silent())
    assert torch.equal(pair.layers["one"].weight, before.layers["one"].weight)
    assert not torch.equal(pair.layers["two"].weight, before.layers["two"].weight)
    delayed = TrainingPlan(Budget(1), tmp_path, 1, generator_delay=0.1)
    factors = [delayed.delay_factor(progress) for progress in (0, 0.1, 0.15, 0.2, 1)]
    assert factors == pytest.approx([0, 0, 0.5, 1, 1])


def test_a_loss_that_is_no_number_stops_it(tmp_path):
    def broken(rng, count):
        return {"x": torch.full((4, 1), torch.nan), "y": torch.zeros(4, 1)}

    with pytest.raises(BackendError, match="no longer a number at step 0"):
        fit(Line(), broken, plan(tmp_path, 5), silent())


def test_another_models_checkpoint_is_refused(tmp_path):
    fit(Line(), draw, plan(tmp_path, 2), silent())
    with pytest.raises(BackendError, match="belongs to another training"):
        fit(Pair(), draw, plan(tmp_path, 4), silent())


def wider():
    line = Line()
    line.layer = nn.Linear(2, 1)
    return line


def test_another_configurations_checkpoint_is_refused(tmp_path):
    fit(Line(), draw, plan(tmp_path, 2), silent())
    with pytest.raises(BackendError, match="belongs to another training"):
        fit(wider(), draw, plan(tmp_path, 4), silent())


FULL = [
    torch.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
    MemoryError(),
]


class Hungry(Pair):
    """Its second optimizer's step needs more memory than there is for more than `most` examples."""

    most, error = 5, FULL[0]

    def forward(self, batch, optimizer_key):
        if optimizer_key == "two" and len(batch["x"]) > self.most:
            raise self.error
        return super().forward(batch, optimizer_key)


@pytest.mark.parametrize("error", FULL, ids=range(len(FULL)))
def test_a_full_memory_halves_the_batch(tmp_path, reporter, monkeypatch, error):
    monkeypatch.setattr(Hungry, "error", error)
    assert fit(Hungry(), draw, plan(tmp_path, 3), reporter).figures["batch"] == 4
    messages = [event.message for event in reporter.events("log")]
    assert [line for line in messages if "memory is full" in line][-1] == (
        "The memory is full at step 0: going on with a batch of 4."
    )
    assert fit(Hungry(), draw, plan(tmp_path, 5), silent()).figures["batch"] == 4, "a resumed run remembers"


def test_a_memory_too_small_for_one_example_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(Hungry, "most", 0)
    with pytest.raises(BackendError, match="full even with a batch of 1"):
        fit(Hungry(), draw, plan(tmp_path, 3), silent())


def test_other_errors_are_not_taken_for_a_full_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(Hungry, "error", RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        fit(Hungry(), draw, plan(tmp_path, 3), silent())


def test_an_objective_freezes_its_statistics_late_in_its_budget(tmp_path):
    """Also in a run that resumes with a larger budget, of which the same step is an earlier share."""

    class Freezing(Pair):
        freeze_statistics_at = 0.5

        def __init__(self):
            super().__init__()
            self.norm, self.frozen = nn.BatchNorm1d(1, momentum=0.5), []

        def freeze_statistics(self):
            self.norm.eval()

        def forward(self, batch, optimizer_key):
            self.norm(batch["x"])
            self.frozen.append(not self.norm.training)
            return super().forward(batch, optimizer_key)

    first = seeded(Freezing)
    fit(first, draw, plan(tmp_path, 8), silent(), draw_validation=draw)
    assert first.frozen[:16] == [False] * 8 + [True] * 8
    again = seeded(Freezing)
    fit(again, draw, plan(tmp_path, 32), silent())
    assert again.frozen == [False] * 16 + [True] * 32


def test_spade_keeps_its_frozen_statistics():
    objective = spade_objective.AdversarialTraining(spade.new_network(0), torch.zeros(0, legend.COUNT, 0))
    objective.train()
    condition = ImageConditions(torch.zeros(2, legend.COUNT, 64, 64), torch.zeros(2, 0))
    objective.generate(condition)
    moved = [norm.running_mean.clone() for norm in objective.norms]
    assert len(moved) == 8 and any(mean.abs().max() > 0 for mean in moved)
    objective.freeze_statistics()
    objective.generate(condition)
    assert all(torch.equal(a, norm.running_mean) for a, norm in zip(moved, objective.norms))
