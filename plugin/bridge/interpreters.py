"""Python interpreters that the backend's environment can be built on; `sys.executable` may be QGIS itself."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ...backend.protocol import BackendError
from .child_process import clean_environment

OLDEST = (3, 11)
"""The oldest Python that torch and diffusers support."""
NEWEST = (3, 14)
"""The newest Python that all pinned packages have wheels for."""
# ssl is the first module that a relocated Python lacks.
_PROBE = "import json, ssl, sys, zlib; print(json.dumps([*sys.version_info[:2], sys.maxsize > 2**32]))"
_PYTHON_NAME = re.compile(r"python[\d.]*(\.exe)?$", re.IGNORECASE)


def find(requested: str = "") -> Path | None:
    """The interpreter to build on: the requested one, else the first suitable candidate, else None.

    Raises BackendError where the requested one is not a 64-bit Python of a supported version.
    """
    if requested:
        if not _is_supported(version(requested)):
            oldest, newest = version_text(OLDEST), version_text(NEWEST)
            raise BackendError(f"{requested} is not a 64-bit Python {oldest} to {newest}. Name another.")
        return Path(requested)
    return next((python for python in candidates() if _is_supported(version(str(python)))), None)


def find_any() -> Path | None:
    """Any interpreter that can make a virtual environment for tools, or None."""
    return next((python for python in candidates() if (version(str(python)) or (0, 0)) >= (3, 9)), None)


def version_text(version: tuple[int, int]) -> str:
    """A version as text: `3.12`."""
    return ".".join(map(str, version))


@functools.lru_cache(maxsize=64)
def version(python: str) -> tuple[int, int] | None:
    """The version of a working 64-bit interpreter, which is started for this; None for anything else."""
    try:
        completed = subprocess.run(
            [python, "-c", _PROBE],
            env=clean_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=True,
        )
        major, minor, is_64_bit = json.loads(completed.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return (major, minor) if is_64_bit else None


def candidates() -> Iterator[Path]:
    """Existing interpreters, without duplicates: QGIS's own first, then those on the PATH."""
    seen = set()
    for path in _candidate_paths():
        # Only a file named python is ever started: sys.executable may be QGIS, and starting it would open a window.
        if path not in seen and _PYTHON_NAME.search(path.name) and path.is_file() and not _is_store_stub(path):
            seen.add(path)
            yield path


def _candidate_paths() -> Iterator[Path]:
    yield Path(getattr(sys, "_base_executable", "") or sys.executable)
    for prefix in (sys.base_prefix, sys.prefix):
        yield Path(prefix, "python.exe")
        yield Path(prefix, "bin", "python3")
    for folder in list(Path(sys.executable).parents)[:3]:
        yield from sorted(folder.glob("apps/Python3*/python.exe"), reverse=True)
    newest_first = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    for name in ["python3", *newest_first, "python"]:
        program = shutil.which(name, path=clean_environment(os.environ).get("PATH", os.defpath))
        if program:
            yield Path(program)


def _is_store_stub(path: Path) -> bool:
    """Whether a path is Windows' empty placeholder for Python, which opens the Microsoft Store."""
    return os.name == "nt" and path.stat().st_size == 0


def _is_supported(version: tuple[int, int] | None) -> bool:
    return version is not None and OLDEST <= version <= NEWEST
