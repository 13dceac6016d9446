"""Real and synthetic images to compare: the same number and pixel size, and the same ground where possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from backend.datasets.layout import SAME_GSD_TOLERANCE
from backend.geo import legend
from backend.metrics.image_crops import CropSet, ground_keys, open_crops
from backend.metrics.names import unique_names
from backend.protocol import BackendError

MINIMUM_CROPS = 16
SAME_LABEL = 0.95  # share of the labelled pixels that must agree for two images to have the same label

Matches = list[tuple[int, int]]
"""The positions of images of the same ground and label in two sets."""


@dataclass(frozen=True)
class ImageSet:
    """(n, 3, s, s) uint8 images, (n, s, s) uint8 class indices, and keys that are equal for the same ground."""

    name: str
    images: torch.Tensor
    labels: np.ndarray
    keys: list[str]

    def first(self, count: int) -> ImageSet:
        """The first `count` images."""
        return ImageSet(self.name, self.images[:count], self.labels[:count], self.keys[:count])


def open_sets(
    real: Sequence[str], synthetic: Sequence[str], size_px: int, split: str, count: int, seed: int
) -> tuple[ImageSet, list[ImageSet], list[str]]:
    """The real sources as one set, each synthetic one, and remarks on them; the same number of images of each.

    That is at most `count`. Raises BackendError where a source cannot be opened, pixel sizes differ or fewer than
    MINIMUM_CROPS images hold data.
    """
    remarks: list[str] = []
    real_sets, synthetic_sets = (
        [open_crops(path, size_px, split, remarks.append) for path in paths] for paths in (real, synthetic)
    )
    remarks += _check_gsd([*real_sets, *synthetic_sets])
    names = unique_names([*real, *synthetic], [crops.name for crops in (*real_sets, *synthetic_sets)])
    sets = [CropSet(", ".join(names[: len(real)]), 0, [crop for crops in real_sets for crop in crops.crops])]
    sets += [CropSet(name, 0, crops.crops) for name, crops in zip(names[len(real) :], synthetic_sets)]
    keys = ground_keys(sets)
    shared = set(keys[0]).intersection(*keys[1:])  # crops of the same ground are preferred: they compare best
    drawn = [_draw(crops, own_keys, shared, size_px, count, seed) for crops, own_keys in zip(sets, keys)]
    least = min(len(images.images) for images in drawn)
    remarks.append(f"{least} crops of each set were measured, so that figures of different sets compare.")
    first, *others = (images.first(least) for images in drawn)
    return first, others, remarks


def _check_gsd(sets: Sequence[CropSet]) -> list[str]:
    """Remarks on unknown pixel sizes; BackendError where known ones differ."""
    known = [crops for crops in sets if crops.pixel_m]
    for crops in known:
        if abs(crops.pixel_m / known[0].pixel_m - 1) > SAME_GSD_TOLERANCE:
            raise BackendError(
                f"{known[0].name} has pixels of {known[0].pixel_m:g} m, {crops.name} of {crops.pixel_m:g} m. Resample "
                "one to the other's pixel size: metrics would measure the pixels, not the images."
            )
    unknown = ", ".join(crops.name for crops in sets if not crops.pixel_m)
    return [f"No pixel size is known of {unknown}; it is taken for that of the other sets."] if unknown else []


def _draw(crops: CropSet, keys: list[str], shared: set[str], size_px: int, count: int, seed: int) -> ImageSet:
    images, labels, drawn = [], [], []
    for key, (image, label) in crops.drawn(keys, shared, seed):
        images.append(image.transpose(2, 0, 1))
        labels.append(label)
        drawn.append(key)
        if len(images) == count:
            break
    if len(images) < MINIMUM_CROPS:
        raise BackendError(
            f"{crops.name} has {len(images)} crops of {size_px} pixels that hold data, but at least {MINIMUM_CROPS} "
            "are needed. Lower the crop size or give more ground."
        )
    return ImageSet(crops.name, torch.from_numpy(np.stack(images)), np.stack(labels), drawn)


def matches(one: ImageSet, other: ImageSet) -> tuple[Matches, str]:
    """The images of the same ground and label in both sets, and a remark on them or on why there are none."""
    positions = {key: number for number, key in enumerate(other.keys)}
    same_ground = [(number, positions[key]) for number, key in enumerate(one.keys) if key in positions]
    same_label = [(i, j) for i, j in same_ground if _same_label(one.labels[i], other.labels[j])]
    both = f"{one.name} and {other.name}"
    if len(same_label) < 2:
        if len(same_ground) < 2:
            return [], f"{both} share no tiles (by ground, or by name where the ground is not known)"
        return [], f"{both} have other labels on the same ground"
    unlabelled = sum(
        bool((one.labels[i] == legend.IGNORE).all() or (other.labels[j] == legend.IGNORE).all()) for i, j in same_label
    )
    if not unlabelled:
        return same_label, ""
    return same_label, (
        f"{unlabelled} of {len(same_label)} pairs of {both} have no labels to compare: they are taken for images of "
        "one label"
    )


def _same_label(one: np.ndarray, other: np.ndarray) -> bool:
    known = (one != legend.IGNORE) & (other != legend.IGNORE)
    return not known.any() or bool((one == other)[known].mean() >= SAME_LABEL)
