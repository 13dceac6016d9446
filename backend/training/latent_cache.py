"""Latents of all training land cover, encoded once by a trained autoencoder and kept as plain arrays.

Every tile is stored in its 8 turns and mirrorings, because an autoencoder does not turn with its input.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from backend.datasets.packed import dihedral
from backend.geo import legend
from backend.models import device, latent_generator
from backend.protocol import BackendError, Reporter, partial_path
from backend.training.loop import process_state
from backend.training.stages import AUTOENCODER, Training

Stored = dict[str, list[np.ndarray]]
"""By group of tiles: the latents (tiles, channels, height, width) float16 of each variant, mapped."""

VARIANTS = 8
CHUNK_PX = 1024
MARGIN_PX = 64


def _encoded(autoencoder: AutoencoderKL, indices: np.ndarray) -> np.ndarray:
    """(channels, H / f, W / f) float16 unscaled latents of class indices (H, W), whose rest beyond f is left out.

    Chunk by chunk with a margin, so that memory stays small.
    """
    where, cell = device.best(), latent_generator.cell_px(autoencoder)
    rows, cols = (size // cell for size in indices.shape)
    chunk, margin = CHUNK_PX // cell, MARGIN_PX // cell
    bands = []
    for row in range(0, rows, chunk):
        parts = []
        for col in range(0, cols, chunk):
            top, left = max(row - margin, 0), max(col - margin, 0)
            bottom, right = min(row + chunk + margin, rows), min(col + chunk + margin, cols)
            shown = legend.one_hot(indices[top * cell : bottom * cell, left * cell : right * cell])
            with torch.inference_mode(), device.autocast(where):
                latents = autoencoder.encode(torch.from_numpy(shown)[None].to(where)).latent_dist.mean[0]
            found = latents.float().cpu().numpy().astype(np.float16)
            parts.append(found[:, row - top :, col - left :][:, : min(chunk, rows - row), : min(chunk, cols - col)])
        bands.append(np.concatenate(parts, axis=2))
    return np.concatenate(bands, axis=1)


def stored(training: Training, autoencoder: AutoencoderKL, report: Reporter) -> Stored:
    """The latents of all of a training's tiles, made where this autoencoder has not made them yet.

    Those of another autoencoder are removed. Raises BackendError where the disk is full.
    """
    autoencoder.to(device.best()).eval()
    folder = training.checkpoints / "latents" / _key(autoencoder)
    groups = {
        name: tiles
        for data in (training.validation_data, training.data)
        if data
        for name, (tiles, _) in data.groups.items()
    }
    with process_state().main_process_first():
        try:
            _remove_others(folder)
            files = [
                (name, folder / f"{name}_{variant}.npy", variant) for name in groups for variant in range(VARIANTS)
            ]
            for number, (name, file, variant) in enumerate(files):
                if not file.is_file():
                    report.progress(0.0, f"encoding {number + 1} of {len(files)}: {name}, turn {variant + 1}")
                    found = np.stack([_encoded(autoencoder, dihedral(tile, variant)) for tile in groups[name]])
                    np.save(partial_path(file), found)
                    partial_path(file).replace(file)
        except OSError as error:
            raise BackendError(f"Cannot write to {folder}: {error}. Check the space on its disk.") from error
    return {
        name: [np.load(folder / f"{name}_{variant}.npy", mmap_mode="r") for variant in range(VARIANTS)]
        for name in groups
    }


def _key(autoencoder: AutoencoderKL) -> str:
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


def measure(training: Training, report: Reporter) -> None:
    """Write the statistics of the latents beside the autoencoder that lies in the output."""
    autoencoder = training.load_component(AUTOENCODER)
    found = [variants[0] for variants in stored(training, autoencoder, report).values()]
    every = [np.moveaxis(each, 1, 0).reshape(each.shape[1], -1)[:, ::7].astype(np.float32) for each in found]
    flat = np.concatenate(every, axis=1)
    autoencoder.register_to_config(latents_mean=flat.mean(1).tolist(), latents_std=flat.std(1).tolist())
    training.save(AUTOENCODER, autoencoder=autoencoder)
