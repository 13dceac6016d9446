"""Detects a systematic offset between labels and images, as a wrong CRS or datum causes it.

The labels are shifted over sample windows of the images. At each shift it is measured how much of the images'
brightness, greenness and texture the labels' classes explain: the correlation ratio (Roche et al. 1998), which only
supposes that a class looks alike everywhere. The best shift is estimated on one half of the windows and tested on the
other, so that a chance peak is not taken for an offset.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rasterio.enums import Resampling
from rasterio.windows import Window

from backend.datasets.image_label_pairs import Pair
from backend.datasets.reader import TileSet
from backend.geo import class_raster, legend
from backend.protocol import Reporter

WORK_M = 2.0  # finer pixels are averaged to about this GSD
COARSENING = (1, 2, 4)  # times WORK_M: the coarsest finds offsets of up to 160 m where images are large enough
CORES_PX = (64, 48, 32, 24)  # the part of a window that is compared; the first that gives ENOUGH_WINDOWS
REACH_PX, MIN_REACH_PX = 20, 8  # how far labels are shifted
MAX_WINDOWS, ENOUGH_WINDOWS, MIN_WINDOWS = 160, 60, 24
MIN_CLASS_SHARE = 0.02  # of a window's pixels: windows without a second class of that share are skipped
FLIPS, SURE = 9999, 0.999  # random sign flips of the test, and the confidence from which on an offset counts
MIN_OFFSET_M, MIN_OFFSET_PX = 3.0, 1.0  # smaller offsets are within the accuracy of labels
MAX_DISAGREEMENT_M, MAX_DISAGREEMENT_PX = 6.0, 2.0  # between the offsets of the two halves


@dataclass(frozen=True)
class Offset:
    """How far the labels lie east and north of the matching image content, in metres.

    `confidence` is that of labels fitting better after the shift; `places` is the number of windows compared.
    """

    east: float
    north: float
    confidence: float
    significant: bool
    places: int

    def to_json(self) -> dict[str, Any]:
        """The offset as it stands in a data set's index."""
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


def warning(offset: dict[str, Any] | None) -> str:
    """The warning about an offset of `Offset.to_json`; empty without a significant one."""
    if not offset or not offset["significant"]:
        return ""
    parts = [
        f"{abs(metres):.0f} m {directions[metres < 0]}"
        for metres, directions in ((offset["east"], ("east", "west")), (offset["north"], ("north", "south")))
        if abs(metres) >= 0.5
    ]
    return (
        f"The labels seem to lie {' and '.join(parts)} of what the images show (confidence "
        f"{100 * offset['confidence']:.2f} %, {offset['places']} places). Check the CRS and the datum of both; a model "
        "trained on them learns the offset."
    )


def warn(sets: Iterable[TileSet], report: Reporter) -> None:
    """Log a warning for each data set whose labels have a significant offset."""
    for tiles in sets:
        if text := warning(tiles.offset):
            report.log(f"{tiles.folder}: {text}")


def estimate(pairs: Sequence[Pair]) -> Offset | None:
    """The offset between the labels and the images of pairs.

    None where nothing can be said: for labels alone, for images that are too few or too small, and for labels of a
    single class. Where the best shift is not significant, coarser pixels are tried, which reach further.
    """
    if any(pair.image is None for pair in pairs):
        return None
    first: Offset | None = None
    for coarsening in COARSENING:
        factor = coarsening * max(1, round(WORK_M / pairs[0].pixel_m))
        offset = offset_of_scores(_window_scores(pairs, factor), factor * pairs[0].pixel_m)
        if offset and offset.significant:
            return offset
        first = first or offset
        if first is None or math.hypot(first.east, first.north) < MIN_OFFSET_M:
            break
    return first


def _window_scores(pairs: Sequence[Pair], factor: int) -> np.ndarray:
    """(windows, shifts, shifts): the shift scores of windows with several classes, in the windows' order."""
    windows, reach = _windows(pairs, factor)
    order = np.random.default_rng(0).permutation(len(windows))
    scores: dict[int, np.ndarray] = {}
    for number in order[: 4 * MAX_WINDOWS].tolist():
        pair, window = windows[number]
        image, indices, mask = _read(pair, window, factor)
        shares = np.bincount(indices[indices != legend.IGNORE], minlength=legend.COUNT) / indices.size
        if (shares >= MIN_CLASS_SHARE).sum() > 1 and mask.mean() > 0.5 and image.any():
            scores[number] = shift_scores(image, indices, mask, reach)
        if len(scores) == MAX_WINDOWS:
            break
    return np.stack([scores[number] for number in sorted(scores)]) if scores else np.zeros((0, 1, 1))


