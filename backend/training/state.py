"""Training checkpoints: safetensors and JSON in one file, without code that loading would run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from backend.protocol import BackendError, partial_path


class Stateful(Protocol):
    """Modules, optimizers and schedulers: objects whose state can be saved and restored."""

    def state_dict(self) -> Any: ...  # noqa: D102
    def load_state_dict(self, state_dict: Any) -> Any: ...  # noqa: D102


def _pack(tree: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """A nested state as JSON; its tensors go to `tensors`, and their keys there replace them."""
    if isinstance(tree, torch.Tensor):
        tensors[str(len(tensors))] = tree.detach().cpu().clone().contiguous()
        return {"tensor": str(len(tensors) - 1)}
    if isinstance(tree, Mapping):  # as pairs, because an optimizer's keys are integers
        return {"dict": [[key, _pack(value, tensors)] for key, value in tree.items()]}
    if isinstance(tree, (list, tuple)):
        return {type(tree).__name__: [_pack(value, tensors) for value in tree]}
    return tree.item() if isinstance(tree, np.generic) else tree


def _unpack(tree: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if not isinstance(tree, dict):
        return tree
    ((kind, content),) = tree.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _unpack(value, tensors) for key, value in content}
    values = [_unpack(value, tensors) for value in content]
    return tuple(values) if kind == "tuple" else values


def save_state(path: Path, parts: Mapping[str, Stateful], progress: Mapping[str, Any]) -> None:
    """Write a checkpoint, a safetensors file that is replaced atomically; BackendError where it cannot be written.

    `parts` are modules, optimizers and schedulers by name; `progress` is what else the training needs, as JSON and
    tensors (a numpy Generator's `bit_generator.state` fits). The global random states of torch (CPU and CUDA) and numpy
    are saved too.
    """
    tensors: dict[str, torch.Tensor] = {}
    random = np.random.get_state(legacy=False)
    state = {
        "parts": {name: part.state_dict() for name, part in parts.items()},
        "progress": progress,
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": {**random, "state": {**random["state"], "key": random["state"]["key"].tolist()}},
    }
    packed = json.dumps(_pack(state, tensors))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        save_file(tensors, partial_path(path), metadata={"state": packed})
        os.replace(partial_path(path), path)
    except (OSError, SafetensorError) as error:
        partial_path(path).unlink(missing_ok=True)
        raise BackendError(f"The training cannot write {path}: {error}. Check the space on its disk.") from error


def load_state(path: Path, parts: Mapping[str, Stateful]) -> dict[str, Any]:
    """Restore a checkpoint of `save_state` into the same parts and the random generators; returns its `progress`.

    Raises BackendError where the file is damaged or belongs to other parts.
    """
    try:
        with safe_open(path, framework="pt") as file:
            state = _unpack(json.loads(file.metadata()["state"]), {key: file.get_tensor(key) for key in file.keys()})  # noqa: SIM118
        if state["parts"].keys() != parts.keys():
            raise ValueError(f"it holds {', '.join(state['parts'])}")
        for name, part in parts.items():
            part.load_state_dict(state["parts"][name])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise BackendError(
            f"The training cannot resume from {path}: it is damaged or belongs to another training ({error}). "
            "Delete it, or choose another output."
        ) from error
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
    np.random.set_state(state["numpy"])
    return state["progress"]
