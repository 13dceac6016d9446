"""Train an image generator: ControlNet or SPADE."""

from __future__ import annotations

from backend.protocol import Reporter, TrainImage
from backend.training.recipes import controlnet, spade
from backend.training.stages import train

RECIPES = {"controlnet": controlnet.RECIPE, "spade": spade.RECIPE}


def run(job: TrainImage, report: Reporter) -> dict[str, str]:
    """Train the requested stages, each for its share of the minutes, and write the model folder."""
    return train(job, RECIPES[job.generator], report)
