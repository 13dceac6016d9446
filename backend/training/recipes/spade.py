"""How the SPADE generator is trained: in one stage, as a GAN."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from backend.models import spade
from backend.protocol import Reporter
from backend.training.loop import Outcome, TrainingPlan, fit
from backend.training.objectives import spade as objectives
from backend.training.recipes import image
from backend.training.stages import GeneratorSpec, Stage, Training


def _train_painter(training: Training, plan: TrainingPlan, report: Reporter) -> Outcome:
    draw, held_out = image.training_batches(training)
    painter = training.component("painter", partial(spade.SpadeNetwork, len(image.styles(training))))
    objective = objectives.Painting(painter, image.encoder_weights(training))
    plan = replace(plan, head_start=plan.head_start and image.JUDGE_AHEAD)
    outcome = fit(objective, draw, plan, report, held_out)
    training.save("painter", painter=painter)
    return outcome


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
