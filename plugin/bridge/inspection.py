"""What an interpreter lacks to run the backend; the result is cached until the interpreter's packages change."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from . import interpreters
from .child_process import clean_environment

_VERSIONS_SCRIPT = """
import importlib.metadata, json, sys, sysconfig
versions = {}
for name in sys.argv[1:]:
    try:
        versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        versions[name] = ""
print(json.dumps([list(sys.version_info[:2]), sysconfig.get_path("purelib"), versions]))
"""
_MODULE_NAMES = {"odc-geo": "odc.geo", "opencv-python-headless": "cv2", "pillow": "PIL"}
"""The import names of packages whose import name differs from the package's name."""
_faults: dict[tuple[Path, Path], tuple[tuple[int, ...], str, str]] = {}
"""By interpreter and requirements folder: time stamps, fault, folder of packages."""


def fault(python: Path, requirements: Path) -> str:
    """One sentence on what an existing interpreter lacks; empty where it lacks nothing.

    Starts the interpreter only when it, its packages or the requirements have changed since the last call.
    """
    stamp, sentence, packages_folder = _faults.get((python, requirements), ((), "", ""))
    if not stamp or stamp != _stamp(python, packages_folder, requirements):
        sentence, packages_folder = _inspect(python, requirements)
        _faults[python, requirements] = (_stamp(python, packages_folder, requirements), sentence, packages_folder)
    return sentence


def clear_cache() -> None:
    """Inspect every interpreter anew at the next call of `fault`."""
    _faults.clear()


def packages(requirements: Path) -> list[str]:
    """The packages that the backend itself imports: those named in the `.in` requirement files."""
    names = []
    for stem in ("requirements.in", "requirements-torch.in"):
        lines = requirements.joinpath(stem).read_text(encoding="utf-8").splitlines()
        names += [match[0] for match in map(re.compile(r"[a-z][a-z0-9-]*").match, lines) if match]
    return names


def modules(requirements: Path) -> list[str]:
    """The import names of `packages`."""
    return [_MODULE_NAMES.get(name, name.replace("-", "_")) for name in packages(requirements)]


def _stamp(python: Path, packages_folder: str, requirements: Path) -> tuple[int, ...]:
    """Modification times in nanoseconds of the files on which a fault depends; 0 for a missing one."""
    paths = [
        python,
        Path(packages_folder or python),
        requirements / "requirements.txt",
        requirements / "requirements-torch.txt",
    ]
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def _inspect(python: Path, requirements: Path) -> tuple[str, str]:
    """Start the interpreter; returns its fault, or an empty string, and the folder of its packages."""
    try:
        completed = subprocess.run(
            [str(python), "-c", _VERSIONS_SCRIPT, *packages(requirements)],
            env=clean_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=True,
        )
        version, folder, versions = json.loads(completed.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return f"The backend's Python, {python}, does not work.", ""
    return _fault_of_versions(python, tuple(version), versions, _pinned_majors(requirements)), folder


def _fault_of_versions(
    python: Path, python_version: tuple[int, ...], versions: dict[str, str], pinned_majors: dict[str, str]
) -> str:
    if python_version < interpreters.OLDEST:
        version, oldest = (".".join(map(str, numbers)) for numbers in (python_version, interpreters.OLDEST))
        return f"{python} is Python {version}, and the backend needs {oldest} or newer."
    missing = [name for name, version in versions.items() if not version]
    if missing:
        return f"{python} lacks packages that the backend needs: {', '.join(missing)}."
    wrong = [
        f"{name} {version} instead of {pinned_majors[name]}.x"
        for name, version in versions.items()
        if name in pinned_majors and version.split(".")[0] != pinned_majors[name]
    ]
    return f"{python} has packages in versions that do not fit: {', '.join(wrong)}." if wrong else ""


def _pinned_majors(requirements: Path) -> dict[str, str]:
    """The major version of each pinned package; packages with calendar versions (2024.1) are left out."""
    pins = {}
    for stem in ("requirements.txt", "requirements-torch.txt"):
        text = requirements.joinpath(stem).read_text(encoding="utf-8")
        pins.update(dict(re.findall(r"^([a-z0-9-]+)==(\d{1,3})\.", text, re.MULTILINE)))
    return pins
