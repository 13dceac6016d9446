"""Train the land cover generator: autoencoder, then denoiser on the latents that it gives."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from backend import checkpoint, classes, device, latent_model, latents
from backend.generators import latent_diffusion as model
from backend.protocol import BackendError, Reporter, TrainLandCover
from backend.tiles import PackedLandCover, turned
from backend.training import Batch, Budget, fit

STAGES = ("autoencoder", "denoiser")
CROP_PX = model.WINDOW * model.CELL_PX


def _train_autoencoder(job: TrainLandCover, minutes: float, report: Reporter) -> dict[str, float]:
    data = PackedLandCover(Path(job.dataset))
    autoencoder = model.new_autoencoder()

    def draw(rng: np.random.Generator) -> Batch:
        crops = np.stack([data.crop(data.place(rng, CROP_PX), CROP_PX) for _ in range(job.batch)])
        return {"classes": torch.from_numpy(crops), "one_hot": torch.from_numpy(classes.one_hot(crops))}

    state = Path(job.output) / "checkpoints" / "autoencoder.safetensors"
    figures = fit(model.Autoencoding(autoencoder), draw, Budget(minutes), state, job.seed, report)
    shutil.rmtree(Path(job.output) / "checkpoints" / "latents", ignore_errors=True)  # another autoencoder's
    mean, std = latents.statistics([a[0] for a in _latents(job, data, autoencoder, report).values()], axis=0)
    autoencoder.register_to_config(latents_mean=mean, latents_std=std)
    autoencoder.half().save_pretrained(Path(job.output) / "autoencoder")
    return figures


def _latents(
    job: TrainLandCover, data: PackedLandCover, autoencoder: AutoencoderKL, report: Reporter
) -> dict[str, list[np.ndarray]]:
    """By raster: the latents (channels, height, width) of each variant."""
    autoencoder.to(device.best()).eval()

    def make(raster: np.ndarray, variant: int) -> np.ndarray:
        return latents.encode_large(autoencoder, classes.one_hot, turned(raster, variant), model.CELL_PX)

    folder = Path(job.output) / "checkpoints" / "latents"
    return {name: latents.cached(folder / name, raster, make, report) for name, (raster, _) in data.rasters.items()}


def _train_denoiser(job: TrainLandCover, minutes: float, report: Reporter) -> dict[str, float]:
    data = PackedLandCover(Path(job.dataset))
    autoencoder = checkpoint.components(Path(job.output), torch.float32, autoencoder=AutoencoderKL)["autoencoder"]
    stored = _latents(job, data, autoencoder, report)
    mean, std = (np.array(v)[:, None, None] for v in (autoencoder.config.latents_mean, autoencoder.config.latents_std))

    def draw(rng: np.random.Generator) -> Batch:
        cells, shares = [], np.zeros((job.batch, classes.COUNT), dtype=np.float32)
        for number in range(job.batch):
            place = data.place(rng, CROP_PX, model.CELL_PX)
            name, variant, row, col = place
            top, left = row // model.CELL_PX, col // model.CELL_PX
            cells.append(stored[name][variant][:, top : top + model.WINDOW, left : left + model.WINDOW])
            if rng.random() > 1 / 3:
                count = np.bincount(data.crop(place, CROP_PX).ravel(), minlength=classes.COUNT)[: classes.COUNT]
                shares[number] = count / max(count.sum(), 1)
        scaled = (np.stack(cells).astype(np.float32) - mean) / std
        return {"latents": torch.from_numpy(scaled.astype(np.float32)), "shares": torch.from_numpy(shares)}

    denoiser = model.new_denoiser()
    state = Path(job.output) / "checkpoints" / "denoiser.safetensors"
    figures = fit(model.Denoising(denoiser), draw, Budget(minutes), state, job.seed, report)
    denoiser.half().save_pretrained(Path(job.output) / "denoiser")
    return figures


def run(job: TrainLandCover, report: Reporter) -> dict[str, str]:
    """Train the asked stages, each for its minutes, and write the model folder."""
    if len(job.stages) != len(job.minutes) or not set(job.stages) <= set(STAGES):
        raise BackendError(f"STAGES are some of {', '.join(STAGES)}, with as many MINUTES.")
    trainers = {"autoencoder": _train_autoencoder, "denoiser": _train_denoiser}
    figures: dict[str, object] = {}
    for number, (stage, minutes) in enumerate(zip(job.stages, job.minutes)):
        part = report.part(number / len(job.stages), (number + 1) / len(job.stages))
        part.log(f"stage {stage}, {minutes:g} minutes")
        figures[stage] = trainers[stage](job, minutes, part)
    latent_model.save(Path(job.output), model.KIND, model.PIXEL_M, model.WINDOW, model.PHASES, figures)
    return {"output": job.output}
