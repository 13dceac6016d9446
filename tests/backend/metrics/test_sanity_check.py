"""The harmless changes, and the verdicts that they lead to."""

import numpy as np
import pytest
import torch

from backend.metrics import sanity_check
from backend.metrics.sanity_check import Finding


def test_changes_are_harmless():
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    assert torch.equal(sanity_check.changed(images, "rotated").rot90(3, (2, 3)), images)
    assert torch.equal(sanity_check.changed(images, "mirrored").flip(3), images)
    lit = sanity_check.changed(images, "recoloured").int() - images.int()
    assert 0 < lit.abs().float().mean() < 25 and torch.equal(
        sanity_check.changed(images, "recoloured").int(), images + lit
    )


def result(distance, halves=0.1, rotated=0.05, mirrored=0.02, recoloured=0.01, spread=0.01, kind="sets", tiles=90):
    changes = {"rotated": rotated, "mirrored": mirrored, "recoloured": recoloured}
    return Finding("made", "FID", "own", tiles, distance, spread, distance, halves, changes, kind)


@pytest.mark.parametrize(
    "finding, grade, words",
    [
        (result(1.0), "good", "10.0 times"),
        (result(0.5, mirrored=0.6), "bad", "Cannot be trusted here: real tiles merely mirrored score 0.6, the syn"),
        (result(0.5, rotated=0.5), "bad", "Cannot be trusted"),
        (result(0.5, rotated=0.3), "care", "Read with care"),
        (result(0.11), "care", "Does not tell them apart"),
        (result(0.5, halves=0.45, kind="pairs"), "care", "No nearer to the real tile"),
        (result(0.5, halves=0.9, kind="pairs"), "good", "10.0 times what harmless changes do"),
        (result(0.4, halves=0.8, rotated=0.7, kind="variety"), "good", "differ 50% as much"),
        (result(0.4, recoloured=0.4, kind="variety"), "bad", "other light alone"),
        (result(1.0, tiles=49), "care", "Too few to tell: 49 tiles, but at least 50"),
        (result(0.5, rotated=0.5, tiles=16), "care", "Too few to tell"),
        (result(1.0, halves=0.9, kind="pairs", tiles=29), "care", "at least 30"),
        (
            result(1.0, spread=0.42),
            "care",
            "of 1, 0.94 may be chance with 90 tiles, and 0.9 would leave it clear; about 100",
        ),
        (result(1.0, halves=0.85, rotated=0.1), "care", "0.87 may be chance"),
        (result(0.5, halves=0.515, kind="pairs"), "care", "Too few to tell"),
        (result(0.4, halves=0.8, recoloured=0.3, spread=0.06, kind="variety"), "care", "Too few to tell"),
    ],
)
def test_verdicts(finding, grade, words):
    assert finding.verdict[0] == grade and words in finding.verdict[1]
    row = finding.row()
    assert row["trusted"] is (grade != "bad" and not finding.too_few) and row["grade"] == grade
    assert row["largest_change"] == max(finding.changes, key=finding.changes.get)
    assert np.isfinite(row["value"])
