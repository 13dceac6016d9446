"""Build the four standard data sets of a study: a copy of a real one, and three synthetic ones on its tiles."""

from __future__ import annotations

from backend.generation.build_sets import build_standard_sets
from backend.protocol import BuildStandardSets, Reporter


def run(job: BuildStandardSets, report: Reporter) -> dict[str, str]:
    """Write the four data sets into one folder, all or none."""
    return build_standard_sets(job, report)
