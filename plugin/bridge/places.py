"""Where Landforge keeps things in the QGIS profile, and which of its environments are complete."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[2] / "backend"
COMPUTE = ("cpu", "cuda")
MARKER = "landforge.json"  # written last into an environment


def home(profile: str | Path) -> Path:
    """Landforge's folder in a QGIS profile."""
    return Path(profile) / "landforge"


def folder(profile: str | Path, compute: str = "cpu", requirements: Path = REQUIREMENTS) -> Path:
    """Where the environment of these requirements and this choice lives, existing or not."""
    files = [requirements / "requirements.txt", requirements / "requirements-torch.txt"]
    dated = tuple((path, path.stat().st_mtime_ns) for path in files)
    return home(profile) / f"env-{_fingerprint(compute, *dated)}"


@functools.lru_cache(maxsize=16)
def _fingerprint(compute: str, *files: tuple[Path, int]) -> str:
    found = hashlib.sha256(compute.encode())
    for path, _ in files:  # neither comments nor line ends count
        lines = path.read_text(encoding="utf-8").splitlines()
        found.update("\n".join(line for line in lines if not line.lstrip().startswith("#")).encode())
    return found.hexdigest()[:12]


def python(environment: Path) -> Path:
    """The interpreter of an environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def complete(profile: str | Path, requirements: Path = REQUIREMENTS) -> Iterator[Path]:
    """The complete environments: those of these requirements first, then the newest first."""
    current = [folder(profile, compute, requirements) for compute in COMPUTE]
    markers = list(home(profile).glob(f"env-*/{MARKER}"))
    markers.sort(key=lambda marker: (marker.parent in current, marker.stat().st_mtime_ns), reverse=True)
    return (marker.parent for marker in markers)
