"""Measure an image generator on sites that it has not seen: `measure_image.py PACKED controlnet|spade`.

KID (Binkowski et al. 2018, Inception features) of what it paints on held-out land cover, of what ControlNet's
autoencoder brings back, and of one half of the real crops against the other, which is the floor; PSNR of the
autoencoder; how well the bundled segmentation model reads the asked land cover back, beside how it reads real crops;
and LPIPS between two paintings of a map, beside that between real crops of like land cover. Needs the
packages of requirements.in here.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from backend.datasets.packed import PackedTiles
from backend.generation import styles as generation_styles
from backend.generation.image_generators import load_image_generator
from backend.geo import legend
from backend.metrics import features
from backend.metrics.confusion import Scores, score
from backend.metrics.features import FeatureExtractor
from backend.metrics.image_distances import kid
from backend.models import device, rgb
from backend.models.base import load
from backend.models.conditioning import style_vector
from backend.models.controlnet import StyleConditioning
from backend.models.segmentation import SegmentationModel
from backend.reports import contact_sheet
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import Patch

CROP_PX = 128
BATCH = 16
AGAIN = 1000  # the seed of the second painting of a map


def crops(packed: Path, count: int) -> tuple[np.ndarray, np.ndarray, list[list[str]]]:
    """Held-out images (n, 3, CROP_PX, CROP_PX), uint8 labels (n, CROP_PX, CROP_PX), mostly known, and styles."""
    data, rng = PackedTiles((packed,), "val"), np.random.default_rng(1)
    images, labels, styles = [], [], []
    while len(images) < count:
        image, label, style = data.batch(rng, 1, CROP_PX)
        if image.shape[-1] == CROP_PX and (label != legend.IGNORE).mean() > 0.95:
            images.append(image[0])
            labels.append(label[0])
            styles.append(style[0])
    return np.stack(images), np.stack(labels), styles


def inception() -> FeatureExtractor:
    """The feature network, from the package that carries it."""
    network, reason = features.inception()
    if network is None:
        raise SystemExit(f"Inception cannot be had: {reason}. Install requirements.in")
    return network


def vectors(network: FeatureExtractor, images: np.ndarray) -> torch.Tensor:
    """(n, 2048) of (n, 3, h, w) uint8."""
    return torch.cat([network(batch) for batch in _batches(torch.from_numpy(images))])


def _batches(whole: Any) -> Iterator[Any]:
    return (whole[first : first + BATCH] for first in range(0, len(whole), BATCH))


def painted(generator: Any, labels: np.ndarray, styles: np.ndarray, steps: int, seed: int = 0) -> np.ndarray:
    """(n, 3, h, w) uint8: an image on each label map in its style (n, s), every one alone."""
    paint = _by_diffusion if generator.kind == "controlnet" else _by_spade
    batches = zip(_batches(labels), _batches(styles))
    return np.concatenate([paint(generator, *batch, seed + number, steps) for number, batch in enumerate(batches)])


def _by_diffusion(generator: Any, labels: np.ndarray, styles: np.ndarray, seed: int, steps: int) -> np.ndarray:
    steps = generator.effective_steps(steps)
    cells = generator.index["window"]
    windows = [Box(0, number * cells, cells, cells) for number in range(len(labels))]
    ground = Box(0, 0, cells, len(labels) * cells)
    land = Patch(np.concatenate(labels, axis=1), ground.scaled(generator.cell_px))
    latents = []
    for window, style in zip(windows, styles):  # a phase has one style
        conditioning = StyleConditioning(tuple(style))
        latents += [generator.phase("held out", seed, steps, range(steps), conditioning, [window], land)[0]]
    return rgb.to_bytes(generator.decode(windows, Patch(np.concatenate(latents, axis=2), ground)))


def _by_spade(generator: Any, labels: np.ndarray, styles: np.ndarray, seed: int, steps: int) -> np.ndarray:
    from backend.models import spade

    random, cells = np.random.default_rng(seed), labels.shape[-1] // spade.CELL_PX
    found = []
    for label, style in zip(labels, styles):
        ground = Box(0, int(random.integers(2**20)), cells // spade.COARSE, cells // spade.COARSE)
        coarse = spade.coarse_noise(seed, "held out", ground)[None]
        fine = random.normal(size=(1, spade.FINE_CHANNELS, cells, cells))
        one_hot = legend.encode_condition(label, generator.seen)[None]
        found.append(generator.pixels(coarse, fine.astype(np.float32), one_hot, tuple(style)))
    return np.concatenate(found)


def brought_back(generator: Any, images: np.ndarray) -> np.ndarray:
    """(n, 3, h, w) uint8: images through the autoencoder."""
    network, found = generator.autoencoder, []
    with torch.inference_mode():
        for batch in _batches(rgb.to_unit(images)):
            placed = torch.as_tensor(batch).to(generator.device, generator.dtype)
            latents = network.encode(placed).latent_dist.mode()
            found.append(rgb.to_bytes(network.decode(latents).sample.float().cpu().numpy()))
    return np.concatenate(found)


def read_back(images: np.ndarray, labels: np.ndarray) -> Scores:
    """How the bundled segmentation model's answer agrees with the labels."""
    model = load(SegmentationModel, "segmentation")
    both = (_batches(torch.from_numpy(whole)) for whole in (images, labels))
    pairs = ([image.to(model.device), label] for image, label in zip(*both))
    with device.autocast(model.device):
        return score(model.segmenter, pairs)


