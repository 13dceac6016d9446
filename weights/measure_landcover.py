"""Measure a land cover generator beside ground that it has not seen: `measure_landcover.py PACKED FOLDER [MODEL]`.

PACKED holds the packed tiles (`.weights/packed`). FOLDER receives `figures.json`, and sheets of 64 samples and of 64
held-out windows to look at. Samples are cut from one rendering per setting.
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
SHEET, SHEET_PX = 64, 128
STEP = 4 * WINDOW  # from one block of training ground to the next
MIXES = (
    {10: 60, 50: 20},
    {40: 70, 10: 20},
    {30: 50, 20: 30},
    {80: 50, 10: 40},
    {50: 60, 30: 20},
    {10: 90},
)


def held_out(packed: Path) -> np.ndarray:
    """(n, WINDOW, WINDOW) class indices of the windows that training never saw; open sea and nodata are left out."""
    found = [window for window, held in _windows(packed) if held.all()]
    return np.stack([window for window in found if _worth_a_look(window)])


def _windows(packed: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for group in PackedLandCover((packed,)).groups.values():
        for array, mask in zip(group.classes, group.held_out):
            for row in range(0, array.shape[0] - WINDOW + 1, WINDOW):
                for col in range(0, array.shape[1] - WINDOW + 1, WINDOW):
                    where = (slice(row, row + WINDOW), slice(col, col + WINDOW))
                    yield np.array(array[where]), mask[where]


def _worth_a_look(window: np.ndarray) -> bool:
    counts = np.bincount(window.ravel(), minlength=256) / window.size
    return bool(counts[legend.IGNORE] < 0.05 and counts.max() < 0.98)


def samples(model: LandCoverGenerator, count: int, seed: int, steps: int, **control: Any) -> np.ndarray:
    """(count, WINDOW, WINDOW) class indices, side by side in one world."""
    field: LazyRaster = model.lazy_raster("EPSG:32618", seed, steps, **control)
    rows = int(np.ceil(count**0.5))
    region = Box(0, 0, rows * WINDOW, -(-count // rows) * WINDOW)
    out = np.zeros((region.height, region.width), dtype=np.uint8)

    def write(box: Box, pixels: np.ndarray) -> None:
        shared = box.intersection(region)
        out[shared.slices_in(region)] = pixels[shared.slices_in(box)]

    render([Output(field, region, Everywhere(), 10.0, write)], "", protocol.silent())
    cut = out.reshape(rows, WINDOW, -1, WINDOW).swapaxes(1, 2).reshape(-1, WINDOW, WINDOW)
    return cut[:count]


def shares(maps: np.ndarray) -> np.ndarray:
    """(COUNT,) the share of each class."""
    counts = np.bincount(maps.ravel(), minlength=256)[: legend.COUNT]
    return counts / counts.sum()


def landscapes(maps: np.ndarray) -> dict[str, float]:
    """The mean of each landscape metric over maps of 10 m."""
    found = [landscape.metrics(one, 10.0) for one in maps]
    return {name: float(np.nanmean([one[name] for one in found])) for name in landscape.METRICS}


def training_ground(packed: Path) -> Iterator[MapBlock]:
    """What training saw, in blocks that hold each window of it whole; the rest is IGNORE."""
    for group in PackedLandCover((packed,)).groups.values():
        for array, mask in zip(group.classes, group.held_out):
            seen = np.where(mask, legend.IGNORE, array).astype(np.uint8)
            for row in range(0, seen.shape[0] - WINDOW + 1, STEP):
                for col in range(0, seen.shape[1] - WINDOW + 1, STEP):
                    yield MapBlock(seen[row : row + STEP + WINDOW - 1, col : col + STEP + WINDOW - 1])


def nearest(maps: np.ndarray, seen: list[MapBlock]) -> np.ndarray:
    """(n,) the smallest share of cells in which each map differs from any place that training saw; see `copies`."""
    return near_duplicates.nearest_distances(maps[near_duplicates.varied(maps)], seen)


def sheet(maps: np.ndarray) -> np.ndarray:
    """An image of 64 maps, 8 by 8, each the middle of a window at full size, with a white line between them."""
    rng = np.random.default_rng(0)
    chosen = maps[np.arange(SHEET) % len(maps)]
    corners = rng.integers(0, WINDOW - SHEET_PX + 1, (SHEET, 2))
    cut = np.stack([one[row : row + SHEET_PX, col : col + SHEET_PX] for one, (row, col) in zip(chosen, corners)])
    framed = np.pad(legend.picture(cut), ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=255)
    side = SHEET_PX + 2
    return framed.reshape(8, 8, side, side, 3).swapaxes(1, 2).reshape(8 * side, 8 * side, 3)


def main() -> int:
    """Measure and write; prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packed", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", nargs="?", default="landcover")
    parser.add_argument("--count", type=int, default=200, help="samples at the default steps")
    parser.add_argument("--few", type=int, default=36, help="samples for each comparison")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    model, real = LandCoverGenerator(args.model), held_out(args.packed)
    figures: dict[str, Any] = {"held out": {"windows": len(real), "shares": _said(shares(real)), **landscapes(real)}}
    contact_sheet.write_png(args.folder / "real.png", sheet(real))

    def note(name: str, maps: np.ndarray, **more: Any) -> None:
        measured = landscapes(maps)
        ratios = {key: round(value / figures["held out"][key], 3) for key, value in measured.items()}
        figures[name] = {"samples": len(maps), "shares": _said(shares(maps)), **measured, "ratios": ratios, **more}
        (args.folder / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
        print(name, json.dumps(figures[name]), flush=True)

    made = samples(model, args.count, 1, 12)
    contact_sheet.write_png(args.folder / "samples.png", sheet(made))
    seen = list(training_ground(args.packed))
    near = {"nearest training window": nearest(made, seen), "of held out": nearest(real, seen)}
    note("12 steps", made, **{key: np.quantile(value, [0, 0.5]).round(3).tolist() for key, value in near.items()})
    note("50 steps", samples(model, args.few, 1, 50))
    off = {}
    for number, mix in enumerate(MIXES):
        found = shares(samples(model, max(args.few // 4, 4), 2 + number, 12, shares=mix))
        off[str(mix)] = [round(100 * found[list(legend.LEGEND).index(code)] - asked, 1) for code, asked in mix.items()]
    figures["asked shares, points off"] = off
    figures["mean absolute"] = round(float(np.mean([abs(one) for each in off.values() for one in each])), 2)
    print(off, figures["mean absolute"])
    (args.folder / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


def _said(found: np.ndarray) -> dict[str, float]:
    return {str(code): round(float(share), 4) for code, share in zip(legend.CODES, found) if share}


if __name__ == "__main__":
    sys.exit(main())
