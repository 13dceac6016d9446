"""One blind test: its tiles, the answers and their statistics."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist

from qgis.PyQt.QtGui import QImage

CONFIDENCE_LEVEL = 0.95
COLUMNS = ("number", "layer", "truth", "answer", "right", "seconds")
TILE_COLUMNS = ("xmin", "ymin", "xmax", "ymax", "crs", "pixel_m", "shown_s", "seed")


def wilson_interval(successes: int, count: int, level: float = CONFIDENCE_LEVEL) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927); (0, 1) for a count of 0."""
    if not count:
        return 0.0, 1.0
    z, share = NormalDist().inv_cdf((1 + level) / 2), successes / count
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half_width = z / (1 + z**2 / count) * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    return max(centre - half_width, 0.0), min(centre + half_width, 1.0)


@dataclass(frozen=True)
class Tile:
    """An image of a part of a layer; `bounds` are xmin, ymin, xmax, ymax in `crs`."""

    layer_id: str
    layer_name: str
    synthetic: bool
    bounds: tuple[float, float, float, float]
    crs: str
    pixel_m: float
    image: QImage


@dataclass(frozen=True)
class Answer:
    """The answer to a tile, and the seconds after which it was given."""

    tile: Tile
    synthetic: bool
    seconds: float

    @property
    def is_correct(self) -> bool:
        """Whether the answer is correct."""
        return self.synthetic == self.tile.synthetic


@dataclass
class Trial:
    """Tiles in the order in which they are shown, and the answers so far."""

    tiles: list[Tile]
    shown_s: float
    seed: int
    answers: list[Answer] = field(default_factory=list)

    @property
    def tile(self) -> Tile | None:
        """The current tile; None after the last answer."""
        return self.tiles[len(self.answers)] if len(self.answers) < len(self.tiles) else None

    def answer(self, synthetic: bool, seconds: float) -> None:
        """Record the answer to the current tile."""
        tile = self.tile
        if tile is not None:
            self.answers.append(Answer(tile, synthetic, seconds))

    @property
    def correct_count(self) -> int:
        """The number of correct answers."""
        return sum(answer.is_correct for answer in self.answers)

    def recognised(self, synthetic: bool) -> tuple[int, int]:
        """Among the synthetic (or the real) tiles: the number of correct answers and of all answers."""
        correct = [answer.is_correct for answer in self.answers if answer.tile.synthetic == synthetic]
        return sum(correct), len(correct)

    def wrong_answers(self) -> list[Answer]:
        """The answers that are not correct."""
        return [answer for answer in self.answers if not answer.is_correct]

    def write_csv(self, path: str | Path) -> None:
        """Write one row per answer; raises OSError where the file cannot be written."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*COLUMNS, *TILE_COLUMNS])
            for number, answer in enumerate(self.answers, 1):
                tile = answer.tile
                kinds = [_kind(tile.synthetic), _kind(answer.synthetic)]
                result = [int(answer.is_correct), round(answer.seconds, 2)]
                location = [*tile.bounds, tile.crs, tile.pixel_m]
                writer.writerow([number, tile.layer_name, *kinds, *result, *location, self.shown_s, self.seed])


def _kind(synthetic: bool) -> str:
    return "synthetic" if synthetic else "real"
