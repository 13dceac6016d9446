"""Regenerate area: a synthetic raster again, with a new seed or over another extent."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingException

from ...backend.protocol import RegenerateArea as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class RegenerateArea(BackendAlgorithm):
    """Regenerates a synthetic raster by the settings in its tags."""

    JOB = Job
    TITLE = "Regenerate area"
    GROUP = "Generate"
    TAGS = ("synthetic", "seed", "extend", "continue", "again", "reproduce", "generative")
    HELP = (
        "Generates a synthetic raster again, with the model, seed, steps and settings that its tags name. A new seed "
        "gives a new variant of the same ground. Another extent with the same seed continues the raster exactly: where "
        "both overlap, they have the same pixels. The result has the raster's grid."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        raster = "A land cover map or an image that Landforge generated, as a local file."
        extent = "The extent to fill, beside the raster or over it. Left empty: the raster's extent."
        seed = "Left empty: the raster's own seed, so that the result continues the raster."
        landcover = (
            "The land cover that an image was painted on, if it was not generated together with the image. Left empty: "
            "the raster of that name beside the image."
        )
        output_landcover = "For the image of a scene: the land cover under the result, if you want it."
        return [
            parameters.raster("RASTER", "Synthetic raster", raster),
            parameters.extent(extent, optional=True, empty=""),
            parameters.number(Job, "SEED", "New seed", seed, 0, parameters.MAX_SEED),
            parameters.advanced(parameters.raster("LANDCOVER", "Land cover under the image", landcover, optional=True)),
            parameters.max_area(Job),
            parameters.scheduler(Job),
            parameters.raster_output("OUTPUT", "Regenerated", "The new raster, a Cloud Optimized GeoTIFF."),
            parameters.raster_output("OUTPUT_LANDCOVER", "Regenerated land cover", output_landcover, optional=True),
        ]

    def adjust_fields(self, fields: dict[str, Any]) -> None:  # noqa: D102
        if not fields["raster"].path:
            raise QgsProcessingException(
                f"The layer {fields['raster'].name!r} is no local file, so its tags cannot be read. Save it as GeoTIFF "
                "first, with its metadata."
            )
