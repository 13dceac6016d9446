"""Jobs that generate synthetic rasters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Optional

from ..extent import DEFAULT_MAX_AREA_KM2, Extent


@dataclass(frozen=True)
class GenerateLandCover:
    """Generate a synthetic land cover map at 10 m over an extent.

    `area` is the WKT of polygons in the extent's CRS, outside of which is nodata. `scheduler` is a Dask scheduler's
    address. `shares` are the requested percentages by WorldCover code; the model divides the rest among other classes.
    `style` is a climate that the model knows, such as "tropical"; the seed draws one where it is empty.
    """

    extent: Extent
    output: str
    seed: int = 0
    steps: int = 12
    shares: dict[int, float] = field(default_factory=dict)
    guidance_scale: float = 1.0
    model: str = "landcover"
    style: str = ""
    area: str = ""
    scheduler: str = ""
    grid_crs: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class GenerateImage:
    """Generate an aerial image at 1 m on a land cover map; `legend` is that of the map's codes.

    `style` are comma-separated styles that the model knows, such as "coastal, 2018"; the seed completes them. `roads`,
    `buildings` and `water` are vector files (`path` or `path|layername=name`) that are burnt into the land cover;
    `roads_width` and `water_width` name the fields with the widths of lines in metres.
    """

    landcover: str
    output: str
    generator: Literal["controlnet", "spade"] = "spade"
    seed: int = 0
    steps: int = 12
    model: str = ""
    legend: Literal["worldcover", "nlcd", "esri", "dynamicworld"] = "worldcover"
    style: str = ""
    roads: str = ""
    roads_width: str = ""
    buildings: str = ""
    water: str = ""
    water_width: str = ""
    known: str = ""
    scheduler: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class GenerateScene:
    """Generate a land cover map and the aerial image on it in one job.

    `area`, `shares` and `guidance_scale` (of the land cover) as in GenerateLandCover, `style` and the vector files as
    in GenerateImage; `style` may be a climate of either model.
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
    roads: str = ""
    roads_width: str = ""
    buildings: str = ""
    water: str = ""
    water_width: str = ""
    area: str = ""
    scheduler: str = ""
    grid_crs: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class RegenerateArea:
    """Generate a synthetic raster again from its own tags: the same ground or another extent, its seed or a new one.

    `landcover` is the raster that an image was generated on, where there was one. `output_landcover` is an optional
    output, for the image of a scene.
    """

    raster: str
    output: str
    extent: Optional[Extent] = None  # noqa: UP045
    seed: Optional[int] = None  # noqa: UP045
    landcover: str = ""
    output_landcover: str = ""
    scheduler: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2
