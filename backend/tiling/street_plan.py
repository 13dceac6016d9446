"""Streets and houses of towns without vector layers: lines that depend on seed and place alone.

Streets run along the borders of the Voronoi cells of random sites, houses along the streets. Image generators follow
the lines where land cover is built-up.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import shapely
from affine import Affine
from rasterio.features import rasterize

from backend.tiling import noise
from backend.tiling.fixed_blocks import fixed_block_source
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import RasterSource
from backend.tiling.vector_layers import outline

SQUARE_M = 96  # the side of the squares that have one site each: about the distance of streets
AROUND = 3  # squares around a block whose sites are known: farther ones do not change the streets in it
STREET_M, LOT_M = 8.0, 18.0  # a street's width, and the distance of houses along it
SETBACK_M, DEPTH_M, WIDTH_M = 6.0, (9.0, 12.0), (10.0, 15.0)  # of houses: from the street, and their sizes
CLEARANCE_M = 3.0  # by which a house is nearer to its own street than to others
FAR_M = 60.0  # where other streets do not matter


def street_plan(seed: int, world: str) -> RasterSource:
    """(1, height, width) uint8 at 1 m: 1 on the borders of streets and houses, which lie everywhere in the world."""
    return fixed_block_source("street plan", 1, partial(_lines, seed, world))


def _lines(seed: int, world: str, block: Box) -> np.ndarray:
    """(1, height, width) uint8, 1 on the borders of streets and houses in a block."""
    streets = _streets(seed, world, block)
    surfaces = [shapely.union_all(shapely.buffer(streets, STREET_M / 2)), *_houses(seed, world, streets)]
    box = block.grown(1)
    shapes = [(surface, number) for number, surface in enumerate(surfaces, start=1)]
    place = Affine.translation(box.col, box.row)
    numbers = rasterize(shapes, (box.height, box.width), transform=place, dtype="int32")
    return outline(numbers)[None].astype(np.uint8)


def _streets(seed: int, world: str, block: Box) -> np.ndarray:
    """The streets that reach into a block or its surroundings; coordinates are columns and rows of the world."""
    squares = block.coarsened(SQUARE_M).grown(AROUND)
    shifts = noise.normal(seed, f"{world} streets", 2, squares).astype(np.float64)
    rows, cols = np.mgrid[squares.row : squares.bottom, squares.col : squares.right] + 0.5 + 0.4 * np.tanh(shifts)
    sites = shapely.MultiPoint(np.stack([cols.ravel(), rows.ravel()], axis=1) * SQUARE_M)
    around = shapely.box(block.col, block.row, block.right, block.bottom).buffer(SQUARE_M)
    borders = shapely.get_parts(shapely.voronoi_polygons(sites, only_edges=True))
    return borders[shapely.intersects(borders, around)]


def _houses(seed: int, world: str, streets: np.ndarray) -> np.ndarray:
    """The houses on both sides of streets, as polygons; their sizes depend on their places."""
    ends = shapely.get_coordinates(streets).reshape(-1, 2, 2)
    length = shapely.length(streets)
    most = int(length.max() / 2 / LOT_M)
    number, lot, side = (
        grid.ravel()
        for grid in np.meshgrid(np.arange(len(streets)), np.arange(-most, most + 1), (-1, 1), indexing="ij")
    )
    inside = np.abs(lot) <= length[number] / 2 / LOT_M - 0.5
    number, lot, side = number[inside], lot[inside, None], side[inside, None]
    along = ((ends[:, 1] - ends[:, 0]) / length[:, None])[number]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    front = ends.mean(1)[number] + lot * LOT_M * along + side * (STREET_M / 2 + SETBACK_M) * across
    sizes = _random_shares(seed, world, front)
    depth, width = (low + (high - low) * share[:, None] for (low, high), share in zip((DEPTH_M, WIDTH_M), sizes))
    back, half = front + side * depth * across, width / 2 * along
    houses = shapely.polygons(np.stack([front - half, front + half, back + half, back - half], axis=1))
    near, other = shapely.STRtree(streets).query(houses, "dwithin", FAR_M)
    foreign = other != number[near]
    distance = np.full(len(houses), FAR_M)
    np.minimum.at(distance, near[foreign], shapely.distance(houses[near[foreign]], streets[other[foreign]]))
    return houses[distance >= shapely.distance(houses, streets[number]) + CLEARANCE_M]


def _random_shares(seed: int, world: str, points: np.ndarray) -> np.ndarray:
    """(2, n) numbers from 0 to 1 that depend on the square of 4 m that a point (n, 2) lies in."""
    cols, rows = np.floor(points / 4).astype(int).T
    box = Box(rows.min(), cols.min(), np.ptp(rows) + 1, np.ptp(cols) + 1)
    normal = noise.normal(seed, f"{world} houses", 2, box)[:, rows - box.row, cols - box.col]
    return 0.5 + 0.5 * np.tanh(normal)
