"""Generate image: a land cover map to a synthetic aerial image."""

from __future__ import annotations

from ...backend.protocol import GenerateImage as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class GenerateImage(BackendAlgorithm):
    """Paints a synthetic aerial image on a land cover map."""

    JOB = Job
    TITLE = "Generate image"
    GROUP = "Generate"
    TAGS = ("synthetic", "aerial", "image", "controlnet", "spade", "diffusion", "gan", "generative")
    HELP = (
        "Paints a synthetic aerial image with pixels of 1 m on a land cover map in WorldCover codes, real or "
        "synthetic. The image covers exactly the map's ground. It is not an observation of the Earth; its name and "
        "tags say so."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        landcover = "A raster of class codes of any provider."
        model = "The folder of your own image generator. Left empty: the bundled model of the chosen generator."
        known = (
            "An image on the new image's grid, of which the valid pixels stay as they are and the masked ones are "
            "painted so that they continue it. Left empty: everything is painted."
        )
        output = "The synthetic image, a Cloud Optimized GeoTIFF."
        return [
            parameters.raster("LANDCOVER", "Land cover", landcover),
            parameters.code_legend(Job),
            parameters.generator(Job),
            parameters.style(Job, parameters.IMAGE_STYLE_HELP),
            parameters.seed(Job),
            parameters.steps(Job, parameters.IMAGE_STEPS_HELP),
            *parameters.vector_layers(),
            parameters.advanced(parameters.model(Job, model)),
            parameters.advanced(parameters.raster("KNOWN", "Known pixels", known, optional=True)),
            parameters.max_area(Job),
            parameters.scheduler(Job),
            parameters.raster_output("OUTPUT", "Synthetic image", output),
        ]
