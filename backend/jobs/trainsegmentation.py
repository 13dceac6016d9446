"""Train a segmentation model: RGB tiles in, a model folder out that holds the best epoch; resumes where it stopped."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, Dataset

from backend import architectures, checkpoint, classes, device, protocol
from backend.dataset import TileSet, open_tiles, tiles_of
from backend.evaluation.card import model_card
from backend.evaluation.scores import Scores, score
from backend.protocol import CHECKPOINTS, BackendError
from backend.raster import check_writable
from backend.splits import SPLITS, Split
from backend.training.crops import RandomCrops, grids

HELD_OUT: tuple[Split, ...] = ("val", "test")
GSD_TOLERANCE = 0.03


def loss_of(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Cross-entropy plus Dice (Milletari et al. 2016) over the labelled pixels; 0 where there is none.

    `logits` (N, COUNT, H, W) float, `label` (N, H, W) int64 class indices or IGNORE.
    """
    from segmentation_models_pytorch.losses import DiceLoss

    known = (label != classes.IGNORE).sum().clamp(min=1)
    entropy = nn.functional.cross_entropy(logits, label, ignore_index=classes.IGNORE, reduction="sum") / known
    return entropy + DiceLoss("multiclass", ignore_index=classes.IGNORE)(logits, label)


def _open(job: protocol.TrainSegmentation) -> list[TileSet]:
    """The job's data sets, checked against each other and against what training needs."""
    if not job.dataset:
        raise BackendError("No data set was given. Choose one or more that 'Build data set' wrote.")
    if job.crop_px < architectures.SIZE_STEP_PX or job.crop_px % architectures.SIZE_STEP_PX:
        raise BackendError(f"The crop must be a multiple of {architectures.SIZE_STEP_PX} pixels, not {job.crop_px}.")
    if job.epochs < 1 or job.batch < 2 or not job.learning_rate > 0:
        raise BackendError("Training needs at least 1 epoch, a batch of at least 2 and a learning rate above 0.")
    sets = [open_tiles(folder) for folder in job.dataset]
    for tiles in sets[1:]:
        if abs(tiles.pixel_m / sets[0].pixel_m - 1) > GSD_TOLERANCE:
            raise BackendError(
                f"The data sets have different pixel sizes: {sets[0].folder} {sets[0].pixel_m:g} m, {tiles.folder} "
                f"{tiles.pixel_m:g} m. A model learns one; build them at the same."
            )
    needed: tuple[Split, ...] = ("train", "val")
    for split in needed:
        if not tiles_of(sets, split):
            raise BackendError(
                f"The data sets hold no {split!r} tiles, which training needs. Build them from more ground or with "
                "smaller tiles."
            )
    if len(RandomCrops(tiles_of(sets, "train"), job.crop_px, job.seed, 0)) < 2:
        raise BackendError("The data sets hold a single training tile; training needs at least two.")
    return sets


def _prepare_output(job: protocol.TrainSegmentation, sets: list[TileSet]) -> Path:
    """The output folder, its settings written; BackendError where it holds another training or other files."""
    output = Path(job.output)
    settings = json.loads(json.dumps({**dataclasses.asdict(job), "tiles": [len(tiles.tiles) for tiles in sets]}))
    del settings["output"]
    known = output / CHECKPOINTS / "job.json"
    if known.is_file():
        if json.loads(known.read_text(encoding="utf-8")) != settings:
            raise BackendError(
                f"{output} holds a training with other settings or data. Choose another output, or give the same "
                "settings to resume it."
            )
    elif output.is_dir() and any(output.iterdir()):
        raise BackendError(f"The output folder {output} is not empty. Choose a new one.")
    check_writable(known)
    known.write_text(json.dumps(settings, indent=1), encoding="utf-8")
    return output


