"""Clip NAIP aerial imagery to an extent's grid."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import ClipNaip as Job
from .. import fields, parameters
from ..algorithm import BackendAlgorithm


class ClipNaip(BackendAlgorithm):
    """The real aerial image of an extent."""

    JOB = Job
    TITLE = "Clip NAIP"
    GROUP = "Data"
    TAGS = ("aerial", "image", "naip", "orthophoto", "download", "usda")
    HELP = (
        "Clips NAIP aerial imagery (red, green, blue; United States only) to an extent. Neighbouring items, also in "
        "two UTM zones, become one mosaic on the extent's grid. With a layer as source it clips any RGB imagery, "
        "anywhere."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        source = "planetarycomputer: Microsoft's STAC catalogue, without an account; layer: the raster layer below."
        year = "The year of flight. Left empty: the newest that covers the extent."
        pixel = "Pixel size of the result. Left empty: that of the source. The generators and models work at 1 m."
        layer = "With SOURCE layer: an RGB raster of any provider. A web map is read at the pixel size, or at 1 m."
        return [
            parameters.extent("The area to clip."),
            parameters.choice(Job, "SOURCE", "Source", source),
            parameters.number(Job, "YEAR", "Year", year, 2000, 2100),
            parameters.number(Job, "PIXEL_M", "Pixel size (m)", pixel, 0.01, 100.0, whole=False),
            parameters.raster("LAYER", "Layer", layer, optional=True),
            parameters.grid_crs(),
            parameters.max_area(Job),
            parameters.raster_output("OUTPUT", "Image", "The clipped image, a Cloud Optimized GeoTIFF."),
        ]

    def settle(self, given: dict[str, Any]) -> None:  # noqa: D102
        fields.settle_source(given)
