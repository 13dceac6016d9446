"""Two land cover maps of the same ground: a legend of who says what where, and the confusion table."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from backend.geo import legend

FIRST = 111
"""The value of the first pair of classes: above WorldCover's codes, so that nobody takes the result for land cover."""
NODATA = 0
TINT = 0.8  # how far towards white the colour of a class lies where both maps agree on it
_STYLE = (
    "body{font:14px/1.5 sans-serif;max-width:1100px;margin:1em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:3px 8px;text-align:right}"
)


def pair_values(reference: np.ndarray, compared: np.ndarray) -> np.ndarray:
    """uint8 class indices of both maps to one uint8 value a pair of classes; NODATA where either is IGNORE."""
    known = (reference != legend.IGNORE) & (compared != legend.IGNORE)
    values = FIRST + reference.astype(np.uint16) * legend.COUNT + compared
    return np.where(known, values, NODATA).astype(np.uint8)


def counted(values: np.ndarray) -> np.ndarray:
    """(COUNT, COUNT) int64: pixels by the class of the reference (row) and of the compared map (column)."""
    counts = np.bincount(values.ravel(), minlength=256)[FIRST : FIRST + legend.COUNT**2]
    return counts.reshape(legend.COUNT, legend.COUNT)


def pair_legend(present: np.ndarray) -> dict[int, tuple[str, str]]:
    """Value to name and colour of the pairs that are present, a (COUNT, COUNT) bool.

    Agreement first, in tints of the class's colour; disagreement in the colour of what the compared map says.
    """
    pairs = sorted(np.argwhere(present).tolist(), key=lambda pair: (pair[0] != pair[1], pair))
    return {FIRST + i * legend.COUNT + j: (_name(i, j), _colour(i, j)) for i, j in pairs}


def _name(i: int, j: int) -> str:
    return f"agree: {legend.NAMES[i]}" if i == j else f"{legend.NAMES[i]} → {legend.NAMES[j]}"


def _colour(i: int, j: int) -> str:
    rgb = legend.rgb(int(legend.CODES[j]))
    return bytes(round(255 * TINT + value * (1 - TINT)) if i == j else value for value in rgb).hex().upper()


@dataclass(frozen=True)
class Difference:
    """(COUNT, COUNT) float64 hectares by the class of the reference (row) and of the compared map (column)."""

    reference: str
    compared: str
    hectares: np.ndarray

    @property
    def total(self) -> float:
        """Hectares that both maps know."""
        return float(self.hectares.sum())

    @property
    def agreement(self) -> float:
        """The share of the area on which both agree."""
        return float(np.trace(self.hectares)) / self.total

    @property
    def quantity(self) -> float:
        """The share that disagrees because the maps hold other amounts of the classes (Pontius & Millones 2011)."""
        return float(np.abs(self.hectares.sum(axis=0) - self.hectares.sum(axis=1)).sum()) / 2 / self.total

    @property
    def allocation(self) -> float:
        """The share that disagrees because the same amounts lie elsewhere (Pontius & Millones 2011)."""
        return max(1 - self.agreement - self.quantity, 0.0)

    @property
    def shown(self) -> np.ndarray:
        """The indices of the classes that either map shows."""
        return np.flatnonzero(self.hectares.sum(axis=0) + self.hectares.sum(axis=1))

    def by_class(self, index: int) -> tuple[float, float, float, float, float]:
        """Of a class: hectares of the reference, of the compared map and of both; what of each agrees; NaN of none."""
        one, other = float(self.hectares[index].sum()), float(self.hectares[:, index].sum())
        both = float(self.hectares[index, index])
        return one, other, both, both / one if one else np.nan, both / other if other else np.nan

    def sentence(self) -> str:
        """The result in words."""
        return (
            f"The maps agree on {self.agreement:.1%} of {self.total:,.1f} ha. Other amounts of the classes account for "
            f"{self.quantity:.1%}, the same amounts in other places for {self.allocation:.1%}."
        )


COLUMNS = ("reference_ha", "compared_ha", "agree_ha", "agree_of_reference", "agree_of_compared")
HEADS = ("reference, ha", "compared, ha", "agree, ha", "agree, % of reference", "agree, % of compared")


def write_csv(path: Path, found: Difference) -> None:
    """One row a class of the reference: hectares by class of the compared map, then the figures of the class."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "class", *(f"as_{legend.CODES[j]}_ha" for j in found.shown), *COLUMNS])
        for i in found.shown:
            figures = ["" if np.isnan(value) else round(value, 4) for value in found.by_class(i)]
            areas = [round(float(found.hectares[i, j]), 4) for j in found.shown]
            writer.writerow([legend.CODES[i], legend.NAMES[i], *areas, *figures])


def page(found: Difference) -> str:
    """The confusion table as one HTML page, in no more CSS than QGIS's own text widget knows."""
    heads = [_head(j) for j in found.shown]
    rows = [[_head(i), *(_area(found, i, j) for j in found.shown)] for i in found.shown]
    by_class = [[_head(i), *map(_cell, _percent(found.by_class(i)))] for i in found.shown]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Difference of land cover</title>'
        f"<style>{_STYLE}</style></head><body><h2>Difference of land cover</h2>"
        f"<p>Reference: <b>{escape(found.reference)}</b><br>Compared: <b>{escape(found.compared)}</b></p>"
        f"<p>{found.sentence()}</p><h3>Hectares: reference by row, compared by column</h3>{_table(heads, rows)}"
        f"<h3>By class</h3>{_table([f'<th>{head}</th>' for head in HEADS], by_class)}</body></html>\n"
    )


def _percent(figures: Iterable[float]) -> list[str]:
    areas, shares = list(figures)[:3], list(figures)[3:]
    return [f"{value:,.1f}" for value in areas] + ["none" if np.isnan(one) else f"{one:.1%}" for one in shares]


def _table(heads: list[str], rows: list[list[str]]) -> str:
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<table border="1" cellspacing="0" cellpadding="4"><tr><th></th>{"".join(heads)}</tr>{body}</table>'


def _head(index: int) -> str:
    colour = legend.LEGEND[int(legend.CODES[index])][1]
    return f'<th align="left"><span style="color:#{colour}">&#9632;</span> {escape(legend.NAMES[index])}</th>'


def _cell(text: str, colour: str = "#ffffff") -> str:
    return f'<td align="right" style="background-color:{colour}">{text}</td>'


def _area(found: Difference, i: int, j: int) -> str:
    """Hectares, the deeper in colour the more of the reference's class they are: green agrees, red does not."""
    area, whole = float(found.hectares[i, j]), float(found.hectares[i].sum())
    share = area / whole if whole else 0.0
    full = (90, 180, 90) if i == j else (230, 110, 90)
    shade = bytes(round(255 - (255 - value) * share) for value in full).hex()
    return _cell(f"{area:,.1f}" if area else "", f"#{shade}")
