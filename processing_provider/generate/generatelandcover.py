"""Generate land cover: an extent to a synthetic land cover map."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import GenerateLandCover as Job
from .. import parameters
from ..algorithm import BackendAlgorithm
from ..fields import parse_shares


class GenerateLandCover(BackendAlgorithm):
    """Generates a synthetic land cover map over an extent or within polygons."""

    JOB = Job
    TITLE = "Generate land cover"
    GROUP = "Generate"
    TAGS = ("synthetic", "land cover", "diffusion", "generative", "class shares")
    HELP = (
        "Generates a synthetic land cover map over an extent or within polygons, in WorldCover's classes on a grid of "
        "10 m pixels, seamless and of any size. Class shares can be requested. With the same seed and settings, maps "
        "of overlapping extents are identical where they overlap. The result is not an observation of the Earth; its "
        "name and tags say so."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        model = "The bundled model's name, or the folder of your own land cover generator."
        output = "The synthetic land cover, a Cloud Optimized GeoTIFF."
        return [
            parameters.extent("The extent to fill.", optional=True),
            parameters.region(),
            parameters.style(Job, parameters.LANDCOVER_STYLE_HELP),
            parameters.seed(Job),
            parameters.steps(Job, parameters.LANDCOVER_STEPS_HELP),
            *parameters.shares(Job),
            parameters.advanced(parameters.model(Job, model)),
            parameters.grid_crs(),
            parameters.max_area(Job),
            parameters.scheduler(Job),
            parameters.raster_output("OUTPUT", "Synthetic land cover", output),
        ]

    def adjust_fields(self, fields: dict[str, Any]) -> None:  # noqa: D102
        parse_shares(fields)
