"""Predict land cover from an RGB raster of any size, window by window on the world's lattice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from backend import protocol
from backend.generation.layers import Layer, write_layers
from backend.geo import grid, legend, provenance
from backend.geo.block_store import stamp
from backend.geo.image_raster import ImageReading, open_image
from backend.geo.raster import read_window
from backend.models import base
from backend.models.segmentation import SegmentationModel
from backend.protocol import BackendError
from backend.tiling import landcover_input, regions
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import RasterSource

MAX_GSD_DIFFERENCE = 0.05
"""How far the image's pixel size may differ from the model's, as a ratio, before the image is resampled."""


@contextmanager
def on_model_grid(
    source: rasterio.DatasetReader, pixel_m: float, max_area_km2: float
) -> Iterator[tuple[rasterio.DatasetReader, GeoBox]]:
    """The image and its grid, warped to pixels of `pixel_m` metres where its own do not fit the model.

    It is warped where its GSD differs by more than MAX_GSD_DIFFERENCE, its rows do not run north to south, or its CRS
    is not in true metres (degrees, feet, Web Mercator); in the last case to the UTM zone of its centre. Finer pixels
    are averaged, coarser ones interpolated. Raises BackendError beyond `max_area_km2`.
    """
    crs = grid.parse_crs(source.crs.to_wkt(), "the image")
    extent = grid.raster_extent(source)
    metric = grid.is_metric(crs)
    target = grid.geobox(extent, pixel_m, crs.to_wkt() if metric else "", max_area_km2)
    along, across = source.transform.a, -source.transform.e
    straight = source.transform.b == source.transform.d == 0 and along > 0 and math.isclose(along, across, rel_tol=1e-3)
    if metric and straight and abs(along / pixel_m - 1) <= MAX_GSD_DIFFERENCE:
        yield source, GeoBox(source.shape, source.transform, crs.to_wkt())
        return
    finer = source.width * source.height > target.shape[0] * target.shape[1]
    with WarpedVRT(
        source,
        crs=rasterio.crs.CRS.from_wkt(crs.to_wkt()) if metric else rasterio.crs.CRS.from_string(str(target.crs)),
        transform=target.affine,
        height=target.shape[0],
        width=target.shape[1],
        resampling=Resampling.average if finer else Resampling.bilinear,
        add_alpha=True,
    ) as warped:
        yield warped, target


def segment_image(job: protocol.SegmentImage, report: protocol.Reporter) -> dict[str, str]:
    """Write the predicted WorldCover codes on the image's grid, or on the model's where their GSDs differ.

    A model with the merged legend writes the code that classes are merged to; attribute table and tags name all of
    them. Masked pixels of the image become nodata (0). Memory holds a few blocks, never the raster.
    """
    reading = ImageReading.parse(job.bands, job.stretch)
    sentences: list[str] = []
    with open_image(job.image, "image", sentences.append, reading) as image:
        for sentence in sentences:
            report.log(sentence)
        model = base.load(SegmentationModel, job.model)
        merged_names = {code: name for code, name in legend.names_of(model.legend).items() if " + " in name}
        tags = provenance.predicted(model.folder.name, model.digest, Path(job.image).name, merged_names)
        if sentences:
            tags["LANDFORGE_IMAGE_READING"] = " ".join(sentences)
        if image.tags().get("LANDFORGE_SYNTHETIC") == "YES":
            tags["LANDFORGE_SYNTHETIC"] = "YES"
        with on_model_grid(image, model.index["pixel_m"], job.max_area_km2) as (source, box):
            layer = _segmentation_layer(job.image, source, box, model, tags)
            write_layers([(job.output, layer)], job.scheduler, report)
    return {"output": job.output}


def _segmentation_layer(
    path: str, source: rasterio.DatasetReader, box: GeoBox, model: SegmentationModel, tags: dict[str, str]
) -> Layer:
    """The land cover of an image that is open as `source` on a grid; BackendError where all of it is masked."""
    region = landcover_input.box_of_grid(box)

    def read(window: Box) -> np.ndarray:
        row, col = window.row - region.row, window.col - region.col
        # mirrored, because stripes of repeated edge pixels look like roads to a model
        return read_window(source, row, col, window.height, window.width, mirrored=True)[:3]

    area = regions.valid_pixels(source, region)
    if not area.any_inside(np.array([region.row]), np.array([region.col]), max(region.height, region.width)).any():
        raise BackendError(f"The image {path} holds no data: all of its pixels are masked.")
    raster = model.lazy_raster(RasterSource("image", read))
    return Layer(raster, box, "classes", tags, area, stamp(path), model.legend)
