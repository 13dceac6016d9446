"""Provenance tags of generated rasters: everything that their pixels depend on beside their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

from backend.geo import provenance
from backend.models.landcover import LandCoverGenerator

if TYPE_CHECKING:
    from backend.generation.image_generators import ImageGenerator

    Generator = Union[LandCoverGenerator, ImageGenerator]

INDEX_SETTINGS = ("window", "stride", "phases", "guidance_scale")
"""The entries of a model's index that its rasters record."""


def generator_tags(generator: Generator, seed: int, steps: int, **settings: Any) -> dict[str, str]:
    """The tags of a generator's raster; `settings` are those of the job beside seed and steps."""
    recorded = {
        "steps": steps,
        "steps_taken": generator.effective_steps(steps),
        "generator": generator.index["landforge"],
        **settings,
    }
    recorded |= {key: generator.index[key] for key in INDEX_SETTINGS if key in generator.index}
    attribution = "; ".join(generator.index.get("data", {}).get("attribution", []))
    tags = provenance.synthetic(generator.name, generator.digest, seed, recorded)
    return {**tags, **({"LANDFORGE_ATTRIBUTION": attribution} if attribution else {})}


def landcover_settings(generator: LandCoverGenerator, seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    """What the tags of an image record of the land cover that was generated for it, with the land cover's settings."""
    return {
        "landcover": f"synthetic: {generator.name}, seed {seed}",
        "landcover_sha256": generator.digest,
        **{f"landcover_{key}": value for key, value in settings.items()},
    }
