"""Splits of tiles into train, val and test by geography, so that no two splits share ground."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import shapely
from rasterio.warp import transform

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
BLOCK_TILES = (4, 2, 1)  # tiles along a block's side: the first of these that gives MIN_BLOCKS
MIN_BLOCKS = 8
MAX_OVERLAP = 0.01  # of a tile's area: tiles that overlap more show the same ground


@dataclass(frozen=True)
class Footprint:
    """A tile's name, CRS, bounds (left, bottom, right, top) in it, and split."""

    name: str
    crs: str
    bounds: tuple[float, float, float, float]
    split: Split = "train"


def _blocks(tiles: list[Footprint]) -> list[tuple[str, int, int]]:
    """The block of ground that each tile's centre lies in; blocks are smaller where there are few tiles."""
    blocks: list[tuple[str, int, int]] = []
    for side_tiles in BLOCK_TILES:
        blocks = []
        for tile in tiles:
            left, bottom, right, top = tile.bounds
            side = side_tiles * (right - left)
            blocks.append((tile.crs, int((left + right) / 2 // side), int((bottom + top) / 2 // side)))
        if len(set(blocks)) >= MIN_BLOCKS:
            break
    return blocks


def _outline(tile: Footprint) -> shapely.Polygon:
    left, bottom, right, top = tile.bounds
    corners = transform(tile.crs, "EPSG:4326", [left, right, right, left], [bottom, bottom, top, top])
    return shapely.Polygon(list(zip(*corners)))


def _without_shared_ground(tiles: list[Footprint]) -> list[Footprint]:
    """The tiles without those of train that overlap one of val or test, and those of val that overlap one of test."""
    rank = np.array([SPLITS.index(tile.split) for tile in tiles])
    outlines = np.array([_outline(tile) for tile in tiles])
    first, second = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    other_split = rank[first] < rank[second]
    first, second = first[other_split], second[other_split]
    overlap = shapely.area(shapely.intersection(outlines[first], outlines[second])) / shapely.area(outlines[first])
    dropped = set(first[overlap > MAX_OVERLAP].tolist())
    return [tile for number, tile in enumerate(tiles) if number not in dropped]


def split_by_ground(tiles: list[Footprint], val_share: float, test_share: float, seed: int) -> list[Footprint]:
    """The tiles, of one size in metres, with their splits: whole blocks of ground go to val and test.

    Blocks are drawn by the seed until a split has its share of the tiles, at least one; train keeps at least one. Where
    tiles of different splits share ground (overlapping strides, two years of one place, also in two CRSs), train's tile
    is left out before val's, and val's before test's.
    """
    blocks = _blocks(tiles)
    order = sorted(set(blocks))
    np.random.default_rng(seed).shuffle(order)
    sizes = Counter(blocks)
    splits: dict[tuple[str, int, int], Split] = {}
    shares: list[tuple[Split, float]] = [("val", val_share), ("test", test_share)]
    for split, share in shares:
        missing = share * len(tiles)
        while missing > 0 and len(order) > 1:
            block = order.pop()
            splits[block] = split
            missing -= sizes[block]
    split_tiles = [replace(tile, split=splits.get(block, "train")) for tile, block in zip(tiles, blocks)]
    return _without_shared_ground(split_tiles)
