"""Measure an image generator on held-out sites: `measure_image.py PACKED controlnet|spade`.

- KID (Binkowski et al. 2018, Inception features) of images generated on held-out land cover and of images reconstructed
  by ControlNet's autoencoder; the KID of one half of the real crops against the other is the lower bound.
- PSNR of the autoencoder.
- mIoU of the bundled segmentation model on generated images against their land cover, and on the real crops.
- LPIPS between two images generated on one map, and between real crops of similar land cover.

Needs the packages of requirements.in.
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
from backend.models import device, rgb, spade
from backend.models.base import load
from backend.models.conditioning import ImageConditions, style_vector
from backend.models.image_inputs import FEATURES, LANDCOVER, ImageRequest
from backend.models.segmentation import SegmentationModel
from backend.reports import contact_sheet
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import Patch

CROP_PX = 128
BATCH = 16
SECOND_SEED = 1000  # of the second image on each map


def crops(packed: Path, count: int) -> tuple[np.ndarray, np.ndarray, list[list[str]]]:
    """Held-out uint8 images (n, 3, CROP_PX, CROP_PX), labels (n, CROP_PX, CROP_PX), 95 % labelled, and styles."""
    data, rng = PackedTiles((packed,), "val"), np.random.default_rng(1)
    images, labels, styles = [], [], []
    while len(images) < count:
        image, label, _, style = data.batch(rng, 1, CROP_PX, fine_share=0, class_balanced_share=0)
        if image.shape[-1] == CROP_PX and (label != legend.IGNORE).mean() > 0.95:
            images.append(image[0])
            labels.append(label[0])
            styles.append(style[0])
    return np.stack(images), np.stack(labels), styles


def inception() -> FeatureExtractor:
    """The Inception network, from the package that contains it; ends the program where it is not installed."""
    network, reason = features.inception()
    if network is None:
        raise SystemExit(f"Inception cannot be had: {reason}. Install requirements.in")
    return network


def vectors(network: FeatureExtractor, images: np.ndarray) -> torch.Tensor:
    """Inception features (n, 2048) of uint8 images (n, 3, h, w)."""
    return torch.cat([network(batch) for batch in _batches(torch.from_numpy(images))])


def _batches(examples: Any) -> Iterator[Any]:
    return (examples[first : first + BATCH] for first in range(0, len(examples), BATCH))


def generated(
    generator: Any, labels: np.ndarray, styles: np.ndarray, steps: int, seed: int = 0, lines: np.ndarray | None = None
) -> np.ndarray:
    """uint8 images (n, 3, h, w), one on each label map in its styles (n, s); neighbouring windows are not blended.

    `lines` (n, h, w) is 1 on lines; a generator of an older model passes over them.
    """
    generate = _by_diffusion if generator.kind == "controlnet" else _by_spade
    batches = zip(_batches(labels), _batches(styles), _batches(np.zeros_like(labels) if lines is None else lines))
    return np.concatenate([generate(generator, *batch, seed + number, steps) for number, batch in enumerate(batches)])


def _by_diffusion(
    generator: Any, labels: np.ndarray, styles: np.ndarray, lines: np.ndarray, seed: int, steps: int
) -> np.ndarray:
    steps = generator.effective_steps(steps)
    cells = generator.index["window"]
    windows = [Box(0, number * cells, cells, cells) for number in range(len(labels))]
    strip = Box(0, 0, cells, len(labels) * cells)
    features = np.stack([np.full_like(lines, legend.IGNORE), lines])
    planes = np.concatenate(labels, axis=1), np.concatenate(list(features.swapaxes(0, 1)), axis=2)
    patches = [Patch(plane, strip.scaled(generator.cell_px)) for plane in planes]
    latents = []
    for window, style in zip(windows, styles):  # a call of `phase` has one style
        request = ImageRequest(tuple(style), (LANDCOVER, FEATURES))
        latents += [generator.phase("held out", seed, steps, range(steps), request, [window], *patches)[0]]
    return rgb.to_bytes(generator.decode(windows, Patch(np.concatenate(latents, axis=2), strip)))


def _by_spade(
    generator: Any, labels: np.ndarray, styles: np.ndarray, lines: np.ndarray, seed: int, steps: int
) -> np.ndarray:
    random, cells = np.random.default_rng(seed), labels.shape[-1] // spade.CELL_PX
    images = []
    for label, style, drawn in zip(labels, styles, lines):
        box = Box(0, int(random.integers(2**20)), cells // spade.COARSE, cells // spade.COARSE)
        coarse = spade.coarse_noise(seed, "held out", box)
        fine = spade.fine_noise(seed, "held out", generator.network.config.parcels, box.scaled(spade.COARSE))
        conditions = ImageConditions(
            torch.from_numpy(legend.encode_condition(label, generator.trained_codes))[None],
            torch.from_numpy(style)[None],
            torch.from_numpy(drawn)[None, None].float(),
        )
        images.append(generator.pixels(coarse[None], fine[None], conditions))
    return np.concatenate(images)


def reconstructed(generator: Any, images: np.ndarray) -> np.ndarray:
    """uint8 images (n, 3, h, w) after encoding and decoding by the generator's autoencoder."""
    network, batches = generator.autoencoder, []
    with torch.inference_mode():
        for batch in _batches(rgb.to_unit(images)):
            pixels = torch.as_tensor(batch).to(generator.device, generator.dtype)
            latents = network.encode(pixels).latent_dist.mode()
            batches.append(rgb.to_bytes(network.decode(latents).sample.float().cpu().numpy()))
    return np.concatenate(batches)


