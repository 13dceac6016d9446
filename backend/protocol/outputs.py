"""Where outputs lie while a job writes them, and how to remove what an unfinished job left behind."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import shutil
from pathlib import Path
from typing import Any

CHECKPOINTS = "checkpoints"
"""The folder in a training's output of what only the training needs."""


def partial_path(final: str | Path) -> Path:
    """Where an output is written until it is whole: beside its final name, same suffix.

    The name is predictable so that whoever ends a job by force can remove what it left behind.
    """
    final = Path(final)
    return final.with_name(f".{final.stem}.part{final.suffix}")


def unfinished_path(final: str | Path) -> Path:
    """The folder beside an output that keeps its finished blocks, for a run that goes on where this one ended."""
    return Path(final).with_name(f".{Path(final).stem}.unfinished")


def partial_paths(job: Any) -> list[Path]:
    """Every partial path that the job may have left, for the cleaning after a cancel or a crash."""
    found = []
    for spec in dataclasses.fields(job):
        value = getattr(job, spec.name)
        if spec.name.startswith("output") and value:
            found += sorted(Path(value).parent.glob(glob.escape(f".{Path(value).stem}.part") + "*"))
    return found


def remove_partials(job: Any) -> None:
    """Delete what a job that did not finish has left beside its outputs."""
    for path in partial_paths(job):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):  # whoever still has it open on Windows keeps it
                path.unlink()
