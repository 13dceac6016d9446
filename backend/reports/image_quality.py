"""The page of an image quality report: the downstream result, the metrics with their trust checks, samples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from backend.metrics.sanity_check import CHANCE, CHANGES, LEAST, Finding
from backend.reports import contact_sheet, html
from backend.reports.cross_test import pairs_table

MISSING = (
    "No cross-test was given, so nothing here says whether the synthetic images are of any use: metrics do "
    "not. Train a model on the synthetic data set and one on the real one ('Train segmentation model'), test both "
    "on real tiles ('Cross-test'), and give that folder as CROSSTEST."
)
READING = (
    "Real halves: the mean of the metric between random halves of the real tiles. For FID, KID and IS it is the floor "
    "that chance leaves, FID's bias included; for metrics of pairs it is what tiles of different ground have, a "
    "ceiling.",
    "Rotated, mirrored, recoloured: the same real tiles beside themselves after a change that makes none less real. "
    "A metric that such a change moves as much as the synthetic set does cannot be trusted here.",
    "FID, KID: 0 is best. IS: judged by its distance from the real tiles' own. LPIPS: 0 is best. SSIM: 1 is best; its "
    "checks are given as 1 - SSIM. A turned tile no longer lies on its label, which metrics of pairs punish.",
    "Landforge encoder: the bundled segmentation model's, its features scaled by the real tiles' spread; its figures "
    "compare within a page, not between pages.",
    "Spread: the standard error, for FID, KID and IS by random halves of the tiles, for pairs that of their mean. A "
    f"verdict is green only where the distance stays clear of the harmless changes with {CHANCE} spreads, and for sets "
    f"the real halves, taken off; under {LEAST['sets']} tiles, or {LEAST['pairs']} pairs, it is never given.",
)


def body(
    downstream: Sequence[Mapping[str, Any]] | None,
    settings: Mapping[str, Any],
    findings: Sequence[Finding],
    said: Sequence[str],
    samples: Mapping[str, tuple[np.ndarray, bool]],
) -> str:
    """The page as HTML; `samples` are (h, w, 3) uint8 sheets by set, real above synthetic, and whether labels agree."""
    first = pairs_table(downstream) if downstream else f'<p class="care">{escape(MISSING)}</p>'
    names = list(dict.fromkeys(finding.synthetic for finding in findings))
    tables = "".join(_table(name, [one for one in findings if one.synthetic == name]) for name in names)
    rows = "".join(f"<tr><th>{escape(key)}</th><td>{escape(str(value))}</td></tr>" for key, value in settings.items())
    pictures = "".join(_samples(name, *sample) for name, sample in samples.items())
    return (
        f"<h2>What the data is worth downstream</h2>{first}"
        f"<h2>Image metrics, and whether they can be trusted here</h2>{tables}{html.notes(said)}"
        f"<h3>How to read this</h3>{html.notes(READING)}"
        f"<h2>Samples</h2>{pictures}<h2>What was compared</h2><table>{rows}</table>"
    )


def _table(name: str, findings: Sequence[Finding]) -> str:
    heads = ["features", "value", "spread", "real halves", *CHANGES, "verdict"]
    return f"<h3>{escape(name)}</h3>" + html.scores("metric", heads, [_row(finding) for finding in findings])


def _row(finding: Finding) -> list[str]:
    grade, words = finding.verdict
    value = figure(finding.value)
    if finding.of_real is not None:
        value += f"<small>real {figure(finding.of_real)}</small>"
    largest, _ = finding.largest
    changes = [
        f"<td>{f'<b>{figure(moved)}</b>' if change == largest else figure(moved)}</td>"
        for change, moved in finding.changes.items()
    ]
    cells = [f"{value}<small>{finding.tiles} tiles</small>", f"±&nbsp;{figure(finding.spread)}", figure(finding.halves)]
    plain = [f"<td>{cell}</td>" for cell in cells]
    return [
        escape(finding.metric),
        f'<td class="words">{escape(finding.features)}</td>',
        *plain,
        *changes,
        f'<td class="words {grade}">{escape(words)}</td>',
    ]


def figure(value: float) -> str:
    """A number of three digits, never as a power of ten; 'none' for NaN."""
    if not math.isfinite(value):
        return "none"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.{3 if abs(value) < 1 else 2}f}"


def _samples(name: str, pixels: np.ndarray, same_ground: bool) -> str:
    told = "on the same labels" if same_ground else "of other ground"
    caption = f"Real above, {name} below, {told}."
    return html.captioned(contact_sheet.png(pixels), caption)
