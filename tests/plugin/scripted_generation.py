"""Generates stripes of classes without models, by the real grids, writers, tags and previews.

Copied into a scratch backend in the place of the jobs that generate. `script.json` beside the copies may set `pace_s`,
the seconds each block takes; `fault`, an error message; `hang_after`, the number of blocks after which a job does
nothing more; `beat`, a file that a job removes before each block and then waits for.
"""

import json
import time
from pathlib import Path

import numpy as np

from backend.geo import grid, legend, provenance
from backend.geo.raster import RasterWriter, open_raster
from backend.protocol import BackendError, Extent, GenerateImage, RegenerateArea

BLOCKS = 10
"""Blocks of each raster, from north to south."""
PATIENCE_S = 60


def run(job, report):
    """Write each output of the job, with the job's seed as the pattern's."""
    script = json.loads(Path(__file__).with_name("script.json").read_text())
    if script.get("fault"):
        raise BackendError(script["fault"])
    geobox, kind, seed = _inputs(job)
    outputs = {name: path for name, path in vars(job).items() if name.startswith("output") and path}
    for number, (name, path) in enumerate(outputs.items()):
        is_image = isinstance(job, GenerateImage) or name == "output_image" or (name == "output" and kind == "image")
        part = report.part(number / len(outputs), (number + 1) / len(outputs))
        _write(path, geobox(1.0 if is_image else 10.0), is_image, seed, job, part, script)
    return outputs


def _inputs(job):
    """A function from pixel size to grid, the kind of raster ('image' or 'landcover'), and the seed."""
    extent, kind, seed = getattr(job, "extent", None), "landcover", job.seed
    if isinstance(job, (RegenerateArea, GenerateImage)):
        with open_raster(getattr(job, "raster", "") or job.landcover) as source:
            kind = "image" if source.count == 3 or isinstance(job, GenerateImage) else kind
            seed = int(source.tags().get("LANDFORGE_SEED", 0)) if seed is None else seed
            crs = source.crs.to_wkt()
            extent = extent or Extent(*source.bounds, crs=crs)
        return lambda pixel_m: grid.geobox(extent, pixel_m, crs), kind, seed
    return lambda pixel_m: grid.geobox(extent, pixel_m, job.grid_crs, job.max_area_km2), kind, seed


def _write(path, geobox, is_image, seed, job, report, script):
    height, width = geobox.shape
    settings = {"steps": getattr(job, "steps", 12), "generator": "spade" if is_image else "landcover"}
    style = [part.strip() for part in getattr(job, "style", "").split(",") if part]
    settings |= {"landcover_sha256": "0", "style": style} if is_image else {"shares": getattr(job, "shares", {})}
    tags = provenance.synthetic("spade" if is_image else "landcover", "0" * 64, seed, settings)
    rng = np.random.default_rng(seed)
    with RasterWriter(path, geobox, "rgb" if is_image else "classes", tags, resume="scripted") as writer:
        edges = np.linspace(0, height, BLOCKS + 1).astype(int)
        for number, (top, bottom) in enumerate(zip(edges, edges[1:]), 1):
            _wait(script, number)
            if (top, 0) not in writer.done:
                shape = (bottom - top, width)
                codes = np.broadcast_to(rng.choice(legend.CODES), shape).astype(np.uint8)
                shade = np.broadcast_to(rng.integers(40, 220, (3, 1, 1)), (3, *shape)).astype(np.uint8)
                writer.write(shade if is_image else codes, int(top), 0)
            report.preview(Path(path), writer.preview())
            report.progress(number / BLOCKS, f"window {number} of {BLOCKS}")


def _wait(script, number):
    time.sleep(script.get("pace_s", 0.0))
    if number > script.get("hang_after", BLOCKS):
        time.sleep(600)
    if script.get("beat"):
        beat = Path(script["beat"])
        beat.unlink(missing_ok=True)
        until = time.monotonic() + PATIENCE_S
        while not beat.exists():
            if time.monotonic() > until:
                raise BackendError("The event loop stands still.")
            time.sleep(0.001)
