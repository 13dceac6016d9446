"""Train a segmentation model on data sets."""

from __future__ import annotations

from ...backend.protocol import TrainSegmentation as Job
from .. import parameters
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
        crop = "Side of the squares that training sees, a multiple of 32."
        rate = "Largest learning rate of the schedule."
        return [
            parameters.folders("DATASET", "Data sets", dataset),
            parameters.architecture(Job),
            parameters.string(Job, "ENCODER", "Encoder", encoder),
            parameters.string(Job, "ENCODER_WEIGHTS", "Encoder weights", weights),
            parameters.number(Job, "EPOCHS", "Epochs", "How often each tile is seen.", 1, 10000),
            parameters.advanced(parameters.number(Job, "BATCH", "Batch size", "Squares a step.", 1, 1024)),
            parameters.advanced(parameters.number(Job, "CROP_PX", "Crop size (px)", crop, 32, 2048)),
            parameters.advanced(parameters.number(Job, "LEARNING_RATE", "Learning rate", rate, 0, 1, whole=False)),
            parameters.advanced(parameters.seed(Job, "Decides the first weights and the order of the tiles.")),
            parameters.folder_output("OUTPUT", "Model", "The folder of the trained model."),
        ]
