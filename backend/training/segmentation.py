"""The training of a segmentation model: epoch after epoch, the best one kept, resumable after each."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, Dataset

from backend import protocol
from backend.datasets import label_offset
from backend.datasets.crops import RandomCrops, epoch_tiles, grid_crops
from backend.datasets.layout import SAME_GSD_TOLERANCE
from backend.datasets.reader import TileSet, codes_of, counts_of, tiles_of
from backend.datasets.spatial_split import SPLITS, Split
from backend.geo import legend
from backend.geo.raster import check_writable
from backend.metrics.confusion import Scores, score
from backend.models import architectures, model_folder
from backend.protocol import CHECKPOINTS, BackendError
from backend.reports import contact_sheet
from backend.reports.model_card import model_card
from backend.reports.training_report import FILE, write_segmentation_report
from backend.training.loop import Callback, TrainingLoop
from backend.training.state import Stateful

SAMPLE_PX, SAMPLE_ROWS = 128, 4
VALIDATION_SPLITS: tuple[Split, ...] = ("val", "test")
INDEX_SETTINGS = ("epochs", "batch", "crop_px", "learning_rate", "mix", "crops", "class_weighting", "patience", "seed")
"""The job's fields that go into a model's index and card."""


def _check_mix(job: protocol.TrainSegmentation, sets: list[TileSet]) -> None:
    """BackendError where the mix does not fit the data sets."""
    if len(job.mix) != len(sets) or not all(math.isfinite(share) and share > 0 for share in job.mix):
        raise BackendError(
            f"The mix {', '.join(f'{share:g}' for share in job.mix)} does not fit {len(sets)} data set(s). Give a "
            "number above 0 for each, or leave out a data set that should have none."
        )
    for tiles in sets:
        if not tiles_of([tiles], "train"):
            raise BackendError(f"The data set {tiles.folder} has a share of the mix but no 'train' tiles.")


def check_settings(job: protocol.TrainSegmentation) -> None:
    """BackendError for numbers that no training can use."""
    architectures.check_crop(job.crop_px)
    if job.legend not in legend.LEGENDS:
        raise BackendError(f"There is no legend {job.legend!r}. Choose one of {', '.join(legend.LEGENDS)}.")
    if job.epochs < 1 or job.batch < 2 or job.patience < 0 or not job.learning_rate > 0:
        raise BackendError(
            "Training needs at least 1 epoch, a batch of at least 2, a learning rate above 0 and a patience of at "
            "least 0."
        )
    if job.crops < 0 or job.crops == 1:
        raise BackendError("An epoch needs at least 2 crops, or 0 for as many as the tiles hold.")


def check_gsd(sets: list[TileSet]) -> None:
    """BackendError for data sets of different pixel sizes."""
    for tiles in sets[1:]:
        if abs(tiles.pixel_m / sets[0].pixel_m - 1) > SAME_GSD_TOLERANCE:
            raise BackendError(
                f"The data sets have different pixel sizes: {sets[0].folder} {sets[0].pixel_m:g} m, {tiles.folder} "
                f"{tiles.pixel_m:g} m. A model learns one; build them at the same."
            )


def check(job: protocol.TrainSegmentation, sets: list[TileSet]) -> None:
    """BackendError where the data sets do not fit each other, the job or what training needs."""
    check_settings(job)
    if job.mix:
        _check_mix(job, sets)
    check_gsd(sets)
    needed: tuple[Split, ...] = ("train", "val")
    for split in needed:
        if not tiles_of(sets, split):
            raise BackendError(
                f"The data sets hold no {split!r} tiles, which training needs. Build them from more ground or with "
                "smaller tiles."
            )
    if len(epoch_tiles([tiles_of(sets, "train")], job.crop_px)) < 2:
        raise BackendError("The data sets hold a single training tile; training needs at least two.")


def segmentation_loss(logits: torch.Tensor, label: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy plus Dice (Milletari et al. 2016) over the labelled pixels; 0 where there is none.

    `logits` (N, COUNT, H, W) float, `label` (N, H, W) int64 class indices or IGNORE, `weights` (COUNT,) of the classes.
    """
    from segmentation_models_pytorch.losses import DiceLoss

    known = (label != legend.IGNORE).sum().clamp(min=1)
    entropy = nn.functional.cross_entropy(logits, label, weights, ignore_index=legend.IGNORE, reduction="sum") / known
    return entropy + DiceLoss("multiclass", ignore_index=legend.IGNORE)(logits, label)