def variety(images: np.ndarray, labels: np.ndarray, made: np.ndarray, again: np.ndarray) -> tuple[float, float]:
    """Mean LPIPS between two paintings of each map, and between each real crop and that of the likest land cover."""
    from stlpips_pytorch import stlpips  # shift-tolerant LPIPS (Ghildyal and Liu 2022)

    distance = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False).eval()
    shares = np.stack([np.bincount(one.ravel(), minlength=256)[: legend.COUNT] / one.size for one in labels])
    apart = np.abs(shares[:, None] - shares).sum(2) + np.eye(len(shares)) * 9
    likest = images[apart.argmin(1)]

    def mean(one: np.ndarray, other: np.ndarray) -> float:
        with torch.inference_mode():
            pairs = zip(*(_batches(torch.from_numpy(rgb.to_unit(whole))) for whole in (one, other)))
            return float(torch.cat([distance(*pair).flatten() for pair in pairs]).mean())

    return mean(made, again), mean(images, likest)


def _styles(generator: Any, told: list[list[str]], free: bool, seed: int) -> np.ndarray:
    """(n, s) float32: the styles of crops, 1 where one has it; the seeds from `seed` on draw those that are free."""
    if free:
        told = [list(generation_styles.choose_styles(generator, "", seed + number)) for number in range(len(told))]
    known = generation_styles.known_styles(generator)
    return np.array([style_vector(style, known) for style in told], dtype=np.float32)


def main() -> int:
    """Measure and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packed", type=Path)
    parser.add_argument("generator", choices=["controlnet", "spade"])
    parser.add_argument("--model", default="", help="a model folder instead of the bundled one")
    parser.add_argument("--count", type=int, default=288, help="crops")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--free", action="store_true", help="leave the style of each crop to its seed")
    parser.add_argument("--sheet", type=Path, help="a PNG of land cover, real and painted crops")
    args = parser.parse_args()
    generator, network = load_image_generator(args.generator, args.model), inception()
    images, labels, told = crops(args.packed, args.count)
    real = vectors(network, images)
    made = painted(generator, labels, _styles(generator, told, args.free, 0), args.steps)
    few = slice(0, 64)
    again = painted(generator, labels[few], _styles(generator, told[few], args.free, AGAIN), args.steps, AGAIN)
    between_seeds, between_real = variety(images[few], labels[few], made[few], again)
    figures = {
        "crops": len(images),
        "kid of real halves": kid(real[::2], real[1::2], 0)[0],
        "kid": kid(real, vectors(network, made), 0)[0],
        "miou read back": read_back(made, labels).miou,
        "miou of real": read_back(images, labels).miou,
        "lpips between seeds": between_seeds,
        "lpips between real": between_real,
    }
    if generator.kind == "controlnet":
        again = brought_back(generator, images)
        error = np.square(again.astype(np.float64) - images).mean(axis=(1, 2, 3))
        figures |= {
            "kid through autoencoder": kid(real, vectors(network, again), 0)[0],
            "psnr through autoencoder": float((10 * np.log10(255**2 / error)).mean()),
        }
    if args.sheet:
        rows = [whole[:12].transpose(0, 2, 3, 1) for whole in (images, made)]
        contact_sheet.write_png(args.sheet, contact_sheet.sheet([legend.pictures(legend.one_hot(labels[:12])), *rows]))
    print(json.dumps({key: round(value, 4) for key, value in figures.items()}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
