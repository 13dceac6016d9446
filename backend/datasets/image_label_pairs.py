"""Pairs of an image and its label, or labels alone, opened on one grid and checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from backend.geo import grid, legend
from backend.geo.class_raster import open_class_raster
from backend.geo.image_raster import AS_IT_IS, ImageReading, open_image
from backend.geo.raster import Log, raster_errors
from backend.protocol import BackendError

PAIR_GSD_TOLERANCE = 0.01  # by which the GSDs of rasters that are cut into one data set may differ


def check_image(image: rasterio.DatasetReader, path: str | Path, tile_px: int) -> None:
    """BackendError where an open image is not on a north-up grid in metres, or is smaller than a tile."""
    check_grid(image, f"image {path}", tile_px)


def check_grid(source: rasterio.DatasetReader, name: str, tile_px: int) -> None:
    """BackendError where a raster is not on a north-up grid of square pixels in metres, or is smaller than a tile."""
    crs = grid.parse_crs(source.crs.to_wkt(), f"the {name}")
    reason = _grid_fault(source.transform)
    if not reason and not grid.is_metric(crs):
        reason = f"its CRS, {crs.name}, has no true metres"
    if reason:
        raise BackendError(
            f"The {name} is not on a north-up grid of square pixels in metres: {reason}. Warp it to a UTM zone first."
        )
    largest = min(source.height, source.width)
    if largest < tile_px:
        raise BackendError(
            f"The {name} has {source.width} x {source.height} pixels, fewer than a tile of {tile_px}. "
            f"The largest tile size that fits is {largest}."
        )


def _grid_fault(step: Affine) -> str:
    """What is wrong with a raster's transform; empty for a north-up grid of square pixels."""
    if step.b or step.d:
        return "it is rotated"
    if step.e > 0:
        return "its first row is the southern one"
    if step.a < 0:
        return "its first column is the eastern one"
    if not np.isclose(step.a, -step.e, rtol=1e-3):
        return f"its pixels are {step.a:g} x {-step.e:g} units"
    return ""


def _check_overlap(
    label: rasterio.DatasetReader, label_path: str, image: rasterio.DatasetReader, image_path: str
) -> None:
    left, bottom, right, top = transform_bounds(image.crs, label.crs, *image.bounds)
    extent = grid.raster_extent(label)
    apart = left >= extent.xmax or right <= extent.xmin or bottom >= extent.ymax or top <= extent.ymin
    if apart and left < right:  # an image across the antimeridian has its left beyond its right
        raise BackendError(
            f"The image {image_path} and the label {label_path} do not overlap. Give pairs of one place."
        )


@dataclass(frozen=True)
class Pair:
    """An image, which may be missing, and its label on the image's grid.

    `synthetic` where either was generated; `attribution` are the credits in their tags.
    """

    image: rasterio.DatasetReader | None
    image_path: str
    label: rasterio.DatasetReader
    label_path: str
    synthetic: bool
    attribution: tuple[str, ...] = ()

    @property
    def pixel_m(self) -> float:
        """The pixel's side in metres."""
        return self.label.transform.a

    def tile_positions(self, tile_px: int, stride_px: int) -> list[tuple[int, int]]:
        """Row and column of each tile that fits."""
        rows = range(0, self.label.height - tile_px + 1, stride_px)
        return [(row, col) for row in rows for col in range(0, self.label.width - tile_px + 1, stride_px)]

    def rgb(self, window: Window, **options: Any) -> np.ndarray:
        """(3, height, width) uint8 of the image, read with rasterio's `options`; ValueError without one."""
        if self.image is None:
            raise ValueError("labels alone have no image")
        with raster_errors(self.image_path, "image"):
            return self.image.read((1, 2, 3), window=window, **options)

    def codes(self, window: Window) -> np.ndarray:
        """(height, width) uint8 WorldCover codes of the label, 0 where there is none."""
        with raster_errors(self.label_path, "label"):
            return self.label.read(1, window=window)

    def image_mask(self, window: Window) -> np.ndarray:
        """(height, width) bool: where the image is not masked; everywhere without an image."""
        if self.image is None:
            return np.ones((int(window.height), int(window.width)), dtype=bool)
        with raster_errors(self.image_path, "image"):
            return self.image.dataset_mask(window=window) > 0


def _credits(sources: list[rasterio.DatasetReader]) -> tuple[str, ...]:
    """The credits in the rasters' tags."""
    tags = (source.tags() for source in sources)
    texts = (tag.get("LANDFORGE_ATTRIBUTION") or tag.get("TIFFTAG_COPYRIGHT", "") for tag in tags)
    return tuple(dict.fromkeys(filter(None, texts)))


@dataclass(frozen=True)
class PairReading:
    """How rasters are read: the images, and the legend of the labels' codes; `log` gets a sentence on each surprise."""

    log: Log
    image: ImageReading = AS_IT_IS
    legend_name: str = "worldcover"


@contextmanager
def open_pairs(
    images: Sequence[str], labels: Sequence[str], tile_px: int, reading: PairReading
) -> Iterator[list[Pair]]:
    """The pairs, each label resampled by nearest onto its image's grid; without images, each label on its own grid.

    Raises BackendError for an image that is not on a north-up grid in metres or is smaller than a tile, a label that is
    not one band of class codes of the legend, a pair that does not overlap, and rasters of different GSDs.
    """
    with ExitStack() as stack:
        pairs: list[Pair] = []
        for image_path, label_path in zip(images or ("",) * len(labels), labels):
            opened_image = open_image(image_path, "image", reading.log, reading.image) if image_path else nullcontext()
            image = stack.enter_context(opened_image)
            label = stack.enter_context(open_class_raster(label_path, "label", reading.legend_name))
            _check(image, image_path, label, label_path, tile_px)
            pairs.append(_on_grid(image, image_path, label, label_path, stack))
            if abs(pairs[-1].pixel_m / pairs[0].pixel_m - 1) > PAIR_GSD_TOLERANCE:
                what, first, last = ("images", images[0], image_path) if images else ("labels", labels[0], label_path)
                raise BackendError(
                    f"The {what} have different pixel sizes: {first} {pairs[0].pixel_m:g} m, {last} "
                    f"{pairs[-1].pixel_m:g} m. Resample them to one."
                )
        yield pairs


def _check(
    image: rasterio.DatasetReader | None, image_path: str, label: rasterio.DatasetReader, label_path: str, tile_px: int
) -> None:
    if image is not None:
        check_image(image, image_path, tile_px)
        _check_overlap(label, label_path, image, image_path)
    else:
        check_grid(label, f"label {label_path}", tile_px)


def _on_grid(
    image: rasterio.DatasetReader | None,
    image_path: str,
    label: rasterio.DatasetReader,
    label_path: str,
    stack: ExitStack,
) -> Pair:
    sources = [source for source in (image, label) if source is not None]
    synthetic = any(source.tags().get("LANDFORGE_SYNTHETIC") == "YES" for source in sources)
    reference = sources[0]
    shape = {"transform": reference.transform, "height": reference.height, "width": reference.width}
    on_grid = WarpedVRT(label, crs=reference.crs, nodata=legend.NODATA, resampling=Resampling.nearest, **shape)
    return Pair(image, image_path, stack.enter_context(on_grid), label_path, synthetic, _credits(sources))
