"""Square crops of tiles for segmentation, as torch data sets: at random for training, on a grid for scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from backend.datasets.augment import random_corner, read_crop, strong_color_jitter
from backend.datasets.layout import Tile
from backend.geo import legend

STEP_PX = 32


def _tensors(image: np.ndarray, label: np.ndarray, crop_px: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Image and label as tensors, mirrored to the right and below up to the crop's size; unlabelled there."""
    missing = [(0, crop_px - size) for size in label.shape]
    image = np.pad(image, ((0, 0), *missing), mode="symmetric")
    label = np.pad(label, missing, constant_values=legend.IGNORE)
    return torch.from_numpy(np.ascontiguousarray(image)), torch.from_numpy(np.ascontiguousarray(label))


def crop_count(tile: Tile, crop_px: int) -> int:
    """How many crops have as many pixels as a tile, at least one."""
    return max(1, round(tile.shape[0] * tile.shape[1] / crop_px**2))


def epoch_tiles(
    groups: Sequence[Sequence[Tile]],
    crop_px: int,
    mix: Sequence[float] = (),
    seed: int = 0,
    epoch: int = 0,
    count: int = 0,
) -> list[Tile]:
    """The tile of each crop of an epoch: each tile as often as its `crop_count`.

    With a `mix`, a number for each group, each group has that share of the crops; with a `count`, an epoch has so many
    crops, else as many as without a mix. A group's tiles are then repeated, or other ones are left out in each epoch.
    """
    crops = [[tile for tile in tiles for _ in range(crop_count(tile, crop_px))] for tiles in groups]
    if not mix and not count:
        return [tile for group in crops for tile in group]
    shares = np.array(mix or [len(group) for group in crops], float)
    bounds = np.round((count or sum(map(len, crops))) * np.cumsum(shares) / shares.sum()).astype(int)
    rng, epoch_crops = np.random.default_rng([seed, epoch, 1]), list[Tile]()
    for group, size in zip(crops, np.diff(bounds, prepend=0)):
        group_count = int(size) if group else 0
        orders = [rng.permutation(len(group)) for _ in range(-(-group_count // max(len(group), 1)))]
        epoch_crops += [group[number] for number in np.concatenate([[], *orders]).astype(int)[:group_count]]
    return epoch_crops


class RandomCrops(Dataset):
    """An epoch of training: (3, crop, crop) uint8 RGB and (crop, crop) uint8 class indices, as tensors.

    One crop of each of `tiles`, in random order: position, turn, mirroring and colour are functions of seed and epoch.
    A tile smaller than a crop is laid on a crop of a larger tile, as a model would learn an empty or mirrored border
    as a sign of the classes that come in small tiles.
    """

    def __init__(self, tiles: Sequence[Tile], crop_px: int, seed: int, epoch: int) -> None:
        self.crop_px, self.seed, self.epoch = crop_px, seed, epoch
        self.tiles = list(tiles)
        self.large = [tile for tile in self.tiles if min(tile.shape) >= crop_px]
        self.order = np.random.default_rng([seed, epoch]).permutation(len(self.tiles))

    def __len__(self) -> int:
        return len(self.tiles)

    def _crop(self, tile: Tile, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A crop of the tile, or all of a smaller one, turned and in other light."""
        height, width = (min(size, self.crop_px) for size in tile.shape)
        corner = random_corner(rng, tile.shape, (height, width))
        turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
        image, label = read_crop(tile, corner, height, width, 4 + -turns % 4 if mirrored else turns)
        return strong_color_jitter(image, rng), label

    def __getitem__(self, item: int) -> tuple[torch.Tensor, torch.Tensor]:
        number = int(self.order[item])
        rng = np.random.default_rng([self.seed, self.epoch, number])
        image, label = self._crop(self.tiles[number], rng)
        height, width = label.shape
        if min(height, width) < self.crop_px and self.large:
            background, background_label = self._crop(self.large[int(rng.integers(len(self.large)))], rng)
            top, left = random_corner(rng, (self.crop_px, self.crop_px), (height, width))
            part, background_label = (slice(top, top + height), slice(left, left + width)), background_label.copy()
            background[:, part[0], part[1]], background_label[part] = image, label
            image, label = background, background_label
        return _tensors(image, label, self.crop_px)


class GridCrops(Dataset):
    """Crops side by side that show each labelled pixel of the tiles once: shapes as in `RandomCrops`.

    Where a tile is no multiple of the crop, its last crops overlap their neighbours, unlabelled there; a tile smaller
    than the crop is mirrored outward, unlabelled.
    """

    def __init__(self, tiles: Sequence[Tile], crop_px: int) -> None:
        self.crop_px = crop_px
        self.positions = [
            (tile, row, col)
            for tile in tiles
            for row in range(0, tile.shape[0], crop_px)
            for col in range(0, tile.shape[1], crop_px)
        ]

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, item: int) -> tuple[torch.Tensor, torch.Tensor]:
        tile, row, col = self.positions[item]
        height, width = (min(size, self.crop_px) for size in tile.shape)
        top, left = min(row, tile.shape[0] - height), min(col, tile.shape[1] - width)
        image, label = read_crop(tile, (top, left), height, width, variant=0)
        label = label.copy()
        label[: row - top], label[:, : col - left] = legend.IGNORE, legend.IGNORE
        return _tensors(image, label, self.crop_px)


def grid_crops(tiles: Sequence[Tile], crop_px: int) -> list[GridCrops]:
    """The tiles' crops, one data set for each crop size: tiles smaller than `crop_px` get smaller crops."""
    sizes = [min(crop_px, max(min(tile.shape) // STEP_PX * STEP_PX, STEP_PX)) for tile in tiles]
    return [GridCrops([tile for tile, own in zip(tiles, sizes) if own == size], size) for size in sorted(set(sizes))]
