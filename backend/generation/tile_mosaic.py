"""The tiles of a data set side by side on the world's pixels, so that what they share is computed once.

Fields are asked for where tiles lie and nowhere else; what comes is kept tile below tile in a file, from which an
interrupted run goes on.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from pathlib import Path

import numpy as np
from odc.geo.crs import CRS

from backend.datasets import writer
from backend.datasets.reader import damage
from backend.geo import class_raster, grid, legend
from backend.geo.block_store import BlockStore
from backend.geo.raster import open_raster
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import LazyRaster, RasterSource
from backend.tiling.regions import BoxRegions
from backend.tiling.render import Output

REGION_PX = 50_000  # along a side: the plan of a rendering grows with the ground between its tiles
REACH_PX = 256  # how far beyond the tiles the nearest label goes on, as beyond the edge of a raster
KEPT_LABELS = 64


@dataclass(frozen=True)
class PlacedTile:
    """A tile of a data set, and its pixels on the world's lattice.

    Its first pixel is taken for the world's nearest: on a grid of its own it lies half a pixel off at most.
    """

    entry: writer.Entry
    box: Box


@dataclass(frozen=True)
class Region:
    """Tiles of one CRS and one look that lie near each other; `world` is the CRS as noise knows it."""

    world: str
    tiles: tuple[PlacedTile, ...]
    styles: tuple[str, ...] = ()

    def boxes(self, factor: int) -> list[Box]:
        """The tiles on a lattice `factor` times coarser."""
        return [tile.box.coarsened(factor) for tile in self.tiles]


def regions(entries: Sequence[writer.Entry], pixel_m: float, tile_px: int) -> list[Region]:
    """The tiles of a data set by CRS, look and squares of REGION_PX; BackendError for a tile without a known CRS."""
    found: dict[tuple[str, int, int, tuple[str, ...]], list[PlacedTile]] = defaultdict(list)
    for each in entries:
        left, _, _, top = each.tile.bounds
        box = Box(round(-top / pixel_m), round(left / pixel_m), tile_px, tile_px)
        key = (_world(each.tile.crs), math.floor(box.row / REGION_PX), math.floor(box.col / REGION_PX), each.styles)
        found[key].append(PlacedTile(each, box))
    return [Region(key[0], tuple(tiles), key[3]) for key, tiles in sorted(found.items())]


@lru_cache(maxsize=KEPT_LABELS)
def _world(crs: str) -> str:
    known = grid.parse_crs(crs, "a tile")
    return str(CRS(f"EPSG:{known.to_epsg()}" if known.to_epsg() else known.to_wkt()))


def read_label(folder: Path, tile: PlacedTile) -> np.ndarray:
    """(height, width) uint8 class indices of a tile; BackendError where its file is missing or damaged."""
    with damage(folder), open_raster(folder / tile.entry.files["label"], "tile") as source:
        if (source.height, source.width) != (tile.box.height, tile.box.width):
            raise ValueError(f"{source.name} has {source.width} x {source.height} pixels")
        return class_raster.read_indices(source)


def labels(folder: Path, region: Region) -> RasterSource:
    """The tiles' labels as class indices on the world's pixels; beyond them the nearest pixel, then IGNORE."""
    corners = np.array([(tile.box.row, tile.box.col) for tile in region.tiles])
    size = region.tiles[0].box.height
    label = lru_cache(maxsize=KEPT_LABELS)(lambda number: read_label(folder, region.tiles[number]))

    def read(wanted: Box) -> np.ndarray:
        found = np.full((wanted.height, wanted.width), legend.IGNORE, dtype=np.uint8)
        nearest = np.full(found.shape, REACH_PX**2 + 1)
        ends = np.array([(wanted.bottom, wanted.right)])
        first = np.array([(wanted.row, wanted.col)])
        beside = np.maximum(np.maximum(corners - ends + 1, first - (corners + size - 1)), 0)
        order = np.argsort((beside**2).sum(1), kind="stable")
        for number in order[(beside.max(1) <= REACH_PX)[order]]:
            box = region.tiles[number].box
            rows, cols = np.arange(wanted.row, wanted.bottom), np.arange(wanted.col, wanted.right)
            in_rows, in_cols = np.clip(rows, box.row, box.bottom - 1), np.clip(cols, box.col, box.right - 1)
            distance = ((rows - in_rows) ** 2)[:, None] + ((cols - in_cols) ** 2)[None, :]
            nearer = distance < nearest
            if nearer.any():
                found[nearer] = label(number)[(in_rows - box.row)[:, None], (in_cols - box.col)[None, :]][nearer]
                nearest[nearer] = distance[nearer]
        return found

    return RasterSource("land cover", read)


class Strip:
    """What is rendered of some boxes, one below the other in a store; of any size up to the largest."""

    def __init__(self, folder: Path, boxes: Sequence[Box], bands: int, identity: str) -> None:
        """Go on from the store of an earlier run of this identity; errors as BlockStore's."""
        self.boxes, self.side = boxes, max(max(box.height, box.width) for box in boxes)
        self._corners = np.array([(box.row, box.col) for box in boxes])
        self.store = BlockStore(folder, (bands, self.side * len(boxes), self.side), identity)
        self.done = set(self.store.done)

    def output(self, field: LazyRaster, pixel_m: float) -> Output:
        """What is still wanted of a field, and written here."""
        region = reduce(Box.union, self.boxes)
        return Output(field, region, BoxRegions(self.boxes), pixel_m, self.write, frozenset(self.done))

    def write(self, block: Box, pixels: np.ndarray) -> None:
        """Keep what the boxes share with a block; (bands, height, width) or (height, width) uint8."""
        pixels = pixels[None] if pixels.ndim == 2 else pixels
        before, after = np.array((block.row, block.col)) - self.side, (block.bottom, block.right)
        for number in map(int, np.flatnonzero(((self._corners > before) & (self._corners < after)).all(1))):
            shared = self.boxes[number].intersection(block)
            if shared.height and shared.width:
                row = number * self.side + shared.row - self.boxes[number].row
                self.store.put(pixels[(..., *shared.slices_in(block))], row, shared.col - self.boxes[number].col)
        self.store.mark((block.row, block.col))
        self.done.add((block.row, block.col))

    def read(self, number: int) -> np.ndarray:
        """(bands, height, width) uint8 of a box."""
        box = self.boxes[number]
        return self.store.read(number * self.side, box.height)[..., : box.width]
