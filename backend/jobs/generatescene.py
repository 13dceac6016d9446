"""Generate a land cover map and the aerial image on it."""

from __future__ import annotations

from backend.generation import scenes
from backend.protocol import GenerateScene, Reporter


def run(job: GenerateScene, report: Reporter) -> dict[str, str]:
    """Write both rasters, on grids that cover the same ground; returns their paths by the job's fields."""
    return scenes.generate_scene(job, report)
