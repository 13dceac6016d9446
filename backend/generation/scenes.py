"""The generating jobs: a land cover map, an image on a land cover raster, and both as a scene."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Union

from odc.geo.geobox import GeoBox

from backend.generation import styles, tags
from backend.generation.image_generators import image_generator_class, load_image_generator
from backend.generation.layers import Layer, write_layers
from backend.geo import grid, legend
from backend.geo.block_store import stamp
from backend.models import base
from backend.models.image_inputs import ImageInputs
from backend.models.landcover import LandCoverGenerator
from backend.protocol import Extent, GenerateImage, GenerateLandCover, GenerateScene, Reporter
from backend.tiling import regions
from backend.tiling.landcover_input import box_of_grid, class_shares, open_landcover
from backend.tiling.regions import RegionOfInterest, ValidPixels

LandCoverJob = Union[GenerateLandCover, GenerateScene]


@dataclass(frozen=True)
class FillRegion:
    """The part of a grid to generate: `area` returns it for a pixel size in metres, `identity` tells it from others."""

    area: Callable[[float], RegionOfInterest]
    identity: str


def requested_region(job: LandCoverJob, crs: str) -> FillRegion:
    """The inside of the job's polygons; everything where it has none."""
    return FillRegion(partial(regions.region_from_wkt, job.area, job.extent, crs), job.area)


def generate_landcover(job: GenerateLandCover, report: Reporter, fill: FillRegion | None = None) -> dict[str, str]:
    """Generate land cover on the extent's 10 m grid, inside `fill` or else the job's polygons."""
    box = grid.geobox(job.extent, grid.LANDCOVER_PIXEL_M, job.grid_crs, job.max_area_km2)
    generator = base.load(LandCoverGenerator, job.model)
    words = styles.choose_landcover_styles(generator, job.style, job.seed)
    for note in styles.landcover_notes(generator, job.style, words):
        report.log(note)
    layer = _landcover_layer(job, generator, box, fill or requested_region(job, str(box.crs)), words)
    write_layers([(job.output, layer)], job.scheduler, report)
    return {"output": job.output}


def generate_image(
    job: GenerateImage, report: Reporter, extent: Extent | None = None, is_style_complete: bool = False
) -> dict[str, str]:
    """Generate an image on a land cover raster, or on the part of it in `extent`, at the generator's GSD.

    The image is masked where the land cover is nodata. Unless `is_style_complete`, the seed adds to the job's style
    what fits the whole raster. Raises BackendError where the raster does not touch the extent.
    """
    generator = load_image_generator(job.generator, job.model)
    with open_landcover(job.landcover, generator.pixel_m, job.max_area_km2, extent) as (box, landcover):
        shares = None if is_style_complete else class_shares(job.landcover)
        words = styles.choose_styles(generator, job.style, job.seed, shares, is_style_complete)
        for note in styles.image_notes(generator, job.style, words):
            report.log(note)
        raster = generator.lazy_raster(str(box.crs), job.seed, job.steps, ImageInputs(landcover), words)
        settings = {"landcover": Path(job.landcover).name, "style": words}
        image_tags = tags.generator_tags(generator, job.seed, job.steps, **settings)
        labelled = ValidPixels(lambda region: landcover.read(region) != legend.IGNORE, box_of_grid(box))
        layer = Layer(raster, box, "rgb", image_tags, labelled, stamp(job.landcover))
        write_layers([(job.output, layer)], job.scheduler, report)
    return {"output": job.output}


@dataclass(frozen=True)
class SceneGrids:
    """The grids of a scene's two rasters, which cover the same ground in the same CRS."""

    landcover: GeoBox
    image: GeoBox

    @classmethod
    def of(cls, job: GenerateScene) -> SceneGrids:
        """The grids of the job's extent: 10 m pixels, and the image generator's."""
        sizes = grid.LANDCOVER_PIXEL_M, image_generator_class(job.generator).pixel_m
        return cls(*(grid.geobox(job.extent, pixel_m, job.grid_crs, job.max_area_km2) for pixel_m in sizes))

    @property
    def crs(self) -> str:
        """The CRS of both."""
        return str(self.landcover.crs)

    @property
    def factor(self) -> int:
        """The side of a land cover pixel in image pixels."""
        return round(self.landcover.resolution.x / self.image.resolution.x)


@dataclass(frozen=True)
class SceneLayers:
    """The two layers of a scene, the image computed from the land cover, and what to log about them."""

    landcover: Layer
    image: Layer
    notes: list[str]

    @classmethod
    def load(cls, job: GenerateScene, grids: SceneGrids, fill: FillRegion, is_style_complete: bool) -> SceneLayers:
        """Load both generators and plan their layers inside `fill`; nothing is computed yet."""
        generator, image_generator = base.load(LandCoverGenerator, "landcover"), load_image_generator(job.generator)
        models = image_generator, generator
        look = styles.choose_scene_styles(*models, job.style, job.seed, job.shares, is_style_complete)
        landcover = _landcover_layer(job, generator, grids.landcover, fill, look.landcover)
        inputs = ImageInputs(landcover.raster, grids.factor)
        raster = image_generator.lazy_raster(grids.crs, job.seed, job.steps, inputs, look.image)
        settings = tags.landcover_settings(generator, job.seed, _landcover_settings(job, look.landcover))
        image_tags = tags.generator_tags(image_generator, job.seed, job.steps, style=look.words, **settings)
        area = fill.area(image_generator.pixel_m)
        image = Layer(raster, grids.image, "rgb", image_tags, area, fill.identity)
        return cls(landcover, image, styles.scene_notes(*models, job.style, look))


def generate_scene(
    job: GenerateScene, report: Reporter, fill: FillRegion | None = None, is_style_complete: bool = False
) -> dict[str, str]:
    """Generate land cover and the image on it, both from north to south, inside `fill` or else the job's polygons.

    Unless `is_style_complete`, the seed adds to the job's style. Without `output_landcover` only the image is written.
    """
    grids = SceneGrids.of(job)
    layers = SceneLayers.load(job, grids, fill or requested_region(job, grids.crs), is_style_complete)
    for note in layers.notes:
        report.log(note)
    outputs = {"output_landcover": job.output_landcover, "output_image": job.output_image}
    write_layers([(job.output_landcover, layers.landcover), (job.output_image, layers.image)], job.scheduler, report)
    return {name: path for name, path in outputs.items() if path}


def _landcover_settings(job: LandCoverJob, words: Sequence[str]) -> dict[str, Any]:
    return {"shares": job.shares, "guidance_scale": job.guidance_scale, "style": words}


def _landcover_layer(
    job: LandCoverJob, generator: LandCoverGenerator, box: GeoBox, fill: FillRegion, words: Sequence[str]
) -> Layer:
    raster = generator.lazy_raster(str(box.crs), job.seed, job.steps, job.shares, job.guidance_scale, styles=words)
    landcover_tags = tags.generator_tags(generator, job.seed, job.steps, **_landcover_settings(job, words))
    return Layer(raster, box, "classes", landcover_tags, fill.area(grid.LANDCOVER_PIXEL_M), fill.identity)
