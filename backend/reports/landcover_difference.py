"""The table of a land cover difference, in hectares and by class, as CSV and as an HTML page."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from backend.geo import legend
from backend.metrics.difference import COLUMNS, Difference
from backend.protocol import BackendError, partial_path
from backend.reports import html

AGREE_RGB, DISAGREE_RGB = (90, 180, 90), (230, 110, 90)


def write_partial(table: str, report: str, difference: Difference) -> None:
    """Write the CSV and the page under their partial names, to be renamed together with the raster.

    Raises BackendError where one cannot be written.
    """
    try:
        write_csv(partial_path(table), difference)
        partial_path(report).write_text(page(difference), encoding="utf-8")
    except OSError as error:
        raise BackendError(f"Cannot write the table: {error}. Check the folder and the space on its disk.") from error


def write_csv(path: Path, difference: Difference) -> None:
    """Write one row a class of the reference: hectares by class of the compared map, then the COLUMNS."""
    present = difference.present
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "class", *(f"as_{legend.CODES[j]}_ha" for j in present), *COLUMNS])
        for i in present:
            figures = ["" if np.isnan(value) else round(value, 4) for value in difference.by_class(i)]
            areas = [round(float(difference.hectares[i, j]), 4) for j in present]
            writer.writerow([legend.CODES[i], legend.NAMES[i], *areas, *figures])


def page(difference: Difference) -> str:
    """The difference as one HTML page."""
    classes = [_class(difference, index) for index in difference.present]
    return html.render("landcover_difference", difference=difference, classes=classes)


def _class(difference: Difference, index: int) -> dict[str, Any]:
    """Values of the template for a class: name, colour, hectares with a colour by compared class, and figures."""
    return {
        "name": legend.NAMES[index],
        "colour": legend.LEGEND[int(legend.CODES[index])][1],
        "areas": [(difference.hectares[index, j], _colour(difference, index, j)) for j in difference.present],
        "figures": difference.by_class(index),
    }


def _colour(difference: Difference, i: int, j: int) -> str:
    """Green where the maps agree, red where not; the stronger, the larger the share of the reference's class."""
    area, total = float(difference.hectares[i, j]), float(difference.hectares[i].sum())
    share = area / total if total else 0.0
    strongest = AGREE_RGB if i == j else DISAGREE_RGB
    return f"#{bytes(round(255 - (255 - value) * share) for value in strongest).hex()}"
