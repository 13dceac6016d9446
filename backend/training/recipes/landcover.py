"""The training recipe of the land cover generator: autoencoder, decoder, then denoiser on the cached latents."""

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
SHARES_DROPOUT = 1 / 3  # the probability that a window is trained without its class shares


def _maps(data: PackedLandCover) -> DrawBatch:
    """Draws batches of land cover: `classes` (n, h, w) uint8 indices and `one_hot` (n, 11, h, w)."""

    def draw(rng: np.random.Generator, count: int) -> Batch:
        crops = np.stack([data.read(data.random_crop(rng, CROP_PX), CROP_PX) for _ in range(count)])
        return {"classes": torch.from_numpy(crops), "one_hot": torch.from_numpy(legend.one_hot(crops))}

    return draw


def _has_frozen_norms(training: Training) -> bool:
    """Whether the autoencoder in the training's output has frozen norms; its weights do not tell."""
    return bool(training.base and training.base[1].get("frozen_norms")) or training.result_path(DECODER).is_file()


def _load_autoencoder(training: Training) -> AutoencoderKL:
    """The autoencoder in the training's output, in fp32, with frozen norms where it has them."""
    autoencoder = training.load_component(AUTOENCODER)
    if _has_frozen_norms(training):
        latent_generator.freeze_norms(autoencoder.decoder)
    return autoencoder


def _train_autoencoder(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    autoencoder = _load_autoencoder(training) if training.base else model.new_autoencoder()
    draw_validation = training.validation_data and _maps(training.validation_data)
    result = fit(objectives.Autoencoding(autoencoder), _maps(training.data), plan, report, draw_validation)
    training.save(AUTOENCODER, autoencoder=autoencoder)
    if not training.base:  # fine-tuning keeps the latent normalisation, which the denoiser is trained on
        latent_cache.measure(training, report.part(1.0, 1.0))
    return result


def _train_decoder(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    """Train the decoder alone with frozen norms, which start from the statistics of training data.

    Decoded pixels then depend on their receptive field, not on the whole window.
    """
    autoencoder, draw = _load_autoencoder(training), _maps(training.data)
    if not _has_frozen_norms(training):
        if not plan.checkpoint.is_file():
            _calibrate(autoencoder, draw, plan)
        latent_generator.freeze_norms(autoencoder.decoder)
    autoencoder.requires_grad_(False).decoder.requires_grad_(True)
    draw_validation = training.validation_data and _maps(training.validation_data)
    result = fit(objectives.Decoding(autoencoder), draw, plan, report, draw_validation)
    training.save(DECODER, autoencoder=autoencoder)
    return result


def _calibrate(autoencoder: AutoencoderKL, draw: DrawBatch, plan: TrainingPlan) -> None:
    rng, target = np.random.default_rng(plan.seed), device.best()
    autoencoder.to(target)

    def run() -> None:
        for _ in range(CALIBRATION_BATCHES):
            autoencoder(draw(rng, plan.batch_size)["one_hot"].to(target))

    with torch.no_grad():
        latent_generator.calibrate(autoencoder.decoder, run)


def _shares(crop: np.ndarray) -> np.ndarray:
    """(COUNT,) the class shares of a crop's labelled pixels; zeros where there are none."""
    counts = np.bincount(crop.ravel(), minlength=legend.COUNT)[: legend.COUNT]
    return counts / max(counts.sum(), 1)


def _windows(data: PackedLandCover, autoencoder: AutoencoderKL, cached: latent_cache.Latents) -> DrawBatch:
    """Draws batches of normalised `latents` (n, 4, h, w) and `shares` (n, 11), all 0 for an unconditional window."""

    def draw(rng: np.random.Generator, count: int) -> Batch:
        windows, shares = [], np.zeros((count, legend.COUNT), dtype=np.float32)
        for number in range(count):
            place = data.random_crop(rng, CROP_PX, model.CELL_PX)
            top, left = place.row // model.CELL_PX, place.col // model.CELL_PX
            tile = cached[place.group][place.variant][place.tile]
            windows.append(tile[:, top : top + model.WINDOW, left : left + model.WINDOW])
            if rng.random() > SHARES_DROPOUT:
                shares[number] = _shares(data.read(place, CROP_PX))
        latents = diffusion.normalize(autoencoder, torch.from_numpy(np.stack(windows)).float())
        return {"latents": latents, "shares": torch.from_numpy(shares)}

    return draw


def _train_denoiser(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    autoencoder = _load_autoencoder(training).requires_grad_(False)
    cached = latent_cache.latents(training, autoencoder, report)
    denoiser = training.initial_component(DENOISER, model.new_denoiser)
    draw_validation = training.validation_data and _windows(training.validation_data, autoencoder, cached)
    draw = _windows(training.data, autoencoder, cached)
    result = fit(objectives.Denoising(denoiser, autoencoder), draw, plan, report, draw_validation)
    training.save(DENOISER, denoiser=denoiser)
    return result


def _compositions(data: PackedLandCover) -> list[list[float]]:
    """The class shares of random training windows, including windows of a single class."""
    rng = np.random.default_rng(0)
    places = (data.random_crop(rng, CROP_PX, include_homogeneous=True) for _ in range(model.COMPOSITIONS))
    return [_shares(data.read(place, CROP_PX)).round(3).tolist() for place in places]


def _save(training: Training, figures: dict[str, Any], /, **entries: Any) -> None:
    entries |= {"frozen_norms": _has_frozen_norms(training), "compositions": _compositions(training.data)}
    entries |= {"own_vote": model.OWN_VOTE}
    geometry = model.PIXEL_M, model.WINDOW, model.PHASES
    latent_generator.save(training.output, model.KIND, *geometry, figures, diffusion.sampler(), **entries)


RECIPE = GeneratorSpec(
    kind=model.KIND,
    data_kind="landcover",
    crop_px=CROP_PX,
    loaders={"autoencoder": AutoencoderKL, "denoiser": UNet2DModel},
    stages={
        AUTOENCODER: Stage(0.12, objectives.Autoencoding.columns, _train_autoencoder),
        DECODER: Stage(0.08, objectives.Decoding.columns, _train_decoder),
        DENOISER: Stage(0.8, objectives.Denoising.columns, _train_denoiser),
    },
    save=_save,
)
