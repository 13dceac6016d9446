"""Batches and styles of the training of both image generators."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch

from backend.datasets.packed import PackedTiles
from backend.geo import legend
from backend.models import controlnet, rgb
from backend.models.conditioning import CONDITIONS, style_table, style_vector
from backend.protocol import TrainImage
from backend.training.generator import Batch, DrawBatch
from backend.training.stages import Training

CROP_PX = controlnet.WINDOW * controlnet.CELL_PX
CROP_STEP_PX = 16  # crop sizes are its multiples: latent cells of 4 px, which the networks halve twice
FORMER_STYLES = {"humid": "temperate", "inland": "semiarid"}
"""The names that older models have for styles, and those of today."""
GROWN_LR_SCALE = 0.5  # of the learning rate of a model that gets new conditions
GENERATOR_DELAY = 0.02  # of the budget, in which the new discriminator of a trained generator is trained alone


def batches(data: PackedTiles, known: list[str]) -> DrawBatch:
    """Draws batches of `pixels`, `one_hot`, `styles` and `lines`.

    These are RGB (n, 3, h, w) in -1..1, land cover (n, 11, h, w), style vectors (n, s) of the styles `known`, and
    (n, 1, h, w), 1 on lines.
    """

    # a lookup is several times as fast as comparing, and its result in channels_last, as the networks need it
    table = np.ascontiguousarray(legend.one_hot(np.arange(256, dtype=np.uint8)[None])[:, 0].T)

    def draw(rng: np.random.Generator, count: int) -> Batch:
        images, labels, lines, styles = data.batch(rng, count, CROP_PX, CROP_STEP_PX)
        return {
            "pixels": torch.from_numpy(rgb.to_unit(images)),
            "one_hot": torch.from_numpy(table.take(labels, axis=0)).permute(0, 3, 1, 2),
            "styles": torch.tensor([style_vector(tile_styles, known) for tile_styles in styles]),
            "lines": torch.from_numpy(lines[:, None]).float(),
        }

    return draw


def training_batches(training: Training) -> tuple[DrawBatch, DrawBatch | None]:
    """Functions that draw training batches and validation batches; None where there is no validation data."""
    known = styles(training)
    return batches(training.data, known), batches(training.validation_data, known) if training.validation_data else None


def encoder_weights(training: Training) -> str:
    """The job's weights of the discriminator's frozen encoder."""
    return cast("TrainImage", training.job).encoder_weights


def is_grown(training: Training) -> bool:
    """Whether the training starts from an older model without the conditions of today, which it gets."""
    return training.base is not None and list(training.base[1].get("conditions", [])) != list(CONDITIONS)


def styles(training: Training) -> list[str]:
    """The styles of the model.

    They are those of the training data or, of a model that is fine-tuned, its own; one that is grown gets both.
    """
    if not training.base:
        return training.data.styles
    own = training.base[1].get("styles", [])
    if not is_grown(training):
        return own
    return sorted({*training.data.styles, *(FORMER_STYLES.get(style, style) for style in own)})


def style_columns(training: Training) -> list[int | None]:
    """For each style of a model that is grown: its number among those of the base model, None for a new one."""
    base: dict[str, Any] = training.base[1] if training.base else {}
    own = [FORMER_STYLES.get(style, style) for style in base.get("styles", [])]
    return [own.index(style) if style in own else None for style in styles(training)]


def condition_entries(training: Training) -> dict[str, Any]:
    """The index's entries on conditions: those beside land cover, the styles, their combinations and their classes.

    Classes and borrowed styles of a model that is fine-tuned stay for styles that the new data lacks.
    """
    known, data = styles(training), training.data
    base: dict[str, Any] = training.base[1] if training.base else {}
    by_style: dict[str, dict[str, Any]] = {
        "style_classes": data.style_classes(known),
        "borrowed_styles": data.borrowed_styles(known),
    }
    for key, entries in by_style.items():
        former = {FORMER_STYLES.get(style, style): entry for style, entry in base.get(key, {}).items()}
        by_style[key] = {**former, **entries}
    combinations = data.style_combinations(known)
    return {"conditions": list(CONDITIONS), "styles": known, "style_combinations": combinations, **by_style}


def training_style_table(training: Training) -> torch.Tensor:
    """The model's `conditioning.style_table`."""
    return style_table(condition_entries(training))
