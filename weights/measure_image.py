"""Measure an image generator on sites that it has not seen: `measure_image.py PACKED controlnet|spade`.

KID (Binkowski et al. 2018, Inception features) of what it paints on held-out land cover, of what its autoencoder brings
back, and of one half of the real crops against the other, which is the floor; PSNR of the autoencoder; and how well
the bundled segmentation model reads the asked land cover back, beside how it reads real crops. Needs the packages of
requirements.in here.
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

from backend import classes, device, painting, rgb
from backend.evaluation import features
from backend.evaluation.features import Vectors
from backend.evaluation.image_quality import kid
from backend.evaluation.scores import Scores, score
from backend.field import Patch
from backend.lattice import Box
from backend.model import load
from backend.segmentation import SegmentationModel
from backend.training.tiles import PackedTiles

CROP_PX = 128
BATCH = 16


def crops(packed: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Held-out images (n, 3, CROP_PX, CROP_PX) and labels (n, CROP_PX, CROP_PX), uint8; known for the most part."""
    data, rng = PackedTiles((packed,), "val"), np.random.default_rng(1)
    images, labels = [], []
    while len(images) < count:
        image, label = data.batch(rng, 1, CROP_PX)
        if image.shape[-1] == CROP_PX and (label != classes.IGNORE).mean() > 0.95:
            images.append(image[0])
            labels.append(label[0])
    return np.stack(images), np.stack(labels)


def inception() -> Vectors:
    """The feature network, from the package that carries it."""
    network, reason = features.inception()
    if network is None:
        raise SystemExit(f"Inception cannot be had: {reason}. Install requirements.in")
    return network


def vectors(network: Vectors, images: np.ndarray) -> torch.Tensor:
    """(n, 2048) of (n, 3, h, w) uint8."""
    return torch.cat([network(batch) for batch in _batches(torch.from_numpy(images))])


def _batches(whole: Any) -> Iterator[Any]:
    return (whole[first : first + BATCH] for first in range(0, len(whole), BATCH))


def painted(generator: Any, labels: np.ndarray, steps: int) -> np.ndarray:
    """(n, 3, h, w) uint8: an image on each label map, every one alone."""
    paint = _by_diffusion if generator.kind == "controlnet" else _by_spade
    return np.concatenate([paint(generator, batch, seed, steps) for seed, batch in enumerate(_batches(labels))])


def _by_diffusion(generator: Any, labels: np.ndarray, seed: int, steps: int) -> np.ndarray:
    cells = generator.index["window"]
    windows = [Box(0, number * cells, cells, cells) for number in range(len(labels))]
    ground = Box(0, 0, cells, len(labels) * cells)
    land = Patch(np.concatenate(labels, axis=1), ground.scaled(generator.cell_px))
    latents = generator.phase("held out", seed, steps, range(steps), (), windows, land)
    return rgb.to_bytes(generator.decode(windows, Patch(np.concatenate(latents, axis=2), ground)))


def _by_spade(generator: Any, labels: np.ndarray, seed: int, steps: int) -> np.ndarray:
    from backend.generators import spade

    random, side = torch.Generator().manual_seed(seed), labels.shape[-1]
    shapes = [(spade.CHANNELS, side // spade.CELL_PX), (spade.FINE_CHANNELS, side)]
    drawn = [torch.randn(len(labels), channels, size, size, generator=random) for channels, size in shapes]
    seen = np.stack([classes.painted(label, generator.seen) for label in labels])
    with torch.inference_mode():
        inputs = [each.to(generator.device, generator.dtype) for each in (*drawn, torch.from_numpy(seen))]
        return rgb.to_bytes(generator.painter(*inputs).float().cpu().numpy())


def brought_back(generator: Any, images: np.ndarray) -> np.ndarray:
    """(n, 3, h, w) uint8: images through the autoencoder."""
    network, found = generator.autoencoder, []
    with torch.inference_mode():
        for batch in _batches(rgb.to_unit(images)):
            latents = network.encode(generator.placed(batch)).latent_dist.mode()
            found.append(rgb.to_bytes(network.decode(latents).sample.float().cpu().numpy()))
    return np.concatenate(found)


def read_back(images: np.ndarray, labels: np.ndarray) -> Scores:
    """How the bundled segmentation model's answer agrees with the labels."""
    model = load(SegmentationModel, "segmentation")
    both = (_batches(torch.from_numpy(whole)) for whole in (images, labels))
    pairs = ([image.to(model.device), label] for image, label in zip(*both))
    with device.autocast(model.device):
        return score(model.segmenter, pairs)


def main() -> int:
    """Measure and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packed", type=Path)
    parser.add_argument("generator", choices=["controlnet", "spade"])
    parser.add_argument("--model", default="", help="a model folder instead of the bundled one")
    parser.add_argument("--count", type=int, default=288, help="crops")
    parser.add_argument("--steps", type=int, default=12)
    args = parser.parse_args()
    generator, network = painting.load_generator(args.generator, args.model), inception()
    images, labels = crops(args.packed, args.count)
    real = vectors(network, images)
    made = painted(generator, labels, args.steps)
    figures = {
        "crops": len(images),
        "kid of real halves": kid(real[::2], real[1::2], 0)[0],
        "kid": kid(real, vectors(network, made), 0)[0],
        "miou read back": read_back(made, labels).miou,
        "miou of real": read_back(images, labels).miou,
    }
    if args.generator == "controlnet":
        again = brought_back(generator, images)
        error = np.square(again.astype(np.float64) - images).mean(axis=(1, 2, 3))
        figures |= {
            "kid through autoencoder": kid(real, vectors(network, again), 0)[0],
            "psnr through autoencoder": float((10 * np.log10(255**2 / error)).mean()),
        }
    print(json.dumps({key: round(value, 4) for key, value in figures.items()}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
