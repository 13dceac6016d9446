"""Latents of all training land cover, encoded once by a trained autoencoder and kept as plain arrays.

Every tile is stored in its 8 turns and mirrorings, because an autoencoder does not turn with its input.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from backend import device, latent_model
from backend.latent_model import Autoencoder
from backend.protocol import BackendError, Reporter, partial_path
from backend.training.loop import Draw, Objective, Outcome, Plan, fit, processes
from backend.training.stages import HEAD_START, Training

Stored = dict[str, list[np.ndarray]]
"""By group of tiles: the latents (tiles, channels, height, width) float16 of each variant, mapped."""
Scale = Callable[[np.ndarray], torch.Tensor]
"""Latents (n, channels, h, w) to mean 0 and deviation 1 a channel, float32."""
Encode = Callable[[Autoencoder, Any, str, int], np.ndarray]
"""The latents of a group of tiles, by autoencoder, packed data, the group's name and the variant."""

AUTOENCODER, DECODER, DENOISER = "autoencoder", "decoder", "denoiser"
"""The stages of a latent model's training."""
CALIBRATION_BATCHES = 30
VARIANTS = 8
CHUNK_PX = 1024
MARGIN_PX = 64


def encode(autoencoder: Autoencoder, pixels: np.ndarray) -> np.ndarray:
    """(n, c, h, w) float32 pixels, h and w multiples of f, to unscaled latents (n, channels, h / f, w / f) float16."""
    where = device.best()
    with torch.inference_mode(), device.autocast(where):
        latents = autoencoder.encode(torch.from_numpy(pixels).to(where)).latent_dist.mean
    return latents.float().cpu().numpy().astype(np.float16)


