"""The WorldCover legend: codes, names and official colours, and how codes become class indices.

Source: ESA WorldCover Product User Manual v2.0, table 3.
"""

from __future__ import annotations

import numpy as np

NODATA = 0

LEGEND: dict[int, tuple[str, str]] = {
    10: ("Tree cover", "006400"),
    20: ("Shrubland", "FFBB22"),
    30: ("Grassland", "FFFF4C"),
    40: ("Cropland", "F096FF"),
    50: ("Built-up", "FA0000"),
    60: ("Bare / sparse vegetation", "B4B4B4"),
    70: ("Snow and ice", "F0F0F0"),
    80: ("Permanent water bodies", "0064C8"),
    90: ("Herbaceous wetland", "0096A0"),
    95: ("Mangroves", "00CF75"),
    100: ("Moss and lichen", "FAE6A0"),
}
CODES = np.array(list(LEGEND), dtype=np.uint8)
NAMES = [name for name, _ in LEGEND.values()]
COUNT = len(LEGEND)
IGNORE = 255  # the class index of nodata and of codes outside the legend

_TO_INDEX = np.full(256, IGNORE, dtype=np.uint8)
_TO_INDEX[CODES] = np.arange(COUNT, dtype=np.uint8)
_TO_CODE = np.full(256, NODATA, dtype=np.uint8)
_TO_CODE[:COUNT] = CODES


def rgb(code: int) -> tuple[int, int, int]:
    """The official colour of a code, 0 to 255 a band."""
    red, green, blue = bytes.fromhex(LEGEND[code][1])
    return red, green, blue


def to_index(codes: np.ndarray) -> np.ndarray:
    """uint8 WorldCover codes to uint8 class indices 0..10; nodata and unknown codes become IGNORE."""
    return _TO_INDEX[codes]


def to_code(indices: np.ndarray) -> np.ndarray:
    """uint8 class indices to WorldCover codes; IGNORE becomes NODATA."""
    return _TO_CODE[indices]


def one_hot(indices: np.ndarray) -> np.ndarray:
    """(..., H, W) class indices to (..., COUNT, H, W) float32; IGNORE is zero in every channel."""
    return (indices[..., None, :, :] == np.arange(COUNT, dtype=np.uint8)[:, None, None]).astype(np.float32)


def likeliest(logits: np.ndarray) -> np.ndarray:
    """(COUNT, height, width) logits to (height, width) uint8 class indices."""
    return logits.argmax(0).astype(np.uint8)
