"""Paint an aerial image on a land cover map."""

from __future__ import annotations

from pathlib import Path

from backend.landcover import open_landcover
from backend.painting import load_generator, paint
from backend.protocol import GenerateImage, Reporter


def run(job: GenerateImage, report: Reporter) -> dict[str, str]:
    """Paint the land cover raster's whole extent at the generator's GSD."""
    generator = load_generator(job.generator, job.model)
    with open_landcover(job.landcover, generator.pixel_m, job.max_area_km2) as (box, read):
        paint(generator, box, read, job.output, job.seed, job.steps, Path(job.landcover).name, report)
    return {"output": job.output}
