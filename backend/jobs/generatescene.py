"""Generate a land cover map and the aerial image on it, on grids that cover the same ground."""

from __future__ import annotations

from backend import area, grid, model, painting
from backend.generators.latent_diffusion import LandCoverGenerator
from backend.protocol import GenerateScene, Reporter
from backend.raster import RasterWriter
from backend.rendering import render


def run(job: GenerateScene, report: Reporter) -> dict[str, str]:
    """Render both rasters from north to south; the image's windows read the land cover as it is made around them."""
    box = grid.geobox(job.extent, grid.LANDCOVER_PIXEL_M, job.grid_crs, job.max_area_km2)
    cartographer = model.load(LandCoverGenerator, "landcover")
    painter = painting.load_generator(job.generator, "")
    image_box = grid.geobox(job.extent, painter.pixel_m, job.grid_crs, job.max_area_km2)
    world, factor = str(box.crs), round(grid.LANDCOVER_PIXEL_M / painter.pixel_m)
    landcover = cartographer.field(world, job.seed, job.steps, job.shares, job.guidance_scale)
    styles = painting.styles_of(painter, job.style)
    image = painter.field(world, job.seed, job.steps, landcover, factor, styles)
    wanted = [area.of(job.area, job.extent, world, pixel_m) for pixel_m in (grid.LANDCOVER_PIXEL_M, painter.pixel_m)]
    origin = f"synthetic: {cartographer.name}, seed {job.seed}"
    asked = {"shares": job.shares, "guidance_scale": job.guidance_scale}
    tags = painting.tags_of(cartographer, job.seed, job.steps, **asked)
    below: dict[str, object] = {"landcover": origin, "landcover_sha256": cartographer.digest}
    below |= {f"landcover_{key}": value for key, value in asked.items()}
    image_tags = painting.tags_of(painter, job.seed, job.steps, style=styles, **below)
    if note := painting.unseen_note(painter):
        report.log(note)
    # one inside the other: where either fails or is cancelled, neither appears
    with (
        RasterWriter(
            job.output_landcover, box, "classes", tags, resume=painting.resumed(landcover, job.area)
        ) as map_writer,
        RasterWriter(
            job.output_image, image_box, "rgb", image_tags, resume=painting.resumed(image, job.area)
        ) as image_writer,
    ):
        painting.announce(report, map_writer, image_writer)
        outputs = [
            painting.landcover_output(landcover, map_writer, wanted[0]),
            painting.image_output(image, image_writer, wanted[1]),
        ]
        render(outputs, job.scheduler, report)
    return {"output_landcover": job.output_landcover, "output_image": job.output_image}
