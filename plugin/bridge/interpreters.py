"""A Python to build the backend's environment on; `sys.executable` may be QGIS itself."""

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
from .child import clean_environment

FLOOR = (3, 11)  # torch's and diffusers' own
CEILING = (3, 14)  # the newest that all pinned packages have wheels for
# ssl is what a Python that was moved out of its home lacks first.
_PROBE = "import json, ssl, sys, zlib; print(json.dumps([*sys.version_info[:2], sys.maxsize > 2**32]))"
_NAME = re.compile(r"python[\d.]*(\.exe)?$", re.IGNORECASE)


def find(wanted: str = "") -> Path | None:
    """The Python to build on: the wanted one (BackendError where it does not do), else the first that does, or None."""
    if wanted:
        if not _does(version(wanted)):
            raise BackendError(f"{wanted} is not a 64-bit Python {text(FLOOR)} to {text(CEILING)}. Name another.")
        return Path(wanted)
    return next((python for python in candidates() if _does(version(str(python)))), None)


def find_any() -> Path | None:
    """Any Python that can make a virtual environment for tools."""
    return next((python for python in candidates() if (version(str(python)) or (0, 0)) >= (3, 9)), None)


def text(version: tuple[int, int]) -> str:
    """A version as it is written."""
    return ".".join(map(str, version))


@functools.lru_cache(maxsize=64)
def version(python: str) -> tuple[int, int] | None:
    """What version a working 64-bit interpreter is, found by starting it; None for anything else."""
    try:
        answer = subprocess.run(
            [python, "-c", _PROBE],
            env=clean_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=True,
        )
        major, minor, wide = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return (major, minor) if wide else None


def candidates() -> Iterator[Path]:
    """Where a Python may be, best first: QGIS's own, then those on the PATH."""
    seen = set()
    for path in _places():
        # Only what is called python is ever started: sys.executable would open another QGIS.
        if path not in seen and _NAME.search(path.name) and path.is_file() and not _store_stub(path):
            seen.add(path)
            yield path


def _places() -> Iterator[Path]:
    yield Path(getattr(sys, "_base_executable", "") or sys.executable)
    for prefix in (sys.base_prefix, sys.prefix):
        yield Path(prefix, "python.exe")
        yield Path(prefix, "bin", "python3")
    for folder in list(Path(sys.executable).parents)[:3]:
        yield from sorted(folder.glob("apps/Python3*/python.exe"), reverse=True)
    newest_first = [f"python3.{minor}" for minor in range(CEILING[1], FLOOR[1] - 1, -1)]
    for name in ["python3", *newest_first, "python"]:
        found = shutil.which(name, path=clean_environment(os.environ).get("PATH", os.defpath))
        if found:
            yield Path(found)


def _store_stub(path: Path) -> bool:
    """Whether it is Windows' empty stand-in, which opens the store."""
    return os.name == "nt" and path.stat().st_size == 0


def _does(found: tuple[int, int] | None) -> bool:
    return found is not None and FLOOR <= found <= CEILING
