"""Batches and styles of the training of both image generators."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch

from backend.datasets.packed import PackedTiles
from backend.geo import legend
from backend.models import controlnet, rgb
from backend.models.conditioning import style_vector
from backend.protocol import TrainImage
from backend.training.generator import Batch, DrawBatch
from backend.training.stages import Training

CROP_PX = controlnet.WINDOW * controlnet.CELL_PX
CROP_STEP_PX = 16  # crop sizes are its multiples: latent cells of 4 px, which the networks halve twice
GENERATOR_DELAY = 0.02  # of the budget, in which the new discriminator of a trained generator is trained alone


def batches(data: PackedTiles, known: list[str]) -> DrawBatch:
    """Draws batches of `pixels` (n, 3, h, w) in -1..1, `one_hot` (n, 11, h, w) and `styles` (n, s) of those `known`."""

    def draw(rng: np.random.Generator, count: int) -> Batch:
        images, labels, _, styles = data.batch(rng, count, CROP_PX, CROP_STEP_PX)
        return {
            "pixels": torch.from_numpy(rgb.to_unit(images)),
            "one_hot": torch.from_numpy(legend.one_hot(labels)),
            "styles": torch.tensor([style_vector(tile_styles, known) for tile_styles in styles]),
        }

    return draw


def training_batches(training: Training) -> tuple[DrawBatch, DrawBatch | None]:
    """Functions that draw training batches and validation batches; None where there is no validation data."""
    known = styles(training)
    return batches(training.data, known), batches(training.validation_data, known) if training.validation_data else None


def encoder_weights(training: Training) -> str:
    """The job's weights of the discriminator's frozen encoder."""
    return cast("TrainImage", training.job).encoder_weights


def styles(training: Training) -> list[str]:
    """The styles of the model: those of the model that is fine-tuned, else those of the training data."""
    return training.base[1].get("styles", []) if training.base else training.data.styles


def style_entries(training: Training) -> dict[str, Any]:
    """The index entries `styles`, which the model knows, and `style_combinations`, which its training tiles have."""
    known = styles(training)
    return {"styles": known, "style_combinations": training.data.style_combinations(known)}
