"""Train an image generator on data sets."""

from __future__ import annotations

from ...backend.protocol import TrainImage as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class TrainImage(BackendAlgorithm):
    """Data sets to an image generator."""

    JOB = Job
    TITLE = "Train image generator"
    GROUP = "Train"
    TAGS = ("deep learning", "aerial", "image", "controlnet", "spade", "diffusion", "gan", "training", "fine-tuning")
    HELP = (
        "Trains a generator that paints aerial images on land cover, from nothing or from a model that it gives the "
        "look of another region. It learns at 1 m: other pixels are resampled to it, once. While it trains, the log "
        "says where samples lie to look at; at the end there are a model card and a report. Cancelled or ended, it "
        "goes on where it stopped when it is run again with the same settings and output. Much faster on a GPU."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        dataset = (
            "One or more data sets of 'Build data set', of images and labels: for each, its folder or its "
            "manifest.csv. Tiles must be 64 m wide or more, better 128."
        )
        stages = (
            "Of controlnet: autoencoder finds a code of few numbers for an image, denoiser learns to draw it on land "
            "cover in many steps, distillation to draw it in few against a judge. Of spade: painter."
        )
        weights = (
            "The weights of the EfficientNet-Lite0 through which the judge sees: imagenet (downloaded on first use) or "
            "a .safetensors file. Left empty: those of the bundled segmentation model."
        )
        return [
            parameters.folders("DATASET", "Data sets", dataset),
            parameters.generator(Job),
            *parameters.training(Job, stages),
            parameters.advanced(parameters.string(Job, "ENCODER_WEIGHTS", "Judge's encoder weights", weights)),
            parameters.folder_output("OUTPUT", "Model", "The folder of the trained model."),
        ]
