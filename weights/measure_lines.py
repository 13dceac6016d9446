"""Measure how well an image generator follows lines: `python weights/measure_lines.py PACKED controlnet|spade`.

PACKED is a folder of packed tiles with lines, see image_data.py. Measured on held-out crops of towns is the share of
the lines' pixels that have an edge of the image within 2 m: of the real image, of one generated with the lines, and of
one generated without. Images are full of edges, so the shares of another crop's lines are given as lower bounds, and
those of edges that run in the line's direction, of which few lie there by chance.
"""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from backend.datasets.packed import PackedTiles, TileBatch
from backend.generation.image_generators import load_image_generator
from backend.geo import legend
from backend.protocol import BackendError
from backend.reports import contact_sheet
from weights import measure_image

CROP_PX = 128
MAX_DISTANCE_PX = 2
MIN_BUILT_SHARE, MIN_LINES_SHARE = 0.5, 0.01  # of a crop's pixels
MAX_TRIES = 20_000  # random crops
EDGE_THRESHOLDS = (60, 150)  # of Canny's gradient: where an edge ends, and where one begins
DIRECTIONS = 8  # of half a turn
BUILT = legend.index(50)


def town_crops(packed: Path, count: int) -> TileBatch:
    """Held-out crops of built-up ground with lines, CROP_PX wide; BackendError where there are none."""
    data, rng, crops = PackedTiles((packed,), "val"), np.random.default_rng(1), []
    for _ in range(MAX_TRIES):
        crop = data.batch(rng, 1, CROP_PX, fine_share=0, class_balanced_share=0)
        built, lines = (crop.labels == BUILT).mean(), crop.lines.mean()
        if crop.images.shape[-1] == CROP_PX and built >= MIN_BUILT_SHARE and lines >= MIN_LINES_SHARE:
            crops.append(crop)
        if len(crops) == count:
            break
    if not crops:
        raise BackendError(f"{packed} has no held-out crops of towns with lines. Pack the tiles again.")
    images, labels, lines, styles = zip(*crops)
    return TileBatch(
        np.concatenate(images), np.concatenate(labels), np.concatenate(lines), [style for (style,) in styles]
    )


def followed_share(images: np.ndarray, lines: np.ndarray, in_direction: bool = False) -> float:
    """The share of the pixels of lines (n, h, w) with an edge of uint8 images (n, 3, h, w) within MAX_DISTANCE_PX.

    With `in_direction` only edges count whose direction is the line's, within about 20 degrees.
    """
    side = 2 * MAX_DISTANCE_PX + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    hits = []
    for image, drawn in zip(images, lines):
        luminance = cv2.cvtColor(np.ascontiguousarray(image.transpose(1, 2, 0)), cv2.COLOR_RGB2GRAY)
        edges = cv2.Canny(luminance, *EDGE_THRESHOLDS) > 0
        if not in_direction:
            hits.append(cv2.dilate(edges.astype(np.uint8), disc)[drawn > 0])
            continue
        of_edges, of_lines = _direction(luminance), np.rint(_direction(drawn)) % DIRECTIONS
        for direction in range(DIRECTIONS):
            difference = (of_edges - direction + DIRECTIONS / 2) % DIRECTIONS - DIRECTIONS / 2
            near = cv2.dilate((edges & (abs(difference) <= 0.75)).astype(np.uint8), disc)
            hits.append(near[(drawn > 0) & (of_lines == direction)])
    return float(np.concatenate(hits).mean())


def _direction(plane: np.ndarray) -> np.ndarray:
    """The direction of edges and lines around each pixel of a uint8 plane, 0 to DIRECTIONS for half a turn."""
    smooth = cv2.GaussianBlur(plane.astype(np.float32), (0, 0), 1)
    x, y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    xx, xy, yy = (cv2.GaussianBlur(product, (0, 0), 1.5) for product in (x * x, x * y, y * y))
    return np.arctan2(2 * xy, xx - yy) / (2 * np.pi) % 1 * DIRECTIONS


def generated(generator: Any, crops: TileBatch, with_lines: bool, steps: int) -> np.ndarray:
    """uint8 images (n, 3, h, w) on the crops' land cover in their styles, with their lines or with none."""
    styles = measure_image.style_vectors(generator, crops.styles, False, 0)
    lines = crops.lines if with_lines else None
    return measure_image.generated(generator, crops.labels, styles, steps, lines=lines)


def main() -> int:
    """Measure, and print the figures as JSON."""
    parser = measure_image.argument_parser(__doc__)
    parser.add_argument("--count", type=int, default=96, help="crops")
    parser.add_argument("--sheet", type=Path, help="write a PNG of lines, real and generated crops")
    args = parser.parse_args()
    generator, crops = load_image_generator(args.generator, args.model), town_crops(args.packed, args.count)
    images = {
        "real": crops.images,
        "with lines": generated(generator, crops, True, args.steps),
        "without lines": generated(generator, crops, False, args.steps),
    }
    others = np.roll(crops.lines, 1, axis=0)
    figures = {"crops": len(crops.lines), "line pixels": int(crops.lines.sum())}
    shares = {
        name: {
            "followed": followed_share(made, crops.lines),
            "by chance": followed_share(made, others),
            "followed in direction": followed_share(made, crops.lines, True),
            "in direction by chance": followed_share(made, others, True),
        }
        for name, made in images.items()
    }
    if args.sheet:
        drawn = (255 * crops.lines[:12, None]).repeat(3, 1)
        columns = [made[:12].transpose(0, 2, 3, 1) for made in (drawn, *images.values())]
        contact_sheet.write_png(args.sheet, contact_sheet.sheet(columns))
    rounded = {name: {key: round(share, 4) for key, share in of_image.items()} for name, of_image in shares.items()}
    print(json.dumps({**figures, **rounded}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
