"""The making of the managed environment, which may stop anywhere and go on later from what was downloaded."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Callable

from . import inspection, installation, interpreters, places, process

_CHECK = """
import importlib, sys
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    print(name, getattr(module, "__version__", ""))
"""


class Creation:
    """One call of `create`.

    An environment that was not completed is made anew, since a package may have been interrupted halfway; what uv
    or pip had downloaded by then comes from their caches, so that this costs seconds.
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
        self._home, self._compute = places.home(profile).resolve(), compute
        self._wheels = str(Path(wheels).resolve()) if wheels else ""
        self._requirements = requirements.resolve()
        self._target = self._home / places.folder(profile, compute, requirements).name
        self._python = places.python(self._target)
        self._meter = _Meter(on_progress)
        self._home.mkdir(parents=True, exist_ok=True)
        self._shell = installation.Shell(self._home, proxy, self._meter.say, is_cancelled)

    def run(self, base: str) -> Path:
        """Make what is not there yet and return the interpreter; `base` is the one to build on, or empty."""
        if self._target.joinpath(places.MARKER).exists() and self._works():
            self._meter.say("The environment is complete already.")
            return self._python
        _remove(self._target)
        self._tool = installation.best(self._shell, self._requirements / "requirements-uv.txt", self._wheels)
        self._meter.span(0.02, 0.04)
        self._make(base)
        self._meter.span(0.04, 0.70)
        compute = self._install_torch()
        self._meter.span(0.70, 0.90)
        self._tool.install(self._python, self._requirements / "requirements.txt")
        self._meter.span(0.90, 0.99)
        self._check()
        self._finish(compute)
        return self._python

    def _works(self) -> bool:
        try:
            self._check()
        except installation.Failure:
            self._meter.say("The environment does not work any more; making it anew.")
            return False
        return True

    def _check(self) -> None:
        self._meter.say("Importing what the backend needs, once, to see that it works.")
        self._shell.run(self._python, "-c", _CHECK, *inspection.modules(self._requirements))

    def _make(self, base: str) -> None:
        python = interpreters.find(base) or self._tool.fetch_python()
        self._meter.say(f"Building on {python}.")
        self._tool.make(python, self._target)

    def _install_torch(self) -> str:
        """Install the build that was chosen, or the default one where that cannot be had; returns which it is."""
        pinned, unpinned = (self._requirements / f"requirements-torch.{end}" for end in ("txt", "in"))
        default = "cuda" if sys.platform == "linux" else "cpu"
        chosen = f"torch-*+{'cpu' if self._compute == 'cpu' else 'cu'}*.whl"
        if self._wheels and any(Path(self._wheels).glob(chosen)):
            self._tool.install(self._python, unpinned, hashed=False)
            return self._compute
        if not self._wheels and self._compute != default and sys.platform != "darwin":
            if self._from_torchs_index(unpinned):
                return self._compute
            self._meter.say(f"Taking the default build of torch instead ({default.upper()}).")
        self._tool.install(self._python, pinned)
        return default

    def _from_torchs_index(self, unpinned: Path) -> bool:
        """Install torch from its own index; False where that cannot be had."""
        if not isinstance(self._tool, installation.Uv):
            self._meter.say("Without uv, torch's own index is not used.")
            return False
        try:
            backend = "cpu" if self._compute == "cpu" else "auto"
            self._tool.install(self._python, unpinned, hashed=False, torch_backend=backend)
        except installation.Failure as failure:
            if failure.kind not in ("network", "missing"):
                raise
            self._meter.say(f"torch's own index, which has its {self._compute.upper()} build, is out of reach.")
            return False
        return True

    def _finish(self, compute: str) -> None:
        """Mark the environment as complete, then remove every other."""
        part = self._target / "landforge.part"
        part.write_text(json.dumps({"chosen": self._compute, "compute": compute}), encoding="utf-8")
        os.replace(part, self._target / places.MARKER)
        self._meter.say("Removing what it replaces.")
        for other in self._home.glob("env-*"):
            if other != self._target:
                _remove(other, for_certain=False)
        inspection.forget()
        self._meter.span(1.0, 1.0)
        self._meter.say("The backend is ready.")


class _Meter:
    """Turns the tools' lines into progress: by megabytes where they tell them, else creeping along the step's span."""

    def __init__(self, on_progress: Callable[[float, str], None]) -> None:
        self._on_progress = on_progress
        self.span(0.0, 0.02)

    def span(self, start: float, stop: float) -> None:
        """Begin a step that goes from one fraction to another."""
        self._start, self._stop, self._now = start, stop, start
        self._due: dict[str, float] = {}
        self._arrived = 0.0

    def say(self, line: str) -> None:
        """Relay a line with the fraction reached."""
        self._now = max(self._now, self._start + (self._stop - self._start) * self._share(line))
        self._on_progress(round(self._now, 4), line)

    def _share(self, line: str) -> float:
        if begun := re.match(r"Downloading (\S+) \(([\d.]+)([KMG])iB\)", line):
            self._due[begun[1]] = float(begun[2]) * {"K": 0.001, "M": 1.0, "G": 1000.0}[begun[3]]
        elif ended := re.match(r"Downloaded (\S+)", line):
            self._arrived += self._due.get(ended[1], 0.0)
        if self._due:
            return 0.95 * self._arrived / sum(self._due.values())
        return 0.02 + 0.98 * (self._now - self._start) / ((self._stop - self._start) or 1.0)


def _remove(environment: Path, for_certain: bool = True) -> None:
    """Remove an environment, its marker first, so that it is never taken for complete."""
    if environment.exists():
        process.stop_worker()
        environment.joinpath(places.MARKER).unlink(missing_ok=True)
        shutil.rmtree(environment, ignore_errors=not for_certain)
