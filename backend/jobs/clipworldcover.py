"""Clip ESA WorldCover to an extent's 10 m grid."""

from __future__ import annotations

from backend import grid
from backend.protocol import ClipWorldCover, Reporter
from backend.raster import RasterWriter, check_writable
from backend.sources import worldcover


def run(job: ClipWorldCover, report: Reporter) -> dict[str, str]:
    """Write WorldCover codes of the extent; returns the path under `output`."""
    box = grid.geobox(job.extent, grid.LANDCOVER_PIXEL_M, job.grid_crs, job.max_area_km2)
    check_writable(job.output)
    report.progress(0.0, "Looking for the land cover")
    mosaic, tags = worldcover.find(job.source, box, job.year, job.layer)
    with RasterWriter(job.output, box, "classes", tags) as target, mosaic:
        for row, col, data, valid in mosaic.blocks(box, report.part(0.05, 0.95)):
            target.write(data, row, col, valid)
    return {"output": job.output}
