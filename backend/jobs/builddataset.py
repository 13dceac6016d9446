"""Cut aligned image and label rasters, or labels alone, into tiles, split by geography, with a manifest."""

from __future__ import annotations

from backend.datasets import build
from backend.protocol import BuildDataset, Reporter


def run(job: BuildDataset, report: Reporter) -> dict[str, str]:
    """Write the data set folder, whole or not at all."""
    build.check(job)
    build.build(job, report)
    return {"output": job.output}