def encode_large(
    autoencoder: Autoencoder, prepare: Callable[[np.ndarray], np.ndarray], source: np.ndarray, cell_px: int
) -> np.ndarray:
    """Latents of one large (H, W) array, chunk by chunk with a margin, so that memory stays small.

    `prepare` turns a chunk (h, w) into (c, h, w) float32. Returns (channels, H // cell_px, W // cell_px) float16.
    """
    rows, cols = (size // cell_px for size in source.shape)
    chunk, margin = CHUNK_PX // cell_px, MARGIN_PX // cell_px
    bands = []
    for row in range(0, rows, chunk):
        parts = []
        for col in range(0, cols, chunk):
            top, left = max(row - margin, 0), max(col - margin, 0)
            bottom, right = min(row + chunk + margin, rows), min(col + chunk + margin, cols)
            pixels = source[top * cell_px : bottom * cell_px, left * cell_px : right * cell_px]
            latents = encode(autoencoder, prepare(pixels)[None])[0]
            parts.append(latents[:, row - top :, col - left :][:, : min(chunk, rows - row), : min(chunk, cols - col)])
        bands.append(np.concatenate(parts, axis=2))
    return np.concatenate(bands, axis=1)


def stored(training: Training, autoencoder: Autoencoder, encode: Encode, report: Reporter) -> Stored:
    """The latents of all of a training's tiles, made where this autoencoder has not made them yet.

    Those of another autoencoder are removed. Raises BackendError where the disk is full.
    """
    autoencoder.to(device.best()).eval()
    folder = training.checkpoints / "latents" / _key(autoencoder)
    groups = {name: data for data in (training.held_out, training.data) if data for name in data.groups}
    with processes().main_process_first():
        try:
            _remove_others(folder)
            files = [
                (name, folder / f"{name}_{variant}.npy", variant) for name in groups for variant in range(VARIANTS)
            ]
            for number, (name, file, variant) in enumerate(files):
                if not file.is_file():
                    report.progress(0.0, f"encoding {number + 1} of {len(files)}: {name}, turn {variant + 1}")
                    np.save(partial_path(file), encode(autoencoder, groups[name], name, variant))
                    partial_path(file).replace(file)
        except OSError as error:
            raise BackendError(f"Cannot write to {folder}: {error}. Check the space on its disk.") from error
    return {
        name: [np.load(folder / f"{name}_{variant}.npy", mmap_mode="r") for variant in range(VARIANTS)]
        for name in groups
    }


def _key(autoencoder: Autoencoder) -> str:
    """What tells an autoencoder's latents from another's: a hash of what encodes."""
    digest = hashlib.sha256()
    for name, weight in autoencoder.state_dict().items():
        if name.startswith(("encoder.", "quant_conv.")):
            digest.update(weight.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _remove_others(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def has_frozen_norms(training: Training) -> bool:
    """Whether the autoencoder in a training's output decodes with frozen norms: its weights do not say so."""
    return bool(training.base and training.base[1].get("frozen_norms")) or training.record(DECODER).is_file()


def written(training: Training) -> Autoencoder:
    """The autoencoder as it lies in the output, in fp32."""
    autoencoder = training.trained("autoencoder")
    if has_frozen_norms(training):
        latent_model.freeze_norms(autoencoder.decoder)
    return autoencoder


def begun(training: Training, new: Callable[[], Autoencoder]) -> Autoencoder:
    """The autoencoder that the first stage trains: that of the model to start from, else a new one."""
    return written(training) if training.base else new()


def finish(training: Training, autoencoder: Autoencoder, encode: Encode, report: Reporter) -> None:
    """Write a trained autoencoder, with the statistics of its latents.

    One that went on from a model keeps the model's: the denoiser knows the latents by them.
    """
    training.save(AUTOENCODER, autoencoder=autoencoder)
    if training.base:
        return
    again = training.trained("autoencoder")
    found = stored(training, again, encode, report.part(1.0, 1.0))
    mean, std = statistics([variants[0] for variants in found.values()], axis=1)
    again.register_to_config(latents_mean=mean, latents_std=std)
    training.save(AUTOENCODER, autoencoder=again)


def train_decoder(
    training: Training,
    objective: Callable[[Autoencoder], Objective],
    draw: Callable[[Any], Draw],
    key: str,
    plan: Plan,
    report: Reporter,
) -> Outcome:
    """Train the decoder alone with its norms frozen, at first as they are met in training data.

    Pixels then depend on what lies around them, not on their window. `draw` gives the batches of packed data, `key`
    names what the autoencoder takes of them.
    """
    autoencoder, drawn = written(training), draw(training.data)
    if not has_frozen_norms(training):
        if not plan.state.is_file():
            _calibrate(autoencoder, drawn, key, plan)
        latent_model.freeze_norms(autoencoder.decoder)
    autoencoder.requires_grad_(False).decoder.requires_grad_(True)
    held_out = draw(training.held_out) if training.held_out else None
    outcome = fit(objective(autoencoder), drawn, replace(plan, head_start=HEAD_START), report, held_out)
    training.save(DECODER, autoencoder=autoencoder)
    return outcome


def _calibrate(autoencoder: Autoencoder, draw: Draw, key: str, plan: Plan) -> None:
    rng, where = np.random.default_rng(plan.seed), device.best()
    autoencoder.to(where)

    def run() -> None:
        for _ in range(CALIBRATION_BATCHES):
            autoencoder(draw(rng, plan.batch)[key].to(where))

    with torch.no_grad():
        latent_model.calibrate(autoencoder.decoder, run)


def frozen(training: Training) -> tuple[Autoencoder, Scale]:
    """The autoencoder in the output, not to be trained, and how its latents are scaled."""
    autoencoder = written(training).requires_grad_(False)
    config = autoencoder.config
    mean, std = (np.array(v, np.float32)[:, None, None] for v in (config.latents_mean, config.latents_std))

    def scale(latents: np.ndarray) -> torch.Tensor:
        return torch.from_numpy((latents.astype(np.float32) - mean) / std)

    return autoencoder, scale


def statistics(latents: list[np.ndarray], axis: int) -> tuple[list[float], list[float]]:
    """Mean and deviation of each latent channel over the arrays, whose channel axis is `axis`."""
    flat = np.concatenate(
        [np.moveaxis(a, axis, 0).reshape(a.shape[axis], -1)[:, ::7].astype(np.float32) for a in latents], 1
    )
    return flat.mean(1).tolist(), flat.std(1).tolist()
