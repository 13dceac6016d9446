"""The tiles of a data set as one region of interest, so that windows over several tiles are computed once.

Lazy rasters are rendered where tiles lie and nowhere else. The pixels are stored tile below tile in a file, from which
an interrupted run continues.
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
from backend.datasets.layout import damage_errors
from backend.geo import class_raster, grid, legend
from backend.geo.block_store import BlockStore
from backend.geo.raster import open_raster
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import LazyRaster, RasterSource
from backend.tiling.regions import BoxRegions
from backend.tiling.render import Output

REGION_PX = 50_000  # the side of a region: the plan of a rendering grows with the ground between its tiles
REACH_PX = 256  # how far beyond the tiles the nearest label is repeated, as beyond the edge of a raster
CACHED_LABELS = 64


@dataclass(frozen=True)
class PlacedTile:
    """A tile of a data set and its box in world pixels.

    Its first pixel is the nearest world pixel: a tile on a grid of its own is moved by half a pixel at most.
    """

    entry: writer.Entry
    box: Box


@dataclass(frozen=True)
class Region:
    """Tiles of one CRS and the same styles that lie near each other; `crs` is the text that seeds the noise."""

    crs: str
    tiles: tuple[PlacedTile, ...]
    styles: tuple[str, ...] = ()

    def boxes(self, factor: int) -> list[Box]:
        """The tiles' boxes in pixels `factor` times larger."""
        return [tile.box.coarsened(factor) for tile in self.tiles]


def regions(entries: Sequence[writer.Entry], pixel_m: float, tile_px: int) -> list[Region]:
    """Group a data set's tiles by CRS, styles and squares of REGION_PX; BackendError for a tile without a known CRS."""
    groups: dict[tuple[str, int, int, tuple[str, ...]], list[PlacedTile]] = defaultdict(list)
    for entry in entries:
        left, _, _, top = entry.tile.bounds
        box = Box(round(-top / pixel_m), round(left / pixel_m), tile_px, tile_px)
        square = math.floor(box.row / REGION_PX), math.floor(box.col / REGION_PX)
        groups[(_normalised_crs(entry.tile.crs), *square, entry.styles)].append(PlacedTile(entry, box))
    return [Region(crs, tuple(tiles), styles) for (crs, _, _, styles), tiles in sorted(groups.items())]


@lru_cache(maxsize=64)
def _normalised_crs(crs: str) -> str:
    known = grid.parse_crs(crs, "a tile")
    return str(CRS(f"EPSG:{known.to_epsg()}" if known.to_epsg() else known.to_wkt()))


def read_label(folder: Path, tile: PlacedTile) -> np.ndarray:
    """(height, width) uint8 class indices of a tile; BackendError where its file is missing or damaged."""
    with damage_errors(folder), open_raster(folder / tile.entry.files["label"], "tile") as source:
        if (source.height, source.width) != (tile.box.height, tile.box.width):
            raise ValueError(f"{source.name} has {source.width} x {source.height} pixels")
        return class_raster.read_indices(source)


def label_source(folder: Path, region: Region) -> RasterSource:
    """The tiles' labels as class indices; up to REACH_PX beyond the tiles the nearest pixel, further away IGNORE."""
    corners = np.array([(tile.box.row, tile.box.col) for tile in region.tiles])
    size = region.tiles[0].box.height
    label = lru_cache(maxsize=CACHED_LABELS)(lambda number: read_label(folder, region.tiles[number]))

    def read(window: Box) -> np.ndarray:
        indices = np.full((window.height, window.width), legend.IGNORE, dtype=np.uint8)
        nearest = np.full(indices.shape, REACH_PX**2 + 1)
        ends = np.array([(window.bottom, window.right)])
        first = np.array([(window.row, window.col)])
        gaps = np.maximum(np.maximum(corners - ends + 1, first - (corners + size - 1)), 0)
        order = np.argsort((gaps**2).sum(1), kind="stable")
        for number in order[(gaps.max(1) <= REACH_PX)[order]]:
            box = region.tiles[number].box
            rows, cols = np.arange(window.row, window.bottom), np.arange(window.col, window.right)
            in_rows, in_cols = np.clip(rows, box.row, box.bottom - 1), np.clip(cols, box.col, box.right - 1)
            distance = ((rows - in_rows) ** 2)[:, None] + ((cols - in_cols) ** 2)[None, :]
            nearer = distance < nearest
            if nearer.any():
                indices[nearer] = label(number)[(in_rows - box.row)[:, None], (in_cols - box.col)[None, :]][nearer]
                nearest[nearer] = distance[nearer]
        return indices

    return RasterSource("land cover", read)


class Strip:
    """The pixels of some boxes of a lazy raster, one box below the other in a block store."""

    def __init__(self, folder: Path, boxes: Sequence[Box], bands: int, identity: str) -> None:
        """Continue from the store of an earlier run with this identity; errors as BlockStore's."""
        self.boxes, self.side = boxes, max(max(box.height, box.width) for box in boxes)
        self._corners = np.array([(box.row, box.col) for box in boxes])
        self.store = BlockStore(folder, (bands, self.side * len(boxes), self.side), identity)
        self.done = set(self.store.done)

    def output(self, raster: LazyRaster, pixel_m: float) -> Output:
        """The blocks of a lazy raster that are not stored yet."""
        region = reduce(Box.union, self.boxes)
        return Output(raster, region, BoxRegions(self.boxes), pixel_m, self.write, frozenset(self.done))

    def write(self, block: Box, pixels: np.ndarray) -> None:
        """Store what lies in the boxes of a block's (bands, height, width) or (height, width) uint8 pixels."""
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
