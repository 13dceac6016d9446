"""Measure synthetic images beside real ones, and what the metrics are worth there."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from backend import protocol
from backend.metrics import features
from backend.metrics.comparison import BATCH, PAIRS, Comparison, Looks
from backend.metrics.image_distances import FID_LEAST
from backend.metrics.image_sets import LEAST, Images, matched, open_sets
from backend.metrics.sanity_check import CHANGES, Finding
from backend.models import architectures
from backend.protocol import BackendError
from backend.reports import contact_sheet, html, image_quality
from backend.reports.cross_test import read_table

SHOWN, SHOWN_PX = 6, 160
Matches = Mapping[str, list[tuple[int, int]]]
"""By synthetic set, which images of the real set and of it are of one ground and label."""


class _Clock:
    """Progress over so many looks at images, and soon an estimate of the whole."""

    def __init__(self, report: protocol.Reporter, whole: int) -> None:
        self.report, self.whole, self.done, self.start = report, whole, 0, time.monotonic()

    def tick(self, images: int) -> None:
        early, self.done = self.done < 4 * BATCH, self.done + images
        self.report.progress(min(self.done / self.whole, 0.99), f"{self.done:,} of {self.whole:,} looks at images")
        if early and self.done >= 4 * BATCH:
            minutes = (time.monotonic() - self.start) / self.done * self.whole / 60
            self.report.log(f"{self.whole:,} looks at images: about {minutes:.1f} minutes on this machine.")


def _check(job: protocol.ImageQuality) -> None:
    if not job.real or not job.synthetic:
        raise BackendError("A real set and at least one synthetic one are needed.")
    architectures.check_crop(job.crop_px)
    if job.count < LEAST:
        raise BackendError(f"At least {LEAST} crops of each set are needed, not {job.count}. Raise the number.")
    real, synthetic = ({Path(path).absolute() for path in paths} for paths in (job.real, job.synthetic))
    if real & synthetic:
        raise BackendError(f"{min(real & synthetic)} is given as real and as synthetic. Choose two different sets.")


def _of_features(reason: str, looks: Looks) -> list[str]:
    """What is to be said of the networks that look."""
    said = [
        "IS rests on the land cover classes that the bundled segmentation model reads, LPIPS on its encoder without "
        "learned weights: Inception's classes and LPIPS's own weights are not at hand. Neither compares with published "
        "values.",
    ]
    if reason:
        said.append(
            f"Inception features were not available ({reason}), so FID and KID rest on the project's own encoder and "
            "cannot be compared with published values."
        )
    first = looks[features.OWN if reason else features.INCEPTION]
    count, least = len(first), FID_LEAST * first.shape[1]
    if count < least:
        said.append(
            f"FID of {count} tiles is biased upward: {least:,} would be needed for {first.shape[1]:,} features. "
            "Compare it with real halves, and with FID of as many tiles only; KID has no such bias."
        )
    return said


def _measured(
    job: protocol.ImageQuality, real: Images, made: Sequence[Images], said: list[str], report: protocol.Reporter
) -> tuple[list[Finding], Matches]:
    """Every finding; what is to be said beside them is added to `said`."""
    inception, reason = features.inception()
    matches = {one.name: _matches(real, one, "LPIPS and SSIM", said) for one in made}
    between = [(one, other, _matches(one, other, "Variety", said)) for one, other in combinations(made, 2)]
    count, checks = len(real.images), 1 + len(CHANGES)
    looks = (checks + len(made)) * count
    looks += sum(2 * (1 + checks) * min(len(found), PAIRS) for found in matches.values())
    looks += sum(min(len(found), PAIRS) + checks * min(count, PAIRS) for *_, found in between if found)
    clock = _Clock(report, looks)
    comparison = Comparison(real, features.Encoder(), inception, job.seed, clock.tick)
    said += _of_features(reason, comparison.looks)
    findings: list[Finding] = []
    for one in made:
        findings += comparison.of_sets(one)
        if matches[one.name]:
            findings += comparison.of_pairs(one, matches[one.name])
    findings += [comparison.variety(one, other, found) for one, other, found in between if found]
    return findings, matches


def _matches(one: Images, other: Images, metrics: str, said: list[str]) -> list[tuple[int, int]]:
    found, text = matched(one, other)
    if text:
        said.append(f"{text}." if found else f"{metrics} not applicable: {text}.")
    return found


def _samples(real: Images, made: Sequence[Images], matches: Matches) -> dict[str, tuple[np.ndarray, bool]]:
    """A sheet for each set, real images above synthetic ones, and whether they lie on the same labels."""
    step = max(1, -(-real.images.shape[-1] // SHOWN_PX))
    found = {}
    for one in made:
        pairs = matches[one.name][:SHOWN] or [(number, number) for number in range(SHOWN)]
        columns = [
            np.stack(
                [whole.images[number][:, ::step, ::step].permute(1, 2, 0).numpy() for whole, number in zip(both, pair)]
            )
            for both, pair in (((real, one), pair) for pair in pairs)
        ]
        found[one.name] = contact_sheet.sheet(columns), bool(matches[one.name])
    return found


def run(job: protocol.ImageQuality, report: protocol.Reporter) -> dict[str, str]:
    """Write `imagequality.html`, `.csv` and `.json`, all or none."""
    _check(job)
    downstream = read_table(Path(job.crosstest)) if job.crosstest else None
    report.progress(0, "reading the sets")
    real, made, said = open_sets(job.real, job.synthetic, job.crop_px, job.split, job.count, job.seed)
    findings, matches = _measured(job, real, made, said, report)
    settings = {
        "real": real.name,
        "synthetic": ", ".join(one.name for one in made),
        "crops of each": len(real.images),
        "crop": f"{job.crop_px} px",
        "split": job.split,
        "seed": job.seed,
    }
    told = [finding.told() for finding in findings]
    body = image_quality.body(downstream, settings, findings, said, _samples(real, made, matches))
    texts = {
        "imagequality.html": html.page("Image quality", body),
        "imagequality.csv": html.comma_separated([{**dict.fromkeys(_keys(told), ""), **row} for row in told]),
        "imagequality.json": json.dumps(
            {"settings": settings, "downstream": downstream, "findings": told, "notes": said}, indent=1
        ),
    }
    html.write_together(Path(job.output), texts)
    for finding in findings:
        report.log(
            f"{finding.synthetic}, {finding.metric} ({finding.features}): {finding.value:.4g}. {finding.verdict[1]}"
        )
    report.log(f"report: {Path(job.output) / 'imagequality.html'}")
    return {"output": job.output}


def _keys(rows: Sequence[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))
