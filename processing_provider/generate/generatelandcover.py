"""Generate a synthetic land cover map."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import GenerateLandCover as Job
from .. import fields, parameters
from ..algorithm import BackendAlgorithm


class GenerateLandCover(BackendAlgorithm):
    """An extent to synthetic land cover."""

    JOB = Job
    TITLE = "Generate land cover"
    GROUP = "Generate"
    TAGS = ("synthetic", "land cover", "diffusion", "generative", "class shares")
    HELP = (
        "Generates a synthetic land cover map over an extent or within polygons, in WorldCover's classes on a grid of "
        "10 m pixels, without seams and of any size. A mix of classes can be asked for. Extents that overlap agree "
        "where they do, as long as seed and settings are the same. The result is not an observation of the Earth; its "
        "name and tags say so."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        model = "The bundled model's name, or the folder of a land cover generator of your own."
        output = "The synthetic land cover, a Cloud Optimized GeoTIFF."
        return [
            parameters.extent("The area to fill.", optional=True),
            parameters.area(),
            parameters.seed(Job),
            parameters.steps(Job),
            *parameters.shares(Job),
            parameters.advanced(parameters.model(Job, model)),
            parameters.grid_crs(),
            parameters.max_area(Job),
            parameters.scheduler(Job),
            parameters.raster_output("OUTPUT", "Synthetic land cover", output),
        ]

    def settle(self, given: dict[str, Any]) -> None:  # noqa: D102
        fields.settle_shares(given)
