"""Generate a synthetic raster again from its own tags: with a new seed, or over another extent, seamlessly."""

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
    check_outputs,
)
from backend.tiling import landcover_input, regions
from backend.tiling.regions import RegionOfInterest

LANDCOVER = "landcover"


def regenerate_area(job: RegenerateArea, report: Reporter) -> dict[str, str]:
    """Read model, seed, steps and settings from the raster's tags, and generate in its CRS.

    Without an extent the raster's own ground is generated. Raises BackendError for a raster without these tags and,
    where the seed stays the same, for a model that has changed since, because its pixels would not continue the
    raster's.
    """
    with open_raster(job.raster, "raster") as source:
        record = provenance.generation_record(source.tags(), job.raster)
        _check_layers(record, job)
        _check_models(record, job, report)
        report.log(f"{Path(job.raster).name} was made by {record.model} with seed {record.seed}.")
        if record.generator == LANDCOVER:
            return _landcover(job, record, source, report)
        if record.is_scene:
            return _scene(job, record, source, report)
        return _image(job, record, source, report)


def _check_layers(record: GenerationRecord, job: RegenerateArea) -> None:
    """BackendError for a raster with vector features or known pixels, which its tags do not hold."""
    if "known" in record.settings:
        raise BackendError(
            f"{Path(job.raster).name} continues the pixels of {record.settings['known']}, which its tags do not hold. "
            "Use Generate image with this image as KNOWN and the raster's settings."
        )
    names = [str(record.settings[key]) for key in ("roads", "buildings", "water") if key in record.settings]
    if names:
        algorithm = "Generate scene" if record.is_scene or record.generator == LANDCOVER else "Generate image"
        raise BackendError(
            f"{Path(job.raster).name} has features of vector layers ({', '.join(names)}), which its tags do not hold. "
            f"Use {algorithm} with these layers and the raster's settings."
        )


def _check_models(record: GenerationRecord, job: RegenerateArea, report: Reporter) -> None:
    """Log each model that has changed since the raster was generated; BackendError where the seed is the same."""
    for kind, name, digest in record.models:
        folder, _ = model_folder.find(name, kind)
        if model_folder.model_hash(folder) == digest:
            continue
        change = (
            f"The model {name} has changed since {Path(job.raster).name} was made, so its pixels cannot be continued"
        )
        if job.seed in (None, record.seed):
            raise BackendError(f"{change}. Give a new SEED, or use the version of the model that made it.")
        report.log(f"{change}; with a new seed they need not be.")


def _extent(job: RegenerateArea, source: rasterio.DatasetReader) -> Extent:
    """The job's extent, or else the raster's."""
    left, bottom, right, top = source.bounds
    return job.extent or Extent(left, bottom, right, top, source.crs.to_wkt())


def _fill_region(job: RegenerateArea, source: rasterio.DatasetReader) -> FillRegion | None:
    """The raster's valid pixels, which are those in its own polygons; None with an extent, or where all are valid."""
    if job.extent is not None or regions.has_no_mask(source):
        return None
    region = landcover_input.box_of_grid(GeoBox(source.shape, source.transform, source.crs.to_wkt()))

    def area(pixel_m: float) -> RegionOfInterest:
        return regions.valid_pixels(source, region, round(pixel_m / source.res[0]))

    return FillRegion(area, stamp(job.raster))


def _common_fields(job: RegenerateArea, record: GenerationRecord) -> dict[str, Any]:
    """The fields that all generating jobs have."""
    return {
        "seed": record.seed if job.seed is None else job.seed,
        "steps": record.settings["steps"],
        "scheduler": job.scheduler,
        "max_area_km2": job.max_area_km2,
    }


def _landcover_fields(record: GenerationRecord) -> dict[str, Any]:
    """The fields of the jobs that generate land cover."""
    return {"shares": record.shares, "guidance_scale": record.guidance_scale, "style": record.style}


def _landcover(
    job: RegenerateArea, record: GenerationRecord, source: rasterio.DatasetReader, report: Reporter
) -> dict[str, str]:
    landcover_job = GenerateLandCover(
        _extent(job, source),
        job.output,
        model=record.model,
        grid_crs=source.crs.to_wkt(),
        **_landcover_fields(record),
        **_common_fields(job, record),
    )
    return scenes.generate_landcover(landcover_job, report, _fill_region(job, source))


def _scene(
    job: RegenerateArea, record: GenerationRecord, source: rasterio.DatasetReader, report: Reporter
) -> dict[str, str]:
    scene_job = GenerateScene(
        _extent(job, source),
        job.output_landcover,
        job.output,
        generator=record.generator,
        grid_crs=source.crs.to_wkt(),
        **_landcover_fields(record),
        **_common_fields(job, record),
    )
    outputs = scenes.generate_scene(scene_job, report, _fill_region(job, source), bool(record.style))
    return {"output": outputs.pop("output_image"), **outputs}


def _image(
    job: RegenerateArea, record: GenerationRecord, source: rasterio.DatasetReader, report: Reporter
) -> dict[str, str]:
    image_job = GenerateImage(
        _landcover_path(job, record),
        job.output,
        generator=record.generator,
        model=record.model,
        legend=record.settings.get("legend", "worldcover"),
        style=record.style,
        **_common_fields(job, record),
    )
    check_outputs(image_job)  # the land cover may be known by the raster's tags alone
    return scenes.generate_image(image_job, report, _extent(job, source), bool(record.style))


def _landcover_path(job: RegenerateArea, record: GenerationRecord) -> str:
    """The land cover that the image was generated on: the job's, or else the recorded name beside the image."""
    name = str(record.settings.get(LANDCOVER, ""))
    path = Path(job.landcover or Path(job.raster).with_name(name or "unknown"))
    if not path.is_file():
        raise BackendError(
            f"{Path(job.raster).name} was painted on the land cover {name!r}, which is not at {path}. Choose it "
            "(parameter LANDCOVER)."
        )
    return str(path)
