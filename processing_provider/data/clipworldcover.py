"""Clip WorldCover: an extent to its real land cover."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import ClipWorldCover as Job
from .. import parameters
from ..algorithm import BackendAlgorithm
from ..fields import adjust_source


class ClipWorldCover(BackendAlgorithm):
    """Clips ESA WorldCover or another land cover map to an extent."""

    JOB = Job
    TITLE = "Clip WorldCover"
    GROUP = "Data"
    TAGS = ("land cover", "esa", "worldcover", "classes", "download", "sentinel")
    CLASS_KEYS = ("LAYER",)
    WEB_MAP_PIXEL_M = 10.0
    HELP = (
        "Clips the ESA WorldCover land cover map to an extent, on a grid of 10 m pixels. The result has the official "
        "palette and class names, and its pixels align with every other result for the same extent."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        source = (
            "esa: ESA's public bucket. planetarycomputer: Microsoft's STAC catalogue. layer: the raster layer below. "
            "The first two need no account and read only the part of the files that the extent covers."
        )
        year = "2020 or 2021. ESA made them with different methods, so not every difference between them is change."
        layer = (
            "For SOURCE=layer: a raster of class codes of any provider. It is resampled by nearest neighbour; masked "
            "pixels and nodata stay without data."
        )
        return [
            parameters.extent("The extent to clip."),
            parameters.choice(Job, "SOURCE", "Source", source),
            parameters.choice(Job, "YEAR", "Year", year, ["2021", "2020"]),
            parameters.raster("LAYER", "Layer", layer, optional=True),
            parameters.code_legend(Job),
            parameters.grid_crs(),
            parameters.max_area(Job),
            parameters.raster_output("OUTPUT", "Land cover", "The clipped land cover, a Cloud Optimized GeoTIFF."),
        ]

    def adjust_fields(self, fields: dict[str, Any]) -> None:  # noqa: D102
        adjust_source(fields)
