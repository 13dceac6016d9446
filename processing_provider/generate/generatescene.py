"""Generate a land cover map and the aerial image on it."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import GenerateScene as Job
from .. import fields, parameters
from ..algorithm import BackendAlgorithm


class GenerateScene(BackendAlgorithm):
    """An extent to synthetic land cover and image."""

    JOB = Job
    TITLE = "Generate scene"
    GROUP = "Generate"
    TAGS = ("synthetic", "land cover", "aerial", "image", "controlnet", "spade", "diffusion", "gan", "generative")
    HELP = (
        "Generates a synthetic land cover map (10 m) and the aerial image on it (1 m) over an extent or within "
        "polygons, in one go. A mix of classes can be asked for. Both cover exactly the same ground. They are not an "
        "observation of the Earth; their names and tags say so."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        landcover = "The synthetic land cover, a Cloud Optimized GeoTIFF."
        image = "The synthetic image, a Cloud Optimized GeoTIFF."
        return [
            parameters.extent("The area to fill.", optional=True),
            parameters.area(),
            parameters.generator(Job),
            parameters.style(Job),
            parameters.seed(Job),
            parameters.steps(Job),
            *parameters.shares(Job),
            parameters.grid_crs(),
            parameters.max_area(Job),
            parameters.scheduler(Job),
            parameters.raster_output("OUTPUT_LANDCOVER", "Synthetic land cover", landcover),
            parameters.raster_output("OUTPUT_IMAGE", "Synthetic image", image),
        ]

    def settle(self, given: dict[str, Any]) -> None:  # noqa: D102
        fields.settle_shares(given)
