"""Train an image generator: ControlNet (autoencoder, then denoiser with its ControlNet) or SPADE."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from backend import checkpoint, classes, device, latent_model, latents, rgb
from backend.generators import controlnet, spade
from backend.protocol import BackendError, Reporter, TrainImage
from backend.tiles import PackedTiles, turned
from backend.training import Batch, Budget, Draw, fit

CROP_PX = controlnet.WINDOW * controlnet.CELL_PX
CALIBRATION_BATCHES = 30


def _pairs(job: TrainImage) -> Draw:
    """Batches of images and their one-hot land cover."""
    data = PackedTiles(Path(job.dataset))

    def draw(rng: np.random.Generator) -> Batch:
        images, labels = data.batch(rng, job.batch, CROP_PX)
        return {"image": torch.from_numpy(rgb.to_unit(images)), "one_hot": torch.from_numpy(classes.one_hot(labels))}

    return draw


def _state(job: TrainImage, stage: str) -> Path:
    return Path(job.output) / "checkpoints" / f"{stage}.safetensors"


def _stored(job: TrainImage, data: PackedTiles, autoencoder: AutoencoderKL, report: Reporter) -> dict[str, list]:
    """By group of tiles: the latents (tiles, channels, height, width) of each variant."""
    autoencoder.to(device.best()).eval()

    def make(images: np.ndarray, variant: int) -> np.ndarray:
        size = images.shape[1] // controlnet.CELL_PX * controlnet.CELL_PX
        count = max(1, CROP_PX**2 * 32 // size**2)
        parts = []
        for first in range(0, len(images), count):
            pixels = turned(np.moveaxis(images[first : first + count], -1, 1), variant)[..., :size, :size]
            parts.append(latents.encode(autoencoder, rgb.to_unit(pixels)))
        return np.concatenate(parts)

    folder = Path(job.output) / "checkpoints" / "latents"
    return {name: latents.cached(folder / name, images, make, report) for name, (images, _, _) in data.groups.items()}


def _train_autoencoder(job: TrainImage, minutes: float, report: Reporter) -> dict[str, float]:
    autoencoder = controlnet.new_autoencoder()
    objective = controlnet.Autoencoding(autoencoder)
    figures = fit(objective, _pairs(job), Budget(minutes), _state(job, "autoencoder"), job.seed, report)
    shutil.rmtree(Path(job.output) / "checkpoints" / "latents", ignore_errors=True)  # another autoencoder's
    stored = _stored(job, PackedTiles(Path(job.dataset)), autoencoder, report)
    mean, std = latents.statistics([variants[0] for variants in stored.values()], axis=1)
    autoencoder.register_to_config(latents_mean=mean, latents_std=std)
    autoencoder.half().save_pretrained(Path(job.output) / "autoencoder")
    return figures


def _train_decoder(job: TrainImage, minutes: float, report: Reporter) -> dict[str, float]:
    folder, draw = Path(job.output) / "autoencoder", _pairs(job)
    autoencoder = checkpoint.components(Path(job.output), torch.float32, autoencoder=AutoencoderKL)["autoencoder"]
    rng = np.random.default_rng(job.seed)

    def run() -> None:
        for _ in range(CALIBRATION_BATCHES):
            autoencoder(draw(rng)["image"])

    if not _state(job, "decoder").is_file():
        with torch.no_grad():
            latent_model.calibrate(autoencoder.decoder, run)
    latent_model.freeze_norms(autoencoder.decoder)
    autoencoder.requires_grad_(False).decoder.requires_grad_(True)
    figures = fit(controlnet.Decoding(autoencoder), draw, Budget(minutes), _state(job, "decoder"), job.seed, report)
    autoencoder.register_to_config(_name_or_path="")  # diffusers would write where it was loaded from
    autoencoder.half().save_pretrained(folder)
    return figures


def _train_denoiser(job: TrainImage, minutes: float, report: Reporter) -> dict[str, float]:
    data = PackedTiles(Path(job.dataset))
    autoencoder = checkpoint.components(Path(job.output), torch.float32, autoencoder=AutoencoderKL)["autoencoder"]
    stored = _stored(job, data, autoencoder, report)
    mean, std = (np.array(v)[:, None, None] for v in (autoencoder.config.latents_mean, autoencoder.config.latents_std))
    cell = controlnet.CELL_PX

    def draw(rng: np.random.Generator) -> Batch:
        name = data.choose(rng)
        _, labels, chosen = data.groups[name]
        height, width = stored[name][0].shape[-2:]
        size = min(controlnet.WINDOW, height // 4 * 4)  # the denoiser halves it twice
        cells, covers = [], []
        for _ in range(job.batch):
            tile, variant = rng.choice(chosen), int(rng.integers(8))
            row, col = int(rng.integers(height - size + 1)), int(rng.integers(width - size + 1))
            cells.append(stored[name][variant][tile, :, row : row + size, col : col + size])
            label = turned(labels[tile], variant)
            covers.append(label[row * cell : (row + size) * cell, col * cell : (col + size) * cell])
        scaled = (np.stack(cells).astype(np.float32) - mean) / std
        return {
            "latents": torch.from_numpy(scaled.astype(np.float32)),
            "one_hot": torch.from_numpy(classes.one_hot(np.stack(covers))),
        }

    denoiser = controlnet.new_denoiser()
    network = controlnet.new_controlnet(denoiser)
    objective = controlnet.Denoising(denoiser, network)
    figures = fit(objective, draw, Budget(minutes), _state(job, "denoiser"), job.seed, report)
    denoiser.half().save_pretrained(Path(job.output) / "denoiser")
    network.half().save_pretrained(Path(job.output) / "controlnet")
    return figures


def _train_painter(job: TrainImage, minutes: float, report: Reporter) -> dict[str, float]:
    painter, draw = spade.Painter(), _pairs(job)
    objective = spade.Painting(painter)
    figures = fit(objective, draw, Budget(minutes), _state(job, "painter"), job.seed, report)
    rng = np.random.default_rng(job.seed)
    objective.calibrate(
        {key: value.to(device.best()) for key, value in draw(rng).items()} for _ in range(CALIBRATION_BATCHES)
    )
    painter.half().save_pretrained(Path(job.output) / "painter")
    return figures


Stage = Callable[[TrainImage, float, Reporter], dict[str, float]]
STAGES: dict[str, dict[str, Stage]] = {
    "controlnet": {"autoencoder": _train_autoencoder, "decoder": _train_decoder, "denoiser": _train_denoiser},
    "spade": {"painter": _train_painter},
}


def run(job: TrainImage, report: Reporter) -> dict[str, str]:
    """Train the asked stages, each for its minutes, and write the model folder."""
    stages = STAGES[job.generator]
    if not job.stages or len(job.stages) != len(job.minutes) or not set(job.stages) <= set(stages):
        raise BackendError(f"STAGES of {job.generator} are some of {', '.join(stages)}, with as many MINUTES.")
    figures: dict[str, object] = {}
    for number, (stage, minutes) in enumerate(zip(job.stages, job.minutes)):
        part = report.part(number / len(job.stages), (number + 1) / len(job.stages))
        part.log(f"stage {stage}, {minutes:g} minutes")
        figures[stage] = stages[stage](job, minutes, part)
    if job.generator == "spade":
        spade.save(Path(job.output), **figures)
    else:
        geometry = controlnet.PIXEL_M, controlnet.WINDOW, controlnet.PHASES
        latent_model.save(
            Path(job.output),
            controlnet.KIND,
            *geometry,
            figures,
            guidance_scale=controlnet.GUIDANCE_SCALE,
            frozen_norms=True,
        )
    return {"output": job.output}
