"""Measure how wide ground of one class is generated: `python weights/measure_wide_ground.py PACKED controlnet|spade`.

PACKED is a folder of packed tiles, see image_data.py. For each class and each look, which is a style combination of
the model or the one that seeds draw, the generator gets maps of that class alone. Measured are:

- KID against real crops of that class alone, and of the real crops' halves as lower bound. Classes whose tiles are
  small are compared in crops of 64 px, and those of scattered classes in crops that are less pure.
- Repetition, of generated and real crops: the highest autocorrelation of their texture at lags of 6 to 48 px. Stripes
  and meshes have high ones.

Needs the packages of requirements.in.
"""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from backend.datasets.packed import PackedTiles
from backend.generation.image_generators import load_image_generator
from backend.generation.styles import known_styles
from backend.geo import legend
from backend.metrics.image_distances import kid
from backend.models.conditioning import style_vector
from backend.reports import contact_sheet
from backend.training.repetition import autocorrelation_peaks
from weights import measure_image

CODES = (10, 30, 40, 50, 60, 80)
CROP_PX = 128
CROPS = ((128, 0.97), (64, 0.97), (64, 0.9))
"""The size of real crops, and the share of their pixels that are of the class; later ones where the first are few."""
STEP_PX = 8  # between the places where a crop may begin
COUNT = 48  # images of each class and look
MIN_REAL, MIN_COMPARED = 16, 8  # crops of the val split to do without those of train; crops to compare with
SHEET_ROWS = 6
DRAWN = "drawn by the seeds"


def pure_crops(packed: Path, split: str, code: int, crop_px: int, share: float) -> np.ndarray:
    """The crops of a split, without overlap, that show a class on a share of their pixels: uint8 (n, 3, size, size)."""
    index, crops = legend.index(code), []
    for arrays, numbers in PackedTiles((packed,), split).groups.values():
        for number in numbers:
            free = np.ones((arrays.size, arrays.size), dtype=bool)
            sums = cv2.integral((arrays.labels[number] == index).astype(np.uint8))
            counts = sums[crop_px:, crop_px:] - sums[:-crop_px, crop_px:] - sums[crop_px:, :-crop_px]
            counts = (counts + sums[:-crop_px, :-crop_px])[::STEP_PX, ::STEP_PX]
            for row, col in STEP_PX * np.argwhere(counts >= share * crop_px**2):
                part = slice(row, row + crop_px), slice(col, col + crop_px)
                if free[part].all():
                    crops.append(np.moveaxis(arrays.images[number][part], -1, 0))
                    free[part] = False
    return np.stack(crops) if crops else np.zeros((0, 3, crop_px, crop_px), np.uint8)


def real_crops(packed: Path, code: int) -> tuple[np.ndarray, dict[str, Any]]:
    """At most COUNT real crops of a class, and where they are from: crop size, share of the class and splits.

    Held-out crops or, where these are few, all; of the first of CROPS with enough of them.
    """
    for crop_px, share in CROPS:
        held_out = pure_crops(packed, "val", code, crop_px, share)
        source = {"crop_px": crop_px, "share": share}
        if len(held_out) >= MIN_REAL:
            return _some(held_out), {**source, "splits": "val"}
        crops = np.concatenate([held_out, pure_crops(packed, "train", code, crop_px, share)])
        if len(crops) >= MIN_REAL:
            break
    return _some(crops), {**source, "splits": "train and val"}


def _some(crops: np.ndarray) -> np.ndarray:
    return crops[np.random.default_rng(0).permutation(len(crops))[:COUNT]]


def repetition(images: np.ndarray) -> float:
    """The mean of `autocorrelation_peaks` of uint8 images (n, 3, CROP_PX, CROP_PX)."""
    return round(float(autocorrelation_peaks(torch.from_numpy(images)).mean()), 3)


def looks(generator: Any) -> dict[str, np.ndarray]:
    """The styles (COUNT, s) of each look by its name: the model's style combinations, and those that seeds draw."""
    known = known_styles(generator)
    combinations = sorted(generator.index.get("style_combinations", {}))
    fixed = {text: np.tile(np.float32(style_vector(text.split(", "), known)), (COUNT, 1)) for text in combinations}
    return {DRAWN: measure_image.style_vectors(generator, [[]] * COUNT, True, 0), **fixed}


def main() -> int:
    """Measure, and print the figures of each class as a line of JSON."""
    parser = measure_image.argument_parser(__doc__)
    parser.add_argument("--codes", type=int, nargs="+", default=CODES, help="class codes")
    parser.add_argument("--drawn", action="store_true", help="only the look that seeds draw")
    parser.add_argument(
        "--sheet", type=Path, help="a folder for a PNG of each class: real crops, then a column by look"
    )
    args = parser.parse_args()
    generator, network = load_image_generator(args.generator, args.model), measure_image.inception()
    styles = looks(generator)
    if args.drawn:
        styles = {DRAWN: styles[DRAWN]}
    for code in args.codes:
        real, source = real_crops(args.packed, code)
        figures: dict[str, Any] = {"class": code, "real crops": len(real), **source}
        real_vectors = measure_image.vectors(network, real) if len(real) >= MIN_COMPARED else None
        if real_vectors is not None:
            if real.shape[-1] == CROP_PX:
                figures["repetition of real"] = repetition(real)
            figures["kid of real halves"] = round(kid(real_vectors[::2], real_vectors[1::2], 0)[0], 4)
        columns = [real[:SHEET_ROWS]]
        labels = np.full((COUNT, CROP_PX, CROP_PX), legend.index(code), np.uint8)
        for look, vectors in styles.items():
            made = measure_image.generated(generator, labels, vectors, args.steps)
            figures[look] = {"repetition": repetition(made)}
            if real_vectors is not None:
                same_size = made[..., : real.shape[-1], : real.shape[-1]]
                figures[look]["kid"] = round(kid(real_vectors, measure_image.vectors(network, same_size), 0)[0], 4)
            columns.append(made[:SHEET_ROWS])
        print(json.dumps(figures), flush=True)
        if args.sheet:
            pictures = contact_sheet.sheet([_padded(images) for images in columns])
            contact_sheet.write_png(args.sheet / f"{args.generator}_{code}.png", pictures)
    return 0


def _padded(images: np.ndarray) -> np.ndarray:
    """uint8 images (n, 3, h, w) as (SHEET_ROWS, CROP_PX, CROP_PX, 3), white where there is none."""
    pictures = np.full((SHEET_ROWS, CROP_PX, CROP_PX, 3), contact_sheet.WHITE, np.uint8)
    pictures[: len(images), : images.shape[-2], : images.shape[-1]] = images.transpose(0, 2, 3, 1)
    return pictures


if __name__ == "__main__":
    sys.exit(main())
