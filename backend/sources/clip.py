"""Clips of real land cover and images to an extent's grid."""

from __future__ import annotations

from backend.geo import grid
from backend.geo.image_raster import ImageReading
from backend.geo.raster import RasterWriter, check_writable
from backend.protocol import ClipNaip, ClipWorldCover, Reporter
from backend.sources import layers, naip, worldcover


def clip_worldcover(job: ClipWorldCover, report: Reporter) -> None:
    """Write the WorldCover codes of the extent; nodata where there is no map."""
    box = grid.geobox(job.extent, grid.LANDCOVER_PIXEL_M, job.grid_crs, job.max_area_km2)
    check_writable(job.output)
    report.progress(0.0, "Looking for the land cover")
    if job.source == "layer":
        mosaic, tags = layers.landcover(job.layer, job.legend, box, report.log)
    else:
        mosaic, tags = worldcover.find(job.source, box, job.year, report)
    with RasterWriter(job.output, box, "classes", tags) as target, mosaic:
        for row, col, data, valid in mosaic.blocks(box, report.part(0.05, 0.95)):
            target.write(data, row, col, valid)


def clip_naip(job: ClipNaip, report: Reporter) -> None:
    """Write the image of the extent, masked where there is none."""
    box = grid.geobox(job.extent, job.pixel_m or naip.PIXEL_M, job.grid_crs, job.max_area_km2)
    check_writable(job.output)
    report.progress(0.0, "Looking for the images")
    if job.source == "layer":
        mosaic, tags = layers.image(job.layer, ImageReading.parse(job.bands, job.stretch), report.log)
    else:
        mosaic, tags = naip.find(box, job.year, report, job.fill_years)
    if job.pixel_m is None:
        box = grid.geobox(job.extent, mosaic.pixel_m(box), job.grid_crs, job.max_area_km2)
    with RasterWriter(job.output, box, "rgb", tags) as target, mosaic:
        for row, col, data, valid in mosaic.blocks(box, report.part(0.05, 0.95)):
            target.write(data, row, col, valid)
        if job.source != "layer":
            tags.update(naip.contributions(mosaic, box, report))  # the writer writes them when it closes
