"""Folders of the backend's environments in a QGIS profile, and which of those environments are complete."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[2] / "backend"
"""The folder of the backend's requirement files."""
COMPUTE = ("cpu", "cuda")
MARKER = "landforge.json"
"""The file that is written last into an environment; without it the environment is incomplete."""


def landforge_folder(profile: str | Path) -> Path:
    """Landforge's folder in a QGIS profile."""
    return Path(profile) / "landforge"


def environment_folder(profile: str | Path, compute: str = "cpu", requirements: Path = REQUIREMENTS) -> Path:
    """The folder of the environment for these requirements and this compute choice, existing or not."""
    files = [requirements / "requirements.txt", requirements / "requirements-torch.txt"]
    dated_files = tuple((path, path.stat().st_mtime_ns) for path in files)
    return landforge_folder(profile) / f"env-{_fingerprint(compute, *dated_files)}"


@functools.lru_cache(maxsize=16)
def _fingerprint(compute: str, *dated_files: tuple[Path, int]) -> str:
    """A hash of the compute choice and of the files' lines; comments and line endings do not count."""
    digest = hashlib.sha256(compute.encode())
    for path, _ in dated_files:
        lines = path.read_text(encoding="utf-8").splitlines()
        digest.update("\n".join(line for line in lines if not line.lstrip().startswith("#")).encode())
    return digest.hexdigest()[:12]


def interpreter_path(environment: Path) -> Path:
    """The Python interpreter of an environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def complete_environments(profile: str | Path, requirements: Path = REQUIREMENTS) -> Iterator[Path]:
    """The complete environments: those for these requirements first, newest first among equals."""
    current = [environment_folder(profile, compute, requirements) for compute in COMPUTE]
    markers = list(landforge_folder(profile).glob(f"env-*/{MARKER}"))
    markers.sort(key=lambda marker: (marker.parent in current, marker.stat().st_mtime_ns), reverse=True)
    return (marker.parent for marker in markers)
