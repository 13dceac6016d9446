"""Generate a synthetic land cover map over an extent."""

from __future__ import annotations

from backend import area, grid, model, painting
from backend.generators.latent_diffusion import LandCoverGenerator
from backend.protocol import GenerateLandCover, Reporter
from backend.raster import RasterWriter
from backend.rendering import render


def run(job: GenerateLandCover, report: Reporter) -> dict[str, str]:
    """Render the extent's 10 m grid, or what an area holds of it."""
    box = grid.geobox(job.extent, grid.LANDCOVER_PIXEL_M, job.grid_crs, job.max_area_km2)
    generator = model.load(LandCoverGenerator, job.model)
    field = generator.field(str(box.crs), job.seed, job.steps, job.shares, job.guidance_scale)
    wanted = area.of(job.area, job.extent, str(box.crs), grid.LANDCOVER_PIXEL_M)
    asked = {"shares": job.shares, "guidance_scale": job.guidance_scale}
    tags = painting.tags_of(generator, job.seed, job.steps, **asked)
    with RasterWriter(job.output, box, "classes", tags, resume=painting.resumed(field, job.area)) as writer:
        painting.announce(report, writer)
        render([painting.landcover_output(field, writer, wanted)], job.scheduler, report)
    return {"output": job.output}
