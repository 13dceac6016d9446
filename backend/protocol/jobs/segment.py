"""Jobs that apply segmentation models."""

from __future__ import annotations

from dataclasses import dataclass

from ..extent import DEFAULT_MAX_AREA_KM2


@dataclass(frozen=True)
class SegmentImage:
    """Predict land cover from an RGB image; `bands` and `stretch` as in ClipNaip."""

    image: str
    output: str
    model: str = "segmentation"
    bands: str = ""
    stretch: str = ""
    scheduler: str = ""
    max_area_km2: float = DEFAULT_MAX_AREA_KM2
