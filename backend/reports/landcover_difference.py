"""The page of a land cover difference: the confusion table in hectares, and the agreement by class."""

from __future__ import annotations

from typing import Any

from backend.geo import legend
from backend.metrics.difference import Difference
from backend.reports import html

AGREE_RGB, DISAGREE_RGB = (90, 180, 90), (230, 110, 90)


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
