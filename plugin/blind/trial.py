"""The test itself: tiles, answers, and what the answers come to."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist

from qgis.PyQt.QtGui import QImage

LEVEL = 0.95
COLUMNS = ("number", "layer", "truth", "answer", "right", "seconds")
PLACE_COLUMNS = ("xmin", "ymin", "xmax", "ymax", "crs", "pixel_m", "shown_s", "seed")


def wilson(right: int, asked: int, level: float = LEVEL) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927); 0 to 1 where nothing was asked."""
    if not asked:
        return 0.0, 1.0
    z, share = NormalDist().inv_cdf((1 + level) / 2), right / asked
    centre = (share + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z / (1 + z**2 / asked) * (share * (1 - share) / asked + z**2 / (4 * asked**2)) ** 0.5
    return max(centre - half, 0.0), min(centre + half, 1.0)


@dataclass(frozen=True)
class Tile:
    """A picture cut from a layer; `bounds` are xmin, ymin, xmax, ymax in `crs`."""

    layer_id: str
    layer_name: str
    synthetic: bool
    bounds: tuple[float, float, float, float]
    crs: str
    pixel_m: float
    image: QImage


@dataclass(frozen=True)
class Answer:
    """What was said of a tile, and after how many seconds."""

    tile: Tile
    synthetic: bool
    seconds: float

    @property
    def right(self) -> bool:
        """Whether it was true."""
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
        """The tile that is up; None at the end."""
        return self.tiles[len(self.answers)] if len(self.answers) < len(self.tiles) else None

    def answer(self, synthetic: bool, seconds: float) -> None:
        """What the viewer says of the tile that is up."""
        tile = self.tile
        if tile is not None:
            self.answers.append(Answer(tile, synthetic, seconds))

    @property
    def right(self) -> int:
        """How many answers are right."""
        return sum(answer.right for answer in self.answers)

    def told(self, truth: bool) -> tuple[int, int]:
        """Of the synthetic (or the real) tiles: how many were recognised, and how many there were."""
        asked = [answer.right for answer in self.answers if answer.tile.synthetic == truth]
        return sum(asked), len(asked)

    def fooled(self) -> list[Answer]:
        """The answers that were wrong."""
        return [answer for answer in self.answers if not answer.right]

    def write_csv(self, path: str | Path) -> None:
        """One row an answer; OSError where it cannot be written."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*COLUMNS, *PLACE_COLUMNS])
            for number, answer in enumerate(self.answers, 1):
                tile = answer.tile
                said = [_word(tile.synthetic), _word(answer.synthetic), int(answer.right), round(answer.seconds, 2)]
                place = [*tile.bounds, tile.crs, tile.pixel_m]
                writer.writerow([number, tile.layer_name, *said, *place, self.shown_s, self.seed])


def _word(synthetic: bool) -> str:
    return "synthetic" if synthetic else "real"
