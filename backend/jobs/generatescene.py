"""Generate a land cover map and the aerial image on it, on grids that cover the same ground."""

from __future__ import annotations

from backend.generation import scenes
from backend.protocol import GenerateScene, Reporter


def run(job: GenerateScene, report: Reporter) -> dict[str, str]:
    """Render both rasters from north to south; the image's windows read the land cover as it is made around them."""
    return scenes.generate_scene(job, report)
