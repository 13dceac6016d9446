"""Generate scene: an extent to a synthetic land cover map and the aerial image of it."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import GenerateScene as Job
from .. import parameters
from ..algorithm import BackendAlgorithm
from ..fields import parse_shares


class GenerateScene(BackendAlgorithm):
    """Generates a synthetic land cover map and its aerial image over an extent or within polygons."""

    JOB = Job
    TITLE = "Generate scene"
    GROUP = "Generate"
    TAGS = ("synthetic", "land cover", "aerial", "image", "controlnet", "spade", "diffusion", "gan", "generative")
    HELP = (
        "Generates a synthetic land cover map (10 m) and an aerial image painted on it (1 m) over an extent or within "
        "polygons, in one run. Class shares can be requested. Both rasters cover exactly the same ground. They are not "
        "an observation of the Earth; their names and tags say so."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        landcover = "The synthetic land cover, a Cloud Optimized GeoTIFF."
        image = "The synthetic image, a Cloud Optimized GeoTIFF."
        return [
            parameters.extent("The extent to fill.", optional=True),
            parameters.region(),
            parameters.generator(Job),
            parameters.style(Job, parameters.SCENE_STYLE_HELP),
            parameters.seed(Job),
            parameters.steps(Job, parameters.SCENE_STEPS_HELP),
            *parameters.shares(Job),
            *parameters.vector_layers(),
            parameters.grid_crs(),
            parameters.max_area(Job),
            parameters.scheduler(Job),
            parameters.raster_output("OUTPUT_LANDCOVER", "Synthetic land cover", landcover),
            parameters.raster_output("OUTPUT_IMAGE", "Synthetic image", image),
        ]

    def adjust_fields(self, fields: dict[str, Any]) -> None:  # noqa: D102
        parse_shares(fields)
