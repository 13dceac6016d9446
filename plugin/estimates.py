"""Estimates of a generation before it is run: size in pixels, time and disk space."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from . import settings
from .grids import Grid
from .translation import tr

LANDCOVER, IMAGE, SCENE = "generatelandcover", "generateimage", "generatescene"
LANDCOVER_M, IMAGE_M = 10.0, 1.0
FACTORS_KEY = "paces"
"""The setting of measured factors by generator, as JSON."""
NO_BREAK = "\N{NO-BREAK SPACE}"
DEFAULT_STEPS = 12
"""The default number of sampling steps of land cover."""
REFERENCE_STEPS = {"landcover": DEFAULT_STEPS, "controlnet": 3}
"""The sampling steps that COSTS are for; an image generator takes no more than these."""
START_S = 7.0
"""Seconds of a cold start: importing torch and loading the models."""
# Seconds per square kilometre on two CPU cores without bf16, and the kilometres that windows reach beyond an extent.
COSTS = {"landcover": (0.9, 2.5), "controlnet": (7.2, 0.35), "spade": (1.5, 0.2)}


@dataclass(frozen=True)
class Estimate:
    """The estimate of one generation: sizes (width, height) by pixel size in metres, and seconds by generator."""

    grid: Grid
    sizes_px: dict[float, tuple[int, int]]
    generator_seconds: dict[str, float]

    @property
    def seconds(self) -> float:
        """The whole time, start included."""
        return START_S + sum(self.generator_seconds.values())

    @property
    def megabytes(self) -> float:
        """The most disk space that the results take: one byte per pixel and band."""
        bands = {LANDCOVER_M: 1, IMAGE_M: 3}
        return sum(bands[pixel_m] * width * height for pixel_m, (width, height) in self.sizes_px.items()) / 1e6

    def text(self) -> str:
        """The estimate as one line for the user."""
        sizes = {
            LANDCOVER_M: tr("land cover {0:,} × {1:,} px"),
            IMAGE_M: tr("image {0:,} × {1:,} px"),
        }
        pixel_sizes = [sizes[pixel_m].format(*size) for pixel_m, size in self.sizes_px.items()]
        area = tr("{0} km²").format(rounded(self.grid.area_km2))
        disk_space = tr("up to {0} MB").format(rounded(self.megabytes))
        time = tr("about {0}").format(duration(self.seconds))
        parts = (part.replace(" ", NO_BREAK) for part in (area, *pixel_sizes, time, disk_space))
        return " · ".join(parts)


def estimate_generation(algorithm: str, generator: str, steps: int, grid: Grid) -> Estimate:
    """The estimate for an algorithm on a grid; `generator` is the image's, unused where there is no image."""
    sizes, seconds = {}, {}
    if algorithm != IMAGE:
        sizes[LANDCOVER_M] = grid.size_px(LANDCOVER_M)
        seconds["landcover"] = _seconds("landcover", steps, grid)
    if algorithm != LANDCOVER:
        sizes[IMAGE_M] = grid.size_px(IMAGE_M)
        seconds[generator] = _seconds(generator, steps, grid)
    return Estimate(grid, sizes, seconds)


def _seconds(generator: str, steps: int, grid: Grid) -> float:
    seconds_per_km2, reach_km = COSTS[generator]
    area_km2 = (grid.box.width() / 1e3 + reach_km) * (grid.box.height() / 1e3 + reach_km)
    reference = REFERENCE_STEPS.get(generator, 1)
    relative_steps = (steps if generator == "landcover" else min(steps, reference)) / reference
    return seconds_per_km2 * area_km2 * relative_steps * _factor(generator)


def _factor(generator: str) -> float:
    """This machine's measured time relative to COSTS; 1 where nothing was measured."""
    try:
        return float(_factors().get(generator, 1.0))
    except (TypeError, ValueError):
        return 1.0


def _factors() -> dict[str, float]:
    try:
        factors = json.loads(settings.get(FACTORS_KEY) or "{}")
    except ValueError:
        return {}
    return factors if isinstance(factors, dict) else {}


def adapt(estimate: Estimate, seconds: float) -> None:
    """Correct later estimates by the measured seconds of a generation, from its first window to its end."""
    ratio = min(max(seconds / sum(estimate.generator_seconds.values()), 0.1), 10.0)
    # The square root goes half way, so that one unusual run does not decide.
    factors = {generator: _factor(generator) * math.sqrt(ratio) for generator in estimate.generator_seconds}
    settings.put(FACTORS_KEY, json.dumps({**_factors(), **factors}))


def rounded(value: float) -> str:
    """A number with three significant digits."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def duration(seconds: float) -> str:
    """A duration as text in seconds, minutes or hours."""
    if seconds < 90:
        return tr("{0:.0f} s").format(seconds)
    if seconds < 5400:
        return tr("{0:.0f} min").format(seconds / 60)
    return tr("{0:.1f} h").format(seconds / 3600)