def class_weights(sets: list[TileSet]) -> torch.Tensor:
    """(COUNT,) float32 by the inverse square root of each class's share of the training pixels.

    Their mean over these pixels is 1.
    """
    counts = counts_of(tiles_of(sets, "train"))
    shares = counts / max(counts.sum(), 1)
    weights = np.where(shares > 0, 1 / np.sqrt(np.maximum(shares, 1e-4)), 0)
    return torch.from_numpy(weights / max((weights * shares).sum(), 1e-9)).float()


class SegmentationTrainer(TrainingLoop):
    """Trains a segmenter with a one-cycle schedule; a step is an epoch of random crops and the scores on `val`.

    `index` is the model's index without scores. The job's output folder always holds the best epoch by mIoU on `val`.
    """

    def __init__(
        self,
        job: protocol.TrainSegmentation,
        sets: list[TileSet],
        segmenter: architectures.Segmenter,
        index: dict[str, Any],
        report: protocol.Reporter,
    ) -> None:
        super().__init__(Path(job.output) / CHECKPOINTS / "state.safetensors", report)
        self.job, self.sets, self.segmenter, self.index = job, sets, segmenter, index
        self.model = self.accelerator.prepare(segmenter.to(self.device))
        self.optimizer = torch.optim.AdamW(segmenter.parameters(), lr=job.learning_rate)
        self.class_weights = class_weights(sets).to(self.device) if job.class_weighting == "balanced" else None
        crops = len(self._crops(0))
        self.batch_size = min(job.batch, crops)
        batches = job.epochs * (crops // self.batch_size)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, job.learning_rate, total_steps=batches)
        self.best_miou, self.history = -1.0, list[dict[str, float]]()

    def stateful_parts(self) -> dict[str, Stateful]:  # noqa: D102
        return {"module": self.segmenter.module, "optimizer": self.optimizer, "schedule": self.schedule}

    def counters(self) -> dict[str, Any]:  # noqa: D102
        return {"best": self.best_miou, "history": self.history}

    def resume(self) -> None:
        """Continue after the last epoch of the checkpoint, where there is one."""
        if counters := self.load_checkpoint():
            self.best_miou, self.history = counters["best"], counters["history"]
            self.report.log(
                f"resumed after epoch {len(self.history)} of {self.job.epochs}, best val mIoU {self.best_miou:.3f}"
            )

    @property
    def finished(self) -> bool:  # noqa: D102
        return len(self.history) >= self.job.epochs or self.stalled

    @property
    def stalled(self) -> bool:
        """Whether none of the last epochs, as many as the job's patience, is the best; never with a patience of 0."""
        mious, patience = [entry["val mIoU"] for entry in self.history], self.job.patience
        return bool(patience) and len(mious) > patience and max(mious[-patience:]) <= max(mious[:-patience])

    def callbacks(self) -> list[Callback]:
        """After each epoch: the log, the model folder where the epoch is the best, the checkpoint, the progress."""
        actions = (self._log_scores, self._save_if_best, self.save_checkpoint, self._report_progress)
        return [Callback(0.0, action) for action in actions]

    def step(self) -> None:  # noqa: D102
        epoch = len(self.history)
        begin, end = epoch / self.job.epochs, (epoch + 1) / self.job.epochs
        loss = self._train_epoch(epoch, self.report.part(begin, end).part(0, 0.9))
        self.scores = self.score("val")
        self.history.append({"epoch": epoch + 1, "loss": loss, "val mIoU": self.scores.miou})

    def _train_epoch(self, epoch: int, report: protocol.Reporter) -> float:
        """One pass over the training crops; the mean loss."""
        self.segmenter.train()
        batches = self._batches(self._crops(epoch), drop_last=True)
        losses: list[float] = []
        for image, label in batches:
            image, label = (tensor.to(self.device) for tensor in (image, label))
            loss = segmentation_loss(self.model(image), label.long(), self.class_weights)
            self.optimizer.zero_grad(set_to_none=True)
            self.accelerator.backward(loss)
            self.optimizer.step()
            self.schedule.step()
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise BackendError(
                    f"The loss is no longer a number in epoch {epoch + 1}. Use a smaller learning rate than "
                    f"{self.job.learning_rate:g}."
                )
            report.progress(len(losses) / len(batches), f"epoch {epoch + 1}, loss {np.mean(losses[-20:]):.3f}")
        return float(np.mean(losses))

    def _crops(self, epoch: int) -> RandomCrops:
        job, groups = self.job, [tiles_of([tiles], "train") for tiles in self.sets]
        return RandomCrops(
            epoch_tiles(groups, job.crop_px, job.mix, job.seed, epoch, job.crops), job.crop_px, job.seed, epoch
        )

    def _batches(self, crops: Dataset, drop_last: bool) -> DataLoader:
        forks = self.device.type == "cuda" and os.name == "posix"  # elsewhere each worker imports torch again
        return DataLoader(
            crops,
            batch_size=self.batch_size,
            drop_last=drop_last,
            num_workers=min(8, os.cpu_count() or 1) if forks else 0,
            multiprocessing_context="fork" if forks else None,  # from Python 3.14 on, forkserver is the default
        )

    def score(self, split: Split) -> Scores:
        """The scores on one split."""
        self.segmenter.eval()
        loaders = [self._batches(crops, False) for crops in grid_crops(tiles_of(self.sets, split), self.job.crop_px)]
        return score(lambda image: self.model(image.to(self.device)), chain.from_iterable(loaders), self.job.legend)

    def _log_scores(self) -> None:
        epoch, loss = len(self.history), self.history[-1]["loss"]
        self.report.log(f"epoch {epoch}/{self.job.epochs}: loss {loss:.3f}, val mIoU {self.scores.miou:.3f}")
        for line in self.scores.lines():
            self.report.log(f"  {line}")

    def _save_if_best(self) -> None:
        if self.scores.miou > self.best_miou:
            self.best_miou = self.scores.miou
            self.save_model(best_epoch=len(self.history), figures={"val": self.scores.figures()})

    def _report_progress(self) -> None:
        epoch, epochs = len(self.history), self.job.epochs
        message = f"epoch {epoch} of {epochs}: val mIoU {self.scores.miou:.3f}, best {self.best_miou:.3f}"
        self.report.progress(epoch / epochs, message)

    def save_model(self, **entries: Any) -> None:
        """Write weights, card and index into the model folder, the index with further entries."""
        output, index = Path(self.job.output), {**self.index, **entries}
        architectures.save(output, self.segmenter.module)
        card = model_card(index, f"Landforge segmentation: {output.name}")
        (output / "README.md").write_text(card, encoding="utf-8")
        model_folder.write_index(output, "segmentation", **index)

    def sample_sheet(self) -> np.ndarray:
        """(H, W, 3) uint8 sheet of a few `val` tiles: image, label and the model's prediction."""
        tiles = tiles_of(self.sets, "val")
        columns: list[list[np.ndarray]] = [[], [], []]
        for tile in tiles[:: max(1, len(tiles) // SAMPLE_ROWS)][:SAMPLE_ROWS]:
            (crops,) = grid_crops([tile], self.job.crop_px)
            image, label = crops[0]
            with torch.inference_mode():
                predicted = self.model(image[None].to(self.device)).argmax(1)[0].cpu().numpy().astype(np.uint8)
            pictures = image.numpy().transpose(1, 2, 0), legend.picture(label.numpy()), legend.picture(predicted)
            size = tuple(slice(0, min(side, SAMPLE_PX)) for side in label.shape)
            for column, picture in zip(columns, pictures):
                canvas = np.full((SAMPLE_PX, SAMPLE_PX, 3), 255, np.uint8)
                canvas[size] = picture[size]
                column.append(canvas)
        return contact_sheet.sheet([np.stack(column) for column in columns])


def _settings(job: protocol.TrainSegmentation, sets: list[TileSet]) -> dict[str, Any]:
    """What must not change between the runs of one training."""
    tile_lists = ("\n".join(f"{tile.split} {tile.name}" for tile in tiles.tiles) for tiles in sets)
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in tile_lists]
    settings = {**dataclasses.asdict(job), "tiles": [len(tiles.tiles) for tiles in sets], "listed": digests}
    del settings["output"]
    return json.loads(json.dumps(settings))


def finished(output: Path) -> bool:
    """Whether the training in that folder is finished: its report is written last."""
    return (output / FILE).is_file()


def _check_output(output: Path, settings: dict[str, Any]) -> None:
    """BackendError where the output holds another training or other files."""
    path = output / CHECKPOINTS / "job.json"
    if path.is_file():
        # older trainings lack these entries
        defaults = {"legend": "worldcover", "crops": 0, "listed": settings["listed"]}
        if {**defaults, **json.loads(path.read_text(encoding="utf-8"))} != settings:
            raise BackendError(
                f"{output} holds a training with other settings or data. Choose another output, or give the same "
                "settings to resume it."
            )
    elif output.is_dir() and any(output.iterdir()):
        raise BackendError(f"The output folder {output} is not empty. Choose a new one.")


def _write_settings(output: Path, settings: dict[str, Any]) -> None:
    path = output / CHECKPOINTS / "job.json"
    check_writable(path)
    path.write_text(json.dumps(settings, indent=1), encoding="utf-8")


def _sizes(job: protocol.TrainSegmentation) -> dict[str, Any]:
    """The architecture's own parameters; one without a choice of encoders has none."""
    if not architectures.has_encoder(job.architecture):
        return {}
    return {"encoder_depth": job.encoder_depth, "decoder_channels": tuple(job.decoder_channels)}


def build_module(job: protocol.TrainSegmentation) -> nn.Module:
    """The new network of a training, tried at the size of its crops; BackendError where it cannot be built or used."""
    module = architectures.build(job.architecture, job.encoder, job.encoder_weights, **_sizes(job))
    architectures.check_sizes(module, job.architecture, job.encoder, job.crop_px)
    return module


def _new_index(job: protocol.TrainSegmentation, sets: list[TileSet], module: nn.Module) -> dict[str, Any]:
    """The model's index without scores."""
    return {
        "architecture": job.architecture,
        "encoder": job.encoder,
        "encoder_weights": "from a file" if job.encoder_weights.endswith(".safetensors") else job.encoder_weights,
        "sizes": {key: list(value) if isinstance(value, tuple) else value for key, value in _sizes(job).items()},
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "codes": legend.CODES.tolist(),
        "legend": job.legend,
        "pixel_m": sets[0].pixel_m,
        **architectures.normalisation(job.encoder, job.encoder_weights),
        "data": {
            "names": [tiles.folder.name for tiles in sets],
            "synthetic": any(tiles.synthetic for tiles in sets),
            "tiles": {split: len(tiles_of(sets, split)) for split in SPLITS},
            "codes": codes_of(tiles_of(sets, "train")),
        },
        "training": {key: getattr(job, key) for key in INDEX_SETTINGS},
    }


def _score_best(
    job: protocol.TrainSegmentation, sets: list[TileSet], history: list[dict[str, float]], report: protocol.Reporter
) -> None:
    """Score the weights in the model folder on `val` and `test`; write index, card and report."""
    output = Path(job.output)
    _, index = model_folder.find(str(output), "segmentation")
    del index["landforge"]
    best = SegmentationTrainer(job, sets, architectures.load(output, index), index, report)
    scores_by_split: dict[str, Scores] = {}
    for split in VALIDATION_SPLITS:
        if index["data"]["tiles"][split]:
            scores_by_split[split] = scores = best.score(split)
            index["figures"][split] = scores.figures()
            report.log(f"best epoch {index['best_epoch']}, {split}: mIoU {scores.miou:.3f}")
            for line in scores.lines():
                report.log(f"  {line}")
    best.save_model()
    write_segmentation_report(output, index, history, scores_by_split, best.sample_sheet())
    report.log(f"report: {output / FILE}")


def fit(job: protocol.TrainSegmentation, sets: list[TileSet], report: protocol.Reporter) -> None:
    """Train on the `train` tiles of `sets` and write the model folder with the best epoch by mIoU on `val`.

    A training that was stopped resumes after its last whole epoch and ends with the same weights as without the stop.
    The job's data set paths are only recorded; `sets` holds the tiles to train on.
    """
    check(job, sets)
    set_seed(job.seed)
    if not architectures.has_encoder(job.architecture):
        report.log(f"{job.architecture} has no encoder to choose: ENCODER and ENCODER_WEIGHTS are not used.")
        job = dataclasses.replace(job, encoder="", encoder_weights="")
    output, settings = Path(job.output), _settings(job, sets)
    _check_output(output, settings)
    if finished(output):
        report.log(f"{output} holds this training, finished: it is not run again.")
        return
    module = build_module(job)
    index = _new_index(job, sets, module)
    if not index["data"]["codes"]:
        raise BackendError("No label of the training tiles is known: all of their pixels are nodata.")
    _write_settings(output, settings)
    label_offset.warn(sets, report)
    if legend.LEGENDS[job.legend]:
        report.log(f"legend {job.legend}: {'; '.join(legend.names_of(job.legend).values())}")
    segmenter = architectures.Segmenter(module, index["mean"], index["std"], job.legend)
    trainer = SegmentationTrainer(job, sets, segmenter, index, report)
    trainer.resume()
    trainer.train()
    if trainer.stalled and len(trainer.history) < job.epochs:
        report.log(
            f"No better epoch in the last {job.patience}: the training ends after {len(trainer.history)} of "
            f"{job.epochs}."
        )
    _score_best(job, sets, trainer.history, report)
