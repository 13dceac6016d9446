"""Paint an aerial image on a land cover map."""

from __future__ import annotations

from ...backend.protocol import GenerateImage as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class GenerateImage(BackendAlgorithm):
    """Land cover to a synthetic image."""

    JOB = Job
    TITLE = "Generate image"
    GROUP = "Generate"
    TAGS = ("synthetic", "aerial", "image", "controlnet", "spade", "diffusion", "gan", "generative")
    HELP = (
        "Paints a synthetic aerial image, 1 m a pixel, on a land cover map in WorldCover's codes, real or synthetic. "
        "The image lies exactly on the map. It is not an observation of the Earth; its name and tags say so."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        landcover = "A raster of WorldCover codes, of any provider."
        model = "Left empty: the bundled model of the generator. Else the folder of an image generator of your own."
        output = "The synthetic image, a Cloud Optimized GeoTIFF."
        return [
            parameters.raster("LANDCOVER", "Land cover", landcover),
            parameters.generator(Job),
            parameters.style(Job),
            parameters.seed(Job),
            parameters.steps(Job),
            parameters.advanced(parameters.model(Job, model)),
            parameters.max_area(Job),
            parameters.scheduler(Job),
            parameters.raster_output("OUTPUT", "Synthetic image", output),
        ]
