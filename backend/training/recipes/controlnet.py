"""The training recipe of the ControlNet generator: linear autoencoder, denoiser with ControlNet, distillation."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from backend.datasets.packed import PackedTiles
from backend.models import controlnet, device, diffusion, latent_generator, rgb
from backend.models.conditioning import CONDITIONS, plane_count
from backend.models.patch_autoencoder import PatchAutoencoder
from backend.protocol import Reporter
from backend.training.generator import TrainingPlan, TrainingResult, fit
from backend.training.objectives import controlnet as objectives
from backend.training.recipes import image
from backend.training.stages import AUTOENCODER, DENOISER, GeneratorSpec, Stage, Training

FIT_BATCH, FIT_BATCHES = 4, 100  # of crops, on which the autoencoder is fitted
DISTILLATION = "distillation"
DISTILLATION_LR_SCALE = 0.5  # of the distilled networks' learning rate relative to the discriminator's


def _crops(data: PackedTiles, rng: np.random.Generator) -> torch.Tensor:
    """RGB (n, 3, 64, 64) in -1..1 from random tiles, which may differ in size."""
    batches = (data.batch(rng, FIT_BATCH, image.CROP_PX).images for _ in range(FIT_BATCHES))
    unfolded = [torch.from_numpy(rgb.to_unit(images)).unfold(2, 64, 64).unfold(3, 64, 64) for images in batches]
    return torch.cat([crops.permute(0, 2, 3, 1, 4, 5).flatten(0, 2) for crops in unfolded if crops.numel()])


def _train_autoencoder(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    """Fit the autoencoder, which takes no steps. A model that is fine-tuned keeps its own."""
    autoencoder = training.initial_component(AUTOENCODER, controlnet.new_autoencoder)
    figures: dict[str, float] = {"steps": 0}
    rng = np.random.default_rng(plan.seed)
    if not training.base:
        figures["kept_variance"] = round(autoencoder.fit(_crops(training.data, rng)), 5)
    if training.validation_data:
        crops = _crops(training.validation_data, rng)
        figures["held_out_psnr"] = round(objectives.psnr(autoencoder(crops).sample, crops), 2)
    training.save(AUTOENCODER, autoencoder=autoencoder)
    return TrainingResult(figures)


def _frozen_autoencoder(training: Training) -> PatchAutoencoder:
    return training.load_component(AUTOENCODER).requires_grad_(False).to(device.best())


def _with_all_conditions(training: Training, network: ControlNetModel) -> ControlNetModel:
    """A ControlNet as it is or, of an older model, grown."""
    columns = image.style_columns(training)
    has_all = network.config.conditioning_channels == plane_count(len(columns), CONDITIONS)
    return network if has_all else controlnet.grown(network, columns)


def _train_denoiser(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    autoencoder, (draw, draw_validation) = _frozen_autoencoder(training), image.training_batches(training)
    denoiser = training.initial_component("denoiser", controlnet.new_denoiser)
    new_controlnet = partial(controlnet.new_controlnet, denoiser, len(image.styles(training)))
    network = _with_all_conditions(training, training.initial_component("controlnet", new_controlnet))
    style_table = image.training_style_table(training)
    objective = objectives.Denoising(denoiser, network, autoencoder, style_table)
    result = fit(objective, draw, plan, report, draw_validation)
    training.save(DENOISER, denoiser=denoiser, controlnet=network)
    return result


def _distil(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    autoencoder, (draw, draw_validation) = _frozen_autoencoder(training), image.training_batches(training)
    denoiser = training.load_component("denoiser")
    network = _with_all_conditions(training, training.load_component("controlnet"))
    style_table, encoder_weights = image.training_style_table(training), image.encoder_weights(training)
    objective = objectives.Distillation(denoiser, network, autoencoder, style_table, encoder_weights)
    plan = replace(plan, lr_scale=DISTILLATION_LR_SCALE, generator_delay=image.GENERATOR_DELAY)
    result = fit(objective, draw, plan, report, draw_validation)
    training.save(DISTILLATION, denoiser=denoiser, controlnet=network)
    return result


def _save(training: Training, figures: dict[str, Any], /, **entries: Any) -> None:
    base_index: dict[str, Any] = training.base[1] if training.base else {}
    distilled = DISTILLATION in figures or ("steps" in base_index and DENOISER not in figures)
    entries |= {"guidance_scale": controlnet.GUIDANCE_SCALE}
    if distilled:
        entries |= {"guidance_scale": 1.0, "steps": controlnet.STEPS}
    geometry = controlnet.PIXEL_M, controlnet.WINDOW, controlnet.PHASES
    sampler = diffusion.sampler(order=1 if distilled else 2)
    entries |= image.condition_entries(training)
    latent_generator.save(training.output, controlnet.KIND, *geometry, figures, sampler, **entries)


RECIPE = GeneratorSpec(
    kind=controlnet.KIND,
    data_kind="tiles",
    crop_px=image.CROP_PX,
    loaders={"autoencoder": PatchAutoencoder, "denoiser": UNet2DConditionModel, "controlnet": ControlNetModel},
    stages={
        AUTOENCODER: Stage(0.01, (), _train_autoencoder),
        DENOISER: Stage(0.56, objectives.Denoising.columns, _train_denoiser),
        DISTILLATION: Stage(0.43, objectives.Distillation.columns, _distil, continues_previous=True),
    },
    save=_save,
)
