"""Difference of land cover: two land cover maps to a raster and a confusion table."""

from __future__ import annotations

from ...backend.protocol import LandCoverDifference as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class LandCoverDifference(BackendAlgorithm):
    """Compares two land cover maps pixel by pixel."""

    JOB = Job
    TITLE = "Difference of land cover"
    GROUP = "Evaluate"
    TAGS = ("land cover", "confusion", "agreement", "change", "comparison", "accuracy", "synthetic")
    CLASS_KEYS = ("REFERENCE", "COMPARED")
    WEB_MAP_PIXEL_M = 10.0
    HELP = (
        "Compares two land cover maps of any grid and CRS. Writes a raster of where they agree and disagree, whose "
        "legend names both classes, and a confusion table in hectares with the agreement of every class. Disagreement "
        "is divided into quantity (other class areas) and allocation (the same areas in other places). Look at this "
        "division rather than at the agreement where one map is synthetic, because that is not meant to match pixel by "
        "pixel."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        reference = "The map to compare with, usually the real one. The result has its grid."
        compared = "The other map. It is resampled to the reference's grid by nearest neighbour."
        raster = "Pale colours where both maps agree; elsewhere the colour of the compared map's class."
        page = "The confusion table as a web page."
        table = "The confusion table in hectares, with a row for every class of the reference."
        return [
            parameters.raster("REFERENCE", "Reference land cover", reference),
            parameters.raster("COMPARED", "Compared land cover", compared),
            parameters.raster_output("OUTPUT", "Difference of land cover", raster),
            parameters.file_output("OUTPUT_TABLE", "Confusion table", "CSV files (*.csv)", table),
            parameters.file_output("OUTPUT_REPORT", "Confusion page", "HTML files (*.html)", page),
        ]
