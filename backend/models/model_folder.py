"""Model folders: safetensors and JSON only, no pickled code.

A model folder holds `model_index.json`, whose `landforge` entry is the kind of model, one folder for each component in
the diffusers layout, and a model card.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from backend.protocol import CHECKPOINTS, BackendError

BUNDLED = Path(__file__).parent.parent / "bundled"
INDEX = "model_index.json"
FORMER_KEYS = {"looks": "style_combinations", "grounds": "style_classes"}
"""Keys of an index that were renamed. The bundled models keep the former ones, because the index is hashed."""


def bundled() -> list[str]:
    """The names of the models that come with Landforge."""
    return sorted(path.parent.name for path in BUNDLED.glob(f"*/{INDEX}"))


def find(model: str, kind: str) -> tuple[Path, dict[str, Any]]:
    """The folder and index of a model, by a bundled model's name or a folder's path.

    Keys of the index that were renamed (`FORMER_KEYS`) have their present names. Raises BackendError where the folder
    is missing, is no model folder or holds another kind of model.
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
        stored_kind = index["landforge"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackendError(f"{index_path} is not the index of a Landforge model.") from error
    if stored_kind != kind:
        raise BackendError(f"{model!r} is a {stored_kind} model, but a {kind} model is needed.")
    return folder, {FORMER_KEYS.get(key, key): value for key, value in index.items()}


def write_index(folder: Path, kind: str, **settings: Any) -> None:
    """Write a model folder's index. Call it after all other files are written: the index makes the folder a model."""
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
    """SHA-256 over the names and contents of a model folder's weights and JSON files, without its checkpoints.

    The hash is cached until a file's modification time changes.
    """
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.suffix in (".safetensors", ".json"))
    hashed = (path for path in files if CHECKPOINTS not in path.parts)
    return _hash(folder, tuple((path.as_posix(), (folder / path).stat().st_mtime) for path in hashed))


def _component(folder: Path, cls: Any, dtype: torch.dtype) -> Any:
    if not issubclass(cls, torch.nn.Module):
        return cls.from_pretrained(folder, local_files_only=True)
    options = dict(use_safetensors=True, local_files_only=True, low_cpu_mem_usage=False)
    component, info = cls.from_pretrained(folder, torch_dtype=dtype, output_loading_info=True, **options)
    if foreign := [*info["missing_keys"], *info["unexpected_keys"]]:  # diffusers only warns of these
        raise ValueError(f"its weights are those of another architecture: {foreign[0]}")
    return component


def components(folder: Path, dtype: torch.dtype, **loaders: Any) -> dict[str, Any]:
    """Load components, safetensors only and offline, by name with the `from_pretrained` of the classes in `loaders`.

    Networks get `dtype`. Raises BackendError where a component is missing, damaged or of another shape.
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
