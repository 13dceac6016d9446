"""The training recipe of the SPADE generator: one adversarial stage."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from backend.models import spade
from backend.protocol import Reporter
from backend.training.generator import TrainingPlan, TrainingResult, fit
from backend.training.objectives import spade as objectives
from backend.training.recipes import image
from backend.training.stages import GeneratorSpec, Stage, Training

PAINTER = "painter"
"""The name of the stage and of its component in the model folder."""


def _train_painter(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    draw, draw_validation = image.training_batches(training)
    network = training.initial_component(PAINTER, partial(spade.new_network, len(image.styles(training))))
    if image.is_grown(training):
        plan = replace(plan, lr_scale=image.GROWN_LR_SCALE)
        if not network.config.encoded:  # the component of a resumed training has grown before
            network = spade.grown(network, image.style_columns(training))
    style_table = image.training_style_table(training)
    objective = objectives.AdversarialTraining(network, style_table, image.encoder_weights(training))
    plan = replace(plan, generator_delay=image.GENERATOR_DELAY if training.base else 0.0)
    result = fit(objective, draw, plan, report, draw_validation)
    training.save(PAINTER, **{PAINTER: network})
    return result


def _save(training: Training, figures: dict[str, Any], /, **entries: Any) -> None:
    spade.save(training.output, figures, **entries, **image.condition_entries(training))


RECIPE = GeneratorSpec(
    kind=spade.KIND,
    data_kind="tiles",
    crop_px=image.CROP_PX,
    loaders={PAINTER: spade.SpadeNetwork},
    stages={PAINTER: Stage(1.0, objectives.AdversarialTraining.columns, _train_painter)},
    save=_save,
)
