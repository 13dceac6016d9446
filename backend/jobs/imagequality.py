"""Compare synthetic images with real ones by metrics, and check whether the metrics can be trusted there."""

from __future__ import annotations

from pathlib import Path

from backend import protocol
from backend.metrics.comparison import compare
from backend.metrics.image_sets import MINIMUM_CROPS, open_sets
from backend.models import architectures
from backend.protocol import BackendError
from backend.reports import image_quality
from backend.reports.cross_test import read_table


def _check(job: protocol.ImageQuality) -> None:
    if not job.real or not job.synthetic:
        raise BackendError("A real set and at least one synthetic one are needed.")
    architectures.check_crop(job.crop_px)
    if job.count < MINIMUM_CROPS:
        raise BackendError(f"At least {MINIMUM_CROPS} crops of each set are needed, not {job.count}. Raise the number.")
    real, synthetic = ({Path(path).absolute() for path in paths} for paths in (job.real, job.synthetic))
    if real & synthetic:
        raise BackendError(f"{min(real & synthetic)} is given as real and as synthetic. Choose two different sets.")


def run(job: protocol.ImageQuality, report: protocol.Reporter) -> dict[str, str]:
    """Write `imagequality.html`, `.csv` and `.json`, all or none."""
    _check(job)
    downstream = read_table(Path(job.crosstest)) if job.crosstest else None
    report.progress(0, "reading the sets")
    real, synthetic, remarks = open_sets(job.real, job.synthetic, job.crop_px, job.split, job.count, job.seed)
    findings, matches, more_remarks = compare(real, synthetic, job.seed, report)
    settings = {
        "real": real.name,
        "synthetic": ", ".join(images.name for images in synthetic),
        "crops of each": len(real.images),
        "crop": f"{job.crop_px} px",
        "split": job.split,
        "seed": job.seed,
    }
    samples = image_quality.samples(real, synthetic, matches)
    image_quality.write(Path(job.output), downstream, settings, findings, [*remarks, *more_remarks], samples)
    for finding in findings:
        report.log(
            f"{finding.synthetic}, {finding.metric} ({finding.features}): {finding.value:.4g}. {finding.verdict[1]}"
        )
    report.log(f"report: {Path(job.output) / 'imagequality.html'}")
    return {"output": job.output}
