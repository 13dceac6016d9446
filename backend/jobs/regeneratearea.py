"""Generate a synthetic raster again from its own tags: with a new seed, or over another extent, seamlessly."""

from __future__ import annotations

from backend.generation.regenerate import regenerate_area
from backend.protocol import RegenerateArea, Reporter


def run(job: RegenerateArea, report: Reporter) -> dict[str, str]:
    """Write the raster, and of a scene the land cover too where it is requested."""
    return regenerate_area(job, report)
