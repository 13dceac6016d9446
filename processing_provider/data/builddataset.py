"""Cut aligned image and label rasters into a data set of tiles."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import BuildDataset as Job
from .. import areas, parameters
from ..algorithm import BackendAlgorithm


class BuildDataset(BackendAlgorithm):
    """Rasters to tiles."""

    JOB = Job
    TITLE = "Build data set"
    GROUP = "Data"
    TAGS = ("tiles", "chips", "training data", "dataset", "split")
    HELP = (
        "Cuts images and their land cover labels into pairs of tiles with a manifest, ready for training; or labels "
        "alone, from which land cover generators learn. The images and labels are rasters of yours, or NAIP and ESA "
        "WorldCover of any number of extents. Real and synthetic rasters are cut alike, so that they can be compared "
        "or mixed."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        extents = (
            "A polygon layer, or its selected features only. Of each polygon's bounds NAIP and WorldCover are clipped "
            "first; where one raster is given as image or as label, it is clipped of that one instead. Clipped rasters "
            "stay in the data set's folder. Left empty: images and labels are cut as they are."
        )
        image = (
            "One or more RGB rasters. Left empty: labels alone are cut, at their own pixel size; with extents, NAIP of "
            "Planetary Computer is clipped."
        )
        label = (
            "The land cover of each image, in the same order; coarser pixels are repeated to the image's. Left empty, "
            "with extents: ESA WorldCover is clipped."
        )
        source = "With extents and without labels. esa: ESA's public bucket; planetarycomputer: Microsoft's catalogue."
        year = "With extents and without images: the year of flight. Left empty: the newest that covers the extent."
        pixel = "With extents: the pixel size of the clipped images. The generators and models work at 1 m."
        tile = "Side of a tile."
        stride = "Distance from tile to tile; 0: the tile's side, so without overlap."
        valid = "Tiles with a smaller share of labelled pixels are left out."
        val, test = "Share of the tiles kept for validation.", "Share of the tiles kept for testing."
        style = (
            "Words for the look of all images, parted by commas, for instance 'coastal, 2018'. An image generator that "
            "is trained on several data sets learns to tell their styles apart, and can be asked for one; the standard "
            "sets are painted in the styles of their tiles."
        )
        clipping = (
            parameters.choice(Job, "LANDCOVER_SOURCE", "Land cover source", source),
            parameters.number(Job, "YEAR", "Year", year, 2000, 2100),
            parameters.number(Job, "PIXEL_M", "Pixel size (m)", pixel, 0.01, 100.0, whole=False),
        )
        return [
            parameters.rasters("IMAGE", "Images", image, optional=True),
            parameters.rasters("LABEL", "Labels", label, optional=True),
            parameters.extents(extents),
            *(parameters.advanced(parameters.optional(parameter)) for parameter in clipping),
            parameters.number(Job, "TILE_PX", "Tile size (px)", tile, 32, 4096),
            parameters.advanced(parameters.number(Job, "STRIDE_PX", "Stride (px)", stride, 0, 4096)),
            parameters.advanced(parameters.number(Job, "MIN_VALID", "Least labelled share", valid, 0, 1, whole=False)),
            parameters.number(Job, "VAL_SHARE", "Validation share", val, 0, 1, whole=False),
            parameters.number(Job, "TEST_SHARE", "Test share", test, 0, 1, whole=False),
            parameters.advanced(parameters.string(Job, "STYLE", "Style", style)),
            parameters.seed(Job, "Decides which tiles go into which split."),
            parameters.folder_output("OUTPUT", "Data set", "The folder of the data set."),
        ]

    def settle(self, given: dict[str, Any]) -> None:  # noqa: D102
        given.setdefault("label", ())
        if "extents" in given:
            given["extents"] = areas.extents(given["extents"])
