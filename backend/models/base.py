"""Trained models: each is loaded once in a process, and is sent to the workers of a cluster by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from backend.geo import legend
from backend.models import device, model_folder
from backend.protocol import BackendError

CACHED_MODELS = 4
"""How many loaded models a process keeps, so that its next job starts without loading."""


class Model:
    """A loaded model folder; subclasses load its networks.

    `kind` is the kind of model that the folder must hold, the index's `landforge` entry.
    """

    kind: ClassVar[str]

    def __init__(self, name: str) -> None:
        """Load the index of a bundled model's name or of a folder; BackendError for another kind of model."""
        self.folder, self.index = model_folder.find(name, self.kind)
        device.keep_freed_memory()
        self.name = name if name in model_folder.bundled() else str(self.folder.absolute())
        self.device = device.best()
        self.dtype = device.dtype(self.device)

    @property
    def trained_codes(self) -> list[int]:
        """The class codes in the model's training data; for an index without them, all that have no fallback class."""
        return self.index.get("seen", [int(code) for code in legend.CODES if int(code) not in legend.FALLBACK_CLASS])

    @property
    def conditions(self) -> list[str]:
        """What an image model takes beside land cover and styles, see `conditioning`; older models take nothing."""
        return self.index.get("conditions", [])

    @property
    def digest(self) -> str:
        """SHA-256 of weights and configuration."""
        return model_folder.model_hash(self.folder)

    def effective_steps(self, steps: int) -> int:
        """The number of denoising steps taken when `steps` are requested: a distilled model has a maximum."""
        return min(steps, self.index.get("steps", steps))

    def call(self, method: Callable[..., Any], *settings: Any) -> Call:
        """A method of the model's class, `type(self).decode`, with its first arguments, as a picklable callable."""
        return Call(type(self), self.name, self.digest, method, settings)


AnyModel = TypeVar("AnyModel", bound=Model)


@dataclass(frozen=True)
class Call:
    """A method of a model, pickled with the model's name and digest instead of its weights.

    The model is loaded by the first call in a process. Raises BackendError where there is no model of that name or
    its digest differs.
    """

    model: type[Model]
    name: str
    digest: str
    method: Callable[..., Any]
    settings: tuple[Any, ...]

    def __call__(self, *arguments: Any) -> Any:  # noqa: D102
        model = _loaded(cast("Any", self.model), self.name, self.digest, str(device.best()))
        return self.method(model, *self.settings, *arguments)


@lru_cache(maxsize=CACHED_MODELS)
def _loaded(cls: Any, name: str, digest: str, device_name: str) -> Any:
    model = cls(name)
    if model.digest != digest:
        raise BackendError(
            f"A worker of the cluster has another model under {name!r}. Give all workers the same Landforge and models."
        )
    return model


def load(cls: type[AnyModel], name: str) -> AnyModel:
    """A model by a bundled model's name or a folder; one that is in memory is reused while its folder is unchanged."""
    folder, _ = model_folder.find(name, cls.kind)
    full_name = name if name in model_folder.bundled() else str(Path(name).absolute())
    digest = model_folder.model_hash(folder)
    return cast("AnyModel", _loaded(cast("Any", cls), full_name, digest, str(device.best())))
