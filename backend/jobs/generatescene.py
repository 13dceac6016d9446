"""Generate a land cover map and the aerial image on it, on grids that cover the same ground."""

from __future__ import annotations

import numpy as np

from backend import classes, grid
from backend.generators.latent_diffusion import LandCoverGenerator
from backend.landcover import array_reader, region_of
from backend.lattice import Box
from backend.painting import load_generator, paint, tags_of
from backend.protocol import GenerateScene, Reporter
from backend.raster import RasterWriter

LANDCOVER_SHARE = 0.15
"""The share of the progress bar that belongs to the land cover."""


def run(job: GenerateScene, report: Reporter) -> dict[str, str]:
    """Render the land cover with a margin, so that the image does not depend on where the extent ends."""
    box = grid.geobox(job.extent, grid.LANDCOVER_PIXEL_M, job.grid_crs, job.max_area_km2)
    landcover, painter = LandCoverGenerator("landcover"), load_generator(job.generator, "")
    image_box = grid.geobox(job.extent, painter.pixel_m, job.grid_crs, job.max_area_km2)
    factor = round(grid.LANDCOVER_PIXEL_M / painter.pixel_m)
    region, wide = region_of(box), painter.reach(region_of(image_box), job.steps).coarsened(factor)
    indices = _landcover(landcover, wide, str(box.crs), job, report.part(0, LANDCOVER_SHARE))
    with RasterWriter(job.output_landcover, box, "classes", tags_of(landcover, job.seed, job.steps)) as writer:
        writer.write(classes.to_code(indices[region.within(wide)]), 0, 0)
        # inside: where painting fails or is cancelled, no land cover is left alone
        read = array_reader(indices, wide, factor)
        origin = f"synthetic: {landcover.name}, seed {job.seed}"
        part = report.part(LANDCOVER_SHARE, 1)
        paint(painter, image_box, read, job.output_image, job.seed, job.steps, origin, part)
    return {"output_landcover": job.output_landcover, "output_image": job.output_image}


def _landcover(
    generator: LandCoverGenerator, wide: Box, world: str, job: GenerateScene, report: Reporter
) -> np.ndarray:
    indices = np.empty((wide.height, wide.width), dtype=np.uint8)
    for band, data in generator.render(wide, world, job.seed, job.steps, report):
        shared = band.intersection(wide)
        indices[shared.within(wide)] = data[shared.within(band)]
    return indices
