"""How the SPADE generator is trained: in one stage, as a GAN."""

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


def _train_painter(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    draw, held_out = image.training_batches(training)
    painter = training.initial_component("painter", partial(spade.SpadeNetwork, len(image.styles(training))))
    objective = objectives.Painting(painter, image.encoder_weights(training))
    plan = replace(plan, generator_delay=image.JUDGE_AHEAD if training.base else 0.0)
    result = fit(objective, draw, plan, report, held_out)
    training.save("painter", painter=painter)
    return result


def _save(done: Training, figures: dict[str, Any], **more: Any) -> None:
    spade.save(done.output, figures, **more, **image.style_combinations(done))


RECIPE = GeneratorSpec(
    kind=spade.KIND,
    what="tiles",
    crop_px=image.CROP_PX,
    loaders={"painter": spade.SpadeNetwork},
    stages={"painter": Stage(1.0, objectives.Painting.columns, _train_painter)},
    save=_save,
)
