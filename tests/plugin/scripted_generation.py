"""Generating without models: stripes of classes, block after block, as slowly as LANDFORGE_TEST_PACE_S says.

Copied into a scratch backend in the place of the jobs that generate; grids, writers, tags, previews are the real ones.
"""

import os
import time
from pathlib import Path

import numpy as np

from backend.geo import grid, legend, provenance
from backend.geo.raster import RasterWriter, open_raster
from backend.protocol import BackendError, Extent, GenerateImage, RegenerateArea

PARTS = 10


def run(job, report):
    """Do what the job's name says, with its seed as the pattern's."""
    if "fail" in os.environ.get("LANDFORGE_TEST_FAULT", ""):
        raise BackendError("The backend has no wish to. Ask again.")
    box, made, seed = _asked(job)
    outputs = {name: path for name, path in vars(job).items() if name.startswith("output") and path}
    pace = float(os.environ.get("LANDFORGE_TEST_PACE_S", "0"))
    for number, (name, path) in enumerate(outputs.items()):
        is_image = isinstance(job, GenerateImage) or name == "output_image" or (name == "output" and made == "image")
        here = report.part(number / len(outputs), (number + 1) / len(outputs))
        _write(path, box(1.0 if is_image else 10.0), is_image, seed, job, here, pace)
    return outputs


def _asked(job):
    """The grid by pixel size, the kind of raster, and the seed."""
    extent, made, seed = getattr(job, "extent", None), "landcover", job.seed
    if isinstance(job, (RegenerateArea, GenerateImage)):
        with open_raster(getattr(job, "raster", "") or job.landcover) as source:
            made = "image" if source.count == 3 or isinstance(job, GenerateImage) else made
            seed = int(source.tags().get("LANDFORGE_SEED", 0)) if seed is None else seed
            crs = source.crs.to_wkt()
            extent = extent or Extent(*source.bounds, crs=crs)
        return lambda pixel_m: grid.geobox(extent, pixel_m, crs), made, seed
    return lambda pixel_m: grid.geobox(extent, pixel_m, job.grid_crs, job.max_area_km2), made, seed


def _write(path, box, is_image, seed, job, report, pace):
    height, width = box.shape
    settings = {"steps": getattr(job, "steps", 12), "generator": "spade" if is_image else "landcover"}
    style = [part.strip() for part in getattr(job, "style", "").split(",") if part]
    settings |= {"landcover_sha256": "0", "style": style} if is_image else {"shares": getattr(job, "shares", {})}
    tags = provenance.synthetic("spade" if is_image else "landcover", "0" * 64, seed, settings)
    rng = np.random.default_rng(seed)
    with RasterWriter(path, box, "rgb" if is_image else "classes", tags, resume="scripted") as writer:
        edges = np.linspace(0, height, PARTS + 1).astype(int)
        for number, (top, bottom) in enumerate(zip(edges, edges[1:]), 1):
            time.sleep(pace)
            if (top, 0) not in writer.done:
                shape = (bottom - top, width)
                codes = np.broadcast_to(rng.choice(legend.CODES), shape).astype(np.uint8)
                shade = np.broadcast_to(rng.integers(40, 220, (3, 1, 1)), (3, *shape)).astype(np.uint8)
                writer.write(shade if is_image else codes, int(top), 0)
            report.preview(Path(path), writer.preview())
            report.progress(number / PARTS, f"window {number} of {PARTS}")
