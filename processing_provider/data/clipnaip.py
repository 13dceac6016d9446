"""Clip NAIP: an extent to its real aerial image."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import ClipNaip as Job
from .. import parameters
from ..algorithm import BackendAlgorithm
from ..fields import adjust_source


class ClipNaip(BackendAlgorithm):
    """Clips NAIP or another aerial image to an extent."""

    JOB = Job
    TITLE = "Clip NAIP"
    GROUP = "Data"
    TAGS = ("aerial", "image", "naip", "orthophoto", "download", "usda")
    HELP = (
        "Clips NAIP aerial imagery (red, green, blue; United States only) to an extent. Neighbouring images, also from "
        "two UTM zones, become one mosaic on the extent's grid. With a layer as the source, it clips any RGB image "
        "anywhere."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        source = "planetarycomputer: Microsoft's STAC catalogue, which needs no account. layer: the raster layer below."
        year = "The year of flight. Left empty: the newest year that covers the extent."
        fill = (
            "Without a year: what the images of the newest year leave open, for instance beyond a state line, is "
            "filled from those of other years. The log names each year's share, the result's tags name the images."
        )
        pixel = "Pixel size of the result. Left empty: that of the source. The bundled models work at 1 m."
        layer = "For SOURCE=layer: an image of any provider and type. A web map is read at PIXEL_M, else at 1 m."
        return [
            parameters.extent("The extent to clip."),
            parameters.choice(Job, "SOURCE", "Source", source),
            parameters.number(Job, "YEAR", "Year", year, 2000, 2100),
            parameters.number(Job, "PIXEL_M", "Pixel size (m)", pixel, 0.01, 100.0, integer=False),
            parameters.raster("LAYER", "Layer", layer, optional=True),
            *parameters.image_reading(Job),
            parameters.advanced(
                parameters.optional(parameters.boolean(Job, "FILL_YEARS", "Fill from other years", fill))
            ),
            parameters.grid_crs(),
            parameters.max_area(Job),
            parameters.raster_output("OUTPUT", "Image", "The clipped image, a Cloud Optimized GeoTIFF."),
        ]

    def adjust_fields(self, fields: dict[str, Any]) -> None:  # noqa: D102
        adjust_source(fields)
