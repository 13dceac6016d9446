"""Latents of all training data, encoded once by a trained autoencoder and kept as plain arrays.

Every tile is stored in its 8 turns and mirrorings, because an autoencoder does not turn with its input.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from backend import device
from backend.protocol import Reporter, partial_path

VARIANTS = 8
CHUNK_PX = 1024
MARGIN_PX = 64


def encode(autoencoder: AutoencoderKL, pixels: np.ndarray) -> np.ndarray:
    """(n, c, h, w) float32 pixels, h and w multiples of f, to unscaled latents (n, channels, h / f, w / f) float16."""
    where = device.best()
    with torch.inference_mode(), device.autocast(where):
        latents = autoencoder.encode(torch.from_numpy(pixels).to(where)).latent_dist.mean
    return latents.float().cpu().numpy().astype(np.float16)


def encode_large(
    autoencoder: AutoencoderKL, prepare: Callable[[np.ndarray], np.ndarray], source: np.ndarray, cell_px: int
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


def cached(path: Path, source: np.ndarray, make: Callable[[np.ndarray, int], np.ndarray], report: Reporter) -> list:
    """The latents of each variant of a source, from `path_V.npy` or made and written there; memory-mapped.

    `make(source, variant)` gives the latents of the source in that turn.
    """
    found = []
    for variant in range(VARIANTS):
        file = path.with_name(f"{path.name}_{variant}.npy")
        if not file.is_file():
            report.log(f"encoding {path.name}, variant {variant + 1} of {VARIANTS}")
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = partial_path(file)
            np.save(partial, make(source, variant))
            partial.replace(file)
        found.append(np.load(file, mmap_mode="r"))
    return found


def statistics(latents: list[np.ndarray], axis: int) -> tuple[list[float], list[float]]:
    """Mean and deviation of each latent channel over the arrays, whose channel axis is `axis`."""
    flat = np.concatenate(
        [np.moveaxis(a, axis, 0).reshape(a.shape[axis], -1)[:, ::7].astype(np.float32) for a in latents], 1
    )
    return flat.mean(1).tolist(), flat.std(1).tolist()