class _Trainer:
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
        count = len(self._crops(0))
        self.batch = min(job.batch, count)
        steps = job.epochs * (count // self.batch)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, job.learning_rate, total_steps=steps)

    def parts(self) -> dict[str, checkpoint.Stateful]:
        """What a checkpoint holds."""
        return {"module": self.segmenter.module, "optimizer": self.optimizer, "schedule": self.schedule}

    def _crops(self, epoch: int) -> RandomCrops:
        return RandomCrops(tiles_of(self.sets, "train"), self.job.crop_px, self.job.seed, epoch)

    def _batches(self, crops: Dataset, drop_last: bool) -> DataLoader:
        forks = self.accelerator.device.type == "cuda" and os.name == "posix"  # elsewhere a worker imports torch anew
        workers = min(8, os.cpu_count() or 1) if forks else 0
        return DataLoader(crops, batch_size=self.batch, drop_last=drop_last, num_workers=workers)

    def score(self, split: Split) -> Scores:
        """The scores on one split."""
        self.segmenter.eval()
        loaders = [self._batches(crops, False) for crops in grids(tiles_of(self.sets, split), self.job.crop_px)]
        return score(lambda image: self.run(image.to(self.accelerator.device)), chain.from_iterable(loaders))

    def epoch(self, number: int, report: protocol.Reporter) -> float:
        """One pass over the training crops; the mean loss."""
        self.segmenter.train()
        batches = self._batches(self._crops(number), drop_last=True)
        losses: list[float] = []
        for image, label in batches:
            image, label = (tensor.to(self.accelerator.device) for tensor in (image, label))
            loss = loss_of(self.run(image), label.long())
            self.optimizer.zero_grad(set_to_none=True)
            self.accelerator.backward(loss)
            self.optimizer.step()
            self.schedule.step()
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise BackendError("The loss is no longer a number. Use a smaller learning rate.")
            report.progress(len(losses) / len(batches), f"epoch {number + 1}, loss {np.mean(losses[-20:]):.3f}")
        return float(np.mean(losses))


def _index(
    job: protocol.TrainSegmentation, sets: list[TileSet], module: nn.Module, sizes: dict[str, Any]
) -> dict[str, Any]:
    """All of the model's index but its scores."""
    labels = (tile.read(0, 0, *tile.shape)[1] for tile in tiles_of(sets, "train"))
    seen = set(chain.from_iterable(classes.to_code(np.unique(label)).tolist() for label in labels))
    return {
        "architecture": job.architecture,
        "encoder": job.encoder,
        "encoder_weights": "from a file" if job.encoder_weights.endswith(".safetensors") else job.encoder_weights,
        "sizes": {key: list(value) if isinstance(value, tuple) else value for key, value in sizes.items()},
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "codes": classes.CODES.tolist(),
        "pixel_m": sets[0].pixel_m,
        **architectures.normalisation(job.encoder, job.encoder_weights),
        "data": {
            "names": [tiles.folder.name for tiles in sets],
            "synthetic": any(tiles.synthetic for tiles in sets),
            "tiles": {split: len(tiles_of(sets, split)) for split in SPLITS},
            "codes": sorted(seen - {classes.NODATA}),
        },
        "training": {key: getattr(job, key) for key in ("epochs", "batch", "crop_px", "learning_rate", "seed")},
    }


def _save(output: Path, segmenter: architectures.Segmenter, index: dict[str, Any]) -> None:
    architectures.save(output, segmenter.module)
    (output / "README.md").write_text(model_card(index, f"Landforge segmentation: {output.name}"), encoding="utf-8")
    checkpoint.write_index(output, "segmentation", **index)


def _score_best(output: Path, job: protocol.TrainSegmentation, sets: list[TileSet], report: protocol.Reporter) -> None:
    """Score the weights as they lie in the model folder, on `val` and `test`, and write that into index and card."""
    _, index = checkpoint.find(str(output), "segmentation")
    del index["landforge"]
    trainer = _Trainer(job, sets, architectures.load(output, index))
    for split in HELD_OUT:
        if index["data"]["tiles"][split]:
            scores = trainer.score(split)
            index["figures"][split] = scores.figures()
            report.log(f"best epoch {index['best_epoch']}, {split}: mIoU {scores.miou:.3f}")
            for line in scores.lines():
                report.log(f"  {line}")
    _save(output, trainer.segmenter, index)


def run(job: protocol.TrainSegmentation, report: protocol.Reporter) -> dict[str, str]:
    """Train, epoch after epoch; the model folder always holds the best so far by mIoU on `val`.

    Stopped and started again with the same job, it goes on after its last whole epoch and ends with the same
    weights as if it had not been stopped.
    """
    sets = _open(job)
    set_seed(job.seed)
    sizes: dict[str, Any] = {"encoder_depth": job.encoder_depth, "decoder_channels": tuple(job.decoder_channels)}
    if not architectures.has_encoder(job.architecture):
        report.log(f"{job.architecture} has no encoder to choose: ENCODER is not used.")
        job, sizes = dataclasses.replace(job, encoder=""), {}
    module = architectures.build(job.architecture, job.encoder, job.encoder_weights, **sizes)
    output = _prepare_output(job, sets)
    index = _index(job, sets, module, sizes)
    trainer = _Trainer(job, sets, architectures.Segmenter(module, index["mean"], index["std"]))
    state = output / CHECKPOINTS / "state.safetensors"
    start, best = 0, -1.0
    if state.is_file():
        progress = checkpoint.load_state(state, trainer.parts())
        start, best = progress["epochs"], progress["best"]
        report.log(f"resumed after epoch {start} of {job.epochs}, best val mIoU {best:.3f}")
    for epoch in range(start, job.epochs):
        part = report.part(epoch / job.epochs, (epoch + 1) / job.epochs)
        loss = trainer.epoch(epoch, part.part(0, 0.9))
        scores = trainer.score("val")
        report.log(f"epoch {epoch + 1}/{job.epochs}: loss {loss:.3f}, val mIoU {scores.miou:.3f}")
        for line in scores.lines():
            report.log(f"  {line}")
        if scores.miou > best:
            best = scores.miou
            figures = {"val": scores.figures()}
            _save(output, trainer.segmenter, {**index, "best_epoch": epoch + 1, "figures": figures})
        checkpoint.save_state(state, trainer.parts(), {"epochs": epoch + 1, "best": best})
        part.progress(1.0, f"epoch {epoch + 1} of {job.epochs}: val mIoU {scores.miou:.3f}, best {best:.3f}")
    _score_best(output, job, sets, report)
    return {"output": str(output)}
