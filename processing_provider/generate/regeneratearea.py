"""Make a synthetic raster again: with a new seed, or for another extent."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingException

from ...backend.protocol import RegenerateArea as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class RegenerateArea(BackendAlgorithm):
    """A synthetic raster to another of its making."""

    JOB = Job
    TITLE = "Regenerate area"
    GROUP = "Generate"
    TAGS = ("synthetic", "seed", "extend", "continue", "again", "reproduce", "generative")
    HELP = (
        "Makes a synthetic raster again, by the model, seed, steps and settings in its own tags. With a new seed "
        "another picture of the same ground; over another extent, with the same seed, its exact continuation: where "
        "both overlap they have the same pixels. The result lies on the raster's own grid."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        raster = "A land cover map or an image that Landforge generated, as a local file."
        place = "The area to fill, beside the raster or over it. Left empty: what the raster covers."
        seed = "Left empty: the raster's own, so that the result goes on from it."
        landcover = (
            "What an image was painted on, where that was not made with it. Left empty: the raster of that name beside "
            "the image."
        )
        below = "Of the image of a scene: the land cover under the result, if wanted."
        return [
            parameters.raster("RASTER", "Synthetic raster", raster),
            parameters.extent(place, optional=True, empty=""),
            parameters.number(Job, "SEED", "New seed", seed, 0, parameters.MAX_SEED),
            parameters.advanced(parameters.raster("LANDCOVER", "Land cover under the image", landcover, optional=True)),
            parameters.max_area(Job),
            parameters.scheduler(Job),
            parameters.raster_output("OUTPUT", "Regenerated", "The new raster, a Cloud Optimized GeoTIFF."),
            parameters.raster_output("OUTPUT_LANDCOVER", "Regenerated land cover", below, optional=True),
        ]

    def settle(self, given: dict[str, Any]) -> None:  # noqa: D102
        if not given["raster"].path:
            raise QgsProcessingException(
                f"The layer {given['raster'].name!r} is no local file, so its tags cannot be read. Save it as GeoTIFF "
                "first, with its metadata."
            )
