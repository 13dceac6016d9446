"""Cross-test: segmentation models and data sets to a table of scores."""

from __future__ import annotations

from ...backend.protocol import CrossTest as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class CrossTest(BackendAlgorithm):
    """Tests every segmentation model on every data set."""

    JOB = Job
    TITLE = "Cross-test"
    GROUP = "Evaluate"
    TAGS = ("segmentation", "accuracy", "iou", "confusion", "validation", "synthetic", "comparison")
    HELP = (
        "Tests every model on the held-out tiles of every data set. The score on real tiles of a model trained on "
        "synthetic tiles shows what the synthetic data is worth. Writes the mean IoU of every pair with its confidence "
        "interval, and the IoU of every class, as a web page with a heat map, CSV and JSON."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        model = (
            "One or more models from 'Train segmentation model', by folder or model_index.json, or a bundled model's "
            "name."
        )
        dataset = "One or more data sets from 'Build data set', by folder or manifest.csv."
        split = (
            "The tiles to test on. Where a data set has no test tiles, its validation tiles are used, and the log says "
            "so."
        )
        crop = "Side of the crops that a model predicts at once, a multiple of 32."
        return [
            parameters.folders("MODEL", "Models", model),
            parameters.folders("DATASET", "Test sets", dataset),
            parameters.advanced(parameters.choice(Job, "SPLIT", "Tiles", split)),
            parameters.advanced(parameters.number(Job, "CROP_PX", "Crop size (px)", crop, 32, 2048)),
            parameters.folder_output("OUTPUT", "Cross-test", "The folder of crosstest.html, .csv and .json."),
        ]
