"""Compare a land cover generator's maps with real ones, style by style: `measure_landcover.py PACKED FOLDER [MODEL]`.

PACKED holds the packed land cover (`.weights/packed`). `figures.json` and, for each style, contact sheets of 64 samples
and 64 real windows are written to FOLDER. The samples of a setting are cut from one world. Where a style has fewer
than FEW_HELD_OUT held-out windows, its training windows are measured beside them.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from backend import protocol
from backend.datasets.packed import PackedLandCover
from backend.geo import legend
from backend.metrics import landscape, near_duplicates
from backend.metrics.near_duplicates import MapBlock
from backend.models.landcover import LandCoverGenerator
from backend.reports import contact_sheet
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import LazyRaster
from backend.tiling.regions import Everywhere
from backend.tiling.render import Output, render

WINDOW = 192  # the smallest side of a held-out block
FEW_HELD_OUT = 8
BUILT, CROP, WATER = map(legend.index, (50, 40, 80))
BORDER_CELLS = 2000  # whose straightness is measured in a set of maps
STRAIGHT_PX = 0.6  # the largest standard deviation of a straight border's cells from its line, within 6 cells
SHEET, SHEET_PX = 64, 128  # maps on a contact sheet, and the side of each in pixels
PLACE_STEP = 100 * WINDOW  # from one place of samples to the next, in pixels
BLOCK_STEP = 4 * WINDOW  # from one block of training land cover to the next
REQUESTED_SHARES = (
    {10: 60, 50: 20},
    {40: 70, 10: 20},
    {30: 50, 20: 30},
    {80: 50, 10: 40},
    {50: 60, 30: 20},
    {10: 90},
)


def real_windows(data: PackedLandCover, style: str, held_out: bool) -> np.ndarray:
    """(n, WINDOW, WINDOW) class indices of a style's windows, without those of one class or with much nodata."""
    windows = []
    for group in data.groups.values():
        for array, mask, styles in zip(group.classes, group.held_out, group.styles):
            if style in (styles or [""]):
                windows += [np.array(array[part]) for part in _parts(mask, held_out) if _is_varied(array[part])]
    return np.stack(windows) if windows else np.zeros((0, WINDOW, WINDOW), np.uint8)


def _parts(mask: np.ndarray, held_out: bool) -> Iterator[tuple[slice, slice]]:
    """Windows side by side, in which all pixels are held out, or none is; those of a block begin at its corner."""
    free = mask == held_out
    sums = np.pad(free.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = sums[WINDOW:, WINDOW:] - sums[:-WINDOW, WINDOW:] - sums[WINDOW:, :-WINDOW] + sums[:-WINDOW, :-WINDOW]
    possible = inside == WINDOW**2
    while possible.any():
        row, col = np.unravel_index(possible.argmax(), possible.shape)
        yield slice(row, row + WINDOW), slice(col, col + WINDOW)
        possible[max(row - WINDOW + 1, 0) : row + WINDOW, max(col - WINDOW + 1, 0) : col + WINDOW] = False


def thin_share(maps: np.ndarray, index: int) -> float:
    """The share of a class's cells that are thinner than 3 cells: roads, brooks and single houses."""
    cells = (maps == index).astype(np.uint8)
    opened = np.stack([cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) for mask in cells])
    return float(1 - opened.sum() / max(cells.sum(), 1))


