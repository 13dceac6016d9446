"""The backend's Python: find it, say what is wrong with it, say what setting it up takes, and set it up.

It lives in the QGIS profile, outside the plugin's folder, so that an update of the plugin leaves it alone. Its
folder is named after what it was made from (`env-<hash of the requirement files and the choice of CPU or CUDA>`);
an update with other requirements makes a new one, and the old one serves until that is complete.
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
from . import inspection, installation, places
from .child import Cancelled, never
from .creation import Creation
from .places import COMPUTE, REQUIREMENTS

__all__ = ["COMPUTE", "Cancelled", "Plan", "create", "interpreter", "notice", "plan", "problem"]

REMEDY = "Choose Plugins > Landforge > Set up the backend."
# Megabytes to download and on disk, by platform and choice. The default builds are sums over the pinned wheels; the
# CPU build for Linux and the CUDA build for Windows come from torch's own index and are estimates.
_SIZES_MB = {
    ("linux", "cuda"): (3120, 5700),
    ("linux", "cpu"): (320, 1300),
    ("win32", "cpu"): (230, 1000),
    ("win32", "cuda"): (2200, 4500),
    ("darwin", "cpu"): (230, 1050),
}


@dataclass(frozen=True)
class Plan:
    """What setting up would take, in megabytes, estimated; `text` says it to the user."""

    folder: Path
    download_mb: int
    disk_mb: int
    free_mb: int
    text: str

    @property
    def enough(self) -> bool:
        """Whether the disk has room for it."""
        return self.free_mb > self.disk_mb


def interpreter(profile: str | Path, setting: str = "", requirements: Path = REQUIREMENTS) -> Path:
    """The backend's Python: LANDFORGE_PYTHON, else the setting, else the managed environment's, existing or not."""
    named = os.environ.get("LANDFORGE_PYTHON") or setting
    if named:
        return Path(named).expanduser()
    return places.python(next(places.complete(profile, requirements), places.folder(profile, "cpu", requirements)))


def problem(profile: str | Path, setting: str = "", requirements: Path = REQUIREMENTS) -> str:
    """What keeps the backend from running, with the remedy, in a sentence or two; empty where nothing does.

    Cheap after the first call, which starts the interpreter to ask it for its packages' versions.
    """
    python = interpreter(profile, setting, requirements)
    finished = _origin(setting) or python.parents[1].joinpath(places.MARKER).exists()
    if finished and python.exists():
        fault = inspection.fault(python, requirements)
    elif _origin(setting):
        fault = f"The interpreter {python} does not exist."
    else:
        fault = _absence(profile, python)
    if fault and _origin(setting):
        return f"{fault} It is named by {_origin(setting)}: mend it, or clear that and set up the backend. {REMEDY}"
    return f"{fault} {REMEDY}" if fault else ""


def _origin(setting: str) -> str:
    """Who names an interpreter instead of the managed one."""
    return "LANDFORGE_PYTHON" if os.environ.get("LANDFORGE_PYTHON") else "Landforge's settings" if setting else ""


def _absence(profile: str | Path, python: Path) -> str:
    if python.parents[1].joinpath(places.MARKER).exists():
        return "The backend's environment is broken: the Python that it was made with is gone."
    if any(places.home(profile).glob("env-*")):
        return "Setting up the backend was not finished; it goes on where it stopped."
    return "The backend is not set up yet."


def notice(profile: str | Path, setting: str = "", requirements: Path = REQUIREMENTS) -> str:
    """A word on an environment that serves, but was made for other requirements; else empty."""
    found = next(places.complete(profile, requirements), None)
    current = [places.folder(profile, compute, requirements) for compute in COMPUTE]
    if _origin(setting) or found is None or found in current:
        return ""
    return f"The backend's environment was made for another version of Landforge; it serves for now. {REMEDY}"


def plan(
    profile: str | Path, compute: str = "cpu", wheels: str = "", requirements: Path = REQUIREMENTS, platform: str = ""
) -> Plan:
    """What `create` with these choices would take; asks no server. `platform` is as in `sys.platform`."""
    platform = platform or sys.platform
    default = ("linux", "cuda") if platform == "linux" else (platform if platform == "win32" else "darwin", "cpu")
    download, disk = _SIZES_MB.get((platform, compute), _SIZES_MB[default])
    target = places.folder(profile, compute, requirements)
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
    if next(places.complete(profile, requirements), target) != target:
        text += " The environment that is there now serves until this one is complete, and is then removed."
    return Plan(target, 0 if wheels else download, disk, free, text)


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
    is_cancelled: Callable[[], bool] = never,
    requirements: Path = REQUIREMENTS,
) -> Path:
    """Make the managed environment, or go on making it, and return its interpreter.

    `compute` is cpu or cuda; `proxy` a URL; `wheels` a folder that holds all packages, for a machine without a
    network; `python` the interpreter to build on. `on_progress` gets a fraction from 0 to 1 and a line. Raises
    BackendError, which says what happened and what to do, and Cancelled; what is done by then is kept for the next
    call. Ends the warm worker when it is done.
    """
    if compute not in COMPUTE:
        raise BackendError(f"{compute!r} is not a choice: it is {' or '.join(COMPUTE)}.")
    if wheels and not Path(wheels).is_dir():
        raise BackendError(f"There is no folder of wheels at {wheels}.")
    if not _creating.acquire(blocking=False):
        raise BackendError("The backend is being set up already.")
    try:
        return Creation(profile, compute, requirements, proxy, wheels, on_progress, is_cancelled).run(python)
    except OSError as error:
        raise BackendError(installation.meaning(str(error))[1] or f"Setting up failed: {error}.") from error
    finally:
        _creating.release()
