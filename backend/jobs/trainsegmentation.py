"""Train a segmentation model: RGB tiles in, a model folder out that holds the best epoch; resumes where it stopped."""

from __future__ import annotations

from backend import protocol
from backend.datasets.reader import open_tiles
from backend.protocol import BackendError
from backend.training import segmentation


def run(job: protocol.TrainSegmentation, report: protocol.Reporter) -> dict[str, str]:
    """Train on the job's data sets, see `segmentation.fit`."""
    if not job.dataset:
        raise BackendError("No data set was given. Choose one or more that 'Build data set' wrote.")
    segmentation.check_settings(job)
    segmentation.fit(job, [open_tiles(folder).merged(job.legend) for folder in job.dataset], report)
    return {"output": job.output}
