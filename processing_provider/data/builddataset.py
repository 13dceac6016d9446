"""Build data set: images and labels to a data set of tiles."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import BuildDataset as Job
from .. import parameters, polygons
from ..algorithm import BackendAlgorithm


class BuildDataset(BackendAlgorithm):
    """Cuts images and labels into a data set of tiles."""

    JOB = Job
    TITLE = "Build data set"
    GROUP = "Data"
    TAGS = ("tiles", "chips", "training data", "dataset", "split")
    HELP = (
        "Cuts images and their land cover labels into pairs of tiles with a manifest, ready for training. Labels "
        "without images are enough to train a land cover generator. The images and labels are your own rasters, or "
        "NAIP and ESA WorldCover for any number of extents. Real and synthetic rasters are cut in the same way, so "
        "that they can be compared or mixed."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        extents = (
            "A polygon layer, or its selected features only. NAIP and WorldCover are clipped to every polygon's bounds "
            "before they are cut. A single raster given as image or as label is clipped instead of NAIP or WorldCover. "
            "Clipped rasters stay in the data set's folder. Left empty: images and labels are cut as they are."
        )
        image = (
            "One or more images. Left empty: labels alone are cut, at their own pixel size; with extents, NAIP "
            "from Planetary Computer is clipped."
        )
        label = (
            "The land cover of the images: one raster for each, paired by place, or one for all. Coarser pixels are "
            "repeated to the image's pixel size. "
            "Left empty, with extents: ESA WorldCover is clipped."
        )
        source = "For extents without labels. esa: ESA's public bucket. planetarycomputer: Microsoft's STAC catalogue."
        year = "For extents without images: the year of flight. Left empty: the newest year that covers the extent."
        pixel = "For extents: the pixel size of the clipped images. The bundled models work at 1 m."
        tile = "Side of the square tiles."
        stride = "Distance from tile to tile. 0: the tile's side, so that tiles do not overlap."
        valid = "Tiles with a smaller share of labelled pixels are left out."
        val, test = "Share of the tiles kept for validation.", "Share of the tiles kept for testing."
        style = (
            "The look of all images in words separated by commas, for instance 'coastal, 2018'. An image generator "
            "that is trained on several data sets learns to paint in each of their styles. 'Build standard sets' "
            "paints every tile in its own style."
        )
        clipping = (
            parameters.choice(Job, "LANDCOVER_SOURCE", "Land cover source", source),
            parameters.number(Job, "YEAR", "Year", year, 2000, 2100),
            parameters.number(Job, "PIXEL_M", "Pixel size (m)", pixel, 0.01, 100.0, integer=False),
        )
        return [
            parameters.rasters("IMAGE", "Images", image, optional=True),
            parameters.rasters("LABEL", "Labels", label, optional=True),
            parameters.extents(extents),
            *(parameters.advanced(parameters.optional(parameter)) for parameter in clipping),
            parameters.number(Job, "TILE_PX", "Tile size (px)", tile, 32, 4096),
            parameters.advanced(parameters.number(Job, "STRIDE_PX", "Stride (px)", stride, 0, 4096)),
            parameters.advanced(
                parameters.number(Job, "MIN_VALID", "Least labelled share", valid, 0, 1, integer=False)
            ),
            parameters.number(Job, "VAL_SHARE", "Validation share", val, 0, 1, integer=False),
            parameters.number(Job, "TEST_SHARE", "Test share", test, 0, 1, integer=False),
            parameters.advanced(parameters.string(Job, "STYLE", "Style", style)),
            *parameters.image_reading(Job),
            parameters.code_legend(Job),
            parameters.seed(Job, "Decides which tiles go into which split."),
            parameters.folder_output("OUTPUT", "Data set", "The folder of the data set."),
        ]

    def adjust_fields(self, fields: dict[str, Any]) -> None:  # noqa: D102
        fields.setdefault("label", ())
        if "extents" in fields:
            fields["extents"] = polygons.feature_extents(fields["extents"])
