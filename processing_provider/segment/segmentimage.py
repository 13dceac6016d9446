"""Segment image: an RGB image to predicted land cover."""

from __future__ import annotations

from ...backend.protocol import SegmentImage as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class SegmentImage(BackendAlgorithm):
    """Predicts the land cover of an RGB image."""

    JOB = Job
    TITLE = "Segment image"
    GROUP = "Segment"
    TAGS = ("deep learning", "segmentation", "prediction", "inference", "land cover", "classify")
    HELP = (
        "Predicts the land cover of every pixel of an RGB image, real or synthetic, in WorldCover's classes. The image "
        "may have any size: it is processed in overlapping windows that leave no seams."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        image = "An image of any provider and type. The bundled model was trained on aerial images with pixels of 1 m."
        model = "The bundled model's name, or the folder that 'Train segmentation model' wrote."
        return [
            parameters.raster("IMAGE", "Image", image),
            *parameters.image_reading(Job),
            parameters.model(Job, model),
            parameters.max_area(Job),
            parameters.scheduler(Job),
            parameters.raster_output("OUTPUT", "Predicted land cover", "The prediction, a Cloud Optimized GeoTIFF."),
        ]
