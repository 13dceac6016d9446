"""The model card of a segmentation model, in Markdown with the YAML front matter that model hubs read."""

from __future__ import annotations

from typing import Any

from backend import classes

_NAME_OF = dict(zip((str(code) for code in classes.CODES), classes.NAMES))


def _table(figures: dict[str, Any]) -> str:
    rows = [
        f"| {code} {_NAME_OF[code]} | {100 * one['share']:.1f} % | {one['iou']:.3f} | {one['f1']:.3f} |"
        for code, one in figures["classes"].items()
    ]
    return "\n".join(["| class | share of the labels | IoU | F1 |", "|---|---|---|---|", *rows])


def _scores(index: dict[str, Any]) -> str:
    parts = []
    for split, figures in index["figures"].items():
        parts.append(
            f"On the `{split}` tiles: mIoU over the classes present {figures['miou']:.3f}, "
            f"pixel accuracy {figures['accuracy']:.3f}.\n\n{_table(figures)}"
        )
    return "\n\n".join(parts)


def _listed(codes: list[int]) -> str:
    return ", ".join(f"{code} {_NAME_OF[str(code)]}" for code in codes) or "none"


def model_card(index: dict[str, Any], title: str) -> str:
    """The card that belongs to a segmentation model's index, as `trainsegmentation` writes it."""
    data, training, pixel = index["data"], index["training"], f"{index['pixel_m']:g} m"
    unseen = [int(code) for code in classes.CODES if int(code) not in data["codes"]]
    kinds = "; some or all of them synthetic" if data["synthetic"] else ""
    tiles = ", ".join(f"{count} {split}" for split, count in data["tiles"].items())
    settings = ", ".join(f"{key} {value}" for key, value in training.items() if key != "epochs")
    return f"""---
library_name: landforge
pipeline_tag: image-segmentation
tags: [land-cover, aerial-imagery, segmentation, {index["architecture"]}]
---

# {title}

RGB aerial imagery at {pixel} to land cover in the ESA WorldCover legend: {index["architecture"]} with the encoder
{index["encoder"]} (weights at the start: {index["encoder_weights"] or "none"}), {index["parameters"] / 1e6:.2f} M
parameters, stored in fp16 as safetensors.

## Data
- Data sets: {", ".join(data["names"])}{kinds}.
- Tiles: {tiles}. Training saw the `train` tiles alone; the best epoch was chosen on `val`. Data sets of
  'Build data set' are split by blocks of ground, so that neighbours stay together.
- GSD: {pixel}. Imagery of another GSD is resampled to it first.
- Classes seen in training: {_listed(data["codes"])}.
- Classes not seen, which this model cannot find: {_listed(unseen)}.

## Scores
{_scores(index)}

## Use
- Intended: a first land cover map of imagery like the training data's, to be checked by a person; experiments on
  the worth of training data.
- Not intended: decisions about people, property or safety; change statistics without an estimate of the error;
  places, seasons, sensors or pixel sizes far from the training data's.
- Limits: the labels' errors are learned with them; scores hold for ground like the `val` and `test` tiles'. Classes
  that cover a small share of the labels are the least certain.

## Training
Best epoch {index["best_epoch"]} of {training["epochs"]}; {settings}; AdamW, one-cycle learning rate, cross-entropy and
Dice, flips, quarter turns, slight changes of colour.
"""
