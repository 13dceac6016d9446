"""Predict land cover from an RGB raster of any size, window by window on the world's lattice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
import torch
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from backend import architectures, checkpoint, classes, device, grid, protocol, provenance
from backend.lattice import Box, Lattice
from backend.protocol import BackendError, Extent
from backend.raster import RasterWriter, check_crs, open_raster, read_window

LATTICE = Lattice(window=512, stride=384)
STRIP_PX = 24 * LATTICE.stride  # wide rasters are predicted in strips, so that memory is bounded in width too
GSD_TOLERANCE = 0.05


def _check_image(source: rasterio.DatasetReader) -> None:
    check_crs(source, "image")
    if source.count < 3:
        raise BackendError(
            f"The image {source.name} has {source.count} band(s), but an RGB image has 3. Choose another, or build one "
            "of red, green and blue."
        )
    if any(dtype != "uint8" for dtype in source.dtypes[:3]):
        raise BackendError(
            f"The image {source.name} has {source.dtypes[0]} pixels. Convert it to 8 bit (0 to 255 a band) first."
        )


@contextmanager
def on_model_grid(
    source: rasterio.DatasetReader, pixel_m: float, max_area_km2: float
) -> Iterator[tuple[rasterio.DatasetReader, GeoBox]]:
    """The image as it is where its pixels already are the model's, else warped to `pixel_m` in metres, and its grid.

    It is warped where its GSD is off by more than GSD_TOLERANCE, and where its CRS is not in true metres (degrees,
    feet, Web Mercator) or its rows do not run north to south: then to the UTM zone of its centre. Finer pixels are
    averaged, coarser ones interpolated. Raises BackendError beyond `max_area_km2`.
    """
    crs = grid.parse_crs(source.crs.to_wkt(), f"the image {source.name}")
    left, bottom, right, top = source.bounds
    extent = Extent(min(left, right), min(bottom, top), max(left, right), max(bottom, top), crs.to_wkt())
    metric = grid.is_metric(crs)
    target = grid.geobox(extent, pixel_m, crs.to_wkt() if metric else "", max_area_km2)
    along, across = source.transform.a, -source.transform.e
    straight = source.transform.b == source.transform.d == 0 and along > 0 and math.isclose(along, across, rel_tol=1e-3)
    if metric and straight and abs(along / pixel_m - 1) <= GSD_TOLERANCE:
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
        add_alpha=source.nodata is None and not any(c.name == "alpha" for c in source.colorinterp),
    ) as warped:
        yield warped, target


class _Predictor:
    """Logits of windows; one at a time, because a batch's size may change the last bits."""

    def __init__(
        self,
        segmenter: architectures.Segmenter,
        source: rasterio.DatasetReader,
        region: Box,
        report: protocol.Reporter,
    ) -> None:
        self.device = device.best()
        self.segmenter = segmenter.to(self.device)
        self.source, self.region = source, region
        self.strips = [
            Box(region.row, col, region.height, min(STRIP_PX, region.right - col))
            for col in range(region.col, region.right, STRIP_PX)
        ]
        self.count = report.counter(sum(LATTICE.count(strip) for strip in self.strips))

    def _logits(self, windows: list[Box]) -> np.ndarray:
        (window,) = windows
        row, col = window.row - self.region.row, window.col - self.region.col
        # mirrored, because stripes of repeated edge pixels look like roads to a model
        image = read_window(self.source, row, col, window.height, window.width, mirrored=True)[None, :3]
        with torch.inference_mode(), device.autocast(self.device):
            logits = self.segmenter(torch.from_numpy(image).to(self.device)).cpu().numpy()
        self.count(1)
        return logits

    def codes(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Offsets in the raster and (height, width) uint8 WorldCover codes, nodata where the image is masked."""
        for strip in self.strips:
            for band, logits in LATTICE.stream(strip, self._logits, batch=1):
                row, col = band.row - self.region.row, band.col - self.region.col
                valid = self.source.dataset_mask(window=Window(col, row, band.width, band.height)) > 0
                codes = classes.to_code(logits.argmax(axis=0).astype(np.uint8))
                yield row, col, np.where(valid, codes, classes.NODATA).astype(np.uint8)


def run(job: protocol.SegmentImage, report: protocol.Reporter) -> dict[str, str]:
    """Write the predicted WorldCover codes on the image's grid, or on the model's where their GSDs differ.

    Masked pixels of the image stay nodata (0). Memory holds one row of windows of a strip, never the raster.
    """
    folder, index = checkpoint.find(job.model, "segmentation")
    if Path(job.image).absolute() == Path(job.output).absolute():
        raise BackendError("The output is the image itself. Choose another output.")
    with open_raster(job.image, "image") as opened:
        _check_image(opened)
        segmenter = architectures.load(folder, index)
        tags = provenance.predicted(folder.name, checkpoint.model_hash(folder), Path(job.image).name)
        if opened.tags().get("LANDFORGE_SYNTHETIC") == "YES":
            tags["LANDFORGE_SYNTHETIC"] = "YES"
        with on_model_grid(opened, index["pixel_m"], job.max_area_km2) as (source, box):
            region, found = Box(*grid.world_offset(box), *box.shape), False
            with RasterWriter(job.output, box, "classes", tags) as target:
                for row, col, codes in _Predictor(segmenter, source, region, report).codes():
                    target.write(codes, row, col)
                    found |= bool(codes.any())
                if not found:
                    raise BackendError(f"The image {job.image} holds no data: all of its pixels are masked.")
    return {"output": job.output}
