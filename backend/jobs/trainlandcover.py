"""Train the land cover generator: autoencoder, its decoder, then denoiser on the latents that they give."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DModel

from backend import classes, diffusion, latent_model
from backend.generators import latent_diffusion as model
from backend.protocol import Reporter, TrainLandCover
from backend.training import latents
from backend.training.loop import Batch, Draw, Outcome, Plan, fit
from backend.training.stages import Recipe, Stage, Training, train
from backend.training.tiles import PackedLandCover, turned

CROP_PX = model.WINDOW * model.CELL_PX
HIDDEN_SHARE = 1 / 3  # of the windows: the denoiser must draw without being told shares, too


def _maps(data: PackedLandCover) -> Draw:
    """Batches of land cover as classes and one-hot."""

    def draw(rng: np.random.Generator, count: int) -> Batch:
        crops = np.stack([data.crop(data.place(rng, CROP_PX), CROP_PX) for _ in range(count)])
        return {"classes": torch.from_numpy(crops), "one_hot": torch.from_numpy(classes.one_hot(crops))}

    return draw


def _train_autoencoder(training: Training, plan: Plan, report: Reporter) -> Outcome:
    autoencoder = latents.begun(training, model.new_autoencoder)
    held_out = training.held_out and _maps(training.held_out)
    outcome = fit(model.Autoencoding(autoencoder), _maps(training.data), plan, report, held_out)
    latents.finish(training, autoencoder, _encoded, report)
    return outcome


def _train_decoder(training: Training, plan: Plan, report: Reporter) -> Outcome:
    return latents.train_decoder(training, model.Decoding, _maps, "one_hot", plan, report)


def _encoded(autoencoder: AutoencoderKL, data: PackedLandCover, name: str, variant: int) -> np.ndarray:
    """The latents (tiles, channels, height, width) of a group of tiles in one turn."""
    tiles, _ = data.groups[name]
    return np.stack(
        [latents.encode_large(autoencoder, classes.one_hot, turned(tile, variant), model.CELL_PX) for tile in tiles]
    )


def _windows(data: PackedLandCover, stored: latents.Stored, scale: latents.Scale) -> Draw:
    """Batches of scaled latents and class shares; shares of 0 hide them."""

    def draw(rng: np.random.Generator, count: int) -> Batch:
        cells, shares = [], np.zeros((count, classes.COUNT), dtype=np.float32)
        for number in range(count):
            place = data.place(rng, CROP_PX, model.CELL_PX)
            top, left = place.row // model.CELL_PX, place.col // model.CELL_PX
            tile = stored[place.group][place.variant][place.tile]
            cells.append(tile[:, top : top + model.WINDOW, left : left + model.WINDOW])
            if rng.random() > HIDDEN_SHARE:
                found = np.bincount(data.crop(place, CROP_PX).ravel(), minlength=classes.COUNT)[: classes.COUNT]
                shares[number] = found / max(found.sum(), 1)
        return {"latents": scale(np.stack(cells)), "shares": torch.from_numpy(shares)}

    return draw


def _train_denoiser(training: Training, plan: Plan, report: Reporter) -> Outcome:
    autoencoder, scale = latents.frozen(training)
    stored = latents.stored(training, autoencoder, _encoded, report)
    denoiser = training.component("denoiser", model.new_denoiser)
    held_out = training.held_out and _windows(training.held_out, stored, scale)
    draw = _windows(training.data, stored, scale)
    outcome = fit(model.Denoising(denoiser, autoencoder), draw, plan, report, held_out)
    training.save(latents.DENOISER, denoiser=denoiser)
    return outcome


def _compositions(data: PackedLandCover) -> list[list[float]]:
    """The class shares of random training windows, homogeneous ones as often as they are."""
    rng, found = np.random.default_rng(0), list[list[float]]()
    for _ in range(model.COMPOSITIONS):
        window = data.crop(data.place(rng, CROP_PX, dull=True), CROP_PX)
        counts = np.bincount(window.ravel(), minlength=classes.COUNT)[: classes.COUNT]
        found.append((counts / max(counts.sum(), 1)).round(3).tolist())
    return found


def _save(done: Training, figures: dict[str, Any], **more: Any) -> None:
    more |= {"frozen_norms": latents.has_frozen_norms(done), "compositions": _compositions(done.data)}
    more |= {"own_vote": model.OWN_VOTE}
    geometry = model.PIXEL_M, model.WINDOW, model.PHASES
    latent_model.save(done.output, model.KIND, *geometry, figures, diffusion.sampler(), **more)


RECIPE = Recipe(
    kind=model.KIND,
    what="landcover",
    crop_px=CROP_PX,
    loaders={"autoencoder": AutoencoderKL, "denoiser": UNet2DModel},
    stages={
        latents.AUTOENCODER: Stage(0.12, model.Autoencoding.columns, _train_autoencoder),
        latents.DECODER: Stage(0.08, model.Decoding.columns, _train_decoder),
        latents.DENOISER: Stage(0.8, model.Denoising.columns, _train_denoiser),
    },
    save=_save,
)


def run(job: TrainLandCover, report: Reporter) -> dict[str, str]:
    """Train the asked stages, each for its share of the minutes, and write the model folder."""
    return train(job, RECIPE, report)
