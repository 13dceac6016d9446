"""Clip NAIP aerial imagery (red, green, blue) to an extent's grid."""

from __future__ import annotations

from backend.protocol import ClipNaip, Reporter
from backend.sources.clip import clip_naip


def run(job: ClipNaip, report: Reporter) -> dict[str, str]:
    """Write the image of the extent, masked where there is none; returns the path as `output`."""
    clip_naip(job, report)
    return {"output": job.output}
