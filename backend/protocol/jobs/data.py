"""Jobs that clip real data and build data sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional

from ..extent import DEFAULT_MAX_AREA_KM2, Extent


@dataclass(frozen=True)
class ClipWorldCover:
    """Clip ESA WorldCover to an extent's 10 m grid; `legend` is that of a `layer`'s codes."""

    extent: Extent
    output: str
    source: Literal["esa", "planetarycomputer", "layer"] = "esa"
    year: int = 2021
    layer: str = ""
    legend: Literal["worldcover", "nlcd", "esri", "dynamicworld"] = "worldcover"
    grid_crs: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class ClipNaip:
    """Clip NAIP aerial imagery (RGB) to an extent's grid; no year: the newest that covers it.

    Of a `layer`, `bands` are the numbers of red, green and blue ("4, 1, 2"), and `stretch` the bounds that become black
    and white ("0, 2000", or three pairs parted by semicolons); without it 8-bit bands stay, others are stretched from
    the 2nd to the 98th percentile. `fill_years`: without a year, what the images of one year leave open is filled from
    those of other years.
    """

    extent: Extent
    output: str
    source: Literal["planetarycomputer", "layer"] = "planetarycomputer"
    year: Optional[int] = None  # noqa: UP045 (QGIS may read it with Python 3.9)
    pixel_m: Optional[float] = None  # noqa: UP045
    layer: str = ""
    bands: str = ""
    stretch: str = ""
    grid_crs: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2
    fill_years: bool = True


@dataclass(frozen=True)
class BuildDataset:
    """Cut aligned image and label rasters into pairs of tiles with a manifest; without images, only labels.

    With `extents`, each is clipped first: NAIP of a `year` (None: the newest) to pixels of `pixel_m`, and WorldCover
    from `landcover_source`; or the one raster in `image` or `label`. `style` are comma-separated words for the look of
    all images, such as "coastal, 2018": an image generator learns them, and standard sets are generated in them.
    Images and labels that are folders give their rasters, and are paired by place. `bands` and `stretch` are those of
    the images, as in ClipNaip; `legend` is that of the labels' codes.
    """

    label: tuple[str, ...]
    output: str
    image: tuple[str, ...] = ()
    tile_px: int = 512
    stride_px: int = 0
    min_valid: float = 0.5
    val_share: float = 0.15
    test_share: float = 0.15
    seed: int = 0
    style: str = ""
    bands: str = ""
    stretch: str = ""
    legend: Literal["worldcover", "nlcd", "esri", "dynamicworld"] = "worldcover"
    extents: tuple[Extent, ...] = ()
    landcover_source: Literal["esa", "planetarycomputer"] = "esa"
    year: Optional[int] = None  # noqa: UP045 (QGIS may read it with Python 3.9)
    pixel_m: float = 1.0


@dataclass(frozen=True)
class BuildStandardSets:
    """Build the four sets of a study from a real one: real, ControlNet and SPADE on its land cover, and synthetic.

    `composition`: whether the synthetic land cover should have the class shares of the real tiles at each place
    ("real"), or its model chooses them ("free").
    """

    dataset: str
    output: str
    composition: Literal["real", "free"] = "real"
    seed: int = 0
    steps: int = 12
    landcover_model: str = "landcover"
    controlnet_model: str = "controlnet"
    spade_model: str = "spade"
    scheduler: str = ""
