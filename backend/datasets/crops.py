"""Square crops of tiles: at random for training, on a grid for scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from backend.datasets.reader import Tile
from backend.geo import legend

Pair = tuple[np.ndarray, np.ndarray]
STEP_PX = 32


def _tensors(image: np.ndarray, label: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(image.transpose(2, 0, 1).copy()), torch.from_numpy(label.copy())


def _padded(image: np.ndarray, label: np.ndarray, crop_px: int) -> Pair:
    """Mirrored to the right and below up to the crop's size, unlabelled there."""
    missing = [(0, crop_px - size) for size in label.shape]
    image = np.pad(image, (*missing, (0, 0)), mode="symmetric")
    return image, np.pad(label, missing, constant_values=legend.IGNORE)


def _recoloured(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Slightly other light: brightness, contrast and each band's gain."""
    mean = image.mean()
    light, contrast, gain = rng.uniform(0.85, 1.15), rng.uniform(0.85, 1.15), rng.uniform(0.95, 1.05, 3)
    changed = ((image - mean) * contrast + mean * light) * gain
    return np.clip(changed, 0, 255).astype(np.uint8)


def held(tile: Tile, crop_px: int) -> int:
    """How many crops a tile's area holds, at least one."""
    return max(1, round(tile.shape[0] * tile.shape[1] / crop_px**2))


def places(
    groups: Sequence[Sequence[Tile]],
    crop_px: int,
    mix: Sequence[float] = (),
    seed: int = 0,
    epoch: int = 0,
    count: int = 0,
) -> list[Tile]:
    """The tile of each crop of an epoch: each tile as often as its area holds crops.

    With a `mix`, a number for each group, each group has that share of the crops; with a `count`, an epoch has so many
    crops, else as many as without a mix. A group's tiles are then repeated, or other ones are left out in each epoch.
    """
    crops = [[tile for tile in tiles for _ in range(held(tile, crop_px))] for tiles in groups]
    if not mix and not count:
        return [tile for group in crops for tile in group]
    shares = np.array(mix or [len(group) for group in crops], float)
    bounds = np.round((count or sum(map(len, crops))) * np.cumsum(shares) / shares.sum()).astype(int)
    rng, found = np.random.default_rng([seed, epoch, 1]), list[Tile]()
    for group, wanted in zip(crops, np.diff(bounds, prepend=0)):
        count = int(wanted) if group else 0
        turns = [rng.permutation(len(group)) for _ in range(-(-count // max(len(group), 1)))]
        found += [group[number] for number in np.concatenate([[], *turns]).astype(int)[:count]]
    return found


class RandomCrops(Dataset):
    """An epoch of training: (3, crop, crop) uint8 RGB and (crop, crop) uint8 class indices, as tensors.

    Each of `tiles` gives a crop at a random place, in random order, with flips, quarter turns and slight colour, all a
    pure function of seed and epoch. A tile smaller than a crop is laid on a crop of a larger tile:
    a model would take an empty or mirrored border for a sign of the classes that come in small tiles.
    """

    def __init__(self, tiles: Sequence[Tile], crop_px: int, seed: int, epoch: int) -> None:
        self.crop_px, self.seed, self.epoch = crop_px, seed, epoch
        self.tiles = list(tiles)
        self.large = [tile for tile in self.tiles if min(tile.shape) >= crop_px]
        self.order = np.random.default_rng([seed, epoch]).permutation(len(self.tiles))

    def __len__(self) -> int:
        return len(self.tiles)

    def _read(self, tile: Tile, rng: np.random.Generator) -> Pair:
        """A crop of the tile, or all of it where it is smaller, turned and in other light."""
        height, width = (min(size, self.crop_px) for size in tile.shape)
        top, left = (int(rng.integers(size - used + 1)) for size, used in zip(tile.shape, (height, width)))
        image, label = tile.read(top, left, height, width)
        turns, flip = int(rng.integers(4)), 1 - 2 * int(rng.integers(2))
        image, label = np.rot90(image, turns)[:, ::flip], np.rot90(label, turns)[:, ::flip]
        return _recoloured(image, rng), label

    def __getitem__(self, item: int) -> tuple[torch.Tensor, torch.Tensor]:
        number = int(self.order[item])
        rng = np.random.default_rng([self.seed, self.epoch, number])
        image, label = self._read(self.tiles[number], rng)
        height, width = label.shape
        if min(height, width) < self.crop_px and self.large:
            ground, ground_label = self._read(self.large[int(rng.integers(len(self.large)))], rng)
            top, left = (int(rng.integers(self.crop_px - size + 1)) for size in (height, width))
            where, ground_label = (slice(top, top + height), slice(left, left + width)), ground_label.copy()
            ground[where], ground_label[where] = image, label
            image, label = ground, ground_label
        return _tensors(*_padded(image, label, self.crop_px))


class GridCrops(Dataset):
    """Crops side by side that show each labelled pixel of the tiles once: shapes as in `RandomCrops`.

    Where a tile is no multiple of the crop, its last crops reach back, unlabelled where others have been; a tile
    smaller than the crop is mirrored outward, unlabelled.
    """

    def __init__(self, tiles: Sequence[Tile], crop_px: int) -> None:
        self.crop_px = crop_px
        self.places = [
            (tile, row, col)
            for tile in tiles
            for row in range(0, tile.shape[0], crop_px)
            for col in range(0, tile.shape[1], crop_px)
        ]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, item: int) -> tuple[torch.Tensor, torch.Tensor]:
        tile, row, col = self.places[item]
        height, width = (min(size, self.crop_px) for size in tile.shape)
        top, left = min(row, tile.shape[0] - height), min(col, tile.shape[1] - width)
        image, label = tile.read(top, left, height, width)
        label = label.copy()
        label[: row - top], label[:, : col - left] = legend.IGNORE, legend.IGNORE
        return _tensors(*_padded(image, label, self.crop_px))


def grids(tiles: Sequence[Tile], crop_px: int) -> list[GridCrops]:
    """The tiles' crops, one set for each size that is needed: tiles smaller than `crop_px` get smaller crops."""
    sizes = [min(crop_px, max(min(tile.shape) // STEP_PX * STEP_PX, STEP_PX)) for tile in tiles]
    return [GridCrops([tile for tile, own in zip(tiles, sizes) if own == size], size) for size in sorted(set(sizes))]
