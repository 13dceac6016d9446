"""Compare synthetic land cover with real land cover, window by window."""

from __future__ import annotations

from pathlib import Path

from backend import protocol
from backend.metrics.landcover_windows import common_pixel, open_maps
from backend.metrics.realism import MIN_WINDOWS, compare_maps
from backend.protocol import BackendError
from backend.reports import landcover_realism


def _check(job: protocol.LandCoverRealism) -> None:
    real, synthetic = job.real + job.real_dataset, job.synthetic + job.synthetic_dataset
    if not real or not synthetic:
        raise BackendError("Real and synthetic land cover are needed, as rasters or as data sets of either.")
    same = {Path(path).absolute() for path in real} & {Path(path).absolute() for path in synthetic}
    if same:
        raise BackendError(f"{min(same)} is given as real and as synthetic. Choose two different ones.")
    if job.count < MIN_WINDOWS:
        raise BackendError(f"At least {MIN_WINDOWS} windows are needed, not {job.count}. Raise the number.")


def run(job: protocol.LandCoverRealism, report: protocol.Reporter) -> dict[str, str]:
    """Write `landcoverrealism.html`, `.csv` and `.json`, all or none."""
    _check(job)
    real, synthetic = (
        open_maps(rasters, datasets, report.log)
        for rasters, datasets in ((job.real, job.real_dataset), (job.synthetic, job.synthetic_dataset))
    )
    pixel_m = common_pixel([*real, *synthetic])
    result = compare_maps(real, synthetic, pixel_m, job.window_m, job.count, job.seed, report)
    settings = {
        "real": ", ".join([*job.real, *job.real_dataset]),
        "synthetic": ", ".join([*job.synthetic, *job.synthetic_dataset]),
        "windows": f"{len(result.real.windows)} real, {len(result.synthetic.windows)} synthetic",
        "window": f"{result.side * pixel_m:g} m, {result.side} px of {pixel_m:g} m",
        "seed": job.seed,
    }
    landcover_realism.write(Path(job.output), settings, result)
    for comparison in result.metrics:
        report.log(f"{comparison.name}: {comparison.verdict[1]}")
    report.log(result.copies.verdict)
    report.log(f"report: {Path(job.output) / 'landcoverrealism.html'}")
    return {"output": job.output}
