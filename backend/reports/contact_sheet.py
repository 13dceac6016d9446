"""Contact sheets: small images side by side in one, such as the samples of a training."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from backend.protocol import partial_path

GAP_PX = 4
WHITE = 255


def sheet(columns: list[np.ndarray]) -> np.ndarray:
    """One (H, W, 3) sheet of n rows with white gaps, from the (n, h, w, 3) uint8 images of each column."""
    gaps = ((0, 0), (GAP_PX, 0), (GAP_PX, 0), (0, 0))
    padded = [np.pad(images, gaps, constant_values=WHITE) for images in columns]
    rows = np.concatenate(padded, axis=2)
    joined = rows.reshape(-1, *rows.shape[2:])
    return np.pad(joined, ((0, GAP_PX), (0, GAP_PX), (0, 0)), constant_values=WHITE)


def png(pixels: np.ndarray) -> bytes:
    """(H, W, 3) uint8 RGB as a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write (H, W, 3) uint8 RGB as a PNG; the file appears when complete. OSError where it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_path(path).write_bytes(png(pixels))
    partial_path(path).replace(path)
