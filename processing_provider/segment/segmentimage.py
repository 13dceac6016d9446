"""Predict land cover from an image."""

from __future__ import annotations

from ...backend.protocol import SegmentImage as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class SegmentImage(BackendAlgorithm):
    """An image to land cover."""

    JOB = Job
    TITLE = "Segment image"
    GROUP = "Segment"
    TAGS = ("deep learning", "segmentation", "prediction", "inference", "land cover", "classify")
    HELP = (
        "Predicts the land cover, in WorldCover's classes, of every pixel of an RGB image, real or synthetic. Works "
        "through rasters of any size in overlapping windows, without seams."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        image = "An RGB raster of any provider; the bundled model knows aerial images of about 1 m a pixel."
        model = "The bundled model's name, or the folder that 'Train segmentation model' wrote."
        return [
            parameters.raster("IMAGE", "Image", image),
            parameters.model(Job, model),
            parameters.max_area(Job),
            parameters.scheduler(Job),
            parameters.raster_output("OUTPUT", "Predicted land cover", "The prediction, a Cloud Optimized GeoTIFF."),
        ]
