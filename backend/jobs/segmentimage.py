"""Predict land cover from an RGB raster of any size."""

from __future__ import annotations

from backend.generation.segment import segment_image
from backend.protocol import Reporter, SegmentImage


def run(job: SegmentImage, report: Reporter) -> dict[str, str]:
    """Write the predicted WorldCover codes as one raster."""
    return segment_image(job, report)
