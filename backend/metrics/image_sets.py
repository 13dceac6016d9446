"""Real and synthetic images to compare: as many of each, of one pixel size, and of the same ground where they can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from backend.datasets.layout import SAME_GSD_TOLERANCE
from backend.geo import legend
from backend.metrics.image_crops import CropSet, keys, open_crops
from backend.protocol import BackendError

LEAST = 16
SAME_LABEL = 0.95  # share of the labelled pixels that must agree for one image to be painted on the other's label


@dataclass(frozen=True)
class Images:
    """(n, 3, s, s) uint8 images, (n, s, s) uint8 class indices, and keys that the images of the same ground share."""

    name: str
    images: torch.Tensor
    labels: np.ndarray
    keys: list[str]

    def first(self, count: int) -> Images:
        """The first so many."""
        return Images(self.name, self.images[:count], self.labels[:count], self.keys[:count])


def open_sets(
    real: Sequence[str], synthetic: Sequence[str], size_px: int, split: str, count: int, seed: int
) -> tuple[Images, list[Images], list[str]]:
    """The real sources as one set, each synthetic one, and what is to be said of them; at most `count` images of each.

    Raises BackendError where a source cannot be opened, pixel sizes differ or fewer than LEAST images hold data.
    """
    real_sets, made_sets = ([open_crops(path, size_px, split) for path in paths] for paths in (real, synthetic))
    said = _check_gsd([*real_sets, *made_sets])
    names = called([*real, *synthetic], [one.name for one in (*real_sets, *made_sets)])
    whole = CropSet(", ".join(names[: len(real)]), 0, [one for each in real_sets for one in each.pictures])
    made = [CropSet(name, 0, one.pictures) for name, one in zip(names[len(real) :], made_sets)]
    sets = [whole, *made]
    found = keys(sets)
    shared = set(found[0]).intersection(*found[1:])  # of the same ground, sets compare best
    drawn = [_draw(one, own, shared, size_px, count, seed) for one, own in zip(sets, found)]
    least = min(len(one.images) for one in drawn)
    said.append(f"{least} crops of each set were measured, so that figures of different sets compare.")
    first, *others = (one.first(least) for one in drawn)
    return first, others, said


def called(paths: Sequence[str], names: Sequence[str]) -> list[str]:
    """What sets are called: their names, with the folders' above them where these agree."""
    above = (Path(path).absolute().parent.name for path in paths)
    return [name if list(names).count(name) == 1 else f"{folder}/{name}" for folder, name in zip(above, names)]


def _check_gsd(sets: Sequence[CropSet]) -> list[str]:
    known = [one for one in sets if one.pixel_m]
    for one in known:
        if abs(one.pixel_m / known[0].pixel_m - 1) > SAME_GSD_TOLERANCE:
            raise BackendError(
                f"{known[0].name} has pixels of {known[0].pixel_m:g} m, {one.name} of {one.pixel_m:g} m. Resample one "
                "to the other's pixel size: metrics would measure the pixels, not the images."
            )
    unknown = ", ".join(one.name for one in sets if not one.pixel_m)
    return [f"No pixel size is known of {unknown}; it is taken for that of the other sets."] if unknown else []


def _draw(pictures: CropSet, own: list[str], shared: set[str], size_px: int, count: int, seed: int) -> Images:
    images, labels, found = [], [], []
    for key, (image, label) in pictures.drawn(own, shared, seed):
        images.append(image.transpose(2, 0, 1))
        labels.append(label)
        found.append(key)
        if len(images) == count:
            break
    if len(images) < LEAST:
        raise BackendError(
            f"{pictures.name} has {len(images)} crops of {size_px} pixels that hold data, but at least {LEAST} are "
            "needed. Lower the crop size or give more ground."
        )
    return Images(pictures.name, torch.from_numpy(np.stack(images)), np.stack(labels), found)


def matched(one: Images, other: Images) -> tuple[list[tuple[int, int]], str]:
    """The numbers of the images of the same ground and label, and what is to be said of them."""
    places = {key: number for number, key in enumerate(other.keys)}
    ground = [(number, places[key]) for number, key in enumerate(one.keys) if key in places]
    alike = [(i, j) for i, j in ground if _same_label(one.labels[i], other.labels[j])]
    both = f"{one.name} and {other.name}"
    if len(alike) < 2:
        why = "share no tiles (by ground, or by name where the ground is not known)" if len(ground) < 2 else ""
        return [], f"{both} {why or 'have other labels on the same ground'}"
    unknown = sum(
        bool((one.labels[i] == legend.IGNORE).all() or (other.labels[j] == legend.IGNORE).all()) for i, j in alike
    )
    said = (
        f"{unknown} of {len(alike)} pairs of {both} have no labels to compare: they are taken for images of one label"
    )
    return alike, said if unknown else ""


def _same_label(one: np.ndarray, other: np.ndarray) -> bool:
    known = (one != legend.IGNORE) & (other != legend.IGNORE)
    return not known.any() or bool((one == other)[known].mean() >= SAME_LABEL)
