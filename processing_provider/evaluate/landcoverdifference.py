"""Compare two land cover maps."""

from __future__ import annotations

from ...backend.protocol import LandCoverDifference as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class LandCoverDifference(BackendAlgorithm):
    """Two maps to where they agree and a table."""

    JOB = Job
    TITLE = "Difference of land cover"
    GROUP = "Evaluate"
    TAGS = ("land cover", "confusion", "agreement", "change", "comparison", "accuracy", "synthetic")
    CLASS_KEYS = ("REFERENCE", "COMPARED")
    MAP_PIXEL_M = 10.0
    HELP = (
        "Lays a land cover map over another, of any grid and CRS, and says where they agree and what they say where "
        "they do not: as a raster whose legend names both classes, and as a confusion table in hectares with the "
        "agreement of each class. Disagreement is parted into other amounts of the classes and the same amounts in "
        "other places, which is what to look at where one map is synthetic: it is not meant to match pixel by pixel."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        reference = "The map to compare with, usually the real one; the result has its grid."
        compared = "The other map; where its grid differs, its nearest pixel counts."
        raster = "Tints where both agree; elsewhere the colour of what the compared map says."
        table = "The confusion table in hectares, a row for each class of the reference."
        return [
            parameters.raster("REFERENCE", "Reference land cover", reference),
            parameters.raster("COMPARED", "Compared land cover", compared),
            parameters.raster_output("OUTPUT", "Difference of land cover", raster),
            parameters.file_output("OUTPUT_TABLE", "Confusion table", "CSV files (*.csv)", table),
            parameters.file_output("OUTPUT_REPORT", "Confusion page", "HTML files (*.html)", "The same as a web page."),
        ]
