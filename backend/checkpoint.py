"""Model folders and training states: safetensors and JSON, nothing that runs.

A model folder holds `model_index.json` with a `landforge` entry that says what kind of model it is, one
folder for each component in the diffusers layout, and a model card.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from backend.protocol import CHECKPOINTS, BackendError, partial_path

BUNDLED = Path(__file__).parent / "bundled"
INDEX = "model_index.json"


def bundled() -> list[str]:
    """The names of the models that come with Landforge."""
    return sorted(path.parent.name for path in BUNDLED.glob(f"*/{INDEX}"))


def find(model: str, kind: str) -> tuple[Path, dict[str, Any]]:
    """The folder and index of a model: a bundled one's name, or a folder's path.

    Raises BackendError where the folder is missing, is no model folder or holds another kind of model.
    """
    folder = BUNDLED / model if model in bundled() else Path(model)
    index_path = folder / INDEX
    if not index_path.is_file():
        raise BackendError(
            f"{model!r} is not a Landforge model: a model folder holds {INDEX}. Choose the folder that the training "
            f"wrote, or a bundled model ({', '.join(bundled())})."
        )
    try:
        index = json.loads(index_path.read_text(encoding="utf-8"))
        found = index["landforge"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackendError(f"{index_path} is not the index of a Landforge model.") from error
    if found != kind:
        raise BackendError(f"{model!r} is a {found} model, but a {kind} model is needed.")
    return folder, index


def write_index(folder: Path, kind: str, **settings: Any) -> None:
    """Write a model folder's index; last of all its files, because it makes the folder a model."""
    text = json.dumps({"landforge": kind, **settings}, indent=2) + "\n"
    (folder / INDEX).write_text(text, encoding="utf-8")


@lru_cache(maxsize=32)
def _hash(folder: Path, stamps: tuple[tuple[str, float], ...]) -> str:
    digest = hashlib.sha256()
    for name, _ in stamps:
        digest.update(name.encode())
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def model_hash(folder: Path) -> str:
    """SHA-256 over a model folder's weights and configuration, so over all that its results depend on."""
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.suffix in (".safetensors", ".json"))
    kept = (path for path in files if CHECKPOINTS not in path.parts)
    return _hash(folder, tuple((path.as_posix(), (folder / path).stat().st_mtime) for path in kept))


def _component(folder: Path, cls: Any, dtype: torch.dtype) -> Any:
    if not issubclass(cls, torch.nn.Module):
        return cls.from_pretrained(folder, local_files_only=True)
    options = dict(use_safetensors=True, local_files_only=True, low_cpu_mem_usage=False)
    component, info = cls.from_pretrained(folder, torch_dtype=dtype, output_loading_info=True, **options)
    if foreign := [*info["missing_keys"], *info["unexpected_keys"]]:  # of which diffusers only warns
        raise ValueError(f"its weights are those of another architecture: {foreign[0]}")
    return component


def components(folder: Path, dtype: torch.dtype, **loaders: Any) -> dict[str, Any]:
    """Load components by name with their classes' `from_pretrained`, as `dtype`, safetensors only and offline.

    Raises BackendError where a component is missing, damaged or of another shape.
    """
    loaded = {}
    for name, cls in loaders.items():
        try:
            loaded[name] = _component(folder / name, cls, dtype)
        except Exception as error:  # diffusers and safetensors raise many kinds for a bad folder
            raise BackendError(
                f"The model in {folder} cannot be loaded: its {name} is missing or damaged ({error})."
            ) from error
    return loaded


class Stateful(Protocol):
    """Modules, optimizers, schedulers: whatever can give its state away and take it back."""

    def state_dict(self) -> Any: ...  # noqa: D102
    def load_state_dict(self, state_dict: Any) -> Any: ...  # noqa: D102


def _pack(tree: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """A nested state as JSON, its tensors put aside under the numbers that stand in their place."""
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
    """Write a training's state, in one safetensors file that is replaced at once or not at all.

    `parts` are modules, optimizers, schedulers by name; `progress` is what else the loop needs, as JSON and
    tensors (a numpy Generator's `bit_generator.state` fits). The global random states of torch (CPU and
    CUDA) and numpy go with it.
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
    """Put a state of `save_state` back into the same parts and the random generators; returns its `progress`.

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
