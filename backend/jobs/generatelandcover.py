"""Generate a synthetic land cover map over an extent."""

from __future__ import annotations

from backend import classes, grid
from backend.generators.latent_diffusion import LandCoverGenerator
from backend.landcover import region_of
from backend.painting import tags_of
from backend.protocol import GenerateLandCover, Reporter
from backend.raster import RasterWriter


def run(job: GenerateLandCover, report: Reporter) -> dict[str, str]:
    """Render the extent's 10 m grid band by band."""
    box = grid.geobox(job.extent, grid.LANDCOVER_PIXEL_M, job.grid_crs, job.max_area_km2)
    generator = LandCoverGenerator(job.model)
    region = region_of(box)
    with RasterWriter(job.output, box, "classes", tags_of(generator, job.seed, job.steps)) as writer:
        report.log(f"Land cover: {writer.size()}.")
        for band, indices in generator.render(region, str(box.crs), job.seed, job.steps, report):
            writer.write(classes.to_code(indices), band.row - region.row, band.col - region.col)
    return {"output": job.output}
