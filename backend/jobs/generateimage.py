"""Generate an aerial image on a land cover map."""

from __future__ import annotations

from backend.generation import scenes
from backend.protocol import GenerateImage, Reporter


def run(job: GenerateImage, report: Reporter) -> dict[str, str]:
    """Write the image of the land cover raster's extent, masked where that is nodata; returns the path as `output`."""
    return scenes.generate_image(job, report)
