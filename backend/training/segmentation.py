"""The course of a segmentation model's training: epoch after epoch, the best kept, resumed where it stopped."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import set_seed
from torch import nn

from backend import protocol
from backend.datasets import label_offset
from backend.datasets.crops import grids, places
from backend.datasets.reader import GSD_TOLERANCE, TileSet, codes_of, tiles_of
from backend.datasets.spatial_split import SPLITS, Split
from backend.geo import legend
from backend.geo.raster import check_writable
from backend.metrics.confusion import Scores
from backend.models import architectures, model_folder
from backend.protocol import CHECKPOINTS, BackendError
from backend.reports import contact_sheet
from backend.reports.model_card import model_card
from backend.reports.training_report import FILE, write_segmentation_report
from backend.training.segmentation_trainer import Trainer
from backend.training.state import load_state, save_state

SAMPLE_PX = 128
HELD_OUT: tuple[Split, ...] = ("val", "test")
TOLD = ("epochs", "batch", "crop_px", "learning_rate", "mix", "crops", "class_weighting", "patience", "seed")
"""The settings that a model's index and card say."""


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
        if abs(tiles.pixel_m / sets[0].pixel_m - 1) > GSD_TOLERANCE:
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
    if len(places([tiles_of(sets, "train")], job.crop_px)) < 2:
        raise BackendError("The data sets hold a single training tile; training needs at least two.")


def _settings(job: protocol.TrainSegmentation, sets: list[TileSet]) -> dict[str, Any]:
    """What must stay the same for a training to be gone on with."""
    listed = ("\n".join(f"{tile.split} {tile.name}" for tile in tiles.tiles) for tiles in sets)
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in listed]
    found = {**dataclasses.asdict(job), "tiles": [len(tiles.tiles) for tiles in sets], "listed": digests}
    del found["output"]
    return json.loads(json.dumps(found))


def finished(output: Path) -> bool:
    """Whether a training in that folder has ended: its report is written last."""
    return (output / FILE).is_file()


def _check_output(output: Path, settings: dict[str, Any]) -> None:
    """BackendError where the output holds another training or other files."""
    known = output / CHECKPOINTS / "job.json"
    if known.is_file():
        newer = {
            "legend": "worldcover",
            "crops": 0,
            "listed": settings["listed"],
        }  # of which older trainings say nothing
        if {**newer, **json.loads(known.read_text(encoding="utf-8"))} != settings:
            raise BackendError(
                f"{output} holds a training with other settings or data. Choose another output, or give the same "
                "settings to resume it."
            )
    elif output.is_dir() and any(output.iterdir()):
        raise BackendError(f"The output folder {output} is not empty. Choose a new one.")


def _claim(output: Path, settings: dict[str, Any]) -> None:
    """Write down whose the output is."""
    known = output / CHECKPOINTS / "job.json"
    check_writable(known)
    known.write_text(json.dumps(settings, indent=1), encoding="utf-8")


def _index(
    job: protocol.TrainSegmentation, sets: list[TileSet], module: nn.Module, sizes: dict[str, Any]
) -> dict[str, Any]:
    """All of the model's index but its scores."""
    return {
        "architecture": job.architecture,
        "encoder": job.encoder,
        "encoder_weights": "from a file" if job.encoder_weights.endswith(".safetensors") else job.encoder_weights,
        "sizes": {key: list(value) if isinstance(value, tuple) else value for key, value in sizes.items()},
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
        "training": {key: getattr(job, key) for key in TOLD},
    }


def _save(output: Path, segmenter: architectures.Segmenter, index: dict[str, Any]) -> None:
    architectures.save(output, segmenter.module)
    (output / "README.md").write_text(model_card(index, f"Landforge segmentation: {output.name}"), encoding="utf-8")
    model_folder.write_index(output, "segmentation", **index)


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
    _, index = model_folder.find(str(output), "segmentation")
    del index["landforge"]
    trainer = Trainer(job, sets, architectures.load(output, index))
    found: dict[str, Scores] = {}
    for split in HELD_OUT:
        if index["data"]["tiles"][split]:
            found[split] = scores = trainer.score(split)
            index["figures"][split] = scores.figures()
            report.log(f"best epoch {index['best_epoch']}, {split}: mIoU {scores.miou:.3f}")
            for line in scores.lines():
                report.log(f"  {line}")
    _save(output, trainer.segmenter, index)
    write_segmentation_report(output, index, history, found, _samples(trainer, sets))
    report.log(f"report: {output / FILE}")


def _samples(trainer: Trainer, sets: list[TileSet]) -> np.ndarray:
    """A sheet of a few val tiles: image, label, and what the model reads."""
    tiles, count = tiles_of(sets, "val"), 4
    columns: list[list[np.ndarray]] = [[], [], []]
    for tile in tiles[:: max(1, len(tiles) // count)][:count]:
        (crops,) = grids([tile], trainer.job.crop_px)
        image, label = crops[0]
        with torch.inference_mode():
            found = trainer.run(image[None].to(trainer.accelerator.device)).argmax(1)[0].cpu().numpy().astype(np.uint8)
        shown = image.numpy().transpose(1, 2, 0), legend.picture(label.numpy()), legend.picture(found)
        size = tuple(slice(0, min(each, SAMPLE_PX)) for each in label.shape)
        for column, picture in zip(columns, shown):
            canvas = np.full((SAMPLE_PX, SAMPLE_PX, 3), 255, np.uint8)
            canvas[size] = picture[size]
            column.append(canvas)
    return contact_sheet.sheet([np.stack(column) for column in columns])


def fit(job: protocol.TrainSegmentation, sets: list[TileSet], report: protocol.Reporter) -> None:
    """Train on the sets' `train` tiles, epoch after epoch; the model folder always holds the best by mIoU on `val`.

    Stopped and started again with the same job, it goes on after its last whole epoch and ends with the same
    weights as if it had not been stopped. The job's data sets are told; the sets are what is trained on.
    """
    check(job, sets)
    set_seed(job.seed)
    sizes: dict[str, Any] = {"encoder_depth": job.encoder_depth, "decoder_channels": tuple(job.decoder_channels)}
    if not architectures.has_encoder(job.architecture):
        report.log(f"{job.architecture} has no encoder to choose: ENCODER and ENCODER_WEIGHTS are not used.")
        job, sizes = dataclasses.replace(job, encoder="", encoder_weights=""), {}
    output, settings = Path(job.output), _settings(job, sets)
    _check_output(output, settings)
    if finished(output):
        report.log(f"{output} holds this training, finished: it is not run again.")
        return
    module = architectures.build(job.architecture, job.encoder, job.encoder_weights, **sizes)
    index = _index(job, sets, module, sizes)
    if not index["data"]["codes"]:
        raise BackendError("No label of the training tiles is known: all of their pixels are nodata.")
    _claim(output, settings)
    label_offset.warn(sets, report)
    if legend.LEGENDS[job.legend]:
        report.log(f"legend {job.legend}: {'; '.join(legend.names_of(job.legend).values())}")
    trainer = Trainer(job, sets, architectures.Segmenter(module, index["mean"], index["std"], job.legend))
    state = output / CHECKPOINTS / "state.safetensors"
    best, history = -1.0, list[dict[str, float]]()
    if state.is_file():
        progress = load_state(state, trainer.parts())
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
        save_state(state, trainer.parts(), {"best": best, "history": history})
        part.progress(1.0, f"epoch {epoch + 1} of {job.epochs}: val mIoU {scores.miou:.3f}, best {best:.3f}")
    _score_best(output, job, sets, history, report)
