"""Compare two land cover maps: a raster of their pairs of classes, and the confusion table in hectares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from pyproj import CRS, Geod
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from backend import protocol
from backend.geo import class_raster, grid, legend, provenance
from backend.geo.raster import RasterWriter, check_crs, check_writable, open_raster, reading
from backend.metrics import difference
from backend.metrics.difference import Difference
from backend.protocol import BackendError, partial_path
from backend.sources.mosaic import TOLERANCE_PX

BLOCK_ROWS, BLOCK_COLS = 512, 4096  # flat, so that degrees have one pixel area in a block
M2_PER_HA = 10_000.0


def run(job: protocol.LandCoverDifference, report: protocol.Reporter) -> dict[str, str]:
    """Write the pairs of classes on the reference's grid, and the table as CSV and HTML; all three appear together."""
    _check_job(job)
    with open_raster(job.reference, "reference") as reference, open_raster(job.compared, "compared map") as compared:
        for source, what in ((reference, "reference"), (compared, "compared map")):
            check_crs(source, what)
            class_raster.check_class_raster(source, what)
        box = GeoBox(reference.shape, reference.transform, reference.crs.to_wkt())
        tags = provenance.difference(*(_name_and_tags(source) for source in (reference, compared)))
        with RasterWriter(job.output, box, "classes", tags) as writer:
            report.log(f"Difference: {writer.size()}")
            hectares = _fill(writer, reference, compared, report)
            if not hectares.any():
                raise BackendError(
                    f"{job.reference} and {job.compared} have no ground in common that both give a WorldCover class. "
                    "Check that they lie over each other and carry WorldCover's codes."
                )
            writer.legend = difference.pair_legend(hectares > 0)
            table = Difference(Path(job.reference).name, Path(job.compared).name, hectares)
            _write_table(job, table)
    for path in (job.output_table, job.output_report):
        partial_path(path).replace(path)
    report.log(table.sentence())
    return {"output": job.output, "output_table": job.output_table, "output_report": job.output_report}


def _check_job(job: protocol.LandCoverDifference) -> None:
    names = [Path(path).absolute() for path in (job.reference, job.compared, job.output)]
    if names[2] in names[:2]:
        raise BackendError("The output is one of the two maps. Choose another output.")
    for path in (job.output_table, job.output_report):
        check_writable(path)


def _name_and_tags(source: rasterio.DatasetReader) -> tuple[str, dict[str, str]]:
    return Path(source.name).name, source.tags()


def _windows(box: GeoBox) -> Iterator[Window]:
    height, width = box.shape
    for row in range(0, height, BLOCK_ROWS):
        for col in range(0, width, BLOCK_COLS):
            yield Window(col, row, min(BLOCK_COLS, width - col), min(BLOCK_ROWS, height - row))


def _fill(
    writer: RasterWriter,
    reference: rasterio.DatasetReader,
    compared: rasterio.DatasetReader,
    report: protocol.Reporter,
) -> np.ndarray:
    """Write the pairs of classes block by block; returns (COUNT, COUNT) hectares of each pair."""
    hectares, windows = np.zeros((legend.COUNT, legend.COUNT)), list(_windows(writer.box))
    height, width = writer.box.shape
    with WarpedVRT(
        compared,
        crs=reference.crs,
        transform=reference.transform,
        height=height,
        width=width,
        resampling=Resampling.nearest,
        tolerance=TOLERANCE_PX,
    ) as warped:
        for count, window in enumerate(windows, 1):
            with reading(reference.name, "reference"):
                reference_indices = class_raster.read_indices(reference, window)
            with reading(compared.name, "compared map"):
                compared_indices = class_raster.read_indices(warped, window)
            values = difference.pair_values(reference_indices, compared_indices)
            rows, cols = window.toslices()
            writer.write(values, window.row_off, window.col_off)
            hectares += difference.counted(values) * _pixel_ha(writer.box[rows, cols])
            report.progress(count / len(windows), f"Block {count} of {len(windows)}")
    return hectares


def _pixel_ha(block: GeoBox) -> float:
    """The mean area of a block's pixels in hectares: planar where the CRS is in true metres, else on the ellipsoid."""
    if grid.is_metric(CRS.from_user_input(str(block.crs))):
        return abs(block.affine.determinant) / M2_PER_HA
    area_m2, _ = Geod(ellps="WGS84").geometry_area_perimeter(block.footprint("EPSG:4326", buffer=0).geom)
    return abs(area_m2) / M2_PER_HA / (block.shape[0] * block.shape[1])


def _write_table(job: protocol.LandCoverDifference, table: Difference) -> None:
    try:
        difference.write_csv(partial_path(job.output_table), table)
        partial_path(job.output_report).write_text(difference.page(table), encoding="utf-8")
    except OSError as error:
        raise BackendError(f"Cannot write the table: {error}. Check the folder and the space on its disk.") from error
