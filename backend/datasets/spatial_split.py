"""Train, val and test tiles apart on the ground, so that no split sees another's places."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import shapely
from rasterio.warp import transform

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
TILES_A_BLOCK = (4, 2, 1)  # along each side; the first that gives enough blocks
ENOUGH_BLOCKS = 8
SHARED_GROUND = 0.01  # tiles that share more of their area than this see the same ground


@dataclass(frozen=True)
class Footprint:
    """A tile's name, CRS, bounds (left, bottom, right, top) in it, and split."""

    name: str
    crs: str
    bounds: tuple[float, float, float, float]
    split: Split = "train"


def _blocks(tiles: list[Footprint]) -> list[tuple[str, int, int]]:
    """The block of ground that each tile's centre lies in; smaller blocks where there are few tiles."""
    found: list[tuple[str, int, int]] = []
    for across in TILES_A_BLOCK:
        found = []
        for tile in tiles:
            left, bottom, right, top = tile.bounds
            side = across * (right - left)
            found.append((tile.crs, int((left + right) / 2 // side), int((bottom + top) / 2 // side)))
        if len(set(found)) >= ENOUGH_BLOCKS:
            break
    return found


def _outline(tile: Footprint) -> shapely.Polygon:
    left, bottom, right, top = tile.bounds
    corners = transform(tile.crs, "EPSG:4326", [left, right, right, left], [bottom, bottom, top, top])
    return shapely.Polygon(list(zip(*corners)))


def _apart(tiles: list[Footprint]) -> list[Footprint]:
    """Without the tiles that share ground with one of a split further held out (test before val before train)."""
    rank = np.array([SPLITS.index(tile.split) for tile in tiles])
    outlines = np.array([_outline(tile) for tile in tiles])
    one, other = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    rivals = rank[one] < rank[other]
    one, other = one[rivals], other[rivals]
    shared = shapely.area(shapely.intersection(outlines[one], outlines[other])) / shapely.area(outlines[one])
    dropped = set(one[shared > SHARED_GROUND].tolist())
    return [tile for number, tile in enumerate(tiles) if number not in dropped]


def split_by_ground(tiles: list[Footprint], val_share: float, test_share: float, seed: int) -> list[Footprint]:
    """The tiles, of one size in metres, with their splits: whole blocks of ground go to val and test.

    Blocks are drawn by the seed until a split has its share of the tiles, or at least one; train keeps at least one.
    Where tiles of different splits share ground (overlapping strides, two years of one place, also in two CRSs), the
    one less held out is left out.
    """
    blocks = _blocks(tiles)
    order = sorted(set(blocks))
    np.random.default_rng(seed).shuffle(order)
    sizes = Counter(blocks)
    splits: dict[tuple[str, int, int], Split] = {}
    shares: list[tuple[Split, float]] = [("val", val_share), ("test", test_share)]
    for split, share in shares:
        wanted = share * len(tiles)
        while wanted > 0 and len(order) > 1:
            block = order.pop()
            splits[block] = split
            wanted -= sizes[block]
    return _apart([replace(tile, split=splits.get(block, "train")) for tile, block in zip(tiles, blocks)])
