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
"""Seven classes that RGB at 1 m can tell apart: each code that is joined, and the code that it is joined to.

What is left is DeepGlobe's legend (Demir et al. 2018: urban, agriculture, rangeland, forest, water, barren) and, with
its roads and buildings as built-up, OpenEarthMap's (Xia et al. 2023), but that rangeland stays parted into shrubland
and grassland. Without infrared or radar, mangroves look like any trees, and wet herbs like dry ones; GlobCover 2009
joins mosses and lichens to grassland (class 140), and DeepGlobe's barren land, on which nothing grows, takes snow.
"""
FALLBACK_CLASS = MERGED
"""What an image generator paints in the place of a class that it has never seen: what RGB cannot tell from it."""
LEGENDS: dict[str, dict[int, int]] = {"worldcover": {}, "merged": MERGED}
"""By name: which codes are joined to which. Class indices, codes and colours are the same in all."""

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


def codes_of(legend_name: str) -> list[int]:
    """The codes that a legend keeps."""
    return [code for code in LEGEND if code not in LEGENDS[legend_name]]


def names_of(legend_name: str) -> dict[int, str]:
    """The names by code, of a joined class those of all its parts."""
    joined = LEGENDS[legend_name]
    parts = {code: [code, *(other for other, to in joined.items() if to == code)] for code in codes_of(legend_name)}
    return {code: " + ".join(LEGEND[each][0] for each in found) for code, found in parts.items()}


def named(indices: Iterable[int], legend_name: str) -> list[str]:
    """What a legend calls the classes of these indices, which it keeps."""
    names = names_of(legend_name)
    return [names[int(CODES[index])] for index in indices]


def merged(indices: np.ndarray, legend_name: str) -> np.ndarray:
    """uint8 class indices with those of joined classes as the index that they are joined to; IGNORE stays."""
    table = np.arange(256, dtype=np.uint8)
    for code, to in LEGENDS[legend_name].items():
        table[_TO_INDEX[code]] = _TO_INDEX[to]
    return table[indices]


def one_hot(indices: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """(..., H, W) class indices to (..., COUNT, H, W); IGNORE is zero in every channel."""
    found = indices[..., None, :, :] == np.arange(COUNT, dtype=np.uint8)[:, None, None]
    return found.astype(dtype, copy=False)


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
    """The codes that a model has not seen in its training, with the code of the nearest look that it has seen."""
    return {code: look for code, look in FALLBACK_CLASS.items() if code not in seen and look in seen}


def encode_condition(indices: np.ndarray, seen: Collection[int]) -> np.ndarray:
    """(H, W) class indices to what an image generator sees: (COUNT, H, W) bool one-hot.

    `seen` are the codes in its training data: other classes are painted as their look. IGNORE is zero in every channel.
    """
    looks = np.arange(256, dtype=np.uint8)
    for code, look in unseen(seen).items():
        looks[_TO_INDEX[code]] = _TO_INDEX[look]
    return one_hot(looks[indices], bool)


def majority_downsample(indices: np.ndarray, factor: float) -> np.ndarray:
    """(H, W) class indices to (int(H / factor), int(W / factor)) by majority; IGNORE where nothing is known.

    `factor` is the side of a new pixel in old ones, which belong to the new pixel that holds their centre.
    """
    height, width = (int(size / factor + 1e-6) for size in indices.shape)
    rows, cols = (((np.arange(size) + 0.5) / factor).astype(np.int64) for size in indices.shape)
    where = (rows[:, None] < height) & (cols[None, :] < width) & (indices < COUNT)
    cells = (rows[:, None] * width + cols[None, :]) * COUNT + indices
    votes = np.bincount(cells[where], minlength=height * width * COUNT).reshape(height, width, COUNT)
    return np.where(votes.any(-1), votes.argmax(-1), IGNORE).astype(np.uint8)
