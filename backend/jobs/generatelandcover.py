"""Generate a synthetic land cover map over an extent."""

from __future__ import annotations

from backend.generation import scenes
from backend.protocol import GenerateLandCover, Reporter


def run(job: GenerateLandCover, report: Reporter) -> dict[str, str]:
    """Write the land cover of the extent, or of the polygons in it; returns the path as `output`."""
    return scenes.generate_landcover(job, report)
