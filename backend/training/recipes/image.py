"""What the trainings of both image generators share: their batches and the styles they learn."""

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
SIZES_PX = 16  # crops are multiples of it: cells of 4 px that the networks halve twice
JUDGE_AHEAD = 0.02  # of the budget: it learns faster than a painter that has learned


def batches(data: PackedTiles, known: list[str]) -> DrawBatch:
    """Batches of images, the one-hot land cover under them, and the tiles' styles of those that are `known`."""

    def draw(rng: np.random.Generator, count: int) -> Batch:
        images, labels, styles = data.batch(rng, count, CROP_PX, SIZES_PX)
        return {
            "pixels": torch.from_numpy(rgb.to_unit(images)),
            "one_hot": torch.from_numpy(legend.one_hot(labels)),
            "styles": torch.tensor([style_vector(each, known) for each in styles]),
        }

    return draw


def training_batches(training: Training) -> tuple[DrawBatch, DrawBatch | None]:
    """What draws batches to learn from, and held-out ones where there are any."""
    known = styles(training)
    return batches(training.data, known), batches(training.validation_data, known) if training.validation_data else None


def encoder_weights(training: Training) -> str:
    """The weights of the discriminator's frozen encoder, as the job names them."""
    return cast("TrainImage", training.job).encoder_weights


def styles(training: Training) -> list[str]:
    """The styles that the model is told of: those of the model that it goes on from, else those of its data."""
    return training.base[1].get("styles", []) if training.base else training.data.styles


def style_combinations(training: Training) -> dict[str, Any]:
    """The index entries `styles`, which the model knows, and `style_combinations`, which its training tiles have."""
    known = styles(training)
    return {"styles": known, "style_combinations": training.data.style_combinations(known)}
