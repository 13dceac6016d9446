"""The training recipe of the land cover generator: autoencoder, decoder, then denoiser and distillation on latents."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DModel

from backend.datasets.packed import PackedLandCover
from backend.geo import legend
from backend.models import device, diffusion, latent_generator
from backend.models import landcover as model
from backend.models.conditioning import style_vector
from backend.protocol import Reporter
from backend.training import latent_cache
from backend.training.generator import Batch, DrawBatch, TrainingPlan, TrainingResult, fit
from backend.training.objectives import landcover as objectives
from backend.training.stages import AUTOENCODER, DECODER, DENOISER, GeneratorSpec, Stage, Training

CROP_PX = model.WINDOW_PX
CALIBRATION_BATCHES = 30
SHARES_DROPOUT = 1 / 3  # the probability that a window is trained without its class shares
DISTILLATION = "distillation"


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


def _styles(training: Training) -> list[str]:
    """The styles of the model: those of the model that is fine-tuned, else those of the training data."""
    return training.base[1].get("styles", []) if training.base else training.data.styles


def _windows(
    data: PackedLandCover, autoencoder: AutoencoderKL, cached: latent_cache.Latents, known: list[str]
) -> DrawBatch:
    """Draws batches of normalised `latents` (n, c, h, w), `shares` (n, 11) and `styles` (n, s) of those `known`.

    The shares of some windows are all 0, the unconditional case; styles are not dropped, as a map always has one.
    """
    cell_px = latent_generator.cell_px(autoencoder)
    cells = CROP_PX // cell_px

    def draw(rng: np.random.Generator, count: int) -> Batch:
        windows, shares = [], np.zeros((count, legend.COUNT), dtype=np.float32)
        styles = np.zeros((count, len(known)), dtype=np.float32)
        for number in range(count):
            place = data.random_crop(rng, CROP_PX, cell_px)
            top, left = place.row // cell_px, place.col // cell_px
            tile = cached[place.group][place.variant][place.tile]
            windows.append(tile[:, top : top + cells, left : left + cells])
            if rng.random() > SHARES_DROPOUT:
                shares[number] = _shares(data.read(place, CROP_PX))
            styles[number] = style_vector(data.groups[place.group].styles[place.tile], known)
        latents = diffusion.normalize(autoencoder, torch.from_numpy(np.stack(windows)).float())
        return {"latents": latents, "shares": torch.from_numpy(shares), "styles": torch.from_numpy(styles)}

    return draw


def _batches(training: Training, autoencoder: AutoencoderKL, report: Reporter) -> tuple[DrawBatch, DrawBatch | None]:
    """Functions that draw training batches and validation batches; None where there is no validation data."""
    cached, known = latent_cache.latents(training, autoencoder, report), _styles(training)
    draw = _windows(training.data, autoencoder, cached, known)
    return draw, training.validation_data and _windows(training.validation_data, autoencoder, cached, known)


def _train_denoiser(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    autoencoder = _load_autoencoder(training).requires_grad_(False)
    draw, draw_validation = _batches(training, autoencoder, report)
    denoiser = training.initial_component(DENOISER, partial(model.new_denoiser, len(_styles(training))))
    result = fit(objectives.Denoising(denoiser, autoencoder), draw, plan, report, draw_validation)
    training.save(DENOISER, denoiser=denoiser)
    return result


def _distil(training: Training, plan: TrainingPlan, report: Reporter) -> TrainingResult:
    autoencoder = _load_autoencoder(training).requires_grad_(False)
    draw, draw_validation = _batches(training, autoencoder, report)
    denoiser = training.load_component(DENOISER)
    result = fit(objectives.Distillation(denoiser, autoencoder), draw, plan, report, draw_validation)
    training.save(DISTILLATION, denoiser=denoiser)
    return result


def _compositions(data: PackedLandCover, styles: list[str]) -> dict[str, list[list[float]]]:
    """For each style, or '' without styles, the class shares of random training windows of any mix."""
    rng, compositions = np.random.default_rng(0), {}
    for style in styles or [""]:
        places = (data.random_crop(rng, CROP_PX, style=style) for _ in range(model.COMPOSITIONS))
        compositions[style] = [_shares(data.read(place, CROP_PX)).round(3).tolist() for place in places]
    return compositions


def _save(training: Training, figures: dict[str, Any], /, **entries: Any) -> None:
    base_index: dict[str, Any] = training.base[1] if training.base else {}
    distilled = DISTILLATION in figures or ("steps" in base_index and DENOISER not in figures)
    known = _styles(training)
    compositions = _compositions(training.data, [style for style in known if style in training.data.styles])
    entries |= {"frozen_norms": _has_frozen_norms(training), "styles": known, "compositions": compositions}
    entries |= {"own_vote": model.OWN_VOTE, **({"steps": model.STEPS} if distilled else {})}
    geometry = model.PIXEL_M, model.WINDOW, model.DISTILLED_PHASES if distilled else model.PHASES
    sampler = diffusion.sampler(order=1 if distilled else 2)
    latent_generator.save(training.output, model.KIND, *geometry, figures, sampler, **entries)


RECIPE = GeneratorSpec(
    kind=model.KIND,
    data_kind="landcover",
    crop_px=CROP_PX,
    loaders={"autoencoder": AutoencoderKL, "denoiser": UNet2DModel},
    stages={
        AUTOENCODER: Stage(0.2, objectives.Autoencoding.columns, _train_autoencoder),
        DECODER: Stage(0.03, objectives.Decoding.columns, _train_decoder),
        DENOISER: Stage(0.39, objectives.Denoising.columns, _train_denoiser),
        DISTILLATION: Stage(0.38, objectives.Distillation.columns, _distil, continues_previous=True),
    },
    save=_save,
)
