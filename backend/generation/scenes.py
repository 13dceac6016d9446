"""The generating jobs: a land cover map, an image on a land cover raster, and both as a scene."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from odc.geo.geobox import GeoBox

from backend.generation import styles, tags
from backend.generation.image_generators import image_generator_class, load_image_generator
from backend.generation.layers import Layer, write_layers
from backend.geo import grid, legend
from backend.geo.block_store import stamp
from backend.models import base
from backend.models.conditioning import KNOWN, LINES
from backend.models.image_inputs import ImageInputs
from backend.models.landcover import LandCoverGenerator
from backend.protocol import BackendError, Extent, GenerateImage, GenerateLandCover, GenerateScene, Reporter
from backend.tiling import regions
from backend.tiling.known_input import open_known
from backend.tiling.landcover_input import box_of_grid, check_classes, open_landcover, resolution_note
from backend.tiling.regions import RegionOfInterest, ValidPixels
from backend.tiling.vector_layers import NO_LAYERS, VectorLayers, burn_landcover, open_layers

if TYPE_CHECKING:
    from backend.generation.image_generators import ImageGenerator

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
    if note := resolution_note(job.landcover, generator.pixel_m):
        report.log(note)
    shares = check_classes(job.landcover, report.log, job.legend)
    with ExitStack() as stack:
        opened = open_landcover(job.landcover, generator.pixel_m, job.max_area_km2, extent, job.legend)
        box, landcover = stack.enter_context(opened)
        features = open_layers(job, box, report.log)
        known = stack.enter_context(open_known(job.known, box, report.log))
        if known and KNOWN not in generator.conditions:
            raise BackendError(
                f"The model {generator.name} cannot continue known pixels: an older version of Landforge trained it. "
                "Choose a bundled model, or leave KNOWN empty."
            )
        map_shares = None if is_style_complete else shares
        words = styles.choose_styles(generator, job.style, job.seed, map_shares, is_style_complete)
        settings: dict[str, Any] = {"landcover": Path(job.landcover).name, "style": words}
        settings |= {"known": Path(job.known).name} if job.known else {}
        settings |= {"legend": job.legend} if job.legend != "worldcover" else {}
        inputs = ImageInputs(landcover, features=features.source, known=known)
        raster = generator.lazy_raster(str(box.crs), job.seed, job.steps, inputs, words)
        for note in [*styles.image_notes(generator, job.style, words), *_feature_notes(generator, features)]:
            report.log(note)
        labelled = ValidPixels(lambda region: landcover.read(region) != legend.IGNORE, box_of_grid(box))
        image_tags = tags.generator_tags(generator, job.seed, job.steps, **settings, **features.settings)
        identity = " ".join([stamp(job.landcover), *features.stamps, *([stamp(job.known)] if job.known else [])])
        layer = Layer(raster, box, "rgb", image_tags, labelled, identity)
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
    def load(
        cls, job: GenerateScene, grids: SceneGrids, fill: FillRegion, features: VectorLayers, is_style_complete: bool
    ) -> SceneLayers:
        """Load both generators and plan their layers inside `fill`, with `features`; nothing is computed yet."""
        generator, image_generator = base.load(LandCoverGenerator, "landcover"), load_image_generator(job.generator)
        models = image_generator, generator
        look = styles.choose_scene_styles(*models, job.style, job.seed, job.shares, is_style_complete)
        landcover = _landcover_layer(job, generator, grids.landcover, fill, look.landcover, features)
        inputs = ImageInputs(landcover.raster, grids.factor, features.source)
        raster = image_generator.lazy_raster(grids.crs, job.seed, job.steps, inputs, look.image)
        if features.source:
            landcover = replace(landcover, raster=burn_landcover(landcover.raster, features.source, grids.factor))
        settings = tags.landcover_settings(generator, job.seed, _landcover_settings(job, look.landcover))
        settings |= {"style": look.words} | features.settings
        image_tags = tags.generator_tags(image_generator, job.seed, job.steps, **settings)
        area = fill.area(image_generator.pixel_m)
        image = Layer(raster, grids.image, "rgb", image_tags, area, " ".join([fill.identity, *features.stamps]))
        notes = [*styles.scene_notes(*models, job.style, look), *_feature_notes(image_generator, features)]
        return cls(landcover, image, notes)


def generate_scene(
    job: GenerateScene, report: Reporter, fill: FillRegion | None = None, is_style_complete: bool = False
) -> dict[str, str]:
    """Generate land cover and the image on it, both from north to south, inside `fill` or else the job's polygons.

    Unless `is_style_complete`, the seed adds to the job's style. Without `output_landcover` only the image is written.
    """
    grids = SceneGrids.of(job)
    features = open_layers(job, grids.image, report.log)
    layers = SceneLayers.load(job, grids, fill or requested_region(job, grids.crs), features, is_style_complete)
    for note in layers.notes:
        report.log(note)
    outputs = {"output_landcover": job.output_landcover, "output_image": job.output_image}
    write_layers([(job.output_landcover, layers.landcover), (job.output_image, layers.image)], job.scheduler, report)
    return {name: path for name, path in outputs.items() if path}


def _feature_notes(generator: ImageGenerator, features: VectorLayers) -> list[str]:
    """A log line where a generator follows the features' classes and not their outlines."""
    if not features.source or LINES in generator.conditions:
        return []
    return [f"The model {generator.name} follows the classes of roads, buildings and water, not their outlines."]


def _landcover_settings(job: LandCoverJob, words: Sequence[str]) -> dict[str, Any]:
    return {"shares": job.shares, "guidance_scale": job.guidance_scale, "style": words}


def _landcover_layer(
    job: LandCoverJob,
    generator: LandCoverGenerator,
    box: GeoBox,
    fill: FillRegion,
    words: Sequence[str],
    features: VectorLayers = NO_LAYERS,
) -> Layer:
    """The layer of land cover without the features, which its tags and its identity name."""
    raster = generator.lazy_raster(str(box.crs), job.seed, job.steps, job.shares, job.guidance_scale, styles=words)
    settings = _landcover_settings(job, words) | features.settings
    landcover_tags = tags.generator_tags(generator, job.seed, job.steps, **settings)
    identity = " ".join([fill.identity, *features.stamps])
    return Layer(raster, box, "classes", landcover_tags, fill.area(grid.LANDCOVER_PIXEL_M), identity)
