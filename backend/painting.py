"""What generating jobs share: provenance, and a land cover map painted into a GeoTIFF by an image generator."""

from __future__ import annotations

import importlib
from typing import Any

from odc.geo.geobox import GeoBox

from backend import checkpoint, classes, landcover, provenance
from backend.lattice import ReadClasses
from backend.protocol import Reporter
from backend.raster import RasterWriter

UNSEEN = {70: 60, 90: 30, 95: 10, 100: 60}
"""Snow, wetland, mangrove and moss are in no training picture: painted as bare, grass, tree and bare ground."""


def load_generator(generator: str, model: str) -> Any:
    """The image generator of a name ('controlnet', 'spade'), with a model's weights or its bundled ones."""
    module = importlib.import_module(f"backend.generators.{generator}")
    return module.ImageGenerator(model or generator)


def tags_of(generator: Any, seed: int, steps: int, **more: str) -> dict[str, str]:
    """The provenance of what a generator makes: all that it depends on beside its place."""
    settings = {"steps": steps, "generator": generator.index["landforge"], **more}
    settings |= {
        key: generator.index[key] for key in ("window", "stride", "phases", "guidance_scale") if key in generator.index
    }
    return provenance.synthetic(generator.name, checkpoint.model_hash(generator.folder), seed, settings)


def paint(
    generator: Any, box: GeoBox, read: ReadClasses, output: str, seed: int, steps: int, origin: str, report: Reporter
) -> None:
    """Paint the whole grid and write it with its provenance; nodata of the land cover is masked.

    `origin` says which land cover was painted.
    """
    region = landcover.region_of(box)
    tags = tags_of(generator, seed, steps, landcover=origin)
    report.log("Snow, wetland, mangroves and moss, where asked for, are painted as bare, grass, trees and bare ground.")
    seen = landcover.painted_as(read, UNSEEN)
    with RasterWriter(output, box, "rgb", tags) as writer:
        report.log(f"Image: {writer.size()}.")
        for band, image in generator.render(region, str(box.crs), seen, seed, steps, report):
            valid = read(band) != classes.IGNORE
            image[:, ~valid] = 0
            writer.write(image, band.row - region.row, band.col - region.col, valid)
