"""Clip NAIP aerial imagery (red, green, blue) to an extent's grid."""

from __future__ import annotations

from backend import grid
from backend.protocol import ClipNaip, Reporter
from backend.raster import RasterWriter, check_writable
from backend.sources import naip


def run(job: ClipNaip, report: Reporter) -> dict[str, str]:
    """Write the image of the extent, masked where there is none; returns the path under `output`."""
    box = grid.geobox(job.extent, job.pixel_m or naip.PIXEL_M, job.grid_crs, job.max_area_km2)
    check_writable(job.output)
    report.progress(0.0, "Looking for the images")
    mosaic, tags = naip.find(job.source, box, job.year, job.layer, report)
    if job.pixel_m is None:
        box = grid.geobox(job.extent, mosaic.pixel_m(box), job.grid_crs, job.max_area_km2)
    with RasterWriter(job.output, box, "rgb", tags) as target, mosaic:
        for row, col, data, valid in mosaic.blocks(box, report.part(0.05, 0.95)):
            target.write(data, row, col, valid)
    return {"output": job.output}
