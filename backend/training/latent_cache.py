"""Latents of all training land cover, encoded once by the trained autoencoder and cached as plain arrays.

Each tile is stored in its 8 rotations and reflections, because an autoencoder is not equivariant to them.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from backend.datasets.augment import dihedral
from backend.geo import legend
from backend.models import device, latent_generator
from backend.protocol import BackendError, Reporter, partial_path
from backend.training.loop import process_state
from backend.training.stages import AUTOENCODER, Training

Latents = dict[str, list[np.ndarray]]
"""For each group of tiles and each variant: latents (tiles, channels, height, width) float16, memory-mapped."""

VARIANTS = 8
CHUNK_PX = 1024
MARGIN_PX = 64


def _encode(autoencoder: AutoencoderKL, indices: np.ndarray) -> np.ndarray:
    """(channels, H // cell_px, W // cell_px) float16 latents, not normalised, of class indices (H, W).

    They are encoded in chunks with a margin, to limit memory.
    """
    target, cell = device.best(), latent_generator.cell_px(autoencoder)
    rows, cols = (size // cell for size in indices.shape)
    chunk, margin = CHUNK_PX // cell, MARGIN_PX // cell
    bands = []
    for row in range(0, rows, chunk):
        parts = []
        for col in range(0, cols, chunk):
            top, left = max(row - margin, 0), max(col - margin, 0)
            bottom, right = min(row + chunk + margin, rows), min(col + chunk + margin, cols)
            one_hot = torch.from_numpy(legend.one_hot(indices[top * cell : bottom * cell, left * cell : right * cell]))
            with torch.inference_mode(), device.autocast(target):
                encoded = autoencoder.encode(one_hot[None].to(target)).latent_dist.mean[0]
            array = encoded.float().cpu().numpy().astype(np.float16)
            parts.append(array[:, row - top :, col - left :][:, : min(chunk, rows - row), : min(chunk, cols - col)])
        bands.append(np.concatenate(parts, axis=2))
    return np.concatenate(bands, axis=1)


def latents(training: Training, autoencoder: AutoencoderKL, report: Reporter) -> Latents:
    """The latents of all tiles of a training; what this autoencoder has not encoded yet is encoded.

    The cached latents of other autoencoders are deleted. Raises BackendError where the disk is full.
    """
    autoencoder.to(device.best()).eval()
    folder = training.checkpoints / "latents" / _key(autoencoder)
    groups = {
        name: arrays.classes
        for data in (training.validation_data, training.data)
        if data
        for name, arrays in data.groups.items()
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
                    encoded = np.stack([_encode(autoencoder, dihedral(tile, variant)) for tile in groups[name]])
                    np.save(partial_path(file), encoded)
                    partial_path(file).replace(file)
        except OSError as error:
            raise BackendError(f"Cannot write to {folder}: {error}. Check the space on its disk.") from error
    return {
        name: [np.load(folder / f"{name}_{variant}.npy", mmap_mode="r") for variant in range(VARIANTS)]
        for name in groups
    }


def _key(autoencoder: AutoencoderKL) -> str:
    """A hash of the encoder's weights, which identifies the latents of an autoencoder."""
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
    """Write the mean and standard deviation of the latents' channels into the configuration of the autoencoder."""
    autoencoder = training.load_component(AUTOENCODER)
    groups = [variants[0] for variants in latents(training, autoencoder, report).values()]
    samples = [np.moveaxis(group, 1, 0).reshape(group.shape[1], -1)[:, ::7].astype(np.float32) for group in groups]
    flat = np.concatenate(samples, axis=1)
    autoencoder.register_to_config(latents_mean=flat.mean(1).tolist(), latents_std=flat.std(1).tolist())
    training.save(AUTOENCODER, autoencoder=autoencoder)
