"""The trainer of a segmentation model: loss, class weights, one epoch of crops, the scores on a split."""

from __future__ import annotations

import math
import os
from itertools import chain

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, Dataset

from backend import protocol
from backend.datasets.crops import RandomCrops, grids, places
from backend.datasets.reader import TileSet, counts_of, tiles_of
from backend.datasets.spatial_split import Split
from backend.geo import legend
from backend.metrics.confusion import Scores, score
from backend.models import architectures, device
from backend.protocol import BackendError
from backend.training.state import Stateful


def loss_of(logits: torch.Tensor, label: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy plus Dice (Milletari et al. 2016) over the labelled pixels; 0 where there is none.

    `logits` (N, COUNT, H, W) float, `label` (N, H, W) int64 class indices or IGNORE, `weights` (COUNT,) of the classes.
    """
    from segmentation_models_pytorch.losses import DiceLoss

    known = (label != legend.IGNORE).sum().clamp(min=1)
    entropy = nn.functional.cross_entropy(logits, label, weights, ignore_index=legend.IGNORE, reduction="sum") / known
    return entropy + DiceLoss("multiclass", ignore_index=legend.IGNORE)(logits, label)


def class_weights(sets: list[TileSet]) -> torch.Tensor:
    """(COUNT,) float32: rare classes weigh more, by the root of how rare they are; the mean over all pixels is 1."""
    counts = counts_of(tiles_of(sets, "train"))
    shares = counts / max(counts.sum(), 1)
    weights = np.where(shares > 0, 1 / np.sqrt(np.maximum(shares, 1e-4)), 0)
    return torch.from_numpy(weights / max((weights * shares).sum(), 1e-9)).float()


class Trainer:
    """A segmenter, its optimizer and its one-cycle schedule, placed by accelerate."""

    def __init__(
        self, job: protocol.TrainSegmentation, sets: list[TileSet], segmenter: architectures.Segmenter
    ) -> None:
        self.job, self.sets, self.segmenter = job, sets, segmenter
        device.keep_freed_memory()
        where = device.best()
        precision = "bf16" if device.fast_bf16(where) else "no"
        self.accelerator = Accelerator(cpu=where.type == "cpu", mixed_precision=precision)
        self.run = self.accelerator.prepare(segmenter.to(self.accelerator.device))
        self.optimizer = torch.optim.AdamW(segmenter.parameters(), lr=job.learning_rate)
        self.weights = class_weights(sets).to(self.accelerator.device) if job.class_weighting == "balanced" else None
        count = len(self._crops(0))
        self.batch = min(job.batch, count)
        steps = job.epochs * (count // self.batch)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, job.learning_rate, total_steps=steps)

    def parts(self) -> dict[str, Stateful]:
        """What a checkpoint holds."""
        return {"module": self.segmenter.module, "optimizer": self.optimizer, "schedule": self.schedule}

    def _crops(self, epoch: int) -> RandomCrops:
        job, groups = self.job, [tiles_of([tiles], "train") for tiles in self.sets]
        return RandomCrops(
            places(groups, job.crop_px, job.mix, job.seed, epoch, job.crops), job.crop_px, job.seed, epoch
        )

    def _batches(self, crops: Dataset, drop_last: bool) -> DataLoader:
        forks = self.accelerator.device.type == "cuda" and os.name == "posix"  # elsewhere a worker imports torch anew
        workers = min(8, os.cpu_count() or 1) if forks else 0
        return DataLoader(crops, batch_size=self.batch, drop_last=drop_last, num_workers=workers)

    def score(self, split: Split) -> Scores:
        """The scores on one split."""
        self.segmenter.eval()
        loaders = [self._batches(crops, False) for crops in grids(tiles_of(self.sets, split), self.job.crop_px)]
        return score(
            lambda image: self.run(image.to(self.accelerator.device)), chain.from_iterable(loaders), self.job.legend
        )

    def epoch(self, number: int, report: protocol.Reporter) -> float:
        """One pass over the training crops; the mean loss."""
        self.segmenter.train()
        batches = self._batches(self._crops(number), drop_last=True)
        losses: list[float] = []
        for image, label in batches:
            image, label = (tensor.to(self.accelerator.device) for tensor in (image, label))
            loss = loss_of(self.run(image), label.long(), self.weights)
            self.optimizer.zero_grad(set_to_none=True)
            self.accelerator.backward(loss)
            self.optimizer.step()
            self.schedule.step()
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise BackendError(
                    f"The loss is no longer a number in epoch {number + 1}. Use a smaller learning rate than "
                    f"{self.job.learning_rate:g}."
                )
            report.progress(len(losses) / len(batches), f"epoch {number + 1}, loss {np.mean(losses[-20:]):.3f}")
        return float(np.mean(losses))
