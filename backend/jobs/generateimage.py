"""Paint an aerial image on a land cover map."""

from __future__ import annotations

from backend.generation import scenes
from backend.protocol import GenerateImage, Reporter


def run(job: GenerateImage, report: Reporter) -> dict[str, str]:
    """Paint the land cover raster's whole extent at the generator's GSD; where it has no data, the image is masked."""
    return scenes.generate_image(job, report)
