"""Compare synthetic land cover with real land cover."""

from __future__ import annotations

from typing import ClassVar

from ...backend.protocol import LandCoverRealism as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class LandCoverRealism(BackendAlgorithm):
    """Land cover of two kinds to a report."""

    JOB = Job
    TITLE = "Land cover realism"
    GROUP = "Evaluate"
    TAGS = ("landscape metrics", "fragstats", "patch", "land cover", "synthetic", "comparison", "realism")
    CLASS_KEYS: ClassVar[tuple[str, ...]] = ("REAL", "SYNTHETIC")
    HELP = (
        "Compares synthetic land cover with real land cover in windows of equal ground: class mix and landscape "
        "metrics (patch density, edge density, mean and largest patch, contagion, Shannon diversity), as "
        "distributions and as ratios with their intervals. Windows stand beside each other, and a search says whether "
        "synthetic windows repeat real ones. Both must have one pixel size and a grid in metres. Writes a web page, "
        "CSV and JSON."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        real = "Real land cover in WorldCover's legend; for the search for copies, what the generator was trained on."
        synthetic = "Synthetic land cover, such as that of 'Generate land cover'."
        sets = "Data sets of 'Build data set', best of labels alone, whose labels keep their own pixel size."
        window = "Side of the windows; the bundled generator's own is 1,280 m."
        count = "At most so many windows of each, drawn at random."
        output = "The folder of landcoverrealism.html, .csv and .json."
        return [
            parameters.rasters("REAL", "Real land cover", real, optional=True),
            parameters.folders("REAL_DATASET", "Real data sets", sets, optional=True),
            parameters.rasters("SYNTHETIC", "Synthetic land cover", synthetic, optional=True),
            parameters.folders("SYNTHETIC_DATASET", "Synthetic data sets", sets, optional=True),
            parameters.number(Job, "WINDOW_M", "Window (m)", window, 10, whole=False),
            parameters.number(Job, "COUNT", "Windows of each, at most", count, 8, 100000),
            parameters.advanced(parameters.seed(Job, "Decides which windows are drawn.")),
            parameters.folder_output("OUTPUT", "Land cover realism", output),
        ]
