"""Confusion matrices, IoU and F1, against values worked out by hand."""

import numpy as np
import pytest
import torch

from backend.geo import legend
from backend.metrics.confusion import Scores, confusion, score

LABEL = np.array([[0, 0, 0, 1], [1, 1, legend.IGNORE, 2]], np.uint8)
PREDICTED = np.array([[0, 0, 1, 1], [1, 3, 4, 0]], np.uint8)


def test_confusion_counts_labelled_pixels():
    matrix = confusion(LABEL, PREDICTED)
    assert matrix.shape == (legend.COUNT, legend.COUNT) and matrix.sum() == 7
    assert matrix[0].tolist()[:4] == [2, 1, 0, 0]
    assert matrix[1].tolist()[:4] == [0, 2, 0, 1]
    assert matrix[2].tolist()[:4] == [1, 0, 0, 0]


def test_scores_by_hand():
    scores = Scores(confusion(LABEL, PREDICTED))
    assert scores.iou[:3] == pytest.approx([2 / 4, 2 / 4, 0])
    assert scores.f1[:3] == pytest.approx([4 / 6, 4 / 6, 0])
    assert np.isnan(scores.iou[3:]).all()  # class 3 was predicted, but no label shows it
    assert scores.miou == pytest.approx(1 / 3) and scores.accuracy == pytest.approx(4 / 7)
    figures = scores.figures()
    assert list(figures["classes"]) == ["10", "20", "30"]
    assert figures["classes"]["10"] == {"iou": 0.5, "f1": 0.6667, "share": 0.4286}
    assert scores.lines()[0] == "Tree cover: IoU 0.500, F1 0.667"
    merged = Scores(scores.matrix, "merged")
    assert merged.lines()[0] == "Tree cover + Mangroves: IoU 0.500, F1 0.667"


def test_no_label_gives_zero():
    empty = Scores(confusion(np.full((2, 2), legend.IGNORE, np.uint8), np.zeros((2, 2), np.uint8)))
    assert (empty.miou, empty.accuracy, empty.lines()) == (0.0, 0.0, [])


def test_score_adds_the_batches_up():
    def first_band_says(image):
        return torch.nn.functional.one_hot(image[:, 0].long(), legend.COUNT).permute(0, 3, 1, 2).float()

    image = torch.from_numpy(np.repeat(PREDICTED[None, None], 3, axis=1))
    batch = [image, torch.from_numpy(LABEL[None])]
    assert (score(first_band_says, [batch, batch]).matrix == 2 * confusion(LABEL, PREDICTED)).all()
