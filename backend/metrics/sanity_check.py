"""Whether a metric can be trusted on these images: how harmless changes of real images move it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from backend.datasets.augment import color_jitter

CHANGES = ("rotated", "mirrored", "recoloured")
CAREFUL_SHARE = 0.5  # of the synthetic images' distance; a harmless change that moves the metric more calls for care
CLEAR_SPREADS = 2  # standard errors that count as noise
MINIMUM_TILES = {"sets": 50, "pairs": 30, "variety": 30}
"""By kind of metric; with fewer tiles not even its spread is known."""

Kind = Literal["sets", "pairs", "variety"]


def changed(images: torch.Tensor, change: str) -> torch.Tensor:
    """(n, 3, s, s) uint8 after one of CHANGES: a quarter turn, a flip, or a colour jitter of each image."""
    if change == "rotated":
        return images.rot90(1, (2, 3))
    if change == "mirrored":
        return images.flip(3)
    jittered = (color_jitter(image, np.random.default_rng(number)) for number, image in enumerate(images.numpy()))
    return torch.from_numpy(np.stack(list(jittered)))


@dataclass(frozen=True)
class Finding:
    """A metric of a synthetic set compared with a real one.

    `distance` is what is judged, larger for worse: the value itself, or its distance from the value of real images.
    `spread` is its standard error. `halves` is the distance between random halves of the real images: the noise of a
    metric of sets, and the distance between images of different places for a metric of pairs. `changes` are the
    distances of real images from themselves after each of CHANGES. A 'variety' compares two synthetic sets on the same
    labels: larger is richer, not worse. `of_real` is the value of real images, where the metric has one.
    """

    synthetic: str
    metric: str
    features: str
    tiles: int
    value: float
    spread: float
    distance: float
    halves: float
    changes: Mapping[str, float]
    kind: Kind = "sets"
    of_real: float | None = None

    @property
    def largest(self) -> tuple[str, float]:
        """The change that moves the metric most, and its distance."""
        name = max(self.changes, key=lambda change: self.changes[change])
        return name, self.changes[name]

    @property
    def too_few(self) -> bool:
        """Whether there are too few tiles for any verdict."""
        return self.tiles < MINIMUM_TILES[self.kind]

    @property
    def noise(self) -> float:
        """How much of the distance may be chance; for metrics of sets including what halves of one set show."""
        return CLEAR_SPREADS * self.spread + (max(self.halves, 0) if self.kind == "sets" else 0)

    @property
    def verdict(self) -> tuple[str, str]:
        """'bad', 'care' or 'good', and in words whether the metric can be trusted here and what it says."""
        if self.too_few:
            return "care", f"Too few to tell: {self.tiles} tiles, but at least {MINIMUM_TILES[self.kind]} are needed."
        if self.kind == "variety":
            return self._variety_verdict()
        name, most = self.largest
        comparison = f"real tiles merely {name} score {most:.3g}, the synthetic ones {self.distance:.3g}"
        if most >= self.distance:
            return "bad", f"Cannot be trusted here: {comparison}."
        if self.kind == "sets" and self.distance <= self.noise:
            return "care", "Does not tell them apart: no farther from real tiles than chance takes real ones."
        if self.kind == "pairs" and self.distance >= self.halves:
            return "care", "No nearer to the real tile than another real tile is."
        if most >= CAREFUL_SHARE * self.distance:
            return "care", f"Read with care: {comparison}."
        room = self.distance - most / CAREFUL_SHARE
        if self.kind == "pairs":
            room = min(room, self.halves - self.distance)
        if self.noise >= room:
            return "care", self._too_noisy(room)
        harmless = max(most, self.halves) if self.kind == "sets" else most
        by = "harmless changes or chance do" if self.kind == "sets" else "harmless changes do"
        return "good", f"Tells them apart: {self.distance / max(harmless, 1e-9):.1f} times what {by}."

    def _variety_verdict(self) -> tuple[str, str]:
        light = self.changes["recoloured"]
        if light >= self.distance:
            return "bad", f"Cannot be trusted here: other light alone makes {light:.3g} of difference."
        if self.noise >= self.distance - light:
            return "care", self._too_noisy(self.distance - light)
        share = self.distance / max(self.halves, 1e-9)
        return "good", f"Two images of one label differ {share:.0%} as much as real tiles of different ground."

    def _too_noisy(self, room: float) -> str:
        """Says that the noise exceeds the room for a clear verdict, and how many tiles would reduce it enough.

        The noise shrinks at least with the square root of the number of tiles.
        """
        needed = self.tiles * (self.noise / max(room, 1e-9)) ** 2
        about = f"about {float(f'{needed:.1g}'):,.0f} tiles would do" if needed < 1e6 else "no number of tiles may do"
        return (
            f"Too few to tell: of {self.distance:.3g}, {self.noise:.3g} may be chance with {self.tiles} tiles, and "
            f"{room:.3g} would leave it clear; {about}."
        )

    def row(self) -> dict[str, Any]:
        """The finding for JSON or a row of CSV."""
        change, most = self.largest
        grade, verdict = self.verdict
        figures = {"value": self.value, "spread": self.spread, "distance": self.distance, "real_halves": self.halves}
        figures |= {f"real_{name}": value for name, value in self.changes.items()}
        if self.of_real is not None:
            figures["of_real"] = self.of_real
        return {
            "synthetic": self.synthetic,
            "metric": self.metric,
            "features": self.features,
            "tiles": self.tiles,
            **{key: round(value, 5) for key, value in figures.items()},
            "largest_change": change,
            "largest_change_distance": round(most, 5),
            "grade": grade,
            "trusted": grade != "bad" and not self.too_few,
            "verdict": verdict,
        }
