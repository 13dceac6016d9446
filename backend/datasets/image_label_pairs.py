"""Pairs of an image and its label, or labels alone, opened on one grid and checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from backend.geo import grid, legend
from backend.geo.class_raster import has_one_integer_band
from backend.geo.raster import check_crs, open_raster, raster_errors
from backend.protocol import BackendError

PAIR_GSD_TOLERANCE = 0.01  # by which the GSDs of rasters that are cut into one data set may differ


def check_image(image: rasterio.DatasetReader, tile_px: int) -> None:
    """BackendError where an image is not 8 bit RGB on a north-up grid in metres, or is smaller than a tile."""
    check_crs(image, "image")
    if image.count < 3 or any(dtype != "uint8" for dtype in image.dtypes[:3]):
        raise BackendError(
            f"The image {image.name} has {image.count} band(s) of {image.dtypes[0]}, but RGB images of 8 bit are "
            "needed (3 bands, 0 to 255). Convert it first."
        )
    check_grid(image, "image", tile_px)


def check_grid(source: rasterio.DatasetReader, what: str, tile_px: int) -> None:
    """BackendError where a raster is not on a north-up grid of square pixels in metres, or is smaller than a tile."""
    crs = grid.parse_crs(source.crs.to_wkt(), f"the {what} {source.name}")
    step = source.transform
    straight = step.b == step.d == 0 and step.a > 0 and np.isclose(step.a, -step.e, rtol=1e-3)
    if not (straight and grid.is_metric(crs)):
        raise BackendError(
            f"The {what} {source.name} is not on a north-up grid of square pixels in metres (its CRS is {crs.name}). "
            "Warp it to a UTM zone first."
        )
    largest = min(source.height, source.width)
    if largest < tile_px:
        raise BackendError(
            f"The {what} {source.name} has {source.width} x {source.height} pixels, fewer than a tile of {tile_px}. "
            f"The largest tile size that fits is {largest}."
        )


def check_label(label: rasterio.DatasetReader) -> None:
    """BackendError where a raster is not one band of whole numbers, or has no CRS."""
    check_crs(label, "label")
    if not has_one_integer_band(label):
        raise BackendError(
            f"The label {label.name} has {label.count} band(s) of {label.dtypes[0]}, but a label has one band of whole "
            "numbers, WorldCover codes."
        )


def _check_overlap(label: rasterio.DatasetReader, image: rasterio.DatasetReader) -> None:
    left, bottom, right, top = transform_bounds(image.crs, label.crs, *image.bounds)
    extent = label.bounds
    apart = left >= extent.right or right <= extent.left or bottom >= extent.top or top <= extent.bottom
    if apart and left < right:  # an image across the antimeridian has its left beyond its right
        raise BackendError(
            f"The image {image.name} and the label {label.name} do not overlap. Give pairs of one place."
        )


@dataclass(frozen=True)
class Pair:
    """An image, which may be missing, and its label on the image's grid.

    `synthetic` where either was generated; `attribution` are the credits in their tags.
    """

    image: rasterio.DatasetReader | None
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
        with raster_errors(self.image.name, "image"):
            return self.image.read((1, 2, 3), window=window, **options)

    def codes(self, window: Window) -> np.ndarray:
        """(height, width) values of the label, integers of its own type."""
        with raster_errors(self.label_path, "label"):
            return self.label.read(1, window=window)

    def image_mask(self, window: Window) -> np.ndarray:
        """(height, width) bool: where the image is not masked; everywhere without an image."""
        if self.image is None:
            return np.ones((int(window.height), int(window.width)), dtype=bool)
        with raster_errors(self.image.name, "image"):
            return self.image.dataset_mask(window=window) > 0


def _credits(sources: list[rasterio.DatasetReader]) -> tuple[str, ...]:
    """The credits in the rasters' tags."""
    tags = (source.tags() for source in sources)
    texts = (tag.get("LANDFORGE_ATTRIBUTION") or tag.get("TIFFTAG_COPYRIGHT", "") for tag in tags)
    return tuple(dict.fromkeys(filter(None, texts)))


@contextmanager
def open_pairs(images: Sequence[str], labels: Sequence[str], tile_px: int) -> Iterator[list[Pair]]:
    """The pairs, each label resampled by nearest onto its image's grid; without images, each label on its own grid.

    Raises BackendError for an image that is not 8 bit RGB on a north-up grid in metres or is smaller than a tile, a
    label that is not one band of whole numbers, a pair that does not overlap, and rasters of different GSDs.
    """
    with ExitStack() as stack:
        pairs: list[Pair] = []
        for image_path, label_path in zip(images or ("",) * len(labels), labels):
            image = stack.enter_context(open_raster(image_path, "image")) if image_path else None
            label = stack.enter_context(open_raster(label_path, "label"))
            _check(image, label, tile_px)
            pairs.append(_on_grid(image, label, stack))
            if abs(pairs[-1].pixel_m / pairs[0].pixel_m - 1) > PAIR_GSD_TOLERANCE:
                what, first, last = ("images", images[0], image_path) if images else ("labels", labels[0], label_path)
                raise BackendError(
                    f"The {what} have different pixel sizes: {first} {pairs[0].pixel_m:g} m, {last} "
                    f"{pairs[-1].pixel_m:g} m. Resample them to one."
                )
        yield pairs


def _check(image: rasterio.DatasetReader | None, label: rasterio.DatasetReader, tile_px: int) -> None:
    if image is not None:
        check_image(image, tile_px)
    check_label(label)
    if image is not None:
        _check_overlap(label, image)
    else:
        check_grid(label, "label", tile_px)


def _on_grid(image: rasterio.DatasetReader | None, label: rasterio.DatasetReader, stack: ExitStack) -> Pair:
    sources = [source for source in (image, label) if source is not None]
    synthetic = any(source.tags().get("LANDFORGE_SYNTHETIC") == "YES" for source in sources)
    reference = sources[0]
    shape = {"transform": reference.transform, "height": reference.height, "width": reference.width}
    on_grid = WarpedVRT(label, crs=reference.crs, nodata=legend.NODATA, resampling=Resampling.nearest, **shape)
    return Pair(image, stack.enter_context(on_grid), label.name, synthetic, _credits(sources))
