"""Whether a metric can be trusted on these images: what harmless changes of real ones do to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from backend.datasets.augment import color_jitter

CHANGES = ("rotated", "mirrored", "recoloured")
CLOSE = 0.5  # of what the synthetic images do; a harmless change that does more calls for care
CHANCE = 2  # spreads
LEAST = {"sets": 50, "pairs": 30, "variety": 30}
"""Tiles under which a metric of a kind says nothing: of fewer, not even its spread is known."""

Kind = Literal["sets", "pairs", "variety"]


def changed(images: torch.Tensor, change: str) -> torch.Tensor:
    """(n, 3, s, s) uint8 turned by a quarter, mirrored, or in slightly other light, each image in its own."""
    if change == "rotated":
        return images.rot90(1, (2, 3))
    if change == "mirrored":
        return images.flip(3)
    lit = (color_jitter(image, np.random.default_rng(number)) for number, image in enumerate(images.numpy()))
    return torch.from_numpy(np.stack(list(lit)))


@dataclass(frozen=True)
class Finding:
    """A metric of a synthetic set beside a real one.

    `distance` is what is judged, larger for worse: the value itself, or how far it is from that of real images.
    `spread` is its standard error. `halves` is the distance between random halves of the real images: what chance
    leaves of a set's metric, what images of other ground have in a pairwise one. `changes` are the distances of real
    images from themselves, changed. A 'variety' is between two synthetic sets on the same labels: larger is richer,
    not worse.
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
        """The change that moves the metric most, and how far."""
        name = max(self.changes, key=lambda change: self.changes[change])
        return name, self.changes[name]

    @property
    def few(self) -> bool:
        """Whether the tiles are too few for any verdict."""
        return self.tiles < LEAST[self.kind]

    @property
    def noise(self) -> float:
        """How much of the distance may be chance: for sets, what it leaves of no difference, FID's bias included."""
        return CHANCE * self.spread + (max(self.halves, 0) if self.kind == "sets" else 0)

    @property
    def verdict(self) -> tuple[str, str]:
        """'bad', 'care' or 'good', for whether the metric says something here, and what it says, in words."""
        if self.few:
            return "care", f"Too few to tell: {self.tiles} tiles, but at least {LEAST[self.kind]} are needed."
        if self.kind == "variety":
            return self._variety()
        name, most = self.largest
        told = f"real tiles merely {name} score {most:.3g}, the synthetic ones {self.distance:.3g}"
        if most >= self.distance:
            return "bad", f"Cannot be trusted here: {told}."
        if self.kind == "sets" and self.distance <= self.noise:
            return "care", "Does not tell them apart: no farther from real tiles than chance takes real ones."
        if self.kind == "pairs" and self.distance >= self.halves:
            return "care", "No nearer to the real tile than another real tile is."
        if most >= CLOSE * self.distance:
            return "care", f"Read with care: {told}."
        room = self.distance - most / CLOSE
        if self.kind == "pairs":
            room = min(room, self.halves - self.distance)
        if self.noise >= room:
            return "care", self._too_few(room)
        beside = max(most, self.halves) if self.kind == "sets" else most
        by = "harmless changes or chance do" if self.kind == "sets" else "harmless changes do"
        return "good", f"Tells them apart: {self.distance / max(beside, 1e-9):.1f} times what {by}."

    def _variety(self) -> tuple[str, str]:
        light = self.changes["recoloured"]
        if light >= self.distance:
            return "bad", f"Cannot be trusted here: other light alone makes {light:.3g} of difference."
        if self.noise >= self.distance - light:
            return "care", self._too_few(self.distance - light)
        share = self.distance / max(self.halves, 1e-9)
        return "good", f"Two images of one label differ {share:.0%} as much as real tiles of different ground."

    def _too_few(self, room: float) -> str:
        """In words, that the noise fills the room that it has; it shrinks as the root of the tiles, bias faster."""
        needed = self.tiles * (self.noise / max(room, 1e-9)) ** 2
        about = f"about {float(f'{needed:.1g}'):,.0f} tiles would do" if needed < 1e6 else "no number of tiles may do"
        return (
            f"Too few to tell: of {self.distance:.3g}, {self.noise:.3g} may be chance with {self.tiles} tiles, and "
            f"{room:.3g} would leave it clear; {about}."
        )

    def told(self) -> dict[str, Any]:
        """The finding as JSON or a row of CSV."""
        name, most = self.largest
        grade, words = self.verdict
        of_real = {} if self.of_real is None else {"of_real": self.of_real}
        figures = {"value": self.value, "spread": self.spread, "distance": self.distance, "real_halves": self.halves}
        changes = {f"real_{change}": value for change, value in self.changes.items()}
        rounded = {key: round(value, 5) for key, value in {**figures, **changes, **of_real}.items()}
        place = {"synthetic": self.synthetic, "metric": self.metric, "features": self.features, "tiles": self.tiles}
        trust = {"largest_change": name, "largest_change_distance": round(most, 5)}
        return {
            **place,
            **rounded,
            **trust,
            "grade": grade,
            "trusted": grade != "bad" and not self.few,
            "verdict": words,
        }
