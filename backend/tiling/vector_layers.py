"""Roads, buildings and water from vector files, burnt into an image grid: a raster of classes and of outlines.

Water is burnt first, then roads, so that bridges lie over water, then buildings. What a block holds depends on the
features that touch it, not on the extent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Union

import numpy as np
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.features import rasterize

from backend.geo import legend
from backend.geo.block_store import stamp
from backend.geo.feature_kinds import KINDS, Kind
from backend.protocol import BackendError, GenerateImage, GenerateScene
from backend.tiling.fixed_blocks import fixed_block_source
from backend.tiling.lattice import Box, Lattice
from backend.tiling.lazy_raster import Input, LazyRaster, Patch, RasterSource, WindowOp

Job = Union[GenerateImage, GenerateScene]
Log = Callable[[str], None]
CLIP_VERTICES = 1000  # of a surface that is clipped to a block before it is rasterised
LANDCOVER_WINDOW = 64  # 10 m pixels


class Surfaces:
    """The surfaces of a layer's features: polygons in the grid's CRS, in an index by place."""

    def __init__(self, kind: Kind, polygons: np.ndarray) -> None:
        self.kind = kind
        # Where buildings overlap the smaller lies on top, whichever order they are read in.
        west, south = shapely.bounds(polygons)[:, :2].T if len(polygons) else (np.zeros(0), np.zeros(0))
        self._polygons = polygons[np.lexsort((south, west, -shapely.area(polygons)))]
        self._vertices = shapely.get_num_coordinates(self._polygons)
        self._tree = shapely.STRtree(self._polygons)

    def touching(self, bounds: tuple[float, float, float, float]) -> int:
        """The number of surfaces that touch bounds in the grid's CRS."""
        return len(self._tree.query(shapely.box(*bounds), predicate="intersects"))

    def pixel_numbers(self, box: Box, pixel_m: float) -> np.ndarray:
        """(height, width) int32: which feature covers the centre of a pixel, one number for all unless apart; else 0.

        Numbers tell features apart within a box only.
        """
        place = Affine(pixel_m, 0, box.col * pixel_m, 0, -pixel_m, -box.row * pixel_m)
        wider = box.grown(1)
        around = shapely.box(*(np.array([wider.col, -wider.bottom, wider.right, -wider.row]) * pixel_m))
        ids = np.sort(self._tree.query(around))
        polygons = self._polygons[ids]
        many = self._vertices[ids] > CLIP_VERTICES
        if many.any():
            polygons[many] = shapely.intersection(polygons[many], around)
        numbers = np.arange(1, len(ids) + 1) if self.kind.apart else np.ones(len(ids), np.int64)
        shapes = [(polygon, number) for polygon, number in zip(polygons, numbers.tolist()) if not polygon.is_empty]
        shape = (box.height, box.width)
        return rasterize(shapes, shape, transform=place, dtype="int32") if shapes else np.zeros(shape, np.int32)


def outline(numbers: np.ndarray) -> np.ndarray:
    """(height, width) bool of (height + 2, width + 2) numbers: the outermost pixels of what is not 0.

    Where two numbers touch, the northern or western one's pixel is outline.
    """
    inside, height, width = numbers[1:-1, 1:-1], *numbers.shape
    north, south, west, east = (
        numbers[row : height - 2 + row, col : width - 2 + col] for row, col in ((0, 1), (2, 1), (1, 0), (1, 2))
    )
    edge = (north == 0) | (south == 0) | (west == 0) | (east == 0) | (south != inside) | (east != inside)
    return (inside != 0) & edge


@dataclass(frozen=True)
class VectorLayers:
    """Vector layers over an image grid, open for reading.

    `source` has (2, height, width) uint8 pixels: the class index burnt there, IGNORE where there is no feature; and 1
    where an outline runs, else 0. It is None without any layer. `settings` are for the raster's tags, `stamps` identify
    the files, so that a run is not resumed with others.
    """

    source: RasterSource | None
    settings: dict[str, Any]
    stamps: tuple[str, ...]


