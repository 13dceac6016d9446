"""Windows of one size drawn from land cover rasters and from the labels of data sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from backend.datasets import image_label_pairs, layout
from backend.geo import class_raster, legend
from backend.geo.raster import Log, open_raster
from backend.metrics.near_duplicates import MapBlock, Position
from backend.protocol import BackendError
from backend.tiling.lattice import Box

MAX_UNKNOWN_SHARE = 0.05  # of a window that may be nodata
BLOCK_WINDOWS = 4  # windows along the side of a block


@dataclass(frozen=True)
class LandCoverRaster:
    """A land cover raster of (height, width) pixels of `pixel_m` metres, read at `address`.

    Rasters of one `map_name`, such as the tiles of a data set, lie on one grid, with the first pixel at `corner`, row
    and column; what is cut from a map may cover several of its rasters.
    """

    path: Path
    address: str
    shape: tuple[int, int]
    pixel_m: float
    map_name: str
    corner: tuple[int, int] = (0, 0)

    def read(self, row: int, col: int, height: int, width: int) -> np.ndarray:
        """(height, width) uint8 class indices."""
        with open_raster(self.address, "land cover") as source:
            return class_raster.read_indices(source, Window(col, row, width, height))


@dataclass(frozen=True)
class WindowSample:
    """(n, side, side) uint8 class indices, and the position of each window's first pixel."""

    windows: np.ndarray
    positions: list[Position]


def open_maps(rasters: Sequence[str], datasets: Sequence[str], log: Log) -> list[LandCoverRaster]:
    """Rasters and the labels of data sets.

    BackendError where one cannot be read, is not on a grid in metres or has another legend; `log` gets a sentence on
    the values that are outside it.
    """
    opened = [_of_raster(Path(path), log) for path in rasters]
    for folder in datasets:
        opened += _of_dataset(Path(folder))
    return opened


def _of_raster(path: Path, log: Log) -> LandCoverRaster:
    class_raster.check_codes(path, "land cover", log)
    address = class_raster.class_address(path, "land cover")
    with open_raster(address, "land cover") as source:
        image_label_pairs.check_grid(source, f"land cover {path}", 1)
        return LandCoverRaster(path, address, (source.height, source.width), source.transform.a, str(path))


def _of_dataset(folder: Path) -> Iterator[LandCoverRaster]:
    if not (folder / layout.INDEX).is_file():
        raise BackendError(
            f"{folder} is not a data set: it has no {layout.INDEX}. Choose a folder that 'Build data set' wrote."
        )
    with layout.damage_errors(folder):
        index, rows = layout.read_manifest(folder)
        if not rows:
            raise BackendError(f"The data set {folder} holds no tiles. Build it again.")
        side, pixel_m = int(index["tile_px"]), float(index["pixel_m"])
        for row in rows:
            corner = round(-float(row["ymax"]) / pixel_m), round(float(row["xmin"]) / pixel_m)
            yield LandCoverRaster(
                folder / row["label"],
                str(folder / row["label"]),
                (side, side),
                pixel_m,
                f"{folder} {row['crs']}",
                corner,
            )


def common_pixel(rasters: Sequence[LandCoverRaster]) -> float:
    """The pixel size of all rasters in metres; BackendError where they differ."""
    first = rasters[0]
    for raster in rasters:
        if abs(raster.pixel_m / first.pixel_m - 1) > layout.SAME_GSD_TOLERANCE:
            raise BackendError(
                f"{first.path} has pixels of {first.pixel_m:g} m, {raster.path} of {raster.pixel_m:g} m. Landscape "
                "metrics depend on the pixel size: resample one to the other's by mode or nearest, or cut labels alone."
            )
    return first.pixel_m


def draw_windows(
    rasters: Sequence[LandCoverRaster], side: int, stride: int, count: int, seed: int, what: str
) -> WindowSample:
    """Draw at most `count` windows of `side` pixels, with little nodata, from a grid of `stride` pixels.

    `what` names the map in errors. Raises BackendError where no raster is as large as a window, and where all windows
    are nodata.
    """
    candidates = [
        (number, row, col) for number, raster in enumerate(rasters) for row, col in _offsets(raster, side, stride)
    ]
    if not candidates:
        largest = max(min(raster.shape) for raster in rasters)
        raise BackendError(
            f"No {what} land cover is as large as a window of {side} pixels ({side * rasters[0].pixel_m:g} m). The "
            f"largest window that fits is {largest * rasters[0].pixel_m:g} m."
        )
    windows, positions, map_numbers = [], list[Position](), _map_numbers(rasters)
    for drawn in np.random.default_rng(seed).permutation(len(candidates)):
        number, row, col = candidates[drawn]
        raster = rasters[number]
        window = raster.read(row, col, side, side)
        if (window == legend.IGNORE).mean() <= MAX_UNKNOWN_SHARE:
            windows.append(window)
            positions.append((map_numbers[raster.map_name], raster.corner[0] + row, raster.corner[1] + col))
        if len(windows) == count:
            break
    if not windows:
        raise BackendError(
            f"The {what} land cover holds no window of WorldCover classes: everywhere, more than "
            f"{MAX_UNKNOWN_SHARE:.0%} of it is nodata or has another legend. Choose other rasters or smaller windows."
        )
    return WindowSample(np.stack(windows), positions)


def _offsets(raster: LandCoverRaster, side: int, stride: int) -> Iterator[tuple[int, int]]:
    """Row and column of each window in a raster."""
    for row in range(0, raster.shape[0] - side + 1, stride):
        yield from ((row, col) for col in range(0, raster.shape[1] - side + 1, stride))


def _map_numbers(rasters: Sequence[LandCoverRaster]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(raster.map_name for raster in rasters))}


def map_blocks(rasters: Sequence[LandCoverRaster], side: int, max_px: int, seed: int) -> tuple[list[MapBlock], float]:
    """The maps as overlapping blocks, so that every window of `side` pixels is inside one; and the share returned.

    Of maps larger than `max_px` pixels, blocks are drawn by the seed. Pixels outside all rasters are IGNORE.
    """
    step, map_numbers = BLOCK_WINDOWS * side, _map_numbers(rasters)
    size = step + side - 1
    rasters_of: dict[Position, list[LandCoverRaster]] = defaultdict(list)
    for raster in rasters:
        spans = (
            range((first - size) // step + 1, (first + length - 1) // step + 1)
            for first, length in zip(raster.corner, raster.shape)
        )
        for row, col in product(*spans):
            rasters_of[(map_numbers[raster.map_name], row * step, col * step)].append(raster)
    positions, blocks, left = list(rasters_of), list[MapBlock](), max_px
    for drawn in np.random.default_rng(seed).permutation(len(positions)):
        if left < 0:
            break
        blocks.append(_read_block(positions[drawn], rasters_of[positions[drawn]], size))
        left -= blocks[-1].pixels.size
    return blocks, len(blocks) / len(positions)


def _read_block(position: Position, rasters: Sequence[LandCoverRaster], size: int) -> MapBlock:
    """Read the block of `size` pixels at a position, reduced to the extent of its rasters."""
    block = Box(position[1], position[2], size, size)
    boxes = [Box(*raster.corner, *raster.shape) for raster in rasters]
    shared = [box.intersection(block) for box in boxes]
    extent = reduce(Box.union, shared)
    pixels = np.full((extent.height, extent.width), legend.IGNORE, dtype=np.uint8)
    for raster, box, part in zip(rasters, boxes, shared):
        pixels[part.slices_in(extent)] = raster.read(part.row - box.row, part.col - box.col, part.height, part.width)
    return MapBlock(pixels, (position[0], extent.row, extent.col))
