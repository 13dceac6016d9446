"""The backend's Python environment: find it, check it, estimate what setting it up takes, and set it up.

It lies in the QGIS profile, outside the plugin's folder, so that an update of the plugin does not touch it. Its
folder is named `env-<hash of the requirement files and of the choice of CPU or CUDA>`. After an update with other
requirements a new environment is made; the old one is used until the new one is complete.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from ...backend.protocol import BackendError
from . import environment_folders, inspection, installers
from .child_process import Cancelled, never_cancelled
from .environment_builder import EnvironmentBuilder
from .environment_folders import COMPUTE, REQUIREMENTS

__all__ = ["COMPUTE", "Cancelled", "SetUpPlan", "create", "interpreter", "notice", "plan", "problem"]

REMEDY = "Choose Plugins > Landforge > Set up the backend."
# Megabytes (to download, on disk) by platform and compute choice. Those of the default builds are sums over the pinned
# wheels; those of the CPU build for Linux and the CUDA build for Windows, from torch's own index, are estimates.
_SIZES_MB = {
    ("linux", "cuda"): (3120, 5700),
    ("linux", "cpu"): (320, 1300),
    ("win32", "cpu"): (230, 1000),
    ("win32", "cuda"): (2200, 4500),
    ("darwin", "cpu"): (230, 1050),
}


@dataclass(frozen=True)
class SetUpPlan:
    """Estimated download and disk space of a set-up, in megabytes; `text` states it for the user."""

    folder: Path
    download_mb: int
    disk_mb: int
    free_mb: int
    text: str

    @property
    def fits(self) -> bool:
        """Whether the disk has enough free space."""
        return self.free_mb > self.disk_mb


def interpreter(profile: str | Path, setting: str = "", requirements: Path = REQUIREMENTS) -> Path:
    """The backend's Python: LANDFORGE_PYTHON, else the setting, else the managed environment's, existing or not."""
    configured = os.environ.get("LANDFORGE_PYTHON") or setting
    if configured:
        return Path(configured).expanduser()
    default = environment_folders.environment_folder(profile, "cpu", requirements)
    folder = next(environment_folders.complete_environments(profile, requirements), default)
    return environment_folders.interpreter_path(folder)


def problem(profile: str | Path, setting: str = "", requirements: Path = REQUIREMENTS) -> str:
    """Why the backend cannot run and how to fix it, in a sentence or two; empty where it can run.

    The first call starts the interpreter to read the versions of its packages; later calls take milliseconds.
    """
    python = interpreter(profile, setting, requirements)
    origin = _configured_by(setting)
    if (origin or _is_complete(python)) and python.exists():
        fault = inspection.fault(python, requirements)
    elif origin:
        fault = f"The interpreter {python} does not exist."
    else:
        fault = _missing_environment(profile, python)
    if fault and origin:
        return f"{fault} It is named by {origin}: mend it, or clear that and set up the backend. {REMEDY}"
    return f"{fault} {REMEDY}" if fault else ""


def _configured_by(setting: str) -> str:
    """Where an interpreter is configured instead of the managed one; empty where none is."""
    return "LANDFORGE_PYTHON" if os.environ.get("LANDFORGE_PYTHON") else "Landforge's settings" if setting else ""


def _is_complete(python: Path) -> bool:
    """Whether a managed environment's interpreter belongs to a complete environment."""
    return python.parents[1].joinpath(environment_folders.MARKER).exists()


def _missing_environment(profile: str | Path, python: Path) -> str:
    if _is_complete(python):
        return "The backend's environment is broken: the Python that it was made with is gone."
    if any(environment_folders.landforge_folder(profile).glob("env-*")):
        return "Setting up the backend was not finished; it goes on where it stopped."
    return "The backend is not set up yet."


def notice(profile: str | Path, setting: str = "", requirements: Path = REQUIREMENTS) -> str:
    """A sentence where the environment in use was made for other requirements; otherwise empty."""
    folder = next(environment_folders.complete_environments(profile, requirements), None)
    current = [environment_folders.environment_folder(profile, compute, requirements) for compute in COMPUTE]
    if _configured_by(setting) or folder is None or folder in current:
        return ""
    return f"The backend's environment was made for another version of Landforge; it serves for now. {REMEDY}"


def plan(
    profile: str | Path, compute: str = "cpu", wheels: str = "", requirements: Path = REQUIREMENTS, platform: str = ""
) -> SetUpPlan:
    """Download and disk space of `create` with these arguments, estimated without a network.

    `platform` is as in `sys.platform`; empty for this machine's.
    """
    platform = platform or sys.platform
    default = ("linux", "cuda") if platform == "linux" else (platform if platform == "win32" else "darwin", "cpu")
    download, disk = _SIZES_MB.get((platform, compute), _SIZES_MB[default])
    target = environment_folders.environment_folder(profile, compute, requirements)
    free = _free_mb(target)
    text = f"The backend's environment takes about {disk:,} MB in {target} ({free:,} MB are free there). "
    if wheels:
        text += f"Nothing is downloaded: the packages come from {wheels}."
    else:
        text += f"About {download:,} MB are downloaded."
        if (platform, compute) in _SIZES_MB and (platform, compute) != default:
            text += (
                f" The {compute.upper()} build comes from torch's own index; where that is out of reach, the "
                f"{default[1].upper()} build is taken instead, about {_SIZES_MB[default][0]:,} MB."
            )
    if next(environment_folders.complete_environments(profile, requirements), target) != target:
        text += " The environment that is there now serves until this one is complete, and is then removed."
    return SetUpPlan(target, 0 if wheels else download, disk, free, text)


def _free_mb(path: Path) -> int:
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free // 1_000_000


_creating = threading.Lock()


def create(
    profile: str | Path,
    compute: str = "cpu",
    proxy: str = "",
    wheels: str = "",
    python: str = "",
    on_progress: Callable[[float, str], None] = lambda fraction, line: None,
    is_cancelled: Callable[[], bool] = never_cancelled,
    requirements: Path = REQUIREMENTS,
) -> Path:
    """Make the managed environment, or complete an interrupted one; returns its interpreter.

    `compute` is cpu or cuda; `proxy` a URL; `wheels` a folder with all packages, for a machine without a network;
    `python` the interpreter to build on. `on_progress` gets a fraction from 0 to 1 and a line of output. Raises
    BackendError, with what happened and what to do, and Cancelled; downloads are kept for the next call in both
    cases. Ends the warm worker before an environment is removed.
    """
    if compute not in COMPUTE:
        raise BackendError(f"{compute!r} is not a choice: it is {' or '.join(COMPUTE)}.")
    if wheels and not Path(wheels).is_dir():
        raise BackendError(f"There is no folder of wheels at {wheels}.")
    if not _creating.acquire(blocking=False):
        raise BackendError("The backend is being set up already.")
    try:
        return EnvironmentBuilder(profile, compute, requirements, proxy, wheels, on_progress, is_cancelled).run(python)
    except OSError as error:
        raise BackendError(installers.explain(str(error))[1] or f"Setting up failed: {error}.") from error
    finally:
        _creating.release()
