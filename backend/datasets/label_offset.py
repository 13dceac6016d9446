"""Whether labels lie beside their images: a systematic offset, as of a wrong CRS or a datum that slipped.

The labels are moved over the images, and at each place it is measured how much of the images' brightness, greenness and
texture their classes explain: the correlation ratio (Roche et al. 1998), which asks of classes only that each looks
like itself. Offsets are found in one half of the places and tested in the other, so that chance finds none.
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

WORK_M = 2.0  # finer pixels are averaged to about this
COARSER = (1, 2, 4)  # times, to find offsets of up to 160 m where images are large enough
CORES_PX = (64, 48, 32, 24)  # of an image that labels are moved over; the first that gives enough places
REACH_PX, LEAST_REACH_PX = 20, 8  # how far they are moved
MOST_PLACES, ENOUGH_PLACES, FEWEST_PLACES = 160, 60, 24
RIVAL = 0.02  # of the pixels: what a second class must have for a place to say anything
FLIPS, SURE = 9999, 0.999
LEAST_M, LEAST_PX = 3.0, 1.0  # smaller offsets are within what labels promise
AGREEING_M, AGREEING_PX = 6.0, 2.0  # how far the two halves' offsets may lie apart


@dataclass(frozen=True)
class Offset:
    """How far labels lie east and north of where the images show the same, in metres.

    `confidence` is that of labels fitting better there than where they lie; `places` were looked at.
    """

    east: float
    north: float
    confidence: float
    significant: bool
    places: int

    def said(self) -> dict[str, Any]:
        """The offset as JSON."""
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


def warning(found: dict[str, Any] | None) -> str:
    """What is said of an offset as JSON; empty where there is none to speak of."""
    if not found or not found["significant"]:
        return ""
    parts = [
        f"{abs(value):.0f} m {name[value < 0]}"
        for value, name in ((found["east"], ("east", "west")), (found["north"], ("north", "south")))
        if abs(value) >= 0.5
    ]
    return (
        f"The labels seem to lie {' and '.join(parts)} of what the images show (confidence "
        f"{100 * found['confidence']:.2f} %, {found['places']} places). Check the CRS and the datum of both; a model "
        "trained on them learns the offset."
    )


def warn(sets: Iterable[TileSet], report: Reporter) -> None:
    """Say of which data sets the labels lie aside."""
    for tiles in sets:
        if said := warning(tiles.offset):
            report.log(f"{tiles.folder}: {said}")


def _features(image: np.ndarray) -> np.ndarray:
    """(3, height, width) RGB to brightness, greenness and texture, each of mean 0 and deviation 1."""
    red, green, blue = image.astype(np.float64)
    bright, greener = red + green + blue, 2 * green - red - blue
    along, across = np.gradient(bright)
    found = np.stack([bright, greener / (bright + 30), np.log1p(np.hypot(along, across))])
    found -= found.mean((1, 2), keepdims=True)
    return found / (found.std((1, 2), keepdims=True) + 1e-9)


def surface(image: np.ndarray, indices: np.ndarray, seen: np.ndarray, reach: int) -> np.ndarray:
    """How well labels explain an image, moved by up to `reach` pixels: (2 * reach + 1,) * 2 float64 from 0 to 1.

    `image` is (3, height, width) uint8, `indices` (height, width) class indices, `seen` bool where the image is not
    masked. The value in the middle is of the labels as they lie; further down and right, of labels that lie there.
    """
    core = np.zeros(indices.shape)
    core[reach:-reach, reach:-reach] = seen[reach:-reach, reach:-reach]
    features = _features(image)
    layers = np.stack([core, *(core * features), *(core * features**2)])
    moved = np.conj(np.fft.rfft2(layers))
    shifts = np.arange(-reach, reach + 1)

    def sums(mask: np.ndarray, over: slice) -> np.ndarray:
        found = np.fft.irfft2(moved[over] * np.fft.rfft2(mask), indices.shape)
        return found[:, shifts[:, None], shifts[None, :]]

    known = sums((indices != legend.IGNORE).astype(float), slice(None))
    count, total, squares = np.maximum(known[0], 1), known[1:4], known[4:]
    between = -(total**2) / count
    for index in np.unique(indices[indices != legend.IGNORE]):
        inside = sums((indices == index).astype(float), slice(0, 4))
        between += np.where(inside[0] > 0.5, inside[1:] ** 2 / np.maximum(inside[0], 0.5), 0)
    return (between / np.maximum(squares - total**2 / count, 1e-6)).mean(0)


def _places(pairs: Sequence[Pair], factor: int) -> tuple[list[tuple[Pair, Window]], int]:
    """Windows whose cores lie side by side, in pixels of the pairs, and the reach that the smallest of them leaves."""
    least = min(min(pair.label.height, pair.label.width) for pair in pairs) // factor
    reach = min(REACH_PX, (least - CORES_PX[-1]) // 2)
    found: list[tuple[Pair, Window]] = []
    for core in CORES_PX:
        side, step = (core + 2 * reach) * factor, core * factor
        if reach >= LEAST_REACH_PX and len(found) < ENOUGH_PLACES:
            found = [(pair, Window(col, row, side, side)) for pair in pairs for row, col in pair.places(side, step)]
    return found, reach


def _read(pair: Pair, window: Window, factor: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, class indices and where the image is seen, `factor` times coarser."""
    size = int(window.height) // factor
    image = pair.rgb(window, out_shape=(3, size, size), resampling=Resampling.average)
    middle = slice(factor // 2, None, factor)
    indices = class_raster.to_indices(pair.codes(window)[middle, middle])
    return image, indices, pair.seen(window)[middle, middle]


def _surfaces(pairs: Sequence[Pair], factor: int) -> np.ndarray:
    """(places, shifts, shifts): the surfaces of the places that tell anything, in the order of the ground."""
    found, reach = _places(pairs, factor)
    order = np.random.default_rng(0).permutation(len(found))
    surfaces: dict[int, np.ndarray] = {}
    for number in order[: 4 * MOST_PLACES].tolist():
        pair, window = found[number]
        image, indices, seen = _read(pair, window, factor)
        shares = np.bincount(indices[indices != legend.IGNORE], minlength=legend.COUNT) / indices.size
        if (shares >= RIVAL).sum() > 1 and seen.mean() > 0.5 and image.any():
            surfaces[number] = surface(image, indices, seen, reach)
        if len(surfaces) == MOST_PLACES:
            break
    return np.stack([surfaces[number] for number in sorted(surfaces)]) if surfaces else np.zeros((0, 1, 1))


def _peak(surfaces: np.ndarray) -> tuple[int, int]:
    """The shift, in rows and columns from the middle, at which the mean surface is highest."""
    mean = surfaces.mean(0)
    row, col = np.unravel_index(mean.argmax(), mean.shape)
    return int(row) - mean.shape[0] // 2, int(col) - mean.shape[1] // 2


def _chance(gains: np.ndarray) -> float:
    """The probability that gains as large in the mean come of places whose gain is as often a loss (sign flips)."""
    signs = np.random.default_rng(0).choice((-1.0, 1.0), (FLIPS, len(gains)))
    return float((1 + (signs @ gains >= gains.sum()).sum()) / (1 + FLIPS))


def _finer(mean: np.ndarray, row: int, col: int) -> tuple[float, float]:
    """A peak to parts of a pixel, by a parabola along each axis."""
    found = []
    for line, at in ((mean[:, col], row), (mean[row], col)):
        before, here, after = line[at - 1 : at + 2]
        bend = before - 2 * here + after
        found.append(at + (0.5 * (before - after) / bend if bend < 0 else 0.0))
    return found[0], found[1]


def offset(pairs: Sequence[Pair]) -> Offset | None:
    """How far the labels of pairs lie beside their images; None where nothing can be said.

    That is so of labels alone, of images that are too few or too small, of labels of a single class. Where labels fit
    best aside, but not surely, it is looked further away, in coarser pixels.
    """
    if any(pair.image is None for pair in pairs):
        return None
    first: Offset | None = None
    for coarser in COARSER:
        factor = coarser * max(1, round(WORK_M / pairs[0].pixel_m))
        found = judged(_surfaces(pairs, factor), factor * pairs[0].pixel_m)
        if found and found.significant:
            return found
        first = first or found
        if first is None or math.hypot(first.east, first.north) < LEAST_M:
            break
    return first


def judged(surfaces: np.ndarray, pixel_m: float) -> Offset | None:
    """The offset that surfaces (places, shifts, shifts) speak of; None where they are too few."""
    if len(surfaces) < FEWEST_PLACES:
        return None
    middle, mean = surfaces.shape[1] // 2, surfaces.mean(0)
    halves = surfaces[: len(surfaces) // 2], surfaces[len(surfaces) // 2 :]
    peaks = [_peak(half) for half in halves]
    chances = []
    for (row, col), tested in zip(peaks, halves[::-1]):
        chances.append(_chance(tested[:, middle + row, middle + col] - tested[:, middle, middle]))
    row, col = _peak(surfaces)
    inside = max(abs(row), abs(col)) < middle
    down, right = _finer(mean, middle + row, middle + col) if inside else (middle + row, middle + col)
    east, north = (right - middle) * pixel_m, (middle - down) * pixel_m
    apart = pixel_m * math.dist(*peaks)
    significant = (
        inside
        and 1 - max(chances) >= SURE
        and apart <= max(AGREEING_M, AGREEING_PX * pixel_m)
        and math.hypot(east, north) >= max(LEAST_M, LEAST_PX * pixel_m)
    )
    return Offset(float(east), float(north), 1 - max(chances), bool(significant), len(surfaces))
