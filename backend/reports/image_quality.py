"""The files of an image quality report: downstream result, metrics with their sanity checks, and samples."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.metrics.image_sets import ImageSet, Matches
from backend.metrics.sanity_check import CHANGES, CLEAR_SPREADS, MINIMUM_TILES, Finding
from backend.reports import contact_sheet, html
from backend.reports.cross_test import by_pair

SAMPLES, SAMPLE_PX = 6, 160


@dataclass(frozen=True)
class Sample:
    """A contact sheet of real images above synthetic ones, and whether these were generated on the same labels."""

    png: bytes
    same_labels: bool


def samples(real: ImageSet, synthetic: Sequence[ImageSet], matches: Mapping[str, Matches]) -> dict[str, Sample]:
    """A sample of each synthetic set, by its name; `matches` are the pairs of images on the same labels."""
    step = max(1, -(-real.images.shape[-1] // SAMPLE_PX))

    def thumbnail(images: ImageSet, number: int) -> np.ndarray:
        return images.images[number][:, ::step, ::step].permute(1, 2, 0).numpy()

    sheets = {}
    for images in synthetic:
        pairs = matches[images.name][:SAMPLES] or [(number, number) for number in range(SAMPLES)]
        columns = [np.stack([thumbnail(real, i), thumbnail(images, j)]) for i, j in pairs]
        sheets[images.name] = Sample(contact_sheet.png(contact_sheet.sheet(columns)), bool(matches[images.name]))
    return sheets


def write(
    folder: Path,
    downstream: Sequence[Mapping[str, Any]] | None,
    settings: Mapping[str, Any],
    findings: Sequence[Finding],
    remarks: Sequence[str],
    sample_sheets: Mapping[str, Sample],
) -> None:
    """Write `imagequality.html`, `.csv` and `.json`, all or none; BackendError where the folder cannot be written.

    `downstream` are the rows of a cross-test.
    """
    rows = [finding.row() for finding in findings]
    columns = dict.fromkeys((key for row in rows for key in row), "")
    texts = {
        "imagequality.html": _page(downstream, settings, findings, remarks, sample_sheets),
        "imagequality.csv": html.csv_text([{**columns, **row} for row in rows]),
        "imagequality.json": json.dumps(
            {"settings": settings, "downstream": downstream, "findings": rows, "notes": remarks}, indent=1
        ),
    }
    html.write_together(folder, texts)


def _page(
    downstream: Sequence[Mapping[str, Any]] | None,
    settings: Mapping[str, Any],
    findings: Sequence[Finding],
    remarks: Sequence[str],
    sample_sheets: Mapping[str, Sample],
) -> str:
    names = dict.fromkeys(finding.synthetic for finding in findings)
    return html.render(
        "image_quality",
        title="Image quality",
        pairs=by_pair(downstream) if downstream else None,
        by_set={name: [finding for finding in findings if finding.synthetic == name] for name in names},
        changes=list(CHANGES),
        remarks=remarks,
        clear_spreads=CLEAR_SPREADS,
        minimum_tiles=MINIMUM_TILES,
        samples=sample_sheets,
        settings=settings,
    )
