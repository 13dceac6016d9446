"""Train land cover generator: data sets to a land cover generator."""

from __future__ import annotations

from ...backend.protocol import TrainLandCover as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class TrainLandCover(BackendAlgorithm):
    """Trains a land cover generator on data sets."""

    JOB = Job
    TITLE = "Train land cover generator"
    GROUP = "Train"
    TAGS = ("deep learning", "land cover", "diffusion", "generative", "training", "fine-tuning")
    HELP = (
        "Trains a generator of land cover maps, from scratch or by fine-tuning a model to another region. It works at "
        "10 m; labels with smaller pixels are resampled to the most frequent class. The log says where to find sample "
        "maps during training. A model card and a report are written at the end. To resume a cancelled or finished "
        "training, run it again with the same settings and output. Much faster on a GPU."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        dataset = (
            "One or more data sets from 'Build data set', with or without images, by folder or manifest.csv. Tiles "
            "must be at least 1.28 km wide: 128 pixels of 10 m."
        )
        stages = (
            "autoencoder learns to compress maps, decoder learns to decompress them without seams, denoiser learns to "
            "generate compressed maps in many steps, distillation reduces the steps to a few."
        )
        return [
            parameters.folders("DATASET", "Data sets", dataset),
            *parameters.generator_training(Job, stages),
            parameters.folder_output("OUTPUT", "Model", "The folder of the trained model."),
        ]
