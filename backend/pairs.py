"""Pairs of an image and its label, opened on one grid and checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from backend import classes, grid
from backend.protocol import BackendError
from backend.raster import check_crs, open_raster

GSD_TOLERANCE = 0.01


def _check_image(image: rasterio.DatasetReader, tile_px: int) -> None:
    check_crs(image, "image")
    if image.count < 3 or any(dtype != "uint8" for dtype in image.dtypes[:3]):
        raise BackendError(
            f"The image {image.name} has {image.count} band(s) of {image.dtypes[0]}, but RGB images of 8 bit are "
            "needed (3 bands, 0 to 255). Convert it first."
        )
    crs = grid.parse_crs(image.crs.to_wkt(), f"the image {image.name}")
    step = image.transform
    straight = step.b == step.d == 0 and step.a > 0 and np.isclose(step.a, -step.e, rtol=1e-3)
    if not (straight and grid.is_metric(crs)):
        raise BackendError(
            f"The image {image.name} is not on a north-up grid of square pixels in metres (its CRS is {crs.name}). "
            "Warp it to a UTM zone first."
        )
    largest = min(image.height, image.width)
    if largest < tile_px:
        raise BackendError(
            f"The image {image.name} has {image.width} x {image.height} pixels, fewer than a tile of {tile_px}. The "
            f"largest tile size that fits is {largest}."
        )


def _check_label(label: rasterio.DatasetReader, image: rasterio.DatasetReader) -> None:
    check_crs(label, "label")
    if label.count != 1 or not np.issubdtype(np.dtype(label.dtypes[0]), np.integer):
        raise BackendError(
            f"The label {label.name} has {label.count} band(s) of {label.dtypes[0]}, but a label has one band of whole "
            "numbers, WorldCover codes."
        )
    left, bottom, right, top = transform_bounds(image.crs, label.crs, *image.bounds)
    there = label.bounds
    beside = left >= there.right or right <= there.left or bottom >= there.top or top <= there.bottom
    if beside and left < right:  # an image across the antimeridian has its left beyond its right
        raise BackendError(
            f"The image {image.name} and the label {label.name} do not overlap. Give pairs of one place."
        )


@dataclass(frozen=True)
class Pair:
    """An image and its label on the image's grid; `synthetic` where either was generated."""

    image: rasterio.DatasetReader
    label: rasterio.DatasetReader
    synthetic: bool

    @property
    def pixel_m(self) -> float:
        """The pixel's side in metres."""
        return self.image.transform.a

    def places(self, tile_px: int, stride_px: int) -> list[tuple[int, int]]:
        """Row and column of each tile that fits."""
        rows = range(0, self.image.height - tile_px + 1, stride_px)
        return [(row, col) for row in rows for col in range(0, self.image.width - tile_px + 1, stride_px)]


@contextmanager
def open_pairs(images: Sequence[str], labels: Sequence[str], tile_px: int) -> Iterator[list[Pair]]:
    """The pairs, each label resampled by nearest onto its image's grid.

    Raises BackendError for an image that is not 8 bit RGB on a north-up grid in metres or is smaller than a tile, a
    label that is not one band of whole numbers, a pair that does not overlap, and images of different GSDs.
    """
    with ExitStack() as stack:
        pairs: list[Pair] = []
        for image_path, label_path in zip(images, labels):
            image = stack.enter_context(open_raster(image_path, "image"))
            label = stack.enter_context(open_raster(label_path, "label"))
            _check_image(image, tile_px)
            _check_label(label, image)
            synthetic = any(source.tags().get("LANDFORGE_SYNTHETIC") == "YES" for source in (image, label))
            shape = {"transform": image.transform, "height": image.height, "width": image.width}
            on_grid = WarpedVRT(label, crs=image.crs, nodata=classes.NODATA, resampling=Resampling.nearest, **shape)
            pairs.append(Pair(image, stack.enter_context(on_grid), synthetic))
            if abs(pairs[-1].pixel_m / pairs[0].pixel_m - 1) > GSD_TOLERANCE:
                raise BackendError(
                    f"The images have different pixel sizes: {pairs[0].image.name} {pairs[0].pixel_m:g} m, "
                    f"{image.name} {pairs[-1].pixel_m:g} m. Resample them to one."
                )
        yield pairs
