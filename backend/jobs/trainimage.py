"""Train an image generator: ControlNet (a code, a denoiser with its ControlNet, their distillation) or SPADE."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from backend import classes, device, diffusion, latent_model, rgb
from backend.generators import controlnet, spade
from backend.patch_autoencoder import PatchAutoencoder
from backend.protocol import Reporter, TrainImage
from backend.training.loop import Batch, Draw, Outcome, Plan, fit
from backend.training.stages import AUTOENCODER, DENOISER, Recipe, Stage, Training, train
from backend.training.tiles import PackedTiles

CROP_PX = controlnet.WINDOW * controlnet.CELL_PX
SIZES_PX = 16  # crops are multiples of it: cells of 4 px that the networks halve twice
DISTILLATION = "distillation"
DISTILLING = 0.5  # of the judge's learning rate, which the networks that are distilled take
JUDGE_AHEAD = 0.02  # of the budget: it learns faster than a painter that has learned
CODE_BATCH, CODE_BATCHES = 4, 100  # what the code is found on: crops of all groups


def _crops(data: PackedTiles, rng: np.random.Generator) -> torch.Tensor:
    """(n, 3, h, w) RGB in -1..1, parts of tiles of any size."""
    drawn = (data.batch(rng, CODE_BATCH, CROP_PX)[0] for _ in range(CODE_BATCHES))
    patches = [torch.from_numpy(rgb.to_unit(images)).unfold(2, 64, 64).unfold(3, 64, 64) for images in drawn]
    return torch.cat([each.permute(0, 2, 3, 1, 4, 5).flatten(0, 2) for each in patches if each.numel()])


def _train_autoencoder(training: Training, plan: Plan, report: Reporter) -> Outcome:
    """Find the code, which takes no steps; a model that is gone on from has its own."""
    autoencoder = training.component(AUTOENCODER, controlnet.new_autoencoder)
    figures: dict[str, float] = {"steps": 0}
    rng = np.random.default_rng(plan.seed)
    if not training.base:
        figures["kept_variance"] = round(autoencoder.fit(_crops(training.data, rng)), 5)
    if training.held_out:
        image = _crops(training.held_out, rng)
        figures["held_out_psnr"] = round(controlnet.psnr(autoencoder(image).sample, image), 2)
    training.save(AUTOENCODER, autoencoder=autoencoder)
    return Outcome(figures)


def _draw(data: PackedTiles, known: list[str]) -> Draw:
    """Batches of images, the one-hot land cover under them, and the tiles' styles of those that are `known`."""

    def draw(rng: np.random.Generator, count: int) -> Batch:
        images, labels, styles = data.batch(rng, count, CROP_PX, SIZES_PX)
        return {
            "pixels": torch.from_numpy(rgb.to_unit(images)),
            "one_hot": torch.from_numpy(classes.one_hot(labels)),
            "styles": torch.tensor([rgb.given(each, known) for each in styles]),
        }

    return draw


def _draws(training: Training) -> tuple[Draw, Draw | None]:
    """What draws batches to learn from, and held-out ones where there are any."""
    styles = _styles(training)
    return _draw(training.data, styles), _draw(training.held_out, styles) if training.held_out else None


def _frozen_autoencoder(training: Training) -> PatchAutoencoder:
    return training.trained(AUTOENCODER).requires_grad_(False).to(device.best())


def _train_denoiser(training: Training, plan: Plan, report: Reporter) -> Outcome:
    autoencoder, (draw, held_out) = _frozen_autoencoder(training), _draws(training)
    denoiser = training.component("denoiser", controlnet.new_denoiser)
    network = training.component("controlnet", partial(controlnet.new_controlnet, denoiser, len(_styles(training))))
    outcome = fit(controlnet.Denoising(denoiser, network, autoencoder), draw, plan, report, held_out)
    training.save(DENOISER, denoiser=denoiser, controlnet=network)
    return outcome


def _distil(training: Training, plan: Plan, report: Reporter) -> Outcome:
    autoencoder, (draw, held_out) = _frozen_autoencoder(training), _draws(training)
    networks = training.trained("denoiser"), training.trained("controlnet")
    objective = controlnet.Distillation(*networks, autoencoder, len(_styles(training)), _judges_weights(training))
    plan = replace(plan, gentleness=DISTILLING, head_start=JUDGE_AHEAD)
    outcome = fit(objective, draw, plan, report, held_out)
    training.save(DISTILLATION, denoiser=networks[0], controlnet=networks[1])
    return outcome


def _judges_weights(training: Training) -> str:
    return cast("TrainImage", training.job).encoder_weights


def _styles(training: Training) -> list[str]:
    """The styles that the model is told of: those of the model that it goes on from, else those of its data."""
    return training.base[1].get("styles", []) if training.base else training.data.styles


def _looks(training: Training) -> dict[str, Any]:
    """What the index says of styles: those that the model is told of, and which the training's tiles have together."""
    known = _styles(training)
    return {"styles": known, "looks": training.data.looks(known)}


def _train_painter(training: Training, plan: Plan, report: Reporter) -> Outcome:
    draw, held_out = _draws(training)
    painter = training.component("painter", partial(spade.Painter, len(_styles(training))))
    objective = spade.Painting(painter, _judges_weights(training))
    plan = replace(plan, head_start=plan.head_start and JUDGE_AHEAD)
    outcome = fit(objective, draw, plan, report, held_out)
    training.save("painter", painter=painter)
    return outcome


def _save_controlnet(done: Training, figures: dict[str, Any], **more: Any) -> None:
    before: dict[str, Any] = done.base[1] if done.base else {}
    distilled = DISTILLATION in figures or ("steps" in before and DENOISER not in figures)
    more |= {"guidance_scale": controlnet.GUIDANCE_SCALE}
    if distilled:
        more |= {"guidance_scale": 1.0, "steps": controlnet.STEPS}
    geometry = controlnet.PIXEL_M, controlnet.WINDOW, controlnet.PHASES
    sampler = diffusion.sampler(order=1 if distilled else 2)
    more |= _looks(done)
    more |= {"grounds": {**before.get("grounds", {}), **done.data.grounds(more["styles"])}}
    latent_model.save(done.output, controlnet.KIND, *geometry, figures, sampler, **more)


def _save_spade(done: Training, figures: dict[str, Any], **more: Any) -> None:
    spade.save(done.output, figures, **more, **_looks(done))


RECIPES = {
    "controlnet": Recipe(
        kind=controlnet.KIND,
        what="tiles",
        crop_px=CROP_PX,
        loaders={"autoencoder": PatchAutoencoder, "denoiser": UNet2DConditionModel, "controlnet": ControlNetModel},
        stages={
            AUTOENCODER: Stage(0.01, (), _train_autoencoder),
            DENOISER: Stage(0.56, controlnet.Denoising.columns, _train_denoiser),
            DISTILLATION: Stage(0.43, controlnet.Distillation.columns, _distil, goes_on=True),
        },
        save=_save_controlnet,
    ),
    "spade": Recipe(
        kind=spade.KIND,
        what="tiles",
        crop_px=CROP_PX,
        loaders={"painter": spade.Painter},
        stages={"painter": Stage(1.0, spade.Painting.columns, _train_painter)},
        save=_save_spade,
    ),
}


def run(job: TrainImage, report: Reporter) -> dict[str, str]:
    """Train the asked stages, each for its share of the minutes, and write the model folder."""
    return train(job, RECIPES[job.generator], report)
