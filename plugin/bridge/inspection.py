"""What an interpreter lacks to run the backend, asked once and remembered until something changes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from . import interpreters
from .child import clean_environment

_QUESTION = """
import importlib.metadata, json, sys, sysconfig
versions = {}
for name in sys.argv[1:]:
    try:
        versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        versions[name] = ""
print(json.dumps([list(sys.version_info[:2]), sysconfig.get_path("purelib"), versions]))
"""
_NAMES = {"odc-geo": "odc.geo", "pillow": "PIL"}  # packages that are imported by a name that is not their own
_faults: dict[tuple[Path, Path], tuple[tuple[int, ...], str, str]] = {}


def fault(python: Path, requirements: Path) -> str:
    """One sentence on what an existing interpreter lacks, or an empty string.

    Starts it only when it, its packages or the requirements have changed since it was last asked.
    """
    stamp, found, packages = _faults.get((python, requirements), ((), "", ""))
    if not stamp or stamp != _stamp(python, packages, requirements):
        found, packages = _ask(python, requirements)
        _faults[python, requirements] = (_stamp(python, packages, requirements), found, packages)
    return found


def forget() -> None:
    """Ask every interpreter anew."""
    _faults.clear()


def packages(requirements: Path) -> list[str]:
    """The packages that the backend itself imports: those named in the inputs of the requirement files."""
    names = []
    for stem in ("requirements.in", "requirements-torch.in"):
        lines = requirements.joinpath(stem).read_text(encoding="utf-8").splitlines()
        names += [match[0] for match in map(re.compile(r"[a-z][a-z0-9-]*").match, lines) if match]
    return names


def modules(requirements: Path) -> list[str]:
    """The same by the names under which they are imported."""
    return [_NAMES.get(name, name.replace("-", "_")) for name in packages(requirements)]


def _stamp(python: Path, packages: str, requirements: Path) -> tuple[int, ...]:
    paths = [
        python,
        Path(packages or python),
        requirements / "requirements.txt",
        requirements / "requirements-torch.txt",
    ]
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def _ask(python: Path, requirements: Path) -> tuple[str, str]:
    """The interpreter's fault, or an empty string, and the folder of its packages."""
    try:
        answer = subprocess.run(
            [str(python), "-c", _QUESTION, *packages(requirements)],
            env=clean_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=True,
        )
        version, folder, versions = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return f"The backend's Python, {python}, does not work.", ""
    return _verdict(python, tuple(version), versions, _majors(requirements)), folder


def _verdict(python: Path, version: tuple[int, ...], versions: dict[str, str], majors: dict[str, str]) -> str:
    if version < interpreters.FLOOR:
        found, floor = (".".join(map(str, numbers)) for numbers in (version, interpreters.FLOOR))
        return f"{python} is Python {found}, and the backend needs {floor} or newer."
    missing = [name for name, found in versions.items() if not found]
    if missing:
        return f"{python} lacks packages that the backend needs: {', '.join(missing)}."
    wrong = [
        f"{name} {found} instead of {majors[name]}.x"
        for name, found in versions.items()
        if name in majors and found.split(".")[0] != majors[name]
    ]
    return f"{python} has packages in versions that do not fit: {', '.join(wrong)}." if wrong else ""


def _majors(requirements: Path) -> dict[str, str]:
    """The first number of each pinned version; of those that count years it says nothing."""
    pins = {}
    for stem in ("requirements.txt", "requirements-torch.txt"):
        text = requirements.joinpath(stem).read_text(encoding="utf-8")
        pins.update(dict(re.findall(r"^([a-z0-9-]+)==(\d{1,3})\.", text, re.MULTILINE)))
    return pins
