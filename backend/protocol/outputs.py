"""The paths of outputs while a job writes them, and the removal of those of a job that did not finish."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import shutil
from pathlib import Path
from typing import Any

CHECKPOINTS = "checkpoints"
"""The folder in a training's output with files that only the training itself needs."""


def partial_path(final: str | Path) -> Path:
    """The path at which an output is written until it is complete: beside its final path, with the same suffix.

    It follows from the final path, so that a process that kills a job can remove its partial outputs.
    """
    final = Path(final)
    return final.with_name(f".{final.stem}.part{final.suffix}")


def unfinished_path(final: str | Path) -> Path:
    """The folder beside an output with its finished blocks, from which a later run continues."""
    return Path(final).with_name(f".{Path(final).stem}.unfinished")


def partial_paths(job: Any) -> list[Path]:
    """The existing partial outputs of a job, to be removed after a cancel or a crash."""
    paths = []
    for spec in dataclasses.fields(job):
        value = getattr(job, spec.name)
        if spec.name.startswith("output") and value:
            paths += sorted(Path(value).parent.glob(glob.escape(f".{Path(value).stem}.part") + "*"))
    return paths


def remove_partials(job: Any) -> None:
    """Delete the partial outputs of a job that did not finish."""
    for path in partial_paths(job):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):  # on Windows another process may have it open
                path.unlink()
