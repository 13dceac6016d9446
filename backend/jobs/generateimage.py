"""Paint an aerial image on a land cover map."""

from __future__ import annotations

from pathlib import Path

from backend import classes, painting
from backend.area import Mapped
from backend.landcover import open_landcover, region_of
from backend.protocol import GenerateImage, Reporter
from backend.raster import RasterWriter
from backend.rendering import render


def run(job: GenerateImage, report: Reporter) -> dict[str, str]:
    """Paint the land cover raster's whole extent at the generator's GSD; where it has no data, the image is masked."""
    generator = painting.load_generator(job.generator, job.model)
    styles = painting.styles_of(generator, job.style)
    tags = painting.tags_of(generator, job.seed, job.steps, landcover=Path(job.landcover).name, style=styles)
    with open_landcover(job.landcover, generator.pixel_m, job.max_area_km2) as (box, landcover):
        field = generator.field(str(box.crs), job.seed, job.steps, landcover, styles=styles)
        if note := painting.unseen_note(generator):
            report.log(note)
        with RasterWriter(
            job.output, box, "rgb", tags, resume=painting.resumed(field, painting.stamp(job.landcover))
        ) as writer:
            painting.announce(report, writer)
            area = Mapped(lambda wanted: landcover.read(wanted) != classes.IGNORE, region_of(box))
            render([painting.image_output(field, writer, area)], job.scheduler, report)
    return {"output": job.output}
