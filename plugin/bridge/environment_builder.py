"""Builds the managed environment; a build that was interrupted uses what was already downloaded."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Callable

from . import environment_folders, inspection, installers, interpreters, process

_IMPORT_SCRIPT = """
import importlib, sys
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    print(name, getattr(module, "__version__", ""))
"""


class EnvironmentBuilder:
    """Builds one environment; the arguments are those of `environment.create`.

    An incomplete environment is removed and built anew, since a package may be half installed. Packages that uv or
    pip had downloaded come from their caches, so this takes seconds.
    """

    def __init__(
        self,
        profile: str | Path,
        compute: str,
        requirements: Path,
        proxy: str,
        wheels: str,
        on_progress: Callable[[float, str], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._folder, self._compute = environment_folders.landforge_folder(profile).resolve(), compute
        self._wheels = str(Path(wheels).resolve()) if wheels else ""
        self._requirements = requirements.resolve()
        self._target = self._folder / environment_folders.environment_folder(profile, compute, requirements).name
        self._python = environment_folders.interpreter_path(self._target)
        self._progress = _Progress(on_progress)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._runner = installers.CommandRunner(self._folder, proxy, self._progress.report, is_cancelled)

    def run(self, base: str) -> Path:
        """Build the environment where it is not complete; returns its interpreter.

        `base` is the interpreter to build on; empty to search for one.
        """
        if self._target.joinpath(environment_folders.MARKER).exists() and self._works():
            self._progress.report("The environment is complete already.")
            return self._python
        _remove(self._target)
        pinned_uv = self._requirements / "requirements-uv.txt"
        self._installer = installers.choose(self._runner, pinned_uv, self._wheels)
        self._progress.begin_step(0.02, 0.04)
        self._make_environment(base)
        self._progress.begin_step(0.04, 0.70)
        compute = self._install_torch()
        self._progress.begin_step(0.70, 0.90)
        self._installer.install(self._python, self._requirements / "requirements.txt")
        self._progress.begin_step(0.90, 0.99)
        self._import_packages()
        self._finish(compute)
        return self._python

    def _works(self) -> bool:
        try:
            self._import_packages()
        except installers.SetUpError:
            self._progress.report("The environment does not work any more; making it anew.")
            return False
        return True

    def _import_packages(self) -> None:
        self._progress.report("Importing what the backend needs, once, to see that it works.")
        self._runner.run(self._python, "-c", _IMPORT_SCRIPT, *inspection.modules(self._requirements))

    def _make_environment(self, base: str) -> None:
        python = interpreters.find(base) or self._installer.download_python()
        self._progress.report(f"Building on {python}.")
        self._installer.make(python, self._target)

    def _install_torch(self) -> str:
        """Install the chosen build of torch, or the default one where that is unavailable; returns cpu or cuda."""
        pinned, unpinned = (self._requirements / f"requirements-torch.{end}" for end in ("txt", "in"))
        default = "cuda" if sys.platform == "linux" else "cpu"
        chosen = f"torch-*+{'cpu' if self._compute == 'cpu' else 'cu'}*.whl"
        if self._wheels and any(Path(self._wheels).glob(chosen)):
            self._installer.install(self._python, unpinned, hashed=False)
            return self._compute
        if not self._wheels and self._compute != default and sys.platform != "darwin":
            if self._install_from_torch_index(unpinned):
                return self._compute
            self._progress.report(f"Taking the default build of torch instead ({default.upper()}).")
        self._installer.install(self._python, pinned)
        return default

    def _install_from_torch_index(self, unpinned: Path) -> bool:
        """Install torch from its own index; False where that is unavailable."""
        if not isinstance(self._installer, installers.UvInstaller):
            self._progress.report("Without uv, torch's own index is not used.")
            return False
        try:
            backend = "cpu" if self._compute == "cpu" else "auto"
            self._installer.install(self._python, unpinned, hashed=False, torch_backend=backend)
        except installers.SetUpError as error:
            if error.kind not in ("network", "missing"):
                raise
            self._progress.report(f"torch's own index, which has its {self._compute.upper()} build, is out of reach.")
            return False
        return True

    def _finish(self, compute: str) -> None:
        """Mark the environment as complete, then remove all others."""
        part = self._target / "landforge.part"
        part.write_text(json.dumps({"chosen": self._compute, "compute": compute}), encoding="utf-8")
        os.replace(part, self._target / environment_folders.MARKER)
        self._progress.report("Removing what it replaces.")
        for other in self._folder.glob("env-*"):
            if other != self._target:
                _remove(other, ignore_errors=True)
        inspection.clear_cache()
        self._progress.begin_step(1.0, 1.0)
        self._progress.report("The backend is ready.")


class _Progress:
    """Turns lines of output into a fraction of the whole build.

    Within a step the fraction follows the megabytes downloaded, where the installer prints them; otherwise each line
    moves it 2 % nearer to the end of the step.
    """

    def __init__(self, on_progress: Callable[[float, str], None]) -> None:
        self._on_progress = on_progress
        self.begin_step(0.0, 0.02)

    def begin_step(self, start: float, stop: float) -> None:
        """Begin a step that takes the fraction from `start` to `stop`."""
        self._start, self._stop, self._now = start, stop, start
        self._announced_mb: dict[str, float] = {}
        self._downloaded_mb = 0.0

    def report(self, line: str) -> None:
        """Call `on_progress` with the fraction reached and the line."""
        self._now = max(self._now, self._start + (self._stop - self._start) * self._share(line))
        self._on_progress(round(self._now, 4), line)

    def _share(self, line: str) -> float:
        if begin := re.match(r"Downloading (\S+) \(([\d.]+)([KMG])iB\)", line):
            self._announced_mb[begin[1]] = float(begin[2]) * {"K": 0.001, "M": 1.0, "G": 1000.0}[begin[3]]
        elif end := re.match(r"Downloaded (\S+)", line):
            self._downloaded_mb += self._announced_mb.get(end[1], 0.0)
        if self._announced_mb:
            return 0.95 * self._downloaded_mb / sum(self._announced_mb.values())
        return 0.02 + 0.98 * (self._now - self._start) / ((self._stop - self._start) or 1.0)


def _remove(environment: Path, ignore_errors: bool = False) -> None:
    """Remove an environment, its marker first, so that a half removed one does not count as complete."""
    if environment.exists():
        process.stop_worker()
        environment.joinpath(environment_folders.MARKER).unlink(missing_ok=True)
        shutil.rmtree(environment, ignore_errors=ignore_errors)
