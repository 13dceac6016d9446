"""Clip ESA WorldCover to an extent's 10 m grid."""

from __future__ import annotations

from backend.protocol import ClipWorldCover, Reporter
from backend.sources.clip import clip_worldcover


def run(job: ClipWorldCover, report: Reporter) -> dict[str, str]:
    """Write the WorldCover codes of the extent; returns the path as `output`."""
    clip_worldcover(job, report)
    return {"output": job.output}
