"""How the ControlNet generator is trained: a linear code, a denoiser with its ControlNet, their distillation."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from backend.datasets.packed import PackedTiles
from backend.models import controlnet, device, diffusion, latent_generator, rgb
from backend.models.patch_autoencoder import PatchAutoencoder
from backend.protocol import Reporter
from backend.training.generator import TrainingPlan, TrainingResult, fit
from backend.training.objectives import controlnet as objectives
from backend.training.recipes import image
from backend.training.stages import AUTOENCODER, DENOISER, GeneratorSpec, Stage, Training

CODE_BATCH, CODE_BATCHES = 4, 100  # what the code is found on: crops of all groups

DISTILLATION = "distillation"

DISTILLING = 0.5  # of the judge's learning rate, which the networks that are distilled take


def _crops(data: PackedTiles, rng: np.random.Generator) -> torch.Tensor:
    """(n, 3, h, w) RGB in -1..1, parts of tiles of any size."""
    drawn = (data.batch(rng, CODE_BATCH, image.CROP_PX)[0] for _ in range(CODE_BATCHES))
    patches = [torch.from_numpy(rgb.to_unit(images)).unfold(2, 64, 64).unfold(3, 64, 64) for images in drawn]
    return torch.cat([each.permute(0, 2, 3, 1, 4, 5).flatten(0, 2) for each in patches if each.numel()])


def _train_autoencoder(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    """Find the code, which takes no steps; a model that is gone on from has its own."""
    autoencoder = training.initial_component(AUTOENCODER, controlnet.new_autoencoder)
    figures: dict[str, float] = {"steps": 0}
    rng = np.random.default_rng(plan.seed)
    if not training.base:
        figures["kept_variance"] = round(autoencoder.fit(_crops(training.data, rng)), 5)
    if training.validation_data:
        image = _crops(training.validation_data, rng)
        figures["held_out_psnr"] = round(objectives.psnr(autoencoder(image).sample, image), 2)
    training.save(AUTOENCODER, autoencoder=autoencoder)
    return TrainingResult(figures)


def _frozen_autoencoder(training: Training) -> PatchAutoencoder:
    return training.load_component(AUTOENCODER).requires_grad_(False).to(device.best())


def _train_denoiser(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    autoencoder, (draw, held_out) = _frozen_autoencoder(training), image.training_batches(training)
    denoiser = training.initial_component("denoiser", controlnet.new_denoiser)
    network = training.initial_component(
        "controlnet", partial(controlnet.new_controlnet, denoiser, len(image.styles(training)))
    )
    result = fit(objectives.Denoising(denoiser, network, autoencoder), draw, plan, report, held_out)
    training.save(DENOISER, denoiser=denoiser, controlnet=network)
    return result


def _distil(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    autoencoder, (draw, held_out) = _frozen_autoencoder(training), image.training_batches(training)
    networks = training.load_component("denoiser"), training.load_component("controlnet")
    objective = objectives.Distillation(
        *networks, autoencoder, len(image.styles(training)), image.encoder_weights(training)
    )
    plan = replace(plan, lr_scale=DISTILLING, generator_delay=image.JUDGE_AHEAD)
    result = fit(objective, draw, plan, report, held_out)
    training.save(DISTILLATION, denoiser=networks[0], controlnet=networks[1])
    return result


def _save(done: Training, figures: dict[str, Any], **more: Any) -> None:
    before: dict[str, Any] = done.base[1] if done.base else {}
    distilled = DISTILLATION in figures or ("steps" in before and DENOISER not in figures)
    more |= {"guidance_scale": controlnet.GUIDANCE_SCALE}
    if distilled:
        more |= {"guidance_scale": 1.0, "steps": controlnet.STEPS}
    geometry = controlnet.PIXEL_M, controlnet.WINDOW, controlnet.PHASES
    sampler = diffusion.sampler(order=1 if distilled else 2)
    more |= image.style_combinations(done)
    style_classes = done.data.style_classes(more["styles"])
    more |= {"style_classes": {**before.get("style_classes", {}), **style_classes}}
    latent_generator.save(done.output, controlnet.KIND, *geometry, figures, sampler, **more)


RECIPE = GeneratorSpec(
    kind=controlnet.KIND,
    what="tiles",
    crop_px=image.CROP_PX,
    loaders={"autoencoder": PatchAutoencoder, "denoiser": UNet2DConditionModel, "controlnet": ControlNetModel},
    stages={
        AUTOENCODER: Stage(0.01, (), _train_autoencoder),
        DENOISER: Stage(0.56, objectives.Denoising.columns, _train_denoiser),
        DISTILLATION: Stage(0.43, objectives.Distillation.columns, _distil, continues_previous=True),
    },
    save=_save,
)
