"""Make a synthetic raster again by its own tags: with a new seed, or for another extent, which then goes on from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rasterio
from odc.geo.geobox import GeoBox

from backend.generation import scenes
from backend.generation.scenes import FillRegion
from backend.geo import provenance
from backend.geo.block_store import stamp
from backend.geo.provenance import GenerationRecord
from backend.geo.raster import open_raster
from backend.models import model_folder
from backend.protocol import (
    BackendError,
    Extent,
    GenerateImage,
    GenerateLandCover,
    GenerateScene,
    RegenerateArea,
    Reporter,
)
from backend.tiling import landcover_input, regions
from backend.tiling.regions import RegionOfInterest

LANDCOVER = "landcover"


def run(job: RegenerateArea, report: Reporter) -> dict[str, str]:
    """Read model, seed, steps and settings from the raster's tags, and generate on its grid's CRS.

    Without an extent: what the raster covers. Raises BackendError for a raster without these tags, and, where the
    seed stays, for a model that has changed since: the pixels would not go on.
    """
    if Path(job.raster).absolute() in (Path(job.output).absolute(), Path(job.output_landcover or "/").absolute()):
        raise BackendError("The output is the raster itself. Choose another output.")
    with open_raster(job.raster, "raster") as source:
        recipe = provenance.generation_record(source.tags(), job.raster)
        _check_models(recipe, job, report)
        report.log(f"{Path(job.raster).name} was made by {recipe.model} with seed {recipe.seed}.")
        if recipe.generator == LANDCOVER:
            return _landcover(job, recipe, source, report)
        if recipe.is_scene:
            return _scene(job, recipe, source, report)
        return _image(job, recipe, source, report)


def _check_models(recipe: GenerationRecord, job: RegenerateArea, report: Reporter) -> None:
    """Say where a model is not the one that made the raster; refuse to go on from it with the same seed."""
    for kind, name, digest in recipe.models:
        folder, _ = model_folder.find(name, kind)
        if model_folder.model_hash(folder) == digest:
            continue
        said = f"The model {name} has changed since {Path(job.raster).name} was made, so its pixels cannot be continued"
        if job.seed in (None, recipe.seed):
            raise BackendError(f"{said}. Give a new SEED, or use the version of the model that made it.")
        report.log(f"{said}; with a new seed they need not be.")


def _place(job: RegenerateArea, source: rasterio.DatasetReader) -> Extent:
    """The extent asked for, else the raster's own."""
    left, bottom, right, top = source.bounds
    return job.extent or Extent(left, bottom, right, top, source.crs.to_wkt())


def _within(job: RegenerateArea, source: rasterio.DatasetReader) -> FillRegion | None:
    """Without an extent, where the raster has data: what its own polygons held."""
    if job.extent is not None or regions.has_no_mask(source):
        return None
    region = landcover_input.box_of_grid(GeoBox(source.shape, source.transform, source.crs.to_wkt()))

    def present(pixel_m: float) -> RegionOfInterest:
        return regions.valid_pixels(source, region, round(pixel_m / source.res[0]))

    return FillRegion(present, stamp(job.raster))


def _settings(job: RegenerateArea, recipe: GenerationRecord) -> dict[str, Any]:
    """What all generating jobs are told alike."""
    return {
        "seed": recipe.seed if job.seed is None else job.seed,
        "steps": recipe.settings["steps"],
        "scheduler": job.scheduler,
        "max_area_km2": job.max_area_km2,
    }


def _mix(recipe: GenerationRecord) -> dict[str, Any]:
    """What those that generate land cover are told of its classes."""
    return {"shares": recipe.shares, "guidance_scale": recipe.guidance_scale}


def _landcover(
    job: RegenerateArea, recipe: GenerationRecord, source: rasterio.DatasetReader, report: Reporter
) -> dict[str, str]:
    again = GenerateLandCover(
        _place(job, source),
        job.output,
        model=recipe.model,
        grid_crs=source.crs.to_wkt(),
        **_mix(recipe),
        **_settings(job, recipe),
    )
    return scenes.generate_landcover(again, report, _within(job, source))


def _scene(
    job: RegenerateArea, recipe: GenerationRecord, source: rasterio.DatasetReader, report: Reporter
) -> dict[str, str]:
    again = GenerateScene(
        _place(job, source),
        job.output_landcover,
        job.output,
        generator=recipe.generator,
        style=recipe.style,
        grid_crs=source.crs.to_wkt(),
        **_mix(recipe),
        **_settings(job, recipe),
    )
    outputs = scenes.generate_scene(again, report, _within(job, source))
    return {"output": outputs.pop("output_image"), **outputs}


def _image(
    job: RegenerateArea, recipe: GenerationRecord, source: rasterio.DatasetReader, report: Reporter
) -> dict[str, str]:
    again = GenerateImage(
        _below(job, recipe),
        job.output,
        generator=recipe.generator,
        model=recipe.model,
        style=recipe.style,
        **_settings(job, recipe),
    )
    return scenes.generate_image(again, report, _place(job, source))


def _below(job: RegenerateArea, recipe: GenerationRecord) -> str:
    """The land cover that an image was painted on: the one given, else that of its name beside the image."""
    name = str(recipe.settings.get(LANDCOVER, ""))
    found = Path(job.landcover or Path(job.raster).with_name(name or "unknown"))
    if not found.is_file():
        raise BackendError(
            f"{Path(job.raster).name} was painted on the land cover {name!r}, which is not at {found}. Choose it "
            "(parameter LANDCOVER)."
        )
    return str(found)
