"""Train the land cover generator: autoencoder, its decoder, then denoiser on the latents that they give."""

from __future__ import annotations

from backend.protocol import Reporter, TrainLandCover
from backend.training.recipes.landcover import RECIPE
from backend.training.stages import train


def run(job: TrainLandCover, report: Reporter) -> dict[str, str]:
    """Train the requested stages, each for its share of the minutes, and write the model folder."""
    return train(job, RECIPE, report)
