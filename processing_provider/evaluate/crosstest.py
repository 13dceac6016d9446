"""Test segmentation models on data sets, all by all."""

from __future__ import annotations

from ...backend.protocol import CrossTest as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class CrossTest(BackendAlgorithm):
    """Models and data sets to a table."""

    JOB = Job
    TITLE = "Cross-test"
    GROUP = "Evaluate"
    TAGS = ("segmentation", "accuracy", "iou", "confusion", "validation", "synthetic", "comparison")
    HELP = (
        "Tests every model on the held-out tiles of every data set: trained on synthetic tiles and tested on real "
        "ones, a model says what the synthetic data is worth. Writes the mean IoU of each pair with its confidence "
        "interval and the IoU of each class as a web page with a heat map, and as CSV and JSON."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        model = (
            "One or more models of 'Train segmentation model': for each, its folder or its model_index.json, or a "
            "bundled model's name."
        )
        dataset = "One or more data sets of 'Build data set': for each, its folder or its manifest.csv."
        split = "The tiles to test on. A data set without test tiles is tested on its val tiles, and the log says so."
        crop = "Side of the squares that a model sees at once, a multiple of 32."
        return [
            parameters.folders("MODEL", "Models", model),
            parameters.folders("DATASET", "Test sets", dataset),
            parameters.advanced(parameters.choice(Job, "SPLIT", "Tiles", split)),
            parameters.advanced(parameters.number(Job, "CROP_PX", "Crop size (px)", crop, 32, 2048)),
            parameters.folder_output("OUTPUT", "Cross-test", "The folder of crosstest.html, .csv and .json."),
        ]
