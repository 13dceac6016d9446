"""Short names of models, data sets and images for tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def unique_names(paths: Sequence[str | Path], names: Sequence[str] | None = None) -> list[str]:
    """The `names`, by default those of the paths; where some agree, the names of their parent folders stand before."""
    short = list(names) if names is not None else [Path(path).name for path in paths]
    parents = (Path(path).absolute().parent.name for path in paths)
    return [name if short.count(name) == 1 else f"{parent}/{name}" for parent, name in zip(parents, short)]
