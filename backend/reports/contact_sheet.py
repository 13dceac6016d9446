"""Sheets of small pictures, by which a person watches a training."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from backend.protocol import partial_path

GAP_PX = 4
PAPER = 255


def sheet(columns: list[np.ndarray]) -> np.ndarray:
    """(n, h, w, 3) uint8 pictures by column to one (H, W, 3) sheet of n rows, with white gaps."""
    around = ((0, 0), (GAP_PX, 0), (GAP_PX, 0), (0, 0))
    padded = [np.pad(pictures, around, constant_values=PAPER) for pictures in columns]
    rows = np.concatenate(padded, axis=2)
    whole = rows.reshape(-1, *rows.shape[2:])
    return np.pad(whole, ((0, GAP_PX), (0, GAP_PX), (0, 0)), constant_values=PAPER)


def png(pixels: np.ndarray) -> bytes:
    """(H, W, 3) uint8 RGB as a PNG."""
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    return encoded.getvalue()


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write (H, W, 3) uint8 RGB as a PNG, whole or not at all; OSError where it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_path(path).write_bytes(png(pixels))
    partial_path(path).replace(path)
