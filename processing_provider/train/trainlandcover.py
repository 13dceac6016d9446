"""Train a land cover generator on data sets."""

from __future__ import annotations

from ...backend.protocol import TrainLandCover as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class TrainLandCover(BackendAlgorithm):
    """Data sets to a land cover generator."""

    JOB = Job
    TITLE = "Train land cover generator"
    GROUP = "Train"
    TAGS = ("deep learning", "land cover", "diffusion", "generative", "training", "fine-tuning")
    HELP = (
        "Trains a generator of land cover maps, from nothing or from a model that it makes draw another region. It "
        "learns at 10 m: labels of finer pixels are voted to it. While it trains, the log says where samples lie to "
        "look at; at the end there are a model card and a report. Cancelled or ended, it goes on where it stopped when "
        "it is run again with the same settings and output. Much faster on a GPU."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        dataset = (
            "One or more data sets of 'Build data set', with images or of labels alone: for each, its folder or its "
            "manifest.csv. Tiles must be 1.28 km wide or more: 128 pixels of 10 m."
        )
        stages = (
            "autoencoder learns to keep a map in few numbers, decoder to bring it back without seams, denoiser to draw "
            "the numbers."
        )
        return [
            parameters.folders("DATASET", "Data sets", dataset),
            *parameters.training(Job, stages),
            parameters.folder_output("OUTPUT", "Model", "The folder of the trained model."),
        ]
