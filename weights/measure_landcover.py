"""Compare a land cover generator's maps with held-out real ones: `measure_landcover.py PACKED FOLDER [MODEL]`.

PACKED holds the packed tiles (`.weights/packed`). `figures.json` and contact sheets of 64 samples and 64 held-out
windows are written to FOLDER. The samples of a setting are cut from one rendering.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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

WINDOW = 512
SHEET, SHEET_PX = 64, 128  # maps on a contact sheet, and the side of each in pixels
BLOCK_STEP = 4 * WINDOW  # from one block of training land cover to the next
REQUESTED_SHARES = (
    {10: 60, 50: 20},
    {40: 70, 10: 20},
    {30: 50, 20: 30},
    {80: 50, 10: 40},
    {50: 60, 30: 20},
    {10: 90},
)


def held_out(packed: Path) -> np.ndarray:
    """(n, WINDOW, WINDOW) class indices of held-out windows, without those of one class or with much nodata."""
    windows = [window for window, mask in _windows(packed) if mask.all()]
    return np.stack([window for window in windows if _is_varied(window)])


def _windows(packed: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Class indices and the mask of held-out pixels of each window."""
    for group in PackedLandCover((packed,)).groups.values():
        for array, mask in zip(group.classes, group.held_out):
            for row in range(0, array.shape[0] - WINDOW + 1, WINDOW):
                for col in range(0, array.shape[1] - WINDOW + 1, WINDOW):
                    window = (slice(row, row + WINDOW), slice(col, col + WINDOW))
                    yield np.array(array[window]), mask[window]


def _is_varied(window: np.ndarray) -> bool:
    counts = np.bincount(window.ravel(), minlength=256) / window.size
    return bool(counts[legend.IGNORE] < 0.05 and counts.max() < 0.98)


def samples(model: LandCoverGenerator, count: int, seed: int, steps: int, **options: Any) -> np.ndarray:
    """(count, WINDOW, WINDOW) class indices of adjacent windows of one world; `options` are those of `lazy_raster`."""
    raster: LazyRaster = model.lazy_raster("EPSG:32618", seed, steps, **options)
    rows = int(np.ceil(count**0.5))
    region = Box(0, 0, rows * WINDOW, -(-count // rows) * WINDOW)
    out = np.zeros((region.height, region.width), dtype=np.uint8)

    def write(box: Box, pixels: np.ndarray) -> None:
        shared = box.intersection(region)
        out[shared.slices_in(region)] = pixels[shared.slices_in(box)]

    render([Output(raster, region, Everywhere(), 10.0, write)], "", protocol.silent())
    windows = out.reshape(rows, WINDOW, -1, WINDOW).swapaxes(1, 2).reshape(-1, WINDOW, WINDOW)
    return windows[:count]


def shares(maps: np.ndarray) -> np.ndarray:
    """(COUNT,) the share of each class among the labelled pixels of maps."""
    counts = np.bincount(maps.ravel(), minlength=256)[: legend.COUNT]
    return counts / counts.sum()


def landscapes(maps: np.ndarray) -> dict[str, float]:
    """The mean of each landscape metric over maps of 10 m pixels."""
    metrics = [landscape.metrics(indices, 10.0) for indices in maps]
    return {name: float(np.nanmean([values[name] for values in metrics])) for name in landscape.METRICS}


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
    return near_duplicates.nearest_distances(maps[near_duplicates.varied(maps)], training)


def sheet(maps: np.ndarray) -> np.ndarray:
    """An image of 64 crops of maps, 8 by 8, at random places and full size, with white lines between them."""
    rng = np.random.default_rng(0)
    repeated = maps[np.arange(SHEET) % len(maps)]
    corners = rng.integers(0, WINDOW - SHEET_PX + 1, (SHEET, 2))
    crops = [indices[row : row + SHEET_PX, col : col + SHEET_PX] for indices, (row, col) in zip(repeated, corners)]
    framed = np.pad(legend.picture(np.stack(crops)), ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=255)
    side = SHEET_PX + 2
    return framed.reshape(8, 8, side, side, 3).swapaxes(1, 2).reshape(8 * side, 8 * side, 3)


def main() -> int:
    """Measure, write the figures and sheets, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packed", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", nargs="?", default="landcover")
    parser.add_argument("--count", type=int, default=200, help="samples at the default steps")
    parser.add_argument("--few", type=int, default=36, help="samples for each comparison")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    model, real = LandCoverGenerator(args.model), held_out(args.packed)
    figures: dict[str, Any] = {"held out": {"windows": len(real), "shares": _by_code(shares(real)), **landscapes(real)}}
    contact_sheet.write_png(args.folder / "real.png", sheet(real))

    def measure(name: str, maps: np.ndarray, **more: Any) -> None:
        metrics = landscapes(maps)
        ratios = {key: round(value / figures["held out"][key], 3) for key, value in metrics.items()}
        figures[name] = {"samples": len(maps), "shares": _by_code(shares(maps)), **metrics, "ratios": ratios, **more}
        (args.folder / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
        print(name, json.dumps(figures[name]), flush=True)

    maps = samples(model, args.count, 1, 12)
    contact_sheet.write_png(args.folder / "samples.png", sheet(maps))
    training = list(training_ground(args.packed))
    distances = {"nearest training window": nearest(maps, training), "of held out": nearest(real, training)}
    quantiles = {key: np.quantile(values, [0, 0.5]).round(3).tolist() for key, values in distances.items()}
    measure("12 steps", maps, **quantiles)
    measure("50 steps", samples(model, args.few, 1, 50))
    errors, index_of = {}, list(legend.LEGEND).index
    for number, requested in enumerate(REQUESTED_SHARES):
        measured = shares(samples(model, max(args.few // 4, 4), 2 + number, 12, shares=requested))
        errors[str(requested)] = [round(100 * measured[index_of(code)] - share, 1) for code, share in requested.items()]
    figures["asked shares, points off"] = errors
    figures["mean absolute"] = round(float(np.mean([abs(error) for row in errors.values() for error in row])), 2)
    print(errors, figures["mean absolute"])
    (args.folder / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


def _by_code(class_shares: np.ndarray) -> dict[str, float]:
    return {str(code): round(float(share), 4) for code, share in zip(legend.CODES, class_shares) if share}


if __name__ == "__main__":
    sys.exit(main())