def segmentation_scores(images: np.ndarray, labels: np.ndarray) -> Scores:
    """The scores of the bundled segmentation model on images against their labels."""
    model = load(SegmentationModel, "segmentation")
    batches = zip(*(_batches(torch.from_numpy(examples)) for examples in (images, labels)))
    pairs = ([image.to(model.device), label] for image, label in batches)
    with device.autocast(model.device):
        return score(model.segmenter, pairs)


def diversity(images: np.ndarray, labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Mean LPIPS between two generated images of each map, and between real crops of the most similar class shares."""
    from stlpips_pytorch import stlpips  # shift-tolerant LPIPS (Ghildyal and Liu 2022)

    distance = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False).eval()
    shares = np.stack([np.bincount(label.ravel(), minlength=256)[: legend.COUNT] / label.size for label in labels])
    differences = np.abs(shares[:, None] - shares).sum(2) + np.eye(len(shares)) * 9  # no crop is its own neighbour
    similar = images[differences.argmin(1)]

    def mean_distance(one: np.ndarray, other: np.ndarray) -> float:
        with torch.inference_mode():
            pairs = zip(*(_batches(torch.from_numpy(rgb.to_unit(crops))) for crops in (one, other)))
            return float(torch.cat([distance(*pair).flatten() for pair in pairs]).mean())

    return mean_distance(first, second), mean_distance(images, similar)


def style_vectors(generator: Any, styles: list[list[str]], random: bool, seed: int) -> np.ndarray:
    """(n, s) float32, 1 where a crop has a style; with `random` the styles are drawn by the seeds from `seed` on."""
    if random:
        styles = [list(generation_styles.choose_styles(generator, "", seed + number)) for number in range(len(styles))]
    known = generation_styles.known_styles(generator)
    return np.array([style_vector(style, known) for style in styles], dtype=np.float32)


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments of all measures of an image generator: the packed tiles, the generator, its model and steps."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("packed", type=Path)
    parser.add_argument("generator", choices=["controlnet", "spade"])
    parser.add_argument("--model", default="", help="a model folder instead of the bundled one")
    parser.add_argument("--steps", type=int, default=12)
    return parser


def main() -> int:
    """Measure, and print the figures as JSON."""
    parser = argument_parser(__doc__)
    parser.add_argument("--count", type=int, default=288, help="crops")
    parser.add_argument("--free", action="store_true", help="draw the style of each image by its seed")
    parser.add_argument("--sheet", type=Path, help="write a PNG of land cover, real and generated crops")
    args = parser.parse_args()
    generator, network = load_image_generator(args.generator, args.model), inception()
    images, labels, styles = crops(args.packed, args.count)
    real = vectors(network, images)
    made = generated(generator, labels, style_vectors(generator, styles, args.free, 0), args.steps)
    few = slice(0, 64)
    second_styles = style_vectors(generator, styles[few], args.free, SECOND_SEED)
    second = generated(generator, labels[few], second_styles, args.steps, SECOND_SEED)
    between_seeds, between_real = diversity(images[few], labels[few], made[few], second)
    figures = {
        "crops": len(images),
        "kid of real halves": kid(real[::2], real[1::2], 0)[0],
        "kid": kid(real, vectors(network, made), 0)[0],
        "miou read back": segmentation_scores(made, labels).miou,
        "miou of real": segmentation_scores(images, labels).miou,
        "lpips between seeds": between_seeds,
        "lpips between real": between_real,
    }
    if generator.kind == "controlnet":
        decoded = reconstructed(generator, images)
        error = np.square(decoded.astype(np.float64) - images).mean(axis=(1, 2, 3))
        figures |= {
            "kid through autoencoder": kid(real, vectors(network, decoded), 0)[0],
            "psnr through autoencoder": float((10 * np.log10(255**2 / error)).mean()),
        }
    if args.sheet:
        columns = [crops[:12].transpose(0, 2, 3, 1) for crops in (images, made)]
        maps = legend.pictures(legend.one_hot(labels[:12]))
        contact_sheet.write_png(args.sheet, contact_sheet.sheet([maps, *columns]))
    print(json.dumps({key: round(value, 4) for key, value in figures.items()}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
