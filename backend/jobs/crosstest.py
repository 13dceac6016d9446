"""Test every model on every test set."""

from __future__ import annotations

from pathlib import Path

from backend import protocol
from backend.metrics import cross_test
from backend.models import architectures, model_folder
from backend.protocol import BackendError
from backend.reports.cross_test import write_table


def run(job: protocol.CrossTest, report: protocol.Reporter) -> dict[str, str]:
    """Score each model on the held-out tiles of each data set and write the table."""
    if not job.model or not job.dataset:
        raise BackendError("A cross-test needs at least one model and one data set.")
    architectures.check_crop(job.crop_px)
    models = [model_folder.find(model, "segmentation") for model in job.model]
    test_sets = cross_test.open_test_sets(job.dataset, job.split, models, report)
    legend = cross_test.common_legend(models, report)
    evaluations = list(cross_test.evaluate_all(job.model, models, test_sets, legend, job.crop_px, report))
    write_table(Path(job.output), evaluations, legend)
    report.log(f"table: {Path(job.output) / 'crosstest.html'}")
    return {"output": job.output}