def _windows(pairs: Sequence[Pair], factor: int) -> tuple[list[tuple[Pair, Window]], int]:
    """Windows in pixels of the pairs, their cores side by side, and the reach that the smallest image allows."""
    shortest = min(min(pair.label.height, pair.label.width) for pair in pairs) // factor
    reach = min(REACH_PX, (shortest - CORES_PX[-1]) // 2)
    windows: list[tuple[Pair, Window]] = []
    for core in CORES_PX:
        side, step = (core + 2 * reach) * factor, core * factor
        if reach >= MIN_REACH_PX and len(windows) < ENOUGH_WINDOWS:
            windows = [
                (pair, Window(col, row, side, side)) for pair in pairs for row, col in pair.tile_positions(side, step)
            ]
    return windows, reach


def _read(pair: Pair, window: Window, factor: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, class indices and the mask of valid image pixels, `factor` times coarser."""
    size = int(window.height) // factor
    image = pair.rgb(window, out_shape=(3, size, size), resampling=Resampling.average)
    middle = slice(factor // 2, None, factor)
    indices = class_raster.to_indices(pair.codes(window)[middle, middle])
    return image, indices, pair.image_mask(window)[middle, middle]


def shift_scores(image: np.ndarray, indices: np.ndarray, mask: np.ndarray, reach: int) -> np.ndarray:
    """The correlation ratio of image and labels at shifts of up to `reach` pixels: (2 * reach + 1,) * 2 from 0 to 1.

    `image` is (3, height, width) uint8, `indices` (height, width) class indices, `mask` bool where the image is valid.
    The middle is the score without a shift; a score further down and right is that of labels taken from down and right.
    """
    core = np.zeros(indices.shape)
    core[reach:-reach, reach:-reach] = mask[reach:-reach, reach:-reach]
    features = _features(image)
    layers = np.stack([core, *(core * features), *(core * features**2)])
    conjugate = np.conj(np.fft.rfft2(layers))
    shifts = np.arange(-reach, reach + 1)

    def sums(class_mask: np.ndarray, over: slice) -> np.ndarray:
        """The sums of some layers over the pixels of a mask at each shift, by the correlation theorem."""
        correlation = np.fft.irfft2(conjugate[over] * np.fft.rfft2(class_mask), indices.shape)
        return correlation[:, shifts[:, None], shifts[None, :]]

    known = sums((indices != legend.IGNORE).astype(float), slice(None))
    count, total, squares = np.maximum(known[0], 1), known[1:4], known[4:]
    between = -(total**2) / count
    for index in np.unique(indices[indices != legend.IGNORE]):
        inside = sums((indices == index).astype(float), slice(0, 4))
        between += np.where(inside[0] > 0.5, inside[1:] ** 2 / np.maximum(inside[0], 0.5), 0)
    return (between / np.maximum(squares - total**2 / count, 1e-6)).mean(0)


def _features(image: np.ndarray) -> np.ndarray:
    """(3, height, width) RGB to brightness, greenness and texture, each with mean 0 and standard deviation 1."""
    red, green, blue = image.astype(np.float64)
    brightness, excess_green = red + green + blue, 2 * green - red - blue
    along, across = np.gradient(brightness)
    features = np.stack([brightness, excess_green / (brightness + 30), np.log1p(np.hypot(along, across))])
    features -= features.mean((1, 2), keepdims=True)
    return features / (features.std((1, 2), keepdims=True) + 1e-9)


def offset_of_scores(scores: np.ndarray, pixel_m: float) -> Offset | None:
    """The offset with the highest mean score, of (windows, shifts, shifts); None with fewer than MIN_WINDOWS."""
    if len(scores) < MIN_WINDOWS:
        return None
    middle, mean = scores.shape[1] // 2, scores.mean(0)
    halves = scores[: len(scores) // 2], scores[len(scores) // 2 :]
    peaks = [_peak(half) for half in halves]
    p_values = []
    for (row, col), other_half in zip(peaks, halves[::-1]):
        p_values.append(_p_value(other_half[:, middle + row, middle + col] - other_half[:, middle, middle]))
    row, col = _peak(scores)
    inside = max(abs(row), abs(col)) < middle
    down, right = _subpixel_peak(mean, middle + row, middle + col) if inside else (middle + row, middle + col)
    east, north = (right - middle) * pixel_m, (middle - down) * pixel_m
    disagreement = pixel_m * math.dist(*peaks)
    significant = (
        inside
        and 1 - max(p_values) >= SURE
        and disagreement <= max(MAX_DISAGREEMENT_M, MAX_DISAGREEMENT_PX * pixel_m)
        and math.hypot(east, north) >= max(MIN_OFFSET_M, MIN_OFFSET_PX * pixel_m)
    )
    return Offset(float(east), float(north), 1 - max(p_values), bool(significant), len(scores))


def _peak(scores: np.ndarray) -> tuple[int, int]:
    """The shift with the highest mean score, in rows and columns from the middle."""
    mean = scores.mean(0)
    row, col = np.unravel_index(mean.argmax(), mean.shape)
    return int(row) - mean.shape[0] // 2, int(col) - mean.shape[1] // 2


def _p_value(gains: np.ndarray) -> float:
    """The probability of a mean gain at least as large if gains and losses were equally likely (sign flips)."""
    signs = np.random.default_rng(0).choice((-1.0, 1.0), (FLIPS, len(gains)))
    return float((1 + (signs @ gains >= gains.sum()).sum()) / (1 + FLIPS))


def _subpixel_peak(mean: np.ndarray, row: int, col: int) -> tuple[float, float]:
    """A peak's row and column to fractions of a pixel, by a parabola along each axis."""
    position = []
    for line, index in ((mean[:, col], row), (mean[row], col)):
        before, peak, after = line[index - 1 : index + 2]
        curvature = before - 2 * peak + after
        position.append(index + (0.5 * (before - after) / curvature if curvature < 0 else 0.0))
    return position[0], position[1]
