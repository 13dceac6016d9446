"""Compare synthetic land cover with real land cover, window by window."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from backend import protocol
from backend.metrics import landscape, realism
from backend.metrics.landcover_windows import Cut, Land, common_pixel, cut, grounds, open_lands
from backend.metrics.realism import Comparison
from backend.protocol import BackendError
from backend.reports import html, landcover_realism

LEAST_PX = 16
LEAST = 8  # windows; fewer say nothing
SEARCHED = 64_000_000  # pixels of real ground in which copies are looked for: 6,400 km2 of 10 m
SEARCHED_WINDOWS = 5_000  # the same in windows, which bounds the time
SHOWN, SHOWN_PX = 16, 128


def _check(job: protocol.LandCoverRealism) -> None:
    real, synthetic = job.real + job.real_dataset, job.synthetic + job.synthetic_dataset
    if not real or not synthetic:
        raise BackendError("Real and synthetic land cover are needed, as rasters or as data sets of either.")
    same = {Path(path).absolute() for path in real} & {Path(path).absolute() for path in synthetic}
    if same:
        raise BackendError(f"{min(same)} is given as real and as synthetic. Choose two different ones.")
    if job.count < LEAST:
        raise BackendError(f"At least {LEAST} windows are needed, not {job.count}. Raise the number.")


def _side(job: protocol.LandCoverRealism, pixel_m: float) -> int:
    """A window's side in pixels; BackendError where that is too few for a landscape."""
    side = round(job.window_m / pixel_m)
    if side < LEAST_PX:
        raise BackendError(
            f"A window of {job.window_m:g} m has {side} pixels of {pixel_m:g} m, but a landscape needs at least "
            f"{LEAST_PX}. Use windows of {LEAST_PX * pixel_m:g} m or more."
        )
    return side


def _cut(job: protocol.LandCoverRealism, lands: list[Land], side: int, what: str, report: protocol.Reporter) -> Cut:
    found = cut(lands, side, side, job.count, job.seed, what)
    report.log(f"{what}: {len(found.windows)} windows of {side} pixels from {len(lands)} rasters or tiles.")
    if len(found.windows) < LEAST:
        raise BackendError(
            f"The {what} land cover gives only {len(found.windows)} windows of {job.window_m:g} m without nodata, but "
            f"at least {LEAST} are needed. Use smaller windows or more ground."
        )
    return found


def _metrics(windows: np.ndarray, pixel_m: float, report: protocol.Reporter) -> dict[str, np.ndarray]:
    """(n,) of each landscape metric."""
    found = []
    for done, window in enumerate(windows):
        found.append(landscape.metrics(window, pixel_m))
        report.progress((done + 1) / len(windows), f"landscape of window {done + 1} of {len(windows)}")
    return {name: np.array([one[name] for one in found]) for name in landscape.METRICS}


def _landscapes(
    job: protocol.LandCoverRealism, real: Cut, synthetic: Cut, pixel_m: float, report: protocol.Reporter
) -> list[Comparison]:
    one = _metrics(real.windows, pixel_m, report.part(0.1, 0.5))
    other = _metrics(synthetic.windows, pixel_m, report.part(0.5, 0.8))
    titles = landscape.METRICS.items()
    return [realism.compared(*title, one[name], other[name], job.seed) for name, title in titles]


def run(job: protocol.LandCoverRealism, report: protocol.Reporter) -> dict[str, str]:
    """Write `landcoverrealism.html`, `.csv` and `.json`, all or none."""
    _check(job)
    ours, theirs = open_lands(job.real, job.real_dataset), open_lands(job.synthetic, job.synthetic_dataset)
    pixel_m = common_pixel([*ours, *theirs])
    side = _side(job, pixel_m)
    report.progress(0, "cutting windows")
    real, synthetic = _cut(job, ours, side, "real", report), _cut(job, theirs, side, "synthetic", report)
    metrics = _landscapes(job, real, synthetic, pixel_m, report)
    shares = list(realism.of_classes(real.windows, synthetic.windows, job.seed))
    report.progress(0.8, "looking for copies")
    ground, share = grounds(ours, side, min(SEARCHED, SEARCHED_WINDOWS * side**2), job.seed)
    looking = report.part(0.8, 1)
    copies = realism.copies(real, synthetic, ground, share, lambda done: looking.progress(done, "looking for copies"))
    settings: dict[str, Any] = {
        "real": ", ".join([*job.real, *job.real_dataset]),
        "synthetic": ", ".join([*job.synthetic, *job.synthetic_dataset]),
        "windows": f"{len(real.windows)} real, {len(synthetic.windows)} synthetic",
        "window": f"{side * pixel_m:g} m, {side} px of {pixel_m:g} m",
        "seed": job.seed,
    }
    step = max(1, side // SHOWN_PX)
    shown = [one.windows[:SHOWN, ::step, ::step] for one in (real, synthetic)]
    told = [one.told() for one in [*metrics, *shares]]
    whole = {"settings": settings, "figures": told, "copies": copies.told()}
    texts = {
        "landcoverrealism.html": html.page(
            "Land cover realism", landcover_realism.body(settings, metrics, shares, copies, *shown)
        ),
        "landcoverrealism.csv": html.comma_separated(told),
        "landcoverrealism.json": json.dumps(whole, indent=1),
    }
    html.write_together(Path(job.output), texts)
    for one in metrics:
        report.log(f"{one.name}: {one.verdict[1]}")
    report.log(copies.verdict)
    report.log(f"report: {Path(job.output) / 'landcoverrealism.html'}")
    return {"output": job.output}
