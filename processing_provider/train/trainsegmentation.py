"""Train segmentation model: data sets to a segmentation model."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import TrainSegmentation as Job
from .. import parameters
from ..algorithm import BackendAlgorithm
from ..fields import parse_mix


class TrainSegmentation(BackendAlgorithm):
    """Trains a segmentation model on data sets."""

    JOB = Job
    TITLE = "Train segmentation model"
    GROUP = "Train"
    TAGS = ("deep learning", "segmentation", "unet", "deeplab", "land cover", "training")
    HELP = (
        "Trains a model that predicts land cover from an RGB image, on one or more data sets (real, synthetic or "
        "both). The log reports IoU and F1 of every class on the validation tiles after every epoch. The best epoch is "
        "kept. Much faster on a GPU."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        dataset = "One or more data sets from 'Build data set', by folder or manifest.csv."
        legend = (
            "worldcover: the 11 classes of ESA WorldCover. merged: the 7 classes that RGB can tell apart, with "
            "mangroves merged into tree cover, herbaceous wetland and moss into grassland, and snow into bare."
        )
        crop = "Side of the training crops, a multiple of 32."
        mix = (
            "The share of every data set in an epoch, in their order, for instance '25, 75' for a quarter of real and "
            "three quarters of synthetic tiles. The length of an epoch does not change. Left empty: in proportion to "
            "their sizes."
        )
        crops = (
            "Crops per epoch, independent of the number of tiles, so that trainings on different data take the same "
            "number of steps. 0: as many as the tiles hold."
        )
        patience = "The number of epochs without improvement after which training ends. 0: it never ends early."
        return [
            parameters.folders("DATASET", "Data sets", dataset),
            parameters.architecture(Job),
            parameters.string(Job, "ENCODER", "Encoder", parameters.ENCODER_HELP),
            parameters.string(Job, "ENCODER_WEIGHTS", "Encoder weights", parameters.WEIGHTS_HELP),
            parameters.choice(Job, "LEGEND", "Legend", legend),
            parameters.number(Job, "EPOCHS", "Epochs", "The number of passes over the training tiles.", 1, 10000),
            parameters.advanced(parameters.number(Job, "BATCH", "Batch size", "Crops per training step.", 1, 1024)),
            parameters.advanced(parameters.number(Job, "CROP_PX", "Crop size (px)", crop, 32, 2048)),
            parameters.advanced(
                parameters.number(Job, "LEARNING_RATE", "Learning rate", parameters.RATE_HELP, 0, 1, False, 6)
            ),
            parameters.string(Job, "MIX", "Mix of the data sets (%)", mix),
            parameters.advanced(parameters.number(Job, "CROPS", "Crops per epoch", crops, 0, 10**9)),
            parameters.advanced(
                parameters.choice(Job, "CLASS_WEIGHTING", "Class weighting", parameters.WEIGHTING_HELP)
            ),
            parameters.advanced(parameters.number(Job, "PATIENCE", "Patience (epochs)", patience, 0, 10000)),
            parameters.advanced(parameters.seed(Job, "Decides the initial weights and the order of the tiles.")),
            parameters.folder_output("OUTPUT", "Model", "The folder of the trained model."),
        ]

    def adjust_fields(self, fields: dict[str, Any]) -> None:  # noqa: D102
        parse_mix(fields)
