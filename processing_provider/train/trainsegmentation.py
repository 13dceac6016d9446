"""Train a segmentation model on data sets."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import TrainSegmentation as Job
from .. import fields, parameters
from ..algorithm import BackendAlgorithm


class TrainSegmentation(BackendAlgorithm):
    """Data sets to a model."""

    JOB = Job
    TITLE = "Train segmentation model"
    GROUP = "Train"
    TAGS = ("deep learning", "segmentation", "unet", "deeplab", "land cover", "training")
    HELP = (
        "Trains a model that predicts land cover from an RGB image, on one data set or several together (real, "
        "synthetic or both). It reports IoU and F1 of each class on the validation tiles after every epoch and keeps "
        "the best epoch. Much faster on a GPU."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        dataset = "One or more data sets of 'Build data set': for each, its folder or its manifest.csv."
        encoder = "What reads the image, by its name in segmentation-models-pytorch; LALE has none to choose."
        weights = "Pretrained weights to start from, for instance imagenet (downloaded on first use). Left empty: none."
        legend = (
            "worldcover: the 11 classes of ESA WorldCover. merged: 7 that RGB can tell apart; mangroves count as tree "
            "cover, herbaceous wetland and moss as grassland, snow as bare. Predictions then have those classes' codes."
        )
        crop = "Side of the squares that training sees, a multiple of 32."
        mix = (
            "How much of every epoch comes from each data set, in their order, for instance '25, 75' for a quarter of "
            "real and three quarters of synthetic tiles. An epoch stays as long. Left empty: as large as they are."
        )
        crops = (
            "How many squares an epoch has, whatever the number of tiles, so that trainings on different data take as "
            "many steps. 0: as many as the tiles hold."
        )
        weighting = "With 'balanced', rare classes weigh more in the loss."
        patience = "Ends the training after so many epochs without a better one; 0: never."
        rate = "Largest learning rate of the schedule."
        return [
            parameters.folders("DATASET", "Data sets", dataset),
            parameters.architecture(Job),
            parameters.string(Job, "ENCODER", "Encoder", encoder),
            parameters.string(Job, "ENCODER_WEIGHTS", "Encoder weights", weights),
            parameters.choice(Job, "LEGEND", "Legend", legend),
            parameters.number(Job, "EPOCHS", "Epochs", "How often each tile is seen.", 1, 10000),
            parameters.advanced(parameters.number(Job, "BATCH", "Batch size", "Squares a step.", 1, 1024)),
            parameters.advanced(parameters.number(Job, "CROP_PX", "Crop size (px)", crop, 32, 2048)),
            parameters.advanced(
                parameters.number(Job, "LEARNING_RATE", "Learning rate", rate, 0, 1, whole=False, decimals=6)
            ),
            parameters.string(Job, "MIX", "Mix of the data sets (%)", mix),
            parameters.advanced(parameters.number(Job, "CROPS", "Squares an epoch", crops, 0, 10**9)),
            parameters.advanced(parameters.choice(Job, "CLASS_WEIGHTING", "Class weighting", weighting)),
            parameters.advanced(parameters.number(Job, "PATIENCE", "Patience (epochs)", patience, 0, 10000)),
            parameters.advanced(parameters.seed(Job, "Decides the first weights and the order of the tiles.")),
            parameters.folder_output("OUTPUT", "Model", "The folder of the trained model."),
        ]

    def settle(self, given: dict[str, Any]) -> None:  # noqa: D102
        fields.settle_mix(given)
