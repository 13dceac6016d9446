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

from backend import architectures, checkpoint, classes, device, protocol, registration
from backend.dataset import GSD_TOLERANCE, TileSet, open_tiles, tiles_of
from backend.evaluation.card import model_card
from backend.evaluation.report import FILE, write_segmentation_report
from backend.evaluation.scores import Scores, score
from backend.protocol import CHECKPOINTS, BackendError
from backend.raster import check_writable
from backend.splits import SPLITS, Split
from backend.training import sheets
from backend.training.crops import RandomCrops, grids, places

SAMPLE_PX = 128
HELD_OUT: tuple[Split, ...] = ("val", "test")
TOLD = ("epochs", "batch", "crop_px", "learning_rate", "mix", "class_weighting", "patience", "seed")
"""The settings that a model's index and card say."""


def loss_of(logits: torch.Tensor, label: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy plus Dice (Milletari et al. 2016) over the labelled pixels; 0 where there is none.

    `logits` (N, COUNT, H, W) float, `label` (N, H, W) int64 class indices or IGNORE, `weights` (COUNT,) of the classes.
    """
    from segmentation_models_pytorch.losses import DiceLoss

    known = (label != classes.IGNORE).sum().clamp(min=1)
    entropy = nn.functional.cross_entropy(logits, label, weights, ignore_index=classes.IGNORE, reduction="sum") / known
    return entropy + DiceLoss("multiclass", ignore_index=classes.IGNORE)(logits, label)


def _mixed(job: protocol.TrainSegmentation) -> list[TileSet]:
    """The data sets; BackendError where the mix does not fit them."""
    sets = [open_tiles(folder).joined(job.legend) for folder in job.dataset]
    if not job.mix:
        return sets
    if len(job.mix) != len(sets) or not all(math.isfinite(share) and share > 0 for share in job.mix):
        raise BackendError(
            f"The mix {', '.join(f'{share:g}' for share in job.mix)} does not fit {len(sets)} data set(s). Give a "
            "number above 0 for each, or leave out a data set that should have none."
        )
    for tiles in sets:
        if not tiles_of([tiles], "train"):
            raise BackendError(f"The data set {tiles.folder} has a share of the mix but no 'train' tiles.")
    return sets


def _class_weights(sets: list[TileSet]) -> torch.Tensor:
    """(COUNT,) float32: rare classes weigh more, by the root of how rare they are; the mean over all pixels is 1."""
    counts = np.zeros(256)
    for tile in tiles_of(sets, "train"):
        counts += np.bincount(tile.read(0, 0, *tile.shape)[1].ravel(), minlength=256)
    shares = counts[: classes.COUNT] / max(counts[: classes.COUNT].sum(), 1)
    weights = np.where(shares > 0, 1 / np.sqrt(np.maximum(shares, 1e-4)), 0)
    return torch.from_numpy(weights / max((weights * shares).sum(), 1e-9)).float()


def _open(job: protocol.TrainSegmentation) -> list[TileSet]:
    """The job's data sets, checked against each other and against what training needs."""
    if not job.dataset:
        raise BackendError("No data set was given. Choose one or more that 'Build data set' wrote.")
    architectures.check_crop(job.crop_px)
    if job.legend not in classes.LEGENDS:
        raise BackendError(f"There is no legend {job.legend!r}. Choose one of {', '.join(classes.LEGENDS)}.")
    if job.epochs < 1 or job.batch < 2 or job.patience < 0 or not job.learning_rate > 0:
        raise BackendError(
            "Training needs at least 1 epoch, a batch of at least 2, a learning rate above 0 and a patience of at "
            "least 0."
        )
    sets = _mixed(job)
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
    if len(places([tiles_of(sets, "train")], job.crop_px)) < 2:
        raise BackendError("The data sets hold a single training tile; training needs at least two.")
    return sets


def _prepare_output(job: protocol.TrainSegmentation, sets: list[TileSet]) -> Path:
    """The output folder, its settings written; BackendError where it holds another training or other files."""
    output = Path(job.output)
    settings = json.loads(json.dumps({**dataclasses.asdict(job), "tiles": [len(tiles.tiles) for tiles in sets]}))
    del settings["output"]
    known = output / CHECKPOINTS / "job.json"
    if known.is_file():
        before = {"legend": "worldcover", **json.loads(known.read_text(encoding="utf-8"))}
        if before != settings:
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
        self.weights = _class_weights(sets).to(self.accelerator.device) if job.class_weighting == "balanced" else None
        count = len(self._crops(0))
        self.batch = min(job.batch, count)
        steps = job.epochs * (count // self.batch)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, job.learning_rate, total_steps=steps)

    def parts(self) -> dict[str, checkpoint.Stateful]:
        """What a checkpoint holds."""
        return {"module": self.segmenter.module, "optimizer": self.optimizer, "schedule": self.schedule}

    def _crops(self, epoch: int) -> RandomCrops:
        job, groups = self.job, [tiles_of([tiles], "train") for tiles in self.sets]
        return RandomCrops(places(groups, job.crop_px, job.mix, job.seed, epoch), job.crop_px, job.seed, epoch)

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
            loss = loss_of(self.run(image), label.long(), self.weights)
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
        "legend": job.legend,
        "pixel_m": sets[0].pixel_m,
        **architectures.normalisation(job.encoder, job.encoder_weights),
        "data": {
            "names": [tiles.folder.name for tiles in sets],
            "synthetic": any(tiles.synthetic for tiles in sets),
            "tiles": {split: len(tiles_of(sets, split)) for split in SPLITS},
            "codes": sorted(seen - {classes.NODATA}),
        },
        "training": {key: getattr(job, key) for key in TOLD},
    }


def _save(output: Path, segmenter: architectures.Segmenter, index: dict[str, Any]) -> None:
    architectures.save(output, segmenter.module)
    (output / "README.md").write_text(model_card(index, f"Landforge segmentation: {output.name}"), encoding="utf-8")
    checkpoint.write_index(output, "segmentation", **index)


def _tired(history: list[dict[str, float]], patience: int) -> bool:
    """Whether the last epochs, as many as the patience, brought nothing better; never with a patience of 0."""
    found = [entry["val mIoU"] for entry in history]
    return bool(patience) and len(found) > patience and max(found[-patience:]) <= max(found[:-patience])


def _score_best(
    output: Path,
    job: protocol.TrainSegmentation,
    sets: list[TileSet],
    history: list[dict[str, float]],
    report: protocol.Reporter,
) -> None:
    """Score the weights as they lie in the model folder, on `val` and `test`; write index, card and report."""
    _, index = checkpoint.find(str(output), "segmentation")
    del index["landforge"]
    trainer = _Trainer(job, sets, architectures.load(output, index))
    matrices: dict[str, np.ndarray] = {}
    for split in HELD_OUT:
        if index["data"]["tiles"][split]:
            scores = trainer.score(split)
            matrices[split] = scores.matrix
            index["figures"][split] = scores.figures()
            report.log(f"best epoch {index['best_epoch']}, {split}: mIoU {scores.miou:.3f}")
            for line in scores.lines():
                report.log(f"  {line}")
    _save(output, trainer.segmenter, index)
    write_segmentation_report(output, index, history, matrices, _samples(trainer, sets))
    report.log(f"report: {output / FILE}")


def _samples(trainer: _Trainer, sets: list[TileSet]) -> np.ndarray:
    """A sheet of a few val tiles: image, label, and what the model reads."""
    tiles, count = tiles_of(sets, "val"), 4
    columns: list[list[np.ndarray]] = [[], [], []]
    for tile in tiles[:: max(1, len(tiles) // count)][:count]:
        (crops,) = grids([tile], trainer.job.crop_px)
        image, label = crops[0]
        with torch.inference_mode():
            found = trainer.run(image[None].to(trainer.accelerator.device)).argmax(1)[0].cpu().numpy().astype(np.uint8)
        shown = image.numpy().transpose(1, 2, 0), classes.picture(label.numpy()), classes.picture(found)
        size = tuple(slice(0, min(each, SAMPLE_PX)) for each in label.shape)
        for column, picture in zip(columns, shown):
            canvas = np.full((SAMPLE_PX, SAMPLE_PX, 3), 255, np.uint8)
            canvas[size] = picture[size]
            column.append(canvas)
    return sheets.sheet([np.stack(column) for column in columns])


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
    for tiles in sets:
        if warning := registration.warning(tiles.offset):
            report.log(f"{tiles.folder}: {warning}")
    if classes.LEGENDS[job.legend]:
        report.log(f"legend {job.legend}: {'; '.join(classes.names_of(job.legend).values())}")
    index = _index(job, sets, module, sizes)
    trainer = _Trainer(job, sets, architectures.Segmenter(module, index["mean"], index["std"], job.legend))
    state = output / CHECKPOINTS / "state.safetensors"
    best, history = -1.0, list[dict[str, float]]()
    if state.is_file():
        progress = checkpoint.load_state(state, trainer.parts())
        best, history = progress["best"], progress["history"]
        report.log(f"resumed after epoch {len(history)} of {job.epochs}, best val mIoU {best:.3f}")
    for epoch in range(len(history), job.epochs):
        if _tired(history, job.patience):
            report.log(f"No better epoch in the last {job.patience}: the training ends after {epoch} of {job.epochs}.")
            break
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
        history.append({"epoch": epoch + 1, "loss": loss, "val mIoU": scores.miou})
        checkpoint.save_state(state, trainer.parts(), {"best": best, "history": history})
        part.progress(1.0, f"epoch {epoch + 1} of {job.epochs}: val mIoU {scores.miou:.3f}, best {best:.3f}")
    _score_best(output, job, sets, history, report)
    return {"output": str(output)}
