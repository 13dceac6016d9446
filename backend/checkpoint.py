"""Model folders: safetensors and JSON, nothing that runs.

A model folder holds `model_index.json` with a `landforge` entry that says what kind of model it is, one
folder for each component in the diffusers layout, and a model card.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from backend.protocol import BackendError

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
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".safetensors", ".json"))
    stamps = tuple((p.relative_to(folder).as_posix(), p.stat().st_mtime) for p in files if "checkpoints" not in p.parts)
    return _hash(folder, stamps)


def components(folder: Path, **loaders: Any) -> dict[str, Any]:
    """Load components by name with their classes' `from_pretrained`, safetensors only and offline.

    Raises BackendError where a component is missing, damaged or of another shape.
    """
    loaded = {}
    for name, cls in loaders.items():
        try:
            loaded[name] = cls.from_pretrained(
                folder / name, use_safetensors=True, local_files_only=True, low_cpu_mem_usage=False
            )
        except Exception as error:  # diffusers and safetensors raise many kinds for a bad folder
            raise BackendError(
                f"The model in {folder} cannot be loaded: its {name} is missing or damaged ({error})."
            ) from error
    return loaded
