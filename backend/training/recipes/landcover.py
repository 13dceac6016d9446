"""Train the land cover generator: autoencoder, its decoder, then denoiser on the latents that they give."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DModel

from backend.datasets.packed import PackedLandCover
from backend.geo import legend
from backend.models import device, diffusion, latent_generator
from backend.models import landcover as model
from backend.protocol import Reporter
from backend.training import latent_cache
from backend.training.generator import Batch, DrawBatch, TrainingPlan, TrainingResult, fit
from backend.training.objectives import landcover as objectives
from backend.training.stages import AUTOENCODER, DECODER, DENOISER, GeneratorSpec, Stage, Training

CROP_PX = model.WINDOW * model.CELL_PX
CALIBRATION_BATCHES = 30
HIDDEN_SHARE = 1 / 3  # of the windows: the denoiser must draw without being told shares, too


def _maps(data: PackedLandCover) -> DrawBatch:
    """Batches of land cover as classes and one-hot."""

    def draw(rng: np.random.Generator, count: int) -> Batch:
        crops = np.stack([data.crop(data.place(rng, CROP_PX), CROP_PX) for _ in range(count)])
        return {"classes": torch.from_numpy(crops), "one_hot": torch.from_numpy(legend.one_hot(crops))}

    return draw


def _has_frozen_norms(training: Training) -> bool:
    """Whether the autoencoder in a training's output decodes with frozen norms: its weights do not say so."""
    return bool(training.base and training.base[1].get("frozen_norms")) or training.result_path(DECODER).is_file()


def _written(training: Training) -> AutoencoderKL:
    """The autoencoder as it lies in the output, in fp32."""
    autoencoder = training.load_component(AUTOENCODER)
    if _has_frozen_norms(training):
        latent_generator.freeze_norms(autoencoder.decoder)
    return autoencoder


def _train_autoencoder(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    autoencoder = _written(training) if training.base else model.new_autoencoder()
    held_out = training.validation_data and _maps(training.validation_data)
    result = fit(objectives.Autoencoding(autoencoder), _maps(training.data), plan, report, held_out)
    training.save(AUTOENCODER, autoencoder=autoencoder)
    if not training.base:  # one that went on from a model keeps its statistics: the denoiser knows the latents by them
        latent_cache.measure(training, report.part(1.0, 1.0))
    return result


def _train_decoder(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    """Train the decoder alone with its norms frozen, at first as they are met in training data.

    Pixels then depend on what lies around them, not on their window.
    """
    autoencoder, draw = _written(training), _maps(training.data)
    if not _has_frozen_norms(training):
        if not plan.checkpoint.is_file():
            _calibrate(autoencoder, draw, plan)
        latent_generator.freeze_norms(autoencoder.decoder)
    autoencoder.requires_grad_(False).decoder.requires_grad_(True)
    held_out = training.validation_data and _maps(training.validation_data)
    result = fit(objectives.Decoding(autoencoder), draw, plan, report, held_out)
    training.save(DECODER, autoencoder=autoencoder)
    return result


def _calibrate(autoencoder: AutoencoderKL, draw: DrawBatch, plan: TrainingPlan) -> None:
    rng, where = np.random.default_rng(plan.seed), device.best()
    autoencoder.to(where)

    def run() -> None:
        for _ in range(CALIBRATION_BATCHES):
            autoencoder(draw(rng, plan.batch_size)["one_hot"].to(where))

    with torch.no_grad():
        latent_generator.calibrate(autoencoder.decoder, run)


def _shares(crop: np.ndarray) -> np.ndarray:
    """(COUNT,) the shares of the classes among a crop's known pixels; zeros where there is none."""
    counts = np.bincount(crop.ravel(), minlength=legend.COUNT)[: legend.COUNT]
    return counts / max(counts.sum(), 1)


def _windows(data: PackedLandCover, autoencoder: AutoencoderKL, stored: latent_cache.Stored) -> DrawBatch:
    """Batches of scaled latents and class shares; shares of 0 hide them."""

    def draw(rng: np.random.Generator, count: int) -> Batch:
        cells, shares = [], np.zeros((count, legend.COUNT), dtype=np.float32)
        for number in range(count):
            place = data.place(rng, CROP_PX, model.CELL_PX)
            top, left = place.row // model.CELL_PX, place.col // model.CELL_PX
            tile = stored[place.group][place.variant][place.tile]
            cells.append(tile[:, top : top + model.WINDOW, left : left + model.WINDOW])
            if rng.random() > HIDDEN_SHARE:
                shares[number] = _shares(data.crop(place, CROP_PX))
        found = diffusion.scaled(autoencoder, torch.from_numpy(np.stack(cells)).float())
        return {"latents": found, "shares": torch.from_numpy(shares)}

    return draw


def _train_denoiser(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    autoencoder = _written(training).requires_grad_(False)
    stored = latent_cache.stored(training, autoencoder, report)
    denoiser = training.initial_component(DENOISER, model.new_denoiser)
    held_out = training.validation_data and _windows(training.validation_data, autoencoder, stored)
    draw = _windows(training.data, autoencoder, stored)
    result = fit(objectives.Denoising(denoiser, autoencoder), draw, plan, report, held_out)
    training.save(DENOISER, denoiser=denoiser)
    return result


def _compositions(data: PackedLandCover) -> list[list[float]]:
    """The class shares of random training windows, homogeneous ones as often as they are."""
    rng, found = np.random.default_rng(0), list[list[float]]()
    for _ in range(model.COMPOSITIONS):
        window = data.crop(data.place(rng, CROP_PX, dull=True), CROP_PX)
        found.append(_shares(window).round(3).tolist())
    return found


def _save(done: Training, figures: dict[str, Any], **more: Any) -> None:
    more |= {"frozen_norms": _has_frozen_norms(done), "compositions": _compositions(done.data)}
    more |= {"own_vote": model.OWN_VOTE}
    geometry = model.PIXEL_M, model.WINDOW, model.PHASES
    latent_generator.save(done.output, model.KIND, *geometry, figures, diffusion.sampler(), **more)


RECIPE = GeneratorSpec(
    kind=model.KIND,
    what="landcover",
    crop_px=CROP_PX,
    loaders={"autoencoder": AutoencoderKL, "denoiser": UNet2DModel},
    stages={
        AUTOENCODER: Stage(0.12, objectives.Autoencoding.columns, _train_autoencoder),
        DECODER: Stage(0.08, objectives.Decoding.columns, _train_decoder),
        DENOISER: Stage(0.8, objectives.Denoising.columns, _train_denoiser),
    },
    save=_save,
)