NO_LAYERS = VectorLayers(None, {}, ())


def open_layers(job: Job, box: GeoBox, log: Log) -> VectorLayers:
    """Open the vector layers that a job names over its image grid; NO_LAYERS where it names none.

    Logs how many features are used and what was left out. Raises BackendError for a layer that cannot be read or has
    the wrong geometries, and for more vertices than memory is meant for.
    """
    layers, settings, stamps, digests = list[Surfaces](), dict[str, Any](), list[str](), list[bytes]()
    vertices = 0
    for kind in KINDS:
        key = kind.role.lower()
        text, width = getattr(job, key), getattr(job, f"{key}_width", "")
        if width and not text:
            raise BackendError(f"{kind.role}_WIDTH is {width!r}, but {kind.role} is empty. Choose its layer.")
        if not text:
            continue
        # imported here, because pyogrio imports pandas, which takes a second
        from backend.geo.feature_surfaces import read_surfaces

        read = read_surfaces(text, kind, width, box, vertices)
        vertices += read.vertices
        digests += read.digests
        layers.append(Surfaces(kind, read.polygons))
        name = read.file.path.name
        for note in read.notes:
            log(f"{kind.role}: {note} ({name}).")
        count = layers[-1].touching(box.boundingbox.bbox)
        log(f"{kind.role}: surfaces of {name} in the extent: {count:,}.")
        settings[key] = f"{name}|layername={read.file.layer}" if "|" in text else name
        settings |= {f"{key}_width": width} if width else {}
        stamps.append(f"{stamp(str(read.file.path))} {read.file.layer} {width}")
    if not layers:
        return NO_LAYERS
    settings["features_sha256"] = hashlib.sha256(b"".join(sorted(digests))).hexdigest()
    source = fixed_block_source("features", 2, partial(_burnt_block, layers, float(box.resolution.x)))
    return VectorLayers(source, settings, tuple(stamps))


def _burnt_block(layers: Sequence[Surfaces], pixel_m: float, box: Box) -> np.ndarray:
    """(2, height, width) uint8 over a box of world pixels, see `VectorLayers.source`."""
    pixels = np.zeros((2, box.height, box.width), np.uint8)
    pixels[0] = legend.IGNORE
    for layer in layers:
        numbers = layer.pixel_numbers(box.grown(1), pixel_m)
        inside = numbers[1:-1, 1:-1] != 0
        pixels[0][inside] = layer.kind.index
        pixels[1][inside] = outline(numbers)[inside]
    return pixels


def burn_landcover(landcover: LazyRaster, features: RasterSource, factor: int) -> LazyRaster:
    """Land cover, a raster of class indices, with features burnt in, whose pixels are `factor` times finer.

    A pixel takes the class that features burn into at least half of it.
    """
    op = WindowOp(Lattice(LANDCOVER_WINDOW, LANDCOVER_WINDOW), _BurnWindows(factor), _single_band)
    return LazyRaster(f"{landcover.name} with features", op, (Input(landcover), Input(features, factor)))


@dataclass(frozen=True)
class _BurnWindows:
    factor: int

    def __call__(self, windows: list[Box], landcover: Patch, features: Patch) -> np.ndarray:
        """(n, 1, window, window) uint8 class indices."""
        return np.stack([self._window(landcover.read(box), features.read(box.scaled(self.factor))) for box in windows])

    def _window(self, indices: np.ndarray, features: np.ndarray) -> np.ndarray:
        height, width = indices.shape
        cells = features[0].reshape(height, self.factor, width, self.factor)
        classes = np.full((height, width), legend.IGNORE, np.uint8)
        for kind in KINDS:  # in the order of burning: built-up wins where a class covers exactly half
            classes[(cells == kind.index).sum((1, 3)) * 2 >= self.factor**2] = kind.index
        return legend.burn(indices, classes)[None]


def _single_band(pixels: np.ndarray) -> np.ndarray:
    """(height, width) of (1, height, width)."""
    return pixels[0]
