"""The renderings that generate: land cover, an image on a raster, both as a scene; how a job asks for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backend import area, classes, grid, model, painting
from backend.area import Area, Mapped
from backend.generators.latent_diffusion import LandCoverGenerator
from backend.landcover import open_landcover, region_of
from backend.protocol import Extent, GenerateImage, GenerateLandCover, GenerateScene, Reporter
from backend.raster import RasterWriter
from backend.rendering import render
from backend.store import stamp


@dataclass(frozen=True)
class Within:
    """What of a grid is to be filled: the area by pixel size in metres, and a text that tells it from others."""

    area: Callable[[float], Area]
    identity: str


def _asked(job: GenerateLandCover | GenerateScene, crs: str) -> Within:
    """What the job's polygons hold."""
    return Within(partial(area.of, job.area, job.extent, crs), job.area)


def landcover(job: GenerateLandCover, report: Reporter, within: Within | None = None) -> dict[str, str]:
    """Render the extent's 10 m grid, or what an area holds of it."""
    box = grid.geobox(job.extent, grid.LANDCOVER_PIXEL_M, job.grid_crs, job.max_area_km2)
    generator = model.load(LandCoverGenerator, job.model)
    field = generator.field(str(box.crs), job.seed, job.steps, job.shares, job.guidance_scale)
    within = within or _asked(job, str(box.crs))
    wanted = within.area(grid.LANDCOVER_PIXEL_M)
    asked = {"shares": job.shares, "guidance_scale": job.guidance_scale}
    tags = painting.tags_of(generator, job.seed, job.steps, **asked)
    with RasterWriter(job.output, box, "classes", tags, resume=painting.resumed(field, within.identity)) as writer:
        painting.announce(report, writer)
        render([painting.landcover_output(field, writer, wanted, report)], job.scheduler, report)
    return {"output": job.output}


def image(job: GenerateImage, report: Reporter, extent: Extent | None = None) -> dict[str, str]:
    """Paint a land cover raster, or an extent of it, at the generator's GSD; where it has no data, the image is masked.

    Raises BackendError where the raster does not reach into the extent.
    """
    generator = painting.load_generator(job.generator, job.model)
    styles = painting.styles_of(generator, job.style, job.seed)
    tags = painting.tags_of(generator, job.seed, job.steps, landcover=Path(job.landcover).name, style=styles)
    with open_landcover(job.landcover, generator.pixel_m, job.max_area_km2, extent) as (box, below):
        field = generator.field(str(box.crs), job.seed, job.steps, below, styles=styles)
        for note in painting.notes(generator, styles, job.style):
            report.log(note)
        resume = painting.resumed(field, stamp(job.landcover))
        with RasterWriter(job.output, box, "rgb", tags, resume=resume) as writer:
            painting.announce(report, writer)
            present = Mapped(lambda wanted: below.read(wanted) != classes.IGNORE, region_of(box))
            render([painting.image_output(field, writer, present, report)], job.scheduler, report)
    return {"output": job.output}


def scene(job: GenerateScene, report: Reporter, within: Within | None = None) -> dict[str, str]:
    """Render both rasters from north to south; the image's windows read the land cover as it is made around them.

    Without an `output_landcover` the image alone is written.
    """
    box = grid.geobox(job.extent, grid.LANDCOVER_PIXEL_M, job.grid_crs, job.max_area_km2)
    cartographer = model.load(LandCoverGenerator, "landcover")
    painter = painting.load_generator(job.generator, "")
    image_box = grid.geobox(job.extent, painter.pixel_m, job.grid_crs, job.max_area_km2)
    world, factor = str(box.crs), round(grid.LANDCOVER_PIXEL_M / painter.pixel_m)
    below = cartographer.field(world, job.seed, job.steps, job.shares, job.guidance_scale)
    styles = painting.styles_of(painter, job.style, job.seed)
    above = painter.field(world, job.seed, job.steps, below, factor, styles)
    within = within or _asked(job, world)
    wanted = [within.area(pixel_m) for pixel_m in (grid.LANDCOVER_PIXEL_M, painter.pixel_m)]
    origin = f"synthetic: {cartographer.name}, seed {job.seed}"
    asked = {"shares": job.shares, "guidance_scale": job.guidance_scale}
    tags = painting.tags_of(cartographer, job.seed, job.steps, **asked)
    about: dict[str, object] = {"landcover": origin, "landcover_sha256": cartographer.digest}
    about |= {f"landcover_{key}": value for key, value in asked.items()}
    image_tags = painting.tags_of(painter, job.seed, job.steps, style=styles, **about)
    for note in painting.notes(painter, styles, job.style):
        report.log(note)
    with ExitStack() as stack:  # one inside the other: where either fails or is cancelled, neither appears
        outputs, writers = [], []
        if job.output_landcover:
            resume = painting.resumed(below, within.identity)
            writers.append(stack.enter_context(RasterWriter(job.output_landcover, box, "classes", tags, resume=resume)))
            outputs.append(painting.landcover_output(below, writers[0], wanted[0], report))
        resume = painting.resumed(above, within.identity)
        writers.append(stack.enter_context(RasterWriter(job.output_image, image_box, "rgb", image_tags, resume=resume)))
        outputs.append(painting.image_output(above, writers[-1], wanted[1], report))
        painting.announce(report, *writers)
        render(outputs, job.scheduler, report)
    return {name: path for name, path in vars(job).items() if name.startswith("output") and path}
