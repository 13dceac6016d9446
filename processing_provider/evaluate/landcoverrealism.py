"""Land cover realism: real and synthetic land cover to a report of landscape metrics."""

from __future__ import annotations

from typing import ClassVar

from ...backend.protocol import LandCoverRealism as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class LandCoverRealism(BackendAlgorithm):
    """Compares synthetic land cover with real land cover by landscape metrics."""

    JOB = Job
    TITLE = "Land cover realism"
    GROUP = "Evaluate"
    TAGS = ("landscape metrics", "fragstats", "patch", "land cover", "synthetic", "comparison", "realism")
    CLASS_KEYS: ClassVar[tuple[str, ...]] = ("REAL", "SYNTHETIC")
    HELP = (
        "Compares synthetic land cover with real land cover in windows of the same size: class shares and landscape "
        "metrics (patch density, edge density, mean and largest patch, contagion, Shannon diversity), as distributions "
        "and as ratios with confidence intervals. The report shows windows side by side, and a search finds synthetic "
        "windows that repeat real ones. Both must have the same pixel size and a grid in metres. Writes a web page, "
        "CSV and JSON."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        real = (
            "Real land cover in WorldCover's legend. For the search for copies, use what the generator was trained on."
        )
        synthetic = "Synthetic land cover, such as the result of 'Generate land cover'."
        sets = (
            "Data sets from 'Build data set', preferably built from labels alone, because those keep their own pixel "
            "size."
        )
        window = "Side of the windows. The bundled generator's windows are 1,280 m wide."
        count = "The largest number of windows from real and from synthetic land cover, drawn at random."
        output = "The folder of landcoverrealism.html, .csv and .json."
        return [
            parameters.rasters("REAL", "Real land cover", real, optional=True),
            parameters.folders("REAL_DATASET", "Real data sets", sets, optional=True),
            parameters.rasters("SYNTHETIC", "Synthetic land cover", synthetic, optional=True),
            parameters.folders("SYNTHETIC_DATASET", "Synthetic data sets", sets, optional=True),
            parameters.number(Job, "WINDOW_M", "Window (m)", window, 10, integer=False),
            parameters.number(Job, "COUNT", "Maximum windows per kind", count, 8, 100000),
            parameters.advanced(parameters.seed(Job, "Decides which windows are drawn.")),
            parameters.folder_output("OUTPUT", "Land cover realism", output),
        ]
