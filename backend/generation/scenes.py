"""The renderings that generate: land cover, an image on a raster, both as a scene; how a job asks for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backend.generation import outputs as raster_outputs
from backend.geo import grid, legend
from backend.geo.block_store import stamp
from backend.geo.raster import RasterWriter
from backend.models import base
from backend.models.landcover import LandCoverGenerator
from backend.protocol import Extent, GenerateImage, GenerateLandCover, GenerateScene, Reporter
from backend.tiling import regions
from backend.tiling.landcover_input import box_of_grid, open_landcover
from backend.tiling.regions import RegionOfInterest, ValidPixels
from backend.tiling.render import render


@dataclass(frozen=True)
class FillRegion:
    """What of a grid is to be filled: the area by pixel size in metres, and a text that tells it from others."""

    area: Callable[[float], RegionOfInterest]
    identity: str


def requested_region(job: GenerateLandCover | GenerateScene, crs: str) -> FillRegion:
    """What the job's polygons hold."""
    return FillRegion(partial(regions.region_from_wkt, job.area, job.extent, crs), job.area)


def generate_landcover(job: GenerateLandCover, report: Reporter, within: FillRegion | None = None) -> dict[str, str]:
    """Render the extent's 10 m grid, or what an area holds of it."""
    box = grid.geobox(job.extent, grid.LANDCOVER_PIXEL_M, job.grid_crs, job.max_area_km2)
    generator = base.load(LandCoverGenerator, job.model)
    field = generator.field(str(box.crs), job.seed, job.steps, job.shares, job.guidance_scale)
    within = within or requested_region(job, str(box.crs))
    wanted = within.area(grid.LANDCOVER_PIXEL_M)
    asked = {"shares": job.shares, "guidance_scale": job.guidance_scale}
    tags = raster_outputs.tags_of(generator, job.seed, job.steps, **asked)
    with RasterWriter(
        job.output, box, "classes", tags, resume=raster_outputs.resumed(field, within.identity)
    ) as writer:
        raster_outputs.announce(report, writer)
        render([raster_outputs.landcover_output(field, writer, wanted, report)], job.scheduler, report)
    return {"output": job.output}


def generate_image(job: GenerateImage, report: Reporter, extent: Extent | None = None) -> dict[str, str]:
    """Paint a land cover raster, or an extent of it, at the generator's GSD; where it has no data, the image is masked.

    Raises BackendError where the raster does not reach into the extent.
    """
    generator = raster_outputs.load_generator(job.generator, job.model)
    styles = raster_outputs.styles_of(generator, job.style, job.seed)
    tags = raster_outputs.tags_of(generator, job.seed, job.steps, landcover=Path(job.landcover).name, style=styles)
    with open_landcover(job.landcover, generator.pixel_m, job.max_area_km2, extent) as (box, below):
        field = generator.field(str(box.crs), job.seed, job.steps, below, styles=styles)
        for note in raster_outputs.notes(generator, styles, job.style):
            report.log(note)
        resume = raster_outputs.resumed(field, stamp(job.landcover))
        with RasterWriter(job.output, box, "rgb", tags, resume=resume) as writer:
            raster_outputs.announce(report, writer)
            present = ValidPixels(lambda wanted: below.read(wanted) != legend.IGNORE, box_of_grid(box))
            render([raster_outputs.image_output(field, writer, present, report)], job.scheduler, report)
    return {"output": job.output}


def generate_scene(job: GenerateScene, report: Reporter, within: FillRegion | None = None) -> dict[str, str]:
    """Render both rasters from north to south; the image's windows read the land cover as it is made around them.

    Without an `output_landcover` the image alone is written.
    """
    box = grid.geobox(job.extent, grid.LANDCOVER_PIXEL_M, job.grid_crs, job.max_area_km2)
    cartographer = base.load(LandCoverGenerator, "landcover")
    painter = raster_outputs.load_generator(job.generator, "")
    image_box = grid.geobox(job.extent, painter.pixel_m, job.grid_crs, job.max_area_km2)
    world, factor = str(box.crs), round(grid.LANDCOVER_PIXEL_M / painter.pixel_m)
    below = cartographer.field(world, job.seed, job.steps, job.shares, job.guidance_scale)
    styles = raster_outputs.styles_of(painter, job.style, job.seed)
    above = painter.field(world, job.seed, job.steps, below, factor, styles)
    within = within or requested_region(job, world)
    wanted = [within.area(pixel_m) for pixel_m in (grid.LANDCOVER_PIXEL_M, painter.pixel_m)]
    origin = f"synthetic: {cartographer.name}, seed {job.seed}"
    asked = {"shares": job.shares, "guidance_scale": job.guidance_scale}
    tags = raster_outputs.tags_of(cartographer, job.seed, job.steps, **asked)
    about: dict[str, object] = {"landcover": origin, "landcover_sha256": cartographer.digest}
    about |= {f"landcover_{key}": value for key, value in asked.items()}
    image_tags = raster_outputs.tags_of(painter, job.seed, job.steps, style=styles, **about)
    for note in raster_outputs.notes(painter, styles, job.style):
        report.log(note)
    with ExitStack() as stack:  # one inside the other: where either fails or is cancelled, neither appears
        outputs, writers = [], []
        if job.output_landcover:
            resume = raster_outputs.resumed(below, within.identity)
            writers.append(stack.enter_context(RasterWriter(job.output_landcover, box, "classes", tags, resume=resume)))
            outputs.append(raster_outputs.landcover_output(below, writers[0], wanted[0], report))
        resume = raster_outputs.resumed(above, within.identity)
        writers.append(stack.enter_context(RasterWriter(job.output_image, image_box, "rgb", image_tags, resume=resume)))
        outputs.append(raster_outputs.image_output(above, writers[-1], wanted[1], report))
        raster_outputs.announce(report, *writers)
        render(outputs, job.scheduler, report)
    return {name: path for name, path in vars(job).items() if name.startswith("output") and path}
