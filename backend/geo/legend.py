"""The WorldCover legend: codes, names and official colours, and how codes become class indices.

Source: ESA WorldCover Product User Manual v2.0, table 3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from backend.protocol import LEGEND

NODATA = 0

CODES = np.array(list(LEGEND), dtype=np.uint8)
NAMES = [name for name, _ in LEGEND.values()]
COUNT = len(LEGEND)
IGNORE = 255  # the class index of nodata and of codes outside the legend

MERGED = {70: 60, 90: 30, 95: 10, 100: 30}
"""The merged legend, of the seven classes that RGB at 1 m can distinguish: code to the code that it is merged into.

The seven are DeepGlobe's (Demir et al. 2018: urban, agriculture, rangeland, forest, water, barren) with rangeland split
into shrubland and grassland, and OpenEarthMap's (Xia et al. 2023) with roads and buildings as built-up. Without
infrared or radar, mangroves look like other trees and wetland herbs like grass. GlobCover 2009 merges moss and lichen
into grassland (class 140). Snow goes to bare land, because nothing grows on either.
"""
FALLBACK_CLASS = MERGED
"""The class that an image generator renders instead of one that its training data had not: RGB looks alike in both."""
LEGENDS: dict[str, dict[int, int]] = {"worldcover": {}, "merged": MERGED}
"""Legends by name: which code is merged into which. Class indices, codes and colours are the same in all."""

_TO_INDEX = np.full(256, IGNORE, dtype=np.uint8)
_TO_INDEX[CODES] = np.arange(COUNT, dtype=np.uint8)
_TO_CODE = np.full(256, NODATA, dtype=np.uint8)
_TO_CODE[:COUNT] = CODES


def rgb(code: int) -> tuple[int, int, int]:
    """The official colour of a code, 0 to 255 a band."""
    red, green, blue = bytes.fromhex(LEGEND[code][1])
    return red, green, blue


def index(code: int) -> int:
    """The class index of a code."""
    return int(_TO_INDEX[code])


def to_index(codes: np.ndarray) -> np.ndarray:
    """uint8 WorldCover codes to uint8 class indices 0..10; nodata and unknown codes become IGNORE."""
    return _TO_INDEX[codes]


def to_code(indices: np.ndarray) -> np.ndarray:
    """uint8 class indices to WorldCover codes; IGNORE becomes NODATA."""
    return _TO_CODE[indices]


def codes_of(legend_name: str) -> list[int]:
    """The codes of a legend's classes."""
    return [code for code in LEGEND if code not in LEGENDS[legend_name]]


def names_of(legend_name: str) -> dict[int, str]:
    """The names of a legend's classes by code; that of a merged class joins the names of its parts with " + "."""
    merged_into = LEGENDS[legend_name]
    parts = {code: [code, *(part for part, to in merged_into.items() if to == code)] for code in codes_of(legend_name)}
    return {code: " + ".join(LEGEND[part][0] for part in codes) for code, codes in parts.items()}


def named(indices: Iterable[int], legend_name: str) -> list[str]:
    """The names of class indices, all of which must be the legend's."""
    names = names_of(legend_name)
    return [names[int(CODES[index])] for index in indices]


def merged(indices: np.ndarray, legend_name: str) -> np.ndarray:
    """uint8 class indices with merged classes as the index that they are merged into; IGNORE stays."""
    table = np.arange(256, dtype=np.uint8)
    for code, to in LEGENDS[legend_name].items():
        table[_TO_INDEX[code]] = _TO_INDEX[to]
    return table[indices]


def burn(indices: np.ndarray, over: np.ndarray) -> np.ndarray:
    """uint8 class indices with those of a second array over them where neither is IGNORE; all (H, W)."""
    return np.where((over != IGNORE) & (indices != IGNORE), over, indices)


def one_hot(indices: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """(..., H, W) class indices to (..., COUNT, H, W); IGNORE is zero in every channel."""
    planes = indices[..., None, :, :] == np.arange(COUNT, dtype=np.uint8)[:, None, None]
    return planes.astype(dtype, copy=False)


def likeliest(logits: np.ndarray) -> np.ndarray:
    """(COUNT, height, width) logits to (height, width) uint8 class indices."""
    return logits.argmax(0).astype(np.uint8)


def picture(indices: np.ndarray) -> np.ndarray:
    """(..., H, W) class indices to (..., H, W, 3) uint8 RGB in the official colours; IGNORE is black."""
    colours = np.zeros((256, 3), dtype=np.uint8)
    colours[:COUNT] = [rgb(code) for code in LEGEND]
    return colours[indices]


def pictures(one_hot: np.ndarray) -> np.ndarray:
    """(n, COUNT, H, W) one-hot land cover, or logits of it, to (n, H, W, 3) uint8 RGB; all zero is black."""
    return picture(np.where(one_hot.any(1), one_hot.argmax(1), IGNORE))


def unseen(seen: Collection[int]) -> dict[int, int]:
    """The codes that a model's training data lacks, where it has their fallback: code to the fallback's code."""
    return {code: fallback for code, fallback in FALLBACK_CLASS.items() if code not in seen and fallback in seen}


def encode_condition(indices: np.ndarray, seen: Collection[int]) -> np.ndarray:
    """(H, W) class indices to an image generator's condition: (COUNT, H, W) bool one-hot, IGNORE zero in every channel.

    `seen` are the codes in its training data: others become their fallback class.
    """
    table = np.arange(256, dtype=np.uint8)
    for code, fallback in unseen(seen).items():
        table[_TO_INDEX[code]] = _TO_INDEX[fallback]
    return one_hot(table[indices], bool)


def majority_downsample(indices: np.ndarray, factor: float) -> np.ndarray:
    """(H, W) class indices to (int(H / factor), int(W / factor)) by majority vote; IGNORE where all pixels are.

    `factor` is the side of a new pixel in old ones; an old pixel belongs to the new one that contains its centre.
    """
    height, width = (int(size / factor + 1e-6) for size in indices.shape)
    rows, cols = (((np.arange(size) + 0.5) / factor).astype(np.int64) for size in indices.shape)
    counted = (rows[:, None] < height) & (cols[None, :] < width) & (indices < COUNT)
    cells = (rows[:, None] * width + cols[None, :]) * COUNT + indices
    votes = np.bincount(cells[counted], minlength=height * width * COUNT).reshape(height, width, COUNT)
    return np.where(votes.any(-1), votes.argmax(-1), IGNORE).astype(np.uint8)