def straight_share(maps: np.ndarray, index: int) -> float:
    """The share of a class's border cells whose border is straight for 6 cells around; NaN without a border."""
    rng, straight = np.random.default_rng(0), []
    for mask in (maps == index).astype(np.uint8):
        border = (mask > cv2.erode(mask, np.ones((3, 3), np.uint8))) > 0
        places = np.argwhere(border[6:-6, 6:-6])
        for row, col in places[rng.permutation(len(places))[: BORDER_CELLS // len(maps) + 1]]:
            points = np.argwhere(border[row : row + 13, col : col + 13]).astype(float)
            if len(points) >= 7:
                across = np.linalg.svd(points - points.mean(0), compute_uv=False)[1]
                straight.append(across / np.sqrt(len(points)) < STRAIGHT_PX)
    return float(np.mean(straight)) if straight else float("nan")


def _is_varied(window: np.ndarray) -> bool:
    counts = np.bincount(window.ravel(), minlength=256) / window.size
    return bool(counts[legend.IGNORE] < 0.05 and counts.max() < 0.98)


def samples(model: LandCoverGenerator, count: int, seed: int, steps: int, **options: Any) -> np.ndarray:
    """(count, WINDOW, WINDOW) class indices of one world, four windows at each of several places far apart.

    Windows close to each other have one composition. `options` are those of `lazy_raster`.
    """
    raster: LazyRaster = model.lazy_raster("EPSG:32618", seed, steps, **options)
    side, windows = 2 * WINDOW, []
    for place in range(-(-count // 4)):
        region = Box(place * PLACE_STEP, 0, side, side)
        out = np.zeros((side, side), dtype=np.uint8)

        def write(box: Box, pixels: np.ndarray, region: Box = region, out: np.ndarray = out) -> None:
            shared = box.intersection(region)
            out[shared.slices_in(region)] = pixels[shared.slices_in(box)]

        render([Output(raster, region, Everywhere(), 10.0, write)], "", protocol.silent())
        windows.append(out.reshape(2, WINDOW, 2, WINDOW).swapaxes(1, 2).reshape(4, WINDOW, WINDOW))
    return np.concatenate(windows)[:count]


def shares(maps: np.ndarray) -> np.ndarray:
    """(COUNT,) the share of each class among the labelled pixels of maps."""
    counts = np.bincount(maps.ravel(), minlength=256)[: legend.COUNT]
    return counts / counts.sum()


def landscapes(maps: np.ndarray) -> dict[str, float]:
    """The mean of each landscape metric over maps of 10 m pixels, and shapes of built-up ground, water and fields."""
    metrics = [landscape.metrics(indices, 10.0) for indices in maps]
    means = {name: float(np.nanmean([values[name] for values in metrics])) for name in landscape.METRICS}
    thin = {"thin_built": thin_share(maps, BUILT), "thin_water": thin_share(maps, WATER)}
    return {**means, **thin, "straight_crop": straight_share(maps, CROP)}


def training_ground(packed: Path) -> Iterator[MapBlock]:
    """The training land cover in overlapping blocks that together contain every window; held-out pixels are IGNORE."""
    for group in PackedLandCover((packed,)).groups.values():
        for array, mask in zip(group.classes, group.held_out):
            training = np.where(mask, legend.IGNORE, array).astype(np.uint8)
            for row in range(0, training.shape[0] - WINDOW + 1, BLOCK_STEP):
                for col in range(0, training.shape[1] - WINDOW + 1, BLOCK_STEP):
                    yield MapBlock(training[row : row + BLOCK_STEP + WINDOW - 1, col : col + BLOCK_STEP + WINDOW - 1])


def nearest(maps: np.ndarray, training: list[MapBlock]) -> np.ndarray:
    """(n,) the smallest share of cells in which a map differs from any window of the training land cover.

    Maps of nearly one class are left out; see `near_duplicates`.
    """
    varied = maps[near_duplicates.varied(maps)]
    return near_duplicates.nearest_distances(varied, training) if len(varied) else np.zeros(0)


def sheet(maps: np.ndarray) -> np.ndarray:
    """An image of 64 crops of maps, 8 by 8, at random places and full size, with white lines between them."""
    rng = np.random.default_rng(0)
    repeated = maps[np.arange(SHEET) % len(maps)]
    corners = rng.integers(0, WINDOW - SHEET_PX + 1, (SHEET, 2))
    crops = [indices[row : row + SHEET_PX, col : col + SHEET_PX] for indices, (row, col) in zip(repeated, corners)]
    framed = np.pad(legend.picture(np.stack(crops)), ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=255)
    side = SHEET_PX + 2
    return framed.reshape(8, 8, side, side, 3).swapaxes(1, 2).reshape(8 * side, 8 * side, 3)


def measure(maps: np.ndarray, real: np.ndarray) -> dict[str, Any]:
    """The figures of maps, and their ratios to those of real ones."""
    figures, of_real = landscapes(maps), landscapes(real)
    ratios = {key: round(value / of_real[key], 3) for key, value in figures.items() if of_real[key]}
    return {"windows": len(maps), "shares": _by_code(shares(maps)), **_rounded(figures), "ratios": ratios}


def share_errors(model: LandCoverGenerator, count: int, steps: int, style: str) -> dict[str, list[float]]:
    """For each of REQUESTED_SHARES, by how many percentage points each requested class is off."""
    errors = {}
    for number, requested in enumerate(REQUESTED_SHARES):
        maps = samples(model, count, 2 + number, steps, shares=requested, styles=(style,))
        measured = shares(maps)
        errors[str(requested)] = [
            round(100 * measured[legend.index(code)] - share, 1) for code, share in requested.items()
        ]
    return errors


def main() -> int:
    """Measure, write the figures and sheets, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packed", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", nargs="?", default="landcover")
    parser.add_argument("--count", type=int, default=100, help="samples of each style")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--nearest", action="store_true", help="search the training ground for near copies")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    model, data = LandCoverGenerator(args.model), PackedLandCover((args.packed,))
    figures: dict[str, Any] = {}
    training = list(training_ground(args.packed)) if args.nearest else []
    for style in data.styles or [""]:
        real, other = real_windows(data, style, held_out=True), real_windows(data, style, held_out=False)
        reference = real if len(real) >= FEW_HELD_OUT else np.concatenate([real, other])
        maps = samples(model, args.count, 1, args.steps, styles=(style,))
        entry = {"generated": measure(maps, reference), "real": measure(reference, reference), "held out": len(real)}
        if training:
            distances = {"generated": nearest(maps, training), "held out": nearest(real, training)}
            entry["nearest"] = {key: np.quantile(d, [0, 0.5]).tolist() for key, d in distances.items() if len(d)}
        entry["shares, points off"] = share_errors(model, max(args.count // 4, 4), args.steps, style)
        figures[style] = entry
        print(style, json.dumps(entry), flush=True)
        for name, windows in (("real", reference), ("samples", maps)):
            contact_sheet.write_png(args.folder / f"{style or 'all'}_{name}.png", sheet(windows))
    (args.folder / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in figures.items()}


def _by_code(class_shares: np.ndarray) -> dict[str, float]:
    return {str(code): round(float(share), 4) for code, share in zip(legend.CODES, class_shares) if share}


if __name__ == "__main__":
    sys.exit(main())
