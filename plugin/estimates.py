"""What a generation will cost, told before it is run: size, time and room on the disk."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from . import settings
from .grids import Grid
from .translation import tr

LANDCOVER, IMAGE, SCENE = "generatelandcover", "generateimage", "generatescene"
LANDCOVER_M, IMAGE_M = 10.0, 1.0
KEY = "paces"
NO_BREAK = "\N{NO-BREAK SPACE}"
STEPS = 12
"""The sampling steps that are usual."""
USUAL_STEPS = {"landcover": STEPS, "controlnet": 3}
"""The sampling steps that the paces below are for; the image's generator takes no more."""
START_S = 7.0
"""What a cold start takes: importing torch and loading the models."""
# Seconds a square kilometre on two CPU cores without bf16, and the kilometres that windows reach beyond an extent.
PACES = {"landcover": (0.9, 2.5), "controlnet": (7.2, 0.35), "spade": (1.5, 0.2)}


@dataclass(frozen=True)
class Estimate:
    """What is known of a generation beforehand. `parts` are seconds by generator, as this machine has shown so far."""

    grid: Grid
    sizes_px: dict[float, tuple[int, int]]
    parts: dict[str, float]

    @property
    def seconds(self) -> float:
        """All in all."""
        return START_S + sum(self.parts.values())

    @property
    def megabytes(self) -> float:
        """The room on the disk that the results need at most: a byte a pixel and band."""
        bands = {LANDCOVER_M: 1, IMAGE_M: 3}
        return sum(bands[pixel_m] * width * height for pixel_m, (width, height) in self.sizes_px.items()) / 1e6

    def text(self) -> str:
        """The estimate in a line."""
        sizes = {
            LANDCOVER_M: tr("land cover {0:,} × {1:,} px"),
            IMAGE_M: tr("image {0:,} × {1:,} px"),
        }
        told = [sizes[pixel_m].format(*size) for pixel_m, size in self.sizes_px.items()]
        area = tr("{0} km²").format(rounded(self.grid.area_km2))
        room = tr("up to {0} MB").format(rounded(self.megabytes))
        about = tr("about {0}").format(duration(self.seconds))
        parts = (part.replace(" ", NO_BREAK) for part in (area, *told, about, room))
        return " · ".join(parts)


def of(algorithm: str, generator: str, steps: int, grid: Grid) -> Estimate:
    """The estimate for an algorithm on a grid; `generator` is the image's, which land cover alone does not use."""
    sizes, parts = {}, {}
    if algorithm != IMAGE:
        sizes[LANDCOVER_M] = grid.size_px(LANDCOVER_M)
        parts["landcover"] = _seconds("landcover", steps, grid)
    if algorithm != LANDCOVER:
        sizes[IMAGE_M] = grid.size_px(IMAGE_M)
        parts[generator] = _seconds(generator, steps, grid)
    return Estimate(grid, sizes, parts)


def _seconds(generator: str, steps: int, grid: Grid) -> float:
    pace, reach_km = PACES[generator]
    covered = (grid.box.width() / 1e3 + reach_km) * (grid.box.height() / 1e3 + reach_km)
    usual = USUAL_STEPS.get(generator, 1)
    share = (steps if generator == "landcover" else min(steps, usual)) / usual
    return pace * covered * share * _factor(generator)


def _factor(generator: str) -> float:
    """How much slower than expected this machine has shown itself."""
    try:
        return float(_paces().get(generator, 1.0))
    except (TypeError, ValueError):
        return 1.0


def _paces() -> dict[str, float]:
    try:
        found = json.loads(settings.get(KEY) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def learn(estimate: Estimate, seconds: float) -> None:
    """Keep how long a finished generation took, from its first window on, for the next estimate."""
    wrong_by = min(max(seconds / sum(estimate.parts.values()), 0.1), 10.0)
    paces = {generator: _factor(generator) * math.sqrt(wrong_by) for generator in estimate.parts}  # half way
    settings.put(KEY, json.dumps({**_paces(), **paces}))


def rounded(value: float) -> str:
    """Three digits that matter."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 90:
        return tr("{0:.0f} s").format(seconds)
    if seconds < 5400:
        return tr("{0:.0f} min").format(seconds / 60)
    return tr("{0:.1f} h").format(seconds / 3600)
