"""Confusion matrices over the WorldCover classes, and the IoU and F1 that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch

from backend.geo import legend


def confusion(label: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(COUNT, COUNT) int64: pixels by class index of the label (row) and of the prediction (column).

    `label` and `predicted` are uint8 class indices of one shape; pixels whose label is IGNORE are left out.
    """
    known = label != legend.IGNORE
    pairs = label[known].astype(np.int64) * legend.COUNT + predicted[known]
    return np.bincount(pairs, minlength=legend.COUNT**2).reshape(legend.COUNT, legend.COUNT)


@dataclass(frozen=True)
class Scores:
    """The scores of a confusion matrix; classes without labels have none.

    `legend`, of `legend.LEGENDS`, is the legend of the labels and predictions.
    """

    matrix: np.ndarray
    legend: str = "worldcover"

    @property
    def present(self) -> np.ndarray:
        """(COUNT,) bool: the classes that occur in the labels."""
        return self.matrix.sum(axis=1) > 0

    @property
    def iou(self) -> np.ndarray:
        """(COUNT,) float64 intersection over union (Jaccard 1912), NaN for classes that are not present."""
        hit = np.diag(self.matrix)
        union = self.matrix.sum(axis=0) + self.matrix.sum(axis=1) - hit
        return np.where(self.present, hit / np.maximum(union, 1), np.nan)

    @property
    def f1(self) -> np.ndarray:
        """(COUNT,) float64 F1 (Dice 1945), NaN for classes that are not present."""
        return 2 * self.iou / (1 + self.iou)

    @property
    def miou(self) -> float:
        """The mean IoU over the classes present; 0 where there is none."""
        return float(self.iou[self.present].mean()) if self.present.any() else 0.0

    @property
    def accuracy(self) -> float:
        """The share of the labelled pixels that are predicted correctly; 0 where there is none."""
        return float(np.trace(self.matrix) / max(self.matrix.sum(), 1))

    def figures(self) -> dict[str, object]:
        """The scores as JSON: miou, accuracy, and by WorldCover code the iou, f1 and share of the labels."""
        scores = {"iou": self.iou, "f1": self.f1, "share": self.matrix.sum(axis=1) / max(self.matrix.sum(), 1)}
        by_code = {
            str(legend.CODES[i]): {name: round(float(values[i]), 4) for name, values in scores.items()}
            for i in np.flatnonzero(self.present)
        }
        return {"miou": round(self.miou, 4), "accuracy": round(self.accuracy, 4), "classes": by_code}

    def lines(self) -> list[str]:
        """One line of text a class present, in the legend's order."""
        present = np.flatnonzero(self.present)
        names = legend.named(present, self.legend)
        return [f"{name}: IoU {self.iou[i]:.3f}, F1 {self.f1[i]:.3f}" for i, name in zip(present, names)]


def score(
    predict: Callable[[torch.Tensor], torch.Tensor],
    batches: Iterable[list[torch.Tensor]],
    legend_name: str = "worldcover",
) -> Scores:
    """The scores of `predict`, (N, 3, H, W) uint8 RGB to (N, COUNT, H, W) logits, on batches of images and labels.

    Labels are (N, H, W) uint8 class indices in the legend; pixels whose label is IGNORE are left out.
    """
    matrix = np.zeros((legend.COUNT, legend.COUNT), dtype=np.int64)
    with torch.inference_mode():
        for image, label in batches:
            predicted = predict(image).argmax(dim=1).to(torch.uint8)
            matrix += confusion(label.cpu().numpy(), predicted.cpu().numpy())
    return Scores(matrix, legend_name)
