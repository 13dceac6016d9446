"""Generate a synthetic land cover map over an extent."""

from __future__ import annotations

from backend.generation import scenes
from backend.protocol import GenerateLandCover, Reporter


def run(job: GenerateLandCover, report: Reporter) -> dict[str, str]:
    """Render the extent's 10 m grid, or what an area holds of it."""
    return scenes.generate_landcover(job, report)
