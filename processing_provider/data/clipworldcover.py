"""Clip ESA WorldCover to an extent's 10 m grid."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import ClipWorldCover as Job
from .. import fields, parameters
from ..algorithm import BackendAlgorithm


class ClipWorldCover(BackendAlgorithm):
    """The real land cover of an extent."""

    JOB = Job
    TITLE = "Clip WorldCover"
    GROUP = "Data"
    TAGS = ("land cover", "esa", "worldcover", "classes", "download", "sentinel")
    CLASS_KEYS = ("LAYER",)
    MAP_PIXEL_M = 10.0
    HELP = (
        "Clips the ESA WorldCover land cover map to an extent, on a grid of 10 m pixels. The result carries the "
        "official palette and class names, and lines up to the pixel with every other result of the same extent."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        source = (
            "esa: ESA's public bucket; planetarycomputer: Microsoft's STAC catalogue; layer: the raster layer below. "
            "The first two need no account and read only the extent's part of the files."
        )
        year = "2020 or 2021. ESA made the two maps with different methods: their difference is not only change."
        layer = "With SOURCE layer: a raster of WorldCover codes, of any provider. Resampled to the nearest pixel."
        return [
            parameters.extent("The area to clip."),
            parameters.choice(Job, "SOURCE", "Source", source),
            parameters.choice(Job, "YEAR", "Year", year, ["2021", "2020"]),
            parameters.raster("LAYER", "Layer", layer, optional=True),
            parameters.grid_crs(),
            parameters.max_area(Job),
            parameters.raster_output("OUTPUT", "Land cover", "The clipped land cover, a Cloud Optimized GeoTIFF."),
        ]

    def settle(self, given: dict[str, Any]) -> None:  # noqa: D102
        fields.settle_source(given)
