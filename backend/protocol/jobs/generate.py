"""Jobs that generate synthetic rasters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Optional

from ..extent import DEFAULT_MAX_AREA_KM2, Extent


@dataclass(frozen=True)
class GenerateLandCover:
    """Generate a synthetic land cover map at 10 m over an extent.

    `area` is the WKT of a polygon in the extent's CRS: outside it is nodata. `scheduler` is a Dask scheduler's address.
    `shares` are the percentages asked for, by WorldCover code; the model divides what they leave.
    """

    extent: Extent
    output: str
    seed: int = 0
    steps: int = 12
    shares: dict[int, float] = field(default_factory=dict)
    guidance_scale: float = 1.0
    model: str = "landcover"
    area: str = ""
    scheduler: str = ""
    grid_crs: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class GenerateImage:
    """Paint an aerial image at 1 m on a land cover map.

    `style` names styles that the model knows, parted by commas: "coastal, 2018". What it leaves open the seed draws.
    """

    landcover: str
    output: str
    generator: Literal["controlnet", "spade"] = "spade"
    seed: int = 0
    steps: int = 12
    model: str = ""
    style: str = ""
    scheduler: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class GenerateScene:
    """Generate a land cover map and the aerial image on it, in one go.

    `area`, `shares` and `guidance_scale` (the land cover's) as in GenerateLandCover, `style` as in GenerateImage.
    """

    extent: Extent
    output_landcover: str
    output_image: str
    generator: Literal["controlnet", "spade"] = "spade"
    seed: int = 0
    steps: int = 12
    shares: dict[int, float] = field(default_factory=dict)
    guidance_scale: float = 1.0
    style: str = ""
    area: str = ""
    scheduler: str = ""
    grid_crs: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class RegenerateArea:
    """Make a synthetic raster again by its own tags: the same ground or another extent, the same seed or a new one.

    `landcover` is what an image was painted on, where that was a raster. `output_landcover` is wanted, or not, of the
    image of a scene.
    """

    raster: str
    output: str
    extent: Optional[Extent] = None  # noqa: UP045
    seed: Optional[int] = None  # noqa: UP045
    landcover: str = ""
    output_landcover: str = ""
    scheduler: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2
