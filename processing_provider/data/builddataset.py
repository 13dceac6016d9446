"""Cut aligned image and label rasters into a data set of tiles."""

from __future__ import annotations

from ...backend.protocol import BuildDataset as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class BuildDataset(BackendAlgorithm):
    """Rasters to tiles."""

    JOB = Job
    TITLE = "Build data set"
    GROUP = "Data"
    TAGS = ("tiles", "chips", "training data", "dataset", "split")
    HELP = (
        "Cuts images and their land cover labels into pairs of tiles with a manifest, ready for training; or labels "
        "alone, from which land cover generators learn. Real and synthetic rasters are cut alike, so that they can be "
        "compared or mixed."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        image = "One or more RGB rasters. Left empty: labels alone are cut, at their own pixel size."
        label = "The land cover of each image, in the same order; coarser pixels are repeated to the image's."
        tile = "Side of a tile."
        stride = "Distance from tile to tile; 0: the tile's side, so without overlap."
        valid = "Tiles with a smaller share of labelled pixels are left out."
        val, test = "Share of the tiles kept for validation.", "Share of the tiles kept for testing."
        style = (
            "Words for the look of all images, parted by commas, for instance 'coastal, 2018'. An image generator that "
            "is trained on several data sets learns to tell their styles apart, and can be asked for one; the standard "
            "sets are painted in the styles of their tiles."
        )
        return [
            parameters.rasters("IMAGE", "Images", image, optional=True),
            parameters.rasters("LABEL", "Labels", label),
            parameters.number(Job, "TILE_PX", "Tile size (px)", tile, 32, 4096),
            parameters.advanced(parameters.number(Job, "STRIDE_PX", "Stride (px)", stride, 0, 4096)),
            parameters.advanced(parameters.number(Job, "MIN_VALID", "Least labelled share", valid, 0, 1, whole=False)),
            parameters.number(Job, "VAL_SHARE", "Validation share", val, 0, 1, whole=False),
            parameters.number(Job, "TEST_SHARE", "Test share", test, 0, 1, whole=False),
            parameters.advanced(parameters.string(Job, "STYLE", "Style", style)),
            parameters.seed(Job, "Decides which tiles go into which split."),
            parameters.folder_output("OUTPUT", "Data set", "The folder of the data set."),
        ]
