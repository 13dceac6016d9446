"""Train image generator: data sets to an image generator."""

from __future__ import annotations

from ...backend.protocol import TrainImage as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class TrainImage(BackendAlgorithm):
    """Trains an image generator on data sets."""

    JOB = Job
    TITLE = "Train image generator"
    GROUP = "Train"
    TAGS = ("deep learning", "aerial", "image", "controlnet", "spade", "diffusion", "gan", "training", "fine-tuning")
    HELP = (
        "Trains a generator that paints aerial images on land cover, from scratch or by fine-tuning a model to another "
        "region. It works at 1 m; tiles with other pixel sizes are resampled once. The log says where to find sample "
        "images during training. A model card and a report are written at the end. To resume a cancelled or finished "
        "training, run it again with the same settings and output. Much faster on a GPU."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        dataset = (
            "One or more data sets of images and labels from 'Build data set', by folder or manifest.csv. Tiles must "
            "be at least 64 m wide, better 128 m."
        )
        stages = (
            "ControlNet's stages: autoencoder learns to compress images, denoiser learns to generate compressed images "
            "from land cover in many steps, distillation reduces the steps with the help of a discriminator. SPADE has "
            "one stage, painter."
        )
        return [
            parameters.folders("DATASET", "Data sets", dataset),
            parameters.generator(Job),
            *parameters.generator_training(Job, stages),
            parameters.encoder_weights(Job),
            parameters.folder_output("OUTPUT", "Model", "The folder of the trained model."),
        ]
