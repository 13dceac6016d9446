"""Training checkpoints: a state is restored to the bit, a foreign or damaged one is refused."""

import numpy as np
import pytest
import torch

from backend.protocol import BackendError
from backend.training.state import load_state, save_state


def parts():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=20)
    return {"module": module, "optimizer": optimizer, "schedule": schedule}


def steps(parts, count):
    for _ in range(count):
        loss = parts["module"](torch.randn(8, 3) + float(np.random.rand())).square().mean()
        parts["optimizer"].zero_grad()
        loss.backward()
        parts["optimizer"].step()
        parts["schedule"].step()
    return parts["module"].state_dict()


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path):
    first = parts()
    steps(first, 3)
    rng = np.random.default_rng(5)
    save_state(tmp_path / "a" / "state.safetensors", first, {"epoch": 3, "rng": rng.bit_generator.state})
    expected, drawn = steps(first, 4), rng.random()
    second = parts()
    progress = load_state(tmp_path / "a" / "state.safetensors", second)
    got = steps(second, 4)
    assert all(torch.equal(got[key], expected[key]) for key in expected)
    other = np.random.default_rng(0)
    other.bit_generator.state = progress["rng"]
    assert progress["epoch"] == 3 and other.random() == drawn
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["state.safetensors"]


def test_a_failed_write_keeps_the_last_state(tmp_path):
    path = tmp_path / "state.safetensors"
    save_state(path, parts(), {"epoch": 1})
    with pytest.raises(TypeError):
        save_state(path, parts(), {"epoch": object()})
    assert load_state(path, parts())["epoch"] == 1


@pytest.mark.parametrize("damage", ["truncated", "foreign", "other parts", "missing"])
def test_a_bad_state_is_refused(tmp_path, damage):
    path = tmp_path / "state.safetensors"
    save_state(path, parts(), {})
    other = parts()
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "foreign":
        path.write_bytes(b"hello")
    elif damage == "missing":
        path.unlink()
    else:
        other["module"] = torch.nn.Linear(2, 2)
    with pytest.raises(BackendError, match="cannot resume"):
        load_state(path, other)
