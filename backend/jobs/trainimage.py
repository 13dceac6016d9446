"""Train an image generator: ControlNet (a code, a denoiser with its ControlNet, their distillation) or SPADE."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from backend import classes, diffusion, latent_model, rgb
from backend.generators import controlnet, spade
from backend.patch_autoencoder import PatchAutoencoder
from backend.protocol import Reporter, TrainImage
from backend.training import latents
from backend.training.loop import Batch, Draw, Outcome, Plan, fit
from backend.training.stages import Recipe, Stage, Training, train
from backend.training.tiles import PackedTiles, recoloured, turned

CROP_PX = controlnet.WINDOW * controlnet.CELL_PX
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
    autoencoder = latents.begun(training, controlnet.new_autoencoder)
    figures: dict[str, float] = {"steps": 0}
    rng = np.random.default_rng(plan.seed)
    if not training.base:
        figures["kept_variance"] = round(autoencoder.fit(_crops(training.data, rng)), 5)
    if training.held_out:
        image = _crops(training.held_out, rng)
        figures["held_out_psnr"] = round(controlnet.psnr(autoencoder(image).sample, image), 2)
    latents.finish(training, autoencoder, _encoded, report)
    return Outcome(figures)


def _encoded(autoencoder: PatchAutoencoder, data: PackedTiles, name: str, variant: int) -> np.ndarray:
    """The latents (tiles, channels, height, width) of a group of tiles in one turn, each in a light of its own."""
    images, rng = data.groups[name].images, np.random.default_rng(variant)
    size = images.shape[1] // controlnet.CELL_PX * controlnet.CELL_PX
    at_once = max(1, CROP_PX**2 * 32 // size**2)
    parts = []
    for first in range(0, len(images), at_once):
        pixels = turned(np.moveaxis(images[first : first + at_once], -1, 1), variant)[..., :size, :size]
        lit = np.stack([recoloured(image, rng) for image in pixels])
        parts.append(latents.encode(autoencoder, rgb.to_unit(lit)))
    return np.concatenate(parts)


def _windows(data: PackedTiles, stored: latents.Stored, scale: latents.Scale, known: list[str]) -> Draw:
    """Batches of scaled latents, the one-hot land cover under them, and the tiles' styles of those that are `known`."""
    cell = controlnet.CELL_PX

    def draw(rng: np.random.Generator, count: int) -> Batch:
        name = data.choose(rng)
        _, labels, chosen, _, styles = data.groups[name]
        height, width = stored[name][0].shape[-2:]
        size = min(controlnet.WINDOW, height // 4 * 4)  # the denoiser halves it twice
        cells, covers, given = [], [], []
        for _ in range(count):
            tile, variant = rng.choice(chosen), int(rng.integers(8))
            row, col = int(rng.integers(height - size + 1)), int(rng.integers(width - size + 1))
            cells.append(stored[name][variant][tile, :, row : row + size, col : col + size])
            label = turned(labels[tile], variant)
            covers.append(label[row * cell : (row + size) * cell, col * cell : (col + size) * cell])
            given.append([float(style in styles[tile]) for style in known])
        return {
            "latents": scale(np.stack(cells)),
            "one_hot": torch.from_numpy(classes.one_hot(np.stack(covers))),
            "styles": torch.tensor(given),
        }

    return draw


def _train_denoiser(training: Training, plan: Plan, report: Reporter) -> Outcome:
    autoencoder, draw, held_out = _drawn(training, report)
    denoiser = training.component("denoiser", controlnet.new_denoiser)
    network = training.component("controlnet", partial(controlnet.new_controlnet, denoiser, len(_styles(training))))
    outcome = fit(controlnet.Denoising(denoiser, network, autoencoder), draw, plan, report, held_out)
    training.save(latents.DENOISER, denoiser=denoiser, controlnet=network)
    return outcome


def _distil(training: Training, plan: Plan, report: Reporter) -> Outcome:
    autoencoder, draw, held_out = _drawn(training, report)
    networks = training.trained("denoiser"), training.trained("controlnet")
    objective = controlnet.Distillation(*networks, autoencoder, len(_styles(training)), _judges_weights(training))
    plan = replace(plan, gentleness=DISTILLING, head_start=JUDGE_AHEAD)
    outcome = fit(objective, draw, plan, report, held_out)
    training.save(DISTILLATION, denoiser=networks[0], controlnet=networks[1])
    return outcome


def _drawn(training: Training, report: Reporter) -> tuple[PatchAutoencoder, Draw, Draw | None]:
    """The autoencoder, which is not trained, and what draws its scaled latents: to learn from, and held out."""
    autoencoder, scale = latents.frozen(training)
    stored, styles = latents.stored(training, autoencoder, _encoded, report), _styles(training)
    held_out = _windows(training.held_out, stored, scale, styles) if training.held_out else None
    return autoencoder, _windows(training.data, stored, scale, styles), held_out


def _judges_weights(training: Training) -> str:
    return cast("TrainImage", training.job).encoder_weights


def _styles(training: Training) -> list[str]:
    """The styles that the model is told of: those of the model that it goes on from, else those of its data."""
    return training.base[1].get("styles", []) if training.base else training.data.styles


def _train_painter(training: Training, plan: Plan, report: Reporter) -> Outcome:
    autoencoder, draw, held_out = _drawn(training, report)
    painter = training.component("painter", partial(spade.Painter, controlnet.CHANNELS, len(_styles(training))))
    objective = spade.Painting(painter, autoencoder, _judges_weights(training))
    plan = replace(plan, head_start=plan.head_start and JUDGE_AHEAD)
    outcome = fit(objective, draw, plan, report, held_out)
    training.save("painter", painter=painter)
    return outcome


def _save_controlnet(done: Training, figures: dict[str, Any], **more: Any) -> None:
    before: dict[str, Any] = done.base[1] if done.base else {}
    distilled = DISTILLATION in figures or ("steps" in before and latents.DENOISER not in figures)
    more |= {"guidance_scale": controlnet.GUIDANCE_SCALE}
    if distilled:
        more |= {"guidance_scale": 1.0, "steps": controlnet.STEPS}
    geometry = controlnet.PIXEL_M, controlnet.WINDOW, controlnet.PHASES
    sampler = diffusion.sampler(order=1 if distilled else 2)
    latent_model.save(done.output, controlnet.KIND, *geometry, figures, sampler, styles=_styles(done), **more)


def _save_spade(done: Training, figures: dict[str, Any], **more: Any) -> None:
    spade.save(done.output, figures, styles=_styles(done), **more)


RECIPES = {
    "controlnet": Recipe(
        kind=controlnet.KIND,
        what="tiles",
        crop_px=CROP_PX,
        loaders={"autoencoder": PatchAutoencoder, "denoiser": UNet2DConditionModel, "controlnet": ControlNetModel},
        stages={
            latents.AUTOENCODER: Stage(0.01, (), _train_autoencoder),
            latents.DENOISER: Stage(0.56, controlnet.Denoising.columns, _train_denoiser),
            DISTILLATION: Stage(0.43, controlnet.Distillation.columns, _distil, goes_on=True),
        },
        save=_save_controlnet,
    ),
    "spade": Recipe(
        kind=spade.KIND,
        what="tiles",
        crop_px=CROP_PX,
        loaders={"autoencoder": PatchAutoencoder, "painter": spade.Painter},
        stages={
            latents.AUTOENCODER: Stage(0.01, (), _train_autoencoder),
            "painter": Stage(0.99, spade.Painting.columns, _train_painter),
        },
        save=_save_spade,
    ),
}


def run(job: TrainImage, report: Reporter) -> dict[str, str]:
    """Train the asked stages, each for its share of the minutes, and write the model folder."""
    return train(job, RECIPES[job.generator], report)
